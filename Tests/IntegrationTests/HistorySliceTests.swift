import CampusModel
import Foundation
import Testing
import TimeSeriesRing

@testable import GatewayApp

/// Slices put together are what the ring has as a whole, wherever they meet.
struct HistorySliceTests {
    private static let start: Int64 = 1_790_000_000_000
    private static let everything = Tick(milliseconds: 0)..<Tick(milliseconds: 4_102_444_800_000)

    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-slices-\(UUID())").path

    private func ring() throws -> TimeSeriesRing {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        var configuration = TimeSeriesRing.Configuration(
            directory: self.folder,
            memoryDirectory: self.folder,
            seriesMax: 8
        )
        configuration.journalBytes = 4 << 20
        configuration.rawBytes = 16 << 20
        configuration.minuteBytes = 8 << 20
        configuration.quarterBytes = 8 << 20
        return try TimeSeriesRing(configuration: configuration)
    }

    private func clean() { try? FileManager.default.removeItem(atPath: self.folder) }

    private static func samples(_ ring: TimeSeriesRing, _ series: SeriesIndex, _ range: Range<Tick>) -> [Sample] {
        var slices = SampleSlices(ring, series, range)
        var all: [Sample] = []
        while true {
            let count = slices.next()
            if count == 0 { return all }
            for row in 0..<count {
                all.append(
                    Sample(
                        tick: Tick(rawValue: slices.ticks[row]),
                        value: slices.values[row],
                        quality: Quality(rawValue: slices.qualities[row])
                    )
                )
            }
        }
    }

    private static func rollups(
        _ ring: TimeSeriesRing,
        _ series: SeriesIndex,
        _ range: Range<Tick>,
        _ step: Int64
    ) -> [Rollup] {
        let clock = ring.clock
        var slices = RollupSlices(ring, series, range, step: step, clock: clock.isIdentity ? nil : clock)
        var all: [Rollup] = []
        while true {
            let rows = slices.next()
            if rows.isEmpty { return all }
            all += rows
        }
    }

    /// Fast, slow, in bursts and with gaps of months.
    private static let cadences: [(Int64, Int)] = [
        (1, 9_000), (1_000, 30_000), (60_000, 10_000), (3, 5_000), (40 * 86_400_000, 3), (100, 4_096), (250, 4_097),
    ]

    private static func fill(_ ring: TimeSeriesRing, _ series: SeriesIndex) -> Int64 {
        var tick = Self.start
        var number = 0
        for (cadence, count) in Self.cadences {
            for _ in 0..<count {
                tick += cadence
                number += 1
                let isBad = number % 97 == 0
                ring.append(
                    series,
                    Sample(
                        tick: Tick(rawValue: tick),
                        value: isBad ? 0 : Double(number % 1_000) / 10,
                        quality: isBad ? .bad(.sentinel) : .good
                    )
                )
            }
        }
        return tick
    }

    @Test func samplesAreThoseOfTheRingInEveryRange() throws {
        defer { self.clean() }
        let ring = try self.ring()
        let series = try ring.series(named: "room/s1-temperature")
        let end = Self.fill(ring, series)
        for (lower, upper) in [
            (0, 4_102_444_800_000), (Self.start + 4_500, Self.start + 4_501),
            (Self.start + 5_000, Self.start + 2_000_000),
            (end - 400_000, end), (end, end + 1), (end + 1, end + 1_000), (Self.start, Self.start),
        ] as [(Int64, Int64)] {
            let range = Tick(rawValue: lower)..<Tick(rawValue: upper)
            let whole = ring.samples(series, in: range, limit: .max)
            #expect(Self.samples(ring, series, range) == whole, "\(lower) to \(upper): \(whole.count) samples")
        }
    }

    @Test(arguments: [1_000, 10_000, 60_000, 420_000, 900_000, 3_600_000, 86_400_000] as [Int64])
    func statisticsAreThoseOfTheRing(step: Int64) throws {
        defer { self.clean() }
        let ring = try self.ring()
        let series = try ring.series(named: "room/s1-temperature")
        _ = Self.fill(ring, series)
        try ring.seal()
        let range = Tick(rawValue: Self.start - 7)..<Self.everything.upperBound
        let whole = ring.aggregate(series, in: range, stepMilliseconds: step, limit: .max)
        let sliced = Self.rollups(ring, series, range, step)
        #expect(sliced.count == whole.count)
        for (one, other) in zip(sliced, whole) {
            #expect(one.start == other.start)
            #expect(one.count == other.count && one.badCount == other.badCount)
            #expect(one.minimum == other.minimum && one.maximum == other.maximum)
            #expect(abs(one.sum - other.sum) <= 1e-6 * max(1, abs(other.sum)))
        }
    }

    @Test(arguments: [-3_600_000, -1, 12_345, 86_400_000] as [Int64])
    func whereTheClockWasSetEachSampleIsToldOnce(offset: Int64) throws {
        defer { self.clean() }
        let ring = try self.ring()
        let series = try ring.series(named: "meter/power")
        for second in 0..<20_000 {
            ring.append(series, Sample(tick: Tick(rawValue: Self.start + Int64(second) * 1_000), value: Double(second)))
        }
        try ring.setClock(.init(from: Self.start + 7_777_000, offset: offset, source: .step))
        let values = Self.samples(ring, series, Self.everything).map(\.value)
        #expect(values == (0..<20_000).map(Double.init), "as they were stored, none twice, none missing")
        for step: Int64 in [1_000, 60_000, 3_600_000] {
            let rows = Self.rollups(ring, series, Self.everything, step)
            #expect(rows.reduce(0) { $0 + Int($1.count) } == 20_000, "step \(step)")
        }
    }

    @Test func anInstantWithMoreSamplesThanASliceHoldsIsToldWhole() throws {
        defer { self.clean() }
        let ring = try self.ring()
        let series = try ring.series(named: "meter/power")
        for second in 0..<30_000 {
            ring.append(series, Sample(tick: Tick(rawValue: Self.start + Int64(second) * 1_000), value: Double(second)))
        }
        // The clock was set back by hours: one millisecond of UTC stands for all of them on the ring's axis.
        try ring.setClock(.init(from: Self.start + 20_000_000, offset: -18_000_000, source: .step))
        #expect(Self.samples(ring, series, Self.everything).map(\.value) == (0..<30_000).map(Double.init))
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (21.5, "21.5"), (-3, "-3"), (1e300, "1e+300"), (0.1 + 0.2, "0.30000000000000004"),
            (9_007_199_254_740_991, "9007199254740991"), (9_007_199_254_740_992, "9007199254740992.0"),
            (-1e-7, "-1e-07"),
        ] as [(Double, String)]
    )
    func numbersReadBackTheSame(number: Double, text: String) {
        var written = HistoryText()
        written.put(number)
        #expect(String(decoding: written.bytes, as: UTF8.self) == text)
        #expect(Double(text) == number)
    }

    @Test(
        arguments: [0, 1, 1_790_000_000_123, 951_782_399_999, -1, -62_167_219_200_000, 253_402_300_799_999] as [Int64]
    )
    func timesAreWrittenAsEverywhere(time: Int64) {
        var written = HistoryText()
        for milliseconds in [time, time + 1, time - 86_400_000, time] {
            written.clear()
            written.put(time: milliseconds)
            let text = UTCText.rfc3339(Tick(rawValue: milliseconds))
            if (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds) {
                #expect(String(decoding: written.bytes, as: UTF8.self) == text)
            }
        }
    }
}
