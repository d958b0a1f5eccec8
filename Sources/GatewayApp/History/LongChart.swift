internal import CampusModel
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing

/// The chart of a month by hours or of a year by days.
///
/// The records have what the ring has forgotten; the ring has what the records do not sum up, such as the years of a
/// file that was imported. Of a period that both have, whichever saw more samples is shown.
struct LongChart {
    /// How far back.
    enum Span: String {
        case month
        case year
    }

    let gateway: Gateway
    let series: HistorySeries
    let span: Span

    func chart() async throws -> APIModel.Chart {
        let period: SummaryPeriod = self.span == .month ? .hour : .day
        let days: Int64 = self.span == .month ? 31 : 366
        let now = self.gateway.now
        let range = now.advanced(byMilliseconds: -days * 86_400_000)..<now
        let parts = self.series.name.split(separator: "/", maxSplits: 1)
        let id = PointID(
            device: DeviceID(rawValue: String(parts.first ?? "")),
            name: String(parts.dropFirst().first ?? "")
        )
        let recorded = try await self.gateway.records.perform { try $0.summaries(of: id, period: period, range: range) }
        var rows: [Tick: Rollup] = [:]
        for summary in recorded where summary.unit == nil || summary.unit == self.series.unit {
            rows[summary.rollup.start] = summary.rollup
        }
        for (start, rollup) in await self.ringRows(period, range) {
            if let known = rows[start], known.count &+ known.badCount >= rollup.count &+ rollup.badCount { continue }
            rows[start] = rollup
        }
        return APIModel.Chart(
            unit: Units.text(for: self.series.unit),
            rows: rows.values.sorted { $0.start < $1.start }.map(APIModel.Chart.Row.init)
        )
    }

    /// What the ring has of each period of the school's own hours or days.
    private func ringRows(_ period: SummaryPeriod, _ range: Range<Tick>) async -> [Tick: Rollup] {
        let offset = self.gateway.site.utcOffsetSeconds
        // Whole periods only: the first one would be shown by a part of it.
        let first = period.start(of: range.lowerBound, utcOffsetSeconds: offset)
            .advanced(byMilliseconds: period.milliseconds)
        guard first < range.upperBound else { return [:] }
        let (ring, series) = (self.gateway.ring, self.series)
        let step: Int64 = offset % 3_600 == 0 ? 3_600_000 : 900_000
        return await HistoryWork.perform {
            var slices = RollupSlices(ring, series.index, first..<range.upperBound, step: step, clock: series.clock)
            var rows: [Tick: Rollup] = [:]
            while true {
                let found = slices.next()
                if found.isEmpty { return rows }
                for var rollup in found {
                    rollup.start = period.start(of: rollup.start, utcOffsetSeconds: offset)
                    rows[rollup.start] = rows[rollup.start]?.merged(with: rollup) ?? rollup
                }
            }
        }
    }
}
