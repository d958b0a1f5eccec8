import CampusModel
import Synchronization
import Testing

@testable import TimeSeriesRing

/// More series than an index is kept for: their blocks are searched for, and quarters are merged in one pass.
struct ManySeriesTests {
    private static let count = 700
    private static let start: Int64 = 1_790_000_100_000

    /// Two segments with a day between them, which is when their minutes are merged; every seventh series is silent.
    private func ring() throws -> (ring: TimeSeriesRing, series: [SeriesIndex], device: SimulatedDevice, sealReads: Int)
    {
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: 1_000)
        configuration.journalBytes = 1 << 20
        configuration.rawBytes = 1 << 22
        configuration.minuteBytes = 1 << 22
        configuration.quarterBytes = 1 << 20
        let geometry = try RingGeometry(configuration)
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 1)
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
        let ring = TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
        let series = try (0..<Self.count).map { try ring.series(named: "s\($0)") }
        var reads = 0
        for day in 0..<2 {
            for step in 0..<80 {
                let tick = Self.start + Int64(day) * 86_400_000 + Int64(step) * 30_000
                ring.append(
                    series.enumerated().filter { $0.offset % 7 != 3 }
                        .map { SeriesSample(series: $0.element, sample: sample(tick, Double($0.offset + step))) }
                )
            }
            let before = device.readBytes
            try ring.seal()
            reads = device.readBytes - before
        }
        return (ring, series, device, reads)
    }

    @Test func everySeriesIsFoundAmongMany() throws {
        let (ring, series, _, _) = try self.ring()
        #expect(ring.segments.segments(.raw).allSatisfy { $0.header.entries > SegmentStore.keptIndexMax })
        #expect(ring.segments.segments(.quarter).count == 1)
        for (number, one) in series.enumerated() {
            let samples = ring.samples(one, in: allTicks, limit: .max)
            let expected = number % 7 == 3 ? [] : (0..<160).map { Double(number + $0 % 80) }
            #expect(samples.map(\.value) == expected, "series \(number)")
            for step: Int64 in [60_000, 900_000] {
                let rows = ring.aggregate(one, in: allTicks, stepMilliseconds: step, limit: .max)
                let truth = ring.aggregateSamples(one, in: allTicks, stepMilliseconds: step, limit: .max)
                #expect(rows == truth, "series \(number), step \(step)")
            }
        }
    }

    /// Not a time but what is read from the card.
    ///
    /// Reading each index once for each series would be a hundred megabytes.
    @Test func indexesAreReadOnceNotOnceForEachSeries() throws {
        let (ring, series, device, sealReads) = try self.ring()
        let index = Self.count * IndexEntry.bytes
        #expect(sealReads < 12 * index, "a seal that merges quarters read \(sealReads) bytes")
        _ = ring.samples(series[0], in: allTicks, limit: .max)
        let before = device.readBytes
        _ = ring.samples(series[500], in: allTicks, limit: .max)
        #expect(device.readBytes - before < index / 4, "a query read \(device.readBytes - before) bytes")
    }

    /// What is summed up in one pass is what each series says by itself: sealed, merged into quarters, and in memory.
    @Test func totalsOfAllSeriesAreThoseOfEachSeries() throws {
        let (ring, series, _, _) = try self.ring()
        let later = Self.start + 86_400_000 + 80 * 30_000
        for step in 0..<40 {
            let tick = later + Int64(step) * 30_000
            ring.append(series.prefix(500).map { SeriesSample(series: $0, sample: sample(tick, Double(step))) })
        }
        let firstHour = Self.start - Self.start % 3_600_000
        for hour in [firstHour, firstHour + 86_400_000, firstHour + 90_000_000, firstHour + 7_200_000] {
            let range = Tick(rawValue: hour)..<Tick(rawValue: hour + 3_600_000)
            var found: [SeriesIndex: Rollup] = [:]
            ring.forEachTotal(in: range) { series, total in
                #expect(found[series] == nil)
                found[series] = total
            }
            for one in series {
                let truth = ring.aggregateSamples(one, in: range, stepMilliseconds: 3_600_000, limit: 2)
                #expect(truth.count <= 1)
                #expect(found[one] == truth.first, "series \(one), hour \(hour)")
            }
        }
        #expect(ring.oldest == Tick(rawValue: Self.start - Self.start % 60_000))
    }

    /// Where quarters and minutes are gone before the samples are, the totals come from these.
    @Test func totalsReachWhatRollupsDoNot() throws {
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: 100)
        configuration.journalBytes = 1 << 20
        configuration.minuteBytes = 65_536
        configuration.quarterBytes = 65_536
        let geometry = try RingGeometry(configuration)
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 1)
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
        let ring = TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
        let series = try (0..<100).map { try ring.series(named: "s\($0)") }
        let hour = Self.start - Self.start % 3_600_000 + 3_600_000
        for day in 0..<12 {
            for step in 0..<30 {
                let tick = hour + Int64(day) * 86_400_000 + Int64(step) * 60_000
                ring.append(series.map { SeriesSample(series: $0, sample: sample(tick, Double(step + day))) })
            }
            try ring.seal()
        }
        #expect(ring.segments.segments(.raw).count == 12)
        #expect(
            (ring.segments.segments(.quarter) + ring.segments.segments(.minute)).allSatisfy { $0.header.first > hour }
        )
        let range = Tick(rawValue: hour)..<Tick(rawValue: hour + 3_600_000)
        var found = 0
        ring.forEachTotal(in: range) { series, total in
            found += 1
            #expect(total == ring.aggregateSamples(series, in: range, stepMilliseconds: 3_600_000, limit: 1).first)
        }
        #expect(found == 100)
    }

    /// So many series that a seal makes several segments of each tier.
    @Test func aSealOfVeryManySeriesIsSeveralSegments() throws {
        let count = TimeSeriesRing.segmentSeries + 2_000
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: count)
        configuration.journalBytes = 8 << 20
        configuration.rawBytes = 8 << 20
        configuration.minuteBytes = 8 << 20
        configuration.quarterBytes = 8 << 20
        let geometry = try RingGeometry(configuration)
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 1)
        func open() throws -> TimeSeriesRing {
            let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
            return TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
        }
        let ring = try open()
        let series = try (0..<count).map { try ring.series(named: "s\($0)") }
        // Every window becomes full at the same moment, with nothing committed: the journal has room for all of it.
        for step in 0...ring.memory.geometry.window {
            let tick = Self.start + Int64(step) * 1_000
            ring.append(series.map { SeriesSample(series: $0, sample: sample(tick, Double($0.rawValue) + 0.5)) })
        }
        #expect(ring.journal.refused.load(ordering: .relaxed) == 0)
        try ring.commit()
        #expect(ring.statistics.seals == 0)
        try ring.seal()
        let raw = ring.segments.segments(.raw)
        #expect(raw.map(\.header.lowestSeries) == [0, UInt32(TimeSeriesRing.segmentSeries)])
        #expect(raw.map(\.header.highestSeries) == [UInt32(TimeSeriesRing.segmentSeries - 1), UInt32(count - 1)])
        #expect(ring.segments.segments(.minute).count == 2)
        let again = try open()
        for place in [0, 1, TimeSeriesRing.segmentSeries - 1, TimeSeriesRing.segmentSeries, count - 1] {
            for one in [ring, again] {
                let samples = one.samples(series[place], in: allTicks, limit: .max)
                #expect(samples.map(\.value) == Array(repeating: Double(place) + 0.5, count: 17), "series \(place)")
            }
        }
    }

    /// A tier that cannot take all segments of one seal refuses, and what is in memory stays.
    @Test func aSealThatDoesNotFitItsTierLosesNothing() throws {
        let count = TimeSeriesRing.segmentSeries + 2_000
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: count)
        configuration.journalBytes = 8 << 20
        configuration.rawBytes = 1_376_256
        let geometry = try RingGeometry(configuration)
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 1)
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
        let ring = TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
        let series = try (0..<count).map { try ring.series(named: "s\($0)") }
        ring.append(
            series.map { SeriesSample(series: $0, sample: sample(Self.start, Double($0.rawValue) * 0.1)) }
        )
        #expect(throws: RingError.self) { try ring.seal() }
        #expect(ring.segments.segments(.raw).isEmpty)
        for one in [series[0], series[count - 1]] {
            #expect(ring.samples(one, in: allTicks, limit: .max).count == 1)
        }
    }
}
