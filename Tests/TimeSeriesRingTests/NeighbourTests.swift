import CampusModel
import Foundation
import Testing
import TimeSeriesRing

/// Series of one device fill their blocks together and are written together.
struct NeighbourTests {
    private func sample(_ series: Int, _ number: Int) -> Sample {
        Sample(
            tick: Tick(milliseconds: 1_790_000_000_000 + Int64(number) * 1_000),
            value: Double(series * 10_000 + number),
            quality: .good
        )
    }

    private func all(_ ring: TimeSeriesRing, _ series: SeriesIndex) -> [Double] {
        ring.lastSamples(series, count: 10_000).map(\.value)
    }

    /// The order of samples in a batch: a device's points for each message, or each point's samples at once.
    @Test(arguments: [1, 3, 16, 100], [true, false])
    func batchesOfAnyShapeComeBackWhole(messages: Int, isByMessage: Bool) throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 40, samples: 256)
        let indices = try (0..<37).map { try ring.series(named: "d/p\($0)") }
        var number = 0
        while number < 200 {
            let numbers = number..<min(number + messages, 200)
            var batch: [SeriesSample] = []
            if isByMessage {
                for at in numbers {
                    for series in 0..<37 {
                        batch.append(.init(series: indices[series], sample: self.sample(series, at)))
                    }
                }
            } else {
                for series in 0..<37 {
                    for at in numbers { batch.append(.init(series: indices[series], sample: self.sample(series, at))) }
                }
            }
            #expect(ring.append(batch).stored == batch.count)
            number = numbers.upperBound
        }
        let reopened = try TimeSeriesRing(
            configuration: .init(
                directory: try folder.copy(to: "copy"),
                seriesMax: 40,
                samplesPerSeries: 256,
                minuteRollupsPerSeries: 64
            )
        )
        for series in 0..<37 {
            let expected = (0..<200).map { Double(series * 10_000 + $0) }
            #expect(self.all(ring, indices[series]) == expected)
            #expect(self.all(reopened, indices[series]) == expected)
        }
    }

    @Test func aKillBetweenTheHeadAndTheBlockLosesNothing() throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open(series: 8)
            for series in 0..<3 {
                let index = try ring.series(named: "d/p\(series)")
                ring.append((0..<(series == 2 ? 17 : 16)).map { .init(series: index, sample: self.sample(series, $0)) })
            }
        }
        // As it is then: the block is in the hot file only, and the head says so.
        let hot = try #require(FileHandle(forUpdatingAtPath: "\(folder.path)/ring/hot"))
        for series in 0..<2 {
            try hot.seek(toOffset: UInt64(4_096 + series * 128 + 88))
            try hot.write(contentsOf: Data(count: 8))
        }
        try hot.close()
        let cold = try #require(FileHandle(forUpdatingAtPath: "\(folder.path)/ring/cold"))
        try cold.write(contentsOf: Data(count: 2 * 256))
        try cold.close()
        let ring = try folder.open(series: 8)
        for series in 0..<3 {
            let index = try #require(ring.existingSeries(named: "d/p\(series)"))
            let count = series == 2 ? 17 : 16
            #expect(self.all(ring, index) == (0..<count).map { Double(series * 10_000 + $0) })
        }
        #expect(ring.openReport.problems.isEmpty)
    }

    @Test func aLateSampleAmongFullNeighboursIsPutInOrder() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 8)
        let indices = try (0..<2).map { try ring.series(named: "d/p\($0)") }
        var batch: [SeriesSample] = []
        for number in 0..<16 where number != 7 {
            for series in 0..<2 { batch.append(.init(series: indices[series], sample: self.sample(series, number))) }
        }
        // The late ones are the sixteenth: they fill the blocks and are put before the newest at once.
        for series in 0..<2 { batch.append(.init(series: indices[series], sample: self.sample(series, 7))) }
        for series in 0..<2 { batch.append(.init(series: indices[series], sample: self.sample(series, 16))) }
        #expect(ring.append(batch).stored == batch.count)
        for series in 0..<2 {
            #expect(self.all(ring, indices[series]) == (0..<17).map { Double(series * 10_000 + $0) })
        }
    }
}
