internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Logging
internal import SchoolRecords
internal import ServiceLifecycle
internal import SiteConfiguration
internal import TimeSeriesRing

/// Writes the hourly and daily summaries of each point into the records, so that history outlives the ring, makes those
/// again that a late sample changed, and erases what has been kept long enough.
struct Summarizer: Service {
    let gateway: Gateway
    /// How long transitions of alerts are kept, milliseconds; critical ones that wait for the centre longer.
    private static let alertsKept: Int64 = 400 * 86_400_000

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let gateway = self.gateway
                    try await gateway.records.perform { records in
                        try Self.reopenLateHours(gateway, records)
                        try Self.summarize(gateway, records)
                        try Self.eraseWhatIsOver(gateway, records)
                    }
                } catch {
                    self.gateway.logger.error(
                        "summaries not written; tried again later",
                        metadata: ["error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(60))
            }
        }
    }

    /// Hours that got samples after they were summed up are pending again.
    static func reopenLateHours(_ gateway: Gateway, _ records: Records) throws {
        let hours = gateway.store.takeLateHours()
        do {
            try records.reopenSummaries(hours, utcOffsetSeconds: gateway.site.utcOffsetSeconds)
        } catch {
            gateway.store.giveBack(lateHours: hours)
            throw error
        }
    }

    /// Erases what is older than `gateway.yaml` says; at most 10,000 rows of a kind a minute, so that nobody waits.
    static func eraseWhatIsOver(_ gateway: Gateway, _ records: Records) throws {
        let now = gateway.now
        let kept = gateway.configuration.retention
        try records.eraseEvents(before: now.advanced(byMilliseconds: -kept.eventsMilliseconds), actor: "gateway")
        try records.eraseAlerts(before: now.advanced(byMilliseconds: -Self.alertsKept), actor: "gateway")
        let periods = [(SummaryPeriod.hour, kept.hoursMilliseconds), (.day, kept.daysMilliseconds)]
        for (period, milliseconds) in periods {
            try records.eraseSummaries(period, before: now.advanced(byMilliseconds: -milliseconds), actor: "gateway")
        }
    }

    /// Rows that are written together: the records are not locked for long, and memory is bounded.
    private static let batchMax = 5_000

    /// Fills every finished hour that has none yet, the oldest first, then the days.
    static func summarize(_ gateway: Gateway, _ records: Records) throws {
        let offset = gateway.site.utcOffsetSeconds
        let now = gateway.now
        let week: Int64 = 7 * 86_400_000
        let since = now.advanced(byMilliseconds: -week)
        let hours = try records.summariesPending(.hour, since: since, now: now, utcOffsetSeconds: offset, limit: 24)
        var points: [SeriesIndex: (runtime: DeviceRuntime, point: Int)] = [:]
        for runtime in hours.isEmpty ? [] : gateway.engine.devices {
            for (index, series) in runtime.series.enumerated() {
                if let series { points[series] = (runtime, index) }
            }
        }
        let oldest = hours.isEmpty ? nil : gateway.ring.oldest
        for hour in hours {
            let range = hour..<hour.advanced(byMilliseconds: 3_600_000)
            if let oldest, range.upperBound <= oldest {
                _ = try records.upsert([], period: .hour, completing: [hour])
                continue
            }
            var summaries: [PointSummary] = []
            try gateway.ring.forEachTotal(in: range) { series, total in
                guard let (runtime, index) = points[series] else { return }
                let point = runtime.device.profile.points[index]
                summaries.append(
                    PointSummary(
                        point: PointID(device: runtime.device.id, name: point.name),
                        node: runtime.device.node,
                        unit: point.unit,
                        rollup: total
                    )
                )
                // The hour is done with the last of them; until then it is summed up again.
                if summaries.count == self.batchMax {
                    _ = try records.upsert(summaries, period: .hour)
                    summaries.removeAll(keepingCapacity: true)
                }
            }
            _ = try records.upsert(summaries, period: .hour, completing: [hour])
        }
        for day in try records.summariesPending(.day, since: since, now: now, utcOffsetSeconds: offset, limit: 7) {
            try records.summarizeDay(startingAt: day)
        }
    }
}
