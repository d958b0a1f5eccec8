import CampusModel
import Foundation
import Logging
import SchoolRecords
import SiteConfiguration
import Testing

@testable import GatewayApp

/// From the ring into the records, without a broker or a socket.
struct SummarizerTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-sum-\(UUID())").path

    private func gateway(_ more: String = "") throws -> Gateway {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let config = "\(self.folder)/gateway.yaml"
        try """
        state: state
        profiles: [\(Checkout.profiles)]
        broker: {mode: external, host: 127.0.0.1, port: 1}
        ring: {series: 64, raw: 16 MiB, minutes: 8 MiB, quarters: 8 MiB, journal: 4 MiB}
        \(more)
        """
        .write(toFile: config, atomically: true, encoding: .utf8)
        try """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        devices:
          - {id: room, node: r1, profile: uci-room-node, parameters: {device: room}}
        """
        .write(toFile: "\(self.folder)/site.yaml", atomically: true, encoding: .utf8)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Gateway(files: try ConfigurationFiles.read(path: config), logger: logger)
    }

    private func append(_ gateway: Gateway, _ tick: Tick, _ value: Double) throws {
        let series = try gateway.store.series(
            named: "room/s1-temperature",
            hasDeviceClock: false,
            durability: .telemetry
        )
        let samples = [SeriesSample(series: series, sample: Sample(tick: tick, value: value, quality: .good))]
        samples.withUnsafeBufferPointer { _ = gateway.store.append(contentsOf: $0) }
    }

    private func summaries(_ gateway: Gateway, _ period: SummaryPeriod, from: Tick) throws -> [PointSummary] {
        let point = try #require(PointID("room/s1-temperature"))
        return try gateway.records.summaries(of: point, period: period, range: from..<gateway.clock.now())
    }

    /// A call does one day of hours; a week is seven and a bit.
    private func summarizeAll(_ gateway: Gateway) throws {
        for _ in 0..<8 { try Summarizer.summarize(gateway, gateway.records) }
    }

    private func hourStart(_ gateway: Gateway, ago hours: Int64) -> Tick {
        let now = gateway.clock.now().rawValue
        return Tick(milliseconds: now - now % 3_600_000 - hours * 3_600_000)
    }

    @Test func aFinishedHourIsSummedUpOnceAndAgainAfterALateSample() throws {
        let gateway = try self.gateway()
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let hour = self.hourStart(gateway, ago: 2)
        for minute in 0..<30 {
            try self.append(gateway, hour.advanced(byMilliseconds: Int64(minute) * 60_000), Double(minute))
        }
        #expect(gateway.store.takeLateHours() == [hour])
        try self.summarizeAll(gateway)
        let first = try #require(try self.summaries(gateway, .hour, from: hour).first)
        #expect(first.rollup.count == 30)
        #expect(first.rollup.minimum == 0 && first.rollup.maximum == 29 && first.rollup.sum == 435)
        #expect(first.rollup.start == hour)

        try self.append(gateway, hour.advanced(byMilliseconds: 45 * 60_000), 100)
        try self.summarizeAll(gateway)
        #expect(try self.summaries(gateway, .hour, from: hour).first?.rollup.count == 30, "not pending yet")
        try Summarizer.reopenLateHours(gateway, gateway.records)
        try self.summarizeAll(gateway)
        let second = try #require(try self.summaries(gateway, .hour, from: hour).first)
        #expect(second.rollup.count == 31)
        #expect(second.rollup.maximum == 100)
        #expect(gateway.store.takeLateHours().isEmpty)
        gateway.store.giveBack(lateHours: [hour])
        #expect(gateway.store.takeLateHours() == [hour])
    }

    @Test func onlyFinishedHoursOfTheLastWeekAreRemembered() throws {
        let gateway = try self.gateway()
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        try self.append(gateway, self.hourStart(gateway, ago: 400), 1)
        try self.append(gateway, self.hourStart(gateway, ago: 168), 2)
        try self.append(gateway, self.hourStart(gateway, ago: 1).advanced(byMilliseconds: 5), 3)
        try self.append(gateway, gateway.clock.now(), 4)
        #expect(gateway.store.takeLateHours() == [168, 1].map { self.hourStart(gateway, ago: $0) })
    }

    @Test func whatWasKeptLongEnoughIsErased() throws {
        let gateway = try self.gateway("records: {events: 2 d, hours: 8 d, days: 31 d}")
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let now = gateway.clock.now()
        for days in [1, 3] as [Int64] {
            let event = Event(
                device: DeviceID(rawValue: "room"),
                name: "card-read",
                kind: .card,
                tick: now.advanced(byMilliseconds: -days * 86_400_000),
                sequence: "\(days)",
                windowMilliseconds: 1_000,
                fields: []
            )
            _ = try gateway.records.store(events: [event], received: now)
        }
        #expect(try gateway.records.eventCount() == 2)
        try Summarizer.eraseWhatIsOver(gateway, gateway.records)
        #expect(try gateway.records.eventCount() == 1)
    }
}
