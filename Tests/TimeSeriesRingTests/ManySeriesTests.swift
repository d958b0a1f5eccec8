import CampusModel
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
}
