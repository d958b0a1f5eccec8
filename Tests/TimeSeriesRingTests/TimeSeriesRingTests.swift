import CampusModel
import Foundation
import Synchronization
import Testing

@testable import TimeSeriesRing

#if THREAD_SANITIZER
// Two modules have one; this is the one that the sanitizer sees.
@testable import struct TimeSeriesRing.Mutex
#endif

private final class Flag: Sendable {
    let isDone = Atomic<Bool>(false)
}

struct TimeSeriesRingTests {
    private func count(_ rollups: [Rollup]) -> Int { rollups.reduce(0) { $0 + Int($1.count) } }

    /// Packed bits are loaded eight bytes at a time: behind the last record there must be mapped memory.
    @Test func theLastRecordOfAHalfHasRoomBehindIt() throws {
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: 10))
        for half in 0..<2 {
            var end = 0
            while let place = memory.allocate(24, half: half) { end = Int(place) * 8 + 24 }
            #expect(end > memory.geometry.halfBytes - 64)
            #expect(end + ByteReader.paddingBytes <= memory.geometry.halfBytes)
        }
    }

    @Test(arguments: [false, true])
    func givesBackWhatWasStoredInOrder(isSealed: Bool) throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a/co2")
        let samples = (0..<1_000).map { sample(Int64($0) * 1_000, Double($0) / 4) }
        for sample in samples { #expect(ring.append(series, sample) == .stored) }
        if isSealed { try ring.seal() }
        #expect(ring.samples(series, in: allTicks, limit: 2_000) == samples)
        let range = Tick(milliseconds: 10_000)..<Tick(milliseconds: 12_001)
        #expect(ring.samples(series, in: range, limit: 10) == Array(samples[10...12]))
        #expect(ring.samples(series, in: allTicks, limit: 3) == Array(samples[0..<3]))
        #expect(ring.lastSamples(series, count: 20) == Array(samples[980...]))
        #expect(ring.latest(series) == samples.last)
        #expect(ring.oldestTick(series) == Tick(milliseconds: 0))
        #expect(ring.newestTick == samples.last?.tick)
    }

    @Test func samplesBeforeAndAfterManySealsAreOneSeries() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try (0..<3).map { try ring.series(named: "s\($0)") }
        var expected: [Sample] = []
        for index in 0..<3_000 {
            let next = sample(Int64(index) * 1_000, Double(index % 97) / 10)
            expected.append(next)
            ring.append(series.map { SeriesSample(series: $0, sample: next) })
            if index % 311 == 0 { try ring.seal() }
            if index % 101 == 0 { try ring.commit() }
        }
        for index in series { #expect(ring.samples(index, in: allTicks, limit: 5_000) == expected) }
        #expect(ring.statistics.seals > 5)
        #expect(self.count(ring.minuteRollups(series[0], in: allTicks, limit: 1_000)) == 3_000)
        #expect(self.count(ring.aggregate(series[0], in: allTicks, stepMilliseconds: 900_000, limit: 100)) == 3_000)
    }

    @Test func theOldestMakeRoomAndTheSizeStays() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(rawBytes: 1 << 18)
        let series = try ring.series(named: "a")
        let size = ring.statistics.bytesOnDisk
        var lottery = Lottery(seed: 1)
        for index in 0..<200_000 {
            ring.append(series, sample(Int64(index) * 1_000, Double(lottery.next() % 1_000_000) / 7))
            if index % 10_000 == 9_999 { try ring.seal() }
        }
        let kept = ring.samples(series, in: allTicks, limit: 300_000)
        #expect(kept.count > 10_000 && kept.count < 60_000)
        #expect(kept.last?.tick == Tick(milliseconds: 199_999_000))
        for (left, right) in zip(kept, kept.dropFirst()) { #expect(right.tick.rawValue - left.tick.rawValue == 1_000) }
        let file = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/ring/ring.data")
        #expect(file[.size] as? Int == size)
        // The minutes reach back to the beginning.
        #expect(self.count(ring.aggregate(series, in: allTicks, stepMilliseconds: 60_000, limit: 10_000)) == 200_000)
        #expect(ring.append(series, sample(5_000, 1)) == .late, "older than all that is kept")
    }

    /// A killed process leaves its files as they are at that moment.
    @Test func everySampleIsThereAfterEveryAppendEvenIfNothingIsClosed() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        var stored: [Sample] = []
        for index in 0..<400 {
            // Every tenth comes late.
            let tick = index % 10 == 9 ? Int64(index) * 7_000 - 20_000 : Int64(index) * 7_000
            let next = sample(tick, Double(index))
            #expect(ring.append(series, next) == .stored)
            stored.append(next)
            if index == 150 { try ring.commit() }
            if index == 250 { try ring.seal() }
            guard index % 7 == 0 || index > 380 else { continue }
            try folder.copy(to: "copy")
            let copy = try folder.open("copy")
            #expect(copy.openReport.problems == [])
            #expect(copy.openReport.mode == .adopted)
            let found = try #require(copy.existingSeries(named: "a"))
            let expected = stored.sorted { $0.tick < $1.tick }
            #expect(copy.samples(found, in: allTicks, limit: 1_000) == expected)
            #expect(
                copy.minuteRollups(found, in: allTicks, limit: 1_000)
                    == ring.minuteRollups(series, in: allTicks, limit: 1_000)
            )
            // And what a power cut a moment later leaves, once the keeper has done its first round.
            try copy.maintain()
            try folder.copy("copy", to: "second", withMemory: false)
            let second = try folder.open("second")
            #expect(second.openReport.mode == .recovered)
            #expect(
                second.samples(try #require(second.existingSeries(named: "a")), in: allTicks, limit: 1_000) == expected
            )
        }
    }

    @Test func aMessageDeliveredTwiceIsStoredOnce() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        let batch = (0..<500).map { SeriesSample(series: series, sample: sample(Int64($0) * 10, Double($0))) }
        #expect(ring.append(batch).stored == 500)
        #expect(ring.append(batch).duplicates == 500)
        try ring.seal()
        #expect(ring.append(batch).duplicates == 500)
        try ring.seal()
        #expect(ring.samples(series, in: allTicks, limit: 1_000).count == 500)
        #expect(ring.statistics.duplicates == 1_000)
    }

    @Test func twoValuesInOneMillisecondAreBothKept() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        #expect(ring.append(series, sample(5, 1)) == .stored)
        #expect(ring.append(series, sample(5, 2)) == .stored)
        #expect(ring.append(series, sample(5, 1)) == .duplicate)
        #expect(ring.append(series, sample(5, 2)) == .duplicate)
        #expect(ring.samples(series, in: allTicks, limit: 9).map(\.value) == [1, 2])
    }

    @Test func lateSamplesArePutInOrderWhereverTheyBelong() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let late = Mutex<[Int64]>([])
        ring.observeLate { _, tick in late.withLock { $0.append(tick.rawValue) } }
        let series = try ring.series(named: "a")
        for index in 0..<2_000 { ring.append(series, sample(Int64(index) * 100, Double(index))) }
        try ring.seal()
        for index in 2_000..<2_600 { ring.append(series, sample(Int64(index) * 100, Double(index))) }
        try ring.commit()
        for index in 2_600..<2_640 { ring.append(series, sample(Int64(index) * 100, Double(index))) }
        let moments: [Int64] = [50, 150_050, 230_050, 262_050]
        for (index, tick) in moments.enumerated() {
            #expect(ring.append(series, sample(tick, -1 - Double(index))) == .stored)
            #expect(ring.append(series, sample(tick, -1 - Double(index))) == .duplicate)
        }
        #expect(ring.append(series, sample(100, 1)) == .duplicate, "an old one that is there already is no loss")
        #expect(late.withLock { $0 } == moments)
        for isSealed in [false, true] {
            if isSealed { try ring.seal() }
            let found = ring.samples(series, in: allTicks, limit: 3_000)
            #expect(found.map(\.tick) == found.map(\.tick).sorted())
            #expect(found.count == 2_644)
            let minutes = ring.minuteRollups(series, in: allTicks, limit: 100)
            #expect(self.count(minutes) == 2_644)
            #expect(minutes.map(\.minimum).min() == -4)
        }
        #expect(ring.statistics.reordered == 4)
    }

    @Test func aLogThatIsReadOutLaterIsTakenInWhole() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        ring.append(series, sample(100_000_000, 1))
        let log = (0..<5_000).map { SeriesSample(series: series, sample: sample(Int64($0) * 1_000, Double($0))) }
        #expect(ring.append(log).stored == 5_000)
        #expect(ring.append(log).duplicates == 5_000)
        try ring.seal()
        #expect(ring.samples(series, in: allTicks, limit: 9_000).count == 5_001)
        #expect(self.count(ring.minuteRollups(series, in: allTicks, limit: 9_000)) == 5_001)
    }

    @Test func aFullRingReadWhileItIsWrittenGivesNoSampleTwice() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        for index in 0..<200 { ring.append(series, sample(Int64(index), Double(index))) }
        var seen: [Double] = []
        var next = 200
        ring.forEachSample(series, in: allTicks) { found in
            seen.append(found.value)
            ring.append(series, sample(Int64(next), Double(next)))
            next += 1
            return seen.count < 500
        }
        #expect(Set(seen).count == seen.count)
        #expect(seen == seen.sorted())
    }

    @Test func whatIsNoNumberOrNoTimeIsRejected() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        for sample in [
            sample(1, .nan), sample(1, .infinity), sample(-1, 1), sample(4_102_444_800_000, 1), sample(.max, 1),
            sample(.min, 1),
        ] {
            #expect(ring.append(series, sample) == .rejected)
        }
        #expect(ring.append(SeriesIndex(rawValue: 7), sample(1, 1)) == .rejected)
        #expect(ring.append(SeriesIndex(rawValue: .max), sample(1, 1)) == .rejected)
        #expect(ring.statistics.rejected == 8)
        #expect(ring.latest(series) == nil)
        #expect(ring.latest(SeriesIndex(rawValue: .max)) == nil)
    }

    @Test func minutesAgreeWithANaiveModel() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        var lottery = Lottery(seed: 7)
        var tick: Int64 = 1_000_000
        var model: [Int64: [Sample]] = [:]
        for index in 0..<4_000 {
            tick += Int64(lottery.next() % 9_000)
            let isBad = lottery.next() % 20 == 0
            let moment = lottery.next() % 10 == 0 ? tick - Int64(lottery.next() % 30_000) : tick
            let next = sample(moment, isBad ? 0 : Double(lottery.next() % 1_000) / 8, isBad ? .bad(.sentinel) : .good)
            if ring.append(series, next) == .stored { model[moment / 60_000, default: []].append(next) }
            if index % 700 == 0 { try ring.seal() }
        }
        let found = ring.minuteRollups(series, in: allTicks, limit: 10_000)
        #expect(found.count == model.count)
        for rollup in found {
            let samples = try #require(model[rollup.start.rawValue / 60_000])
            let usable = samples.filter { $0.quality.level != .bad }.map(\.value)
            #expect(Int(rollup.count) == usable.count)
            #expect(Int(rollup.badCount) == samples.count - usable.count)
            #expect(abs(rollup.sum - usable.reduce(0, +)) < 1e-6)
            if !usable.isEmpty {
                #expect(rollup.minimum == usable.min())
                #expect(rollup.maximum == usable.max())
            }
        }
        let all = self.count(found)
        for step: Int64 in [10_000, 60_000, 900_000, 3_600_000] {
            #expect(self.count(ring.aggregate(series, in: allTicks, stepMilliseconds: step, limit: 100_000)) == all)
        }
    }

    /// What a query unpacked is kept for the next one; seals and late samples in between must show all the same.
    @Test func everyQueryAgreesWithTheSamplesWhateverWasAskedBefore() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try (0..<3).map { try ring.series(named: "s\($0)") }
        var lottery = Lottery(seed: 12)
        var tick: Int64 = 1_790_000_000_000
        let start = tick
        for round in 0..<60 {
            for _ in 0..<200 {
                tick += Int64(lottery.next() % 4_000)
                let isLate = lottery.next() % 15 == 0
                let moment = isLate ? tick - Int64(lottery.next() % 3_000_000) : tick
                for one in series { ring.append(one, sample(moment, Double(lottery.next() % 500) / 4)) }
            }
            if round % 7 == 3 { try ring.seal() }
            if round % 20 == 19 { ring.trimResidentPages() }
            for step: Int64 in [60_000, 300_000, 900_000, 7_200_000] {
                let from = start + Int64(lottery.next() % UInt64(tick - start))
                let range = Tick(rawValue: from)..<Tick(rawValue: from + Int64(lottery.next() % 9_000_000) + 1)
                let one = series[Int(lottery.next() % 3)]
                let rows = ring.aggregate(one, in: range, stepMilliseconds: step, limit: .max)
                let truth = ring.aggregateSamples(one, in: range, stepMilliseconds: step, limit: .max)
                #expect(rows.map(\.start) == truth.map(\.start), "round \(round), step \(step)")
                #expect(rows.map(\.count) == truth.map(\.count), "round \(round), step \(step)")
                #expect(rows.map(\.minimum) == truth.map(\.minimum))
                #expect(rows.map(\.maximum) == truth.map(\.maximum))
                #expect(zip(rows, truth).allSatisfy { abs($0.sum - $1.sum) < 1e-6 })
            }
        }
    }

    @Test func thereIsNoRoomForMoreSeriesThanConfigured() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 2)
        _ = try ring.series(named: "a")
        let second = try ring.series(named: "b")
        #expect(try ring.series(named: "b") == second)
        #expect(throws: RingError.self) { try ring.series(named: "c") }
        #expect(throws: RingError.self) { try ring.series(named: "") }
        #expect(throws: RingError.self) { try ring.series(named: String(repeating: "x", count: 161)) }
        #expect(ring.statistics.rejectedSeries == 1)
        #expect(ring.seriesNames == ["a", "b"])
    }

    @Test func otherSizesSetTheOldFileAside() throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open()
            ring.append(try ring.series(named: "a"), sample(1, 1))
            try ring.seal()
        }
        let ring = try folder.open(rawBytes: 2 << 20)
        #expect(ring.openReport.problems.count == 1)
        #expect(ring.openReport.seriesRestored == 0)
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/ring/ring.data.set-aside-1"))
    }

    @Test func aSeriesThatWasSilentSinceTheStartStillHasItsNewestSample() throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open()
            let series = try ring.series(named: "a")
            for index in 0..<300 { ring.append(series, sample(Int64(index) * 1_000, Double(index))) }
            try ring.seal()
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/ring/ring.memory")
        let ring = try folder.open()
        let series = try #require(ring.existingSeries(named: "a"))
        #expect(ring.latest(series) == sample(299_000, 299))
        #expect(ring.append(series, sample(299_000, 299)) == .duplicate)
        #expect(ring.append(series, sample(300_000, 300)) == .stored)
    }

    @Test func fourThreadsAppendWhileOneReadsAndOneSeals() async throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 64)
        let series = try (0..<64).map { try ring.series(named: "s\($0)") }
        let flag = Flag()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for tick in 0..<2_000 {
                        ring.append(
                            (0..<16)
                                .map {
                                    .init(series: series[worker * 16 + $0], sample: sample(Int64(tick), Double(tick)))
                                }
                        )
                    }
                }
            }
            group.addTask {
                while !flag.isDone.load(ordering: .relaxed) {
                    for index in series {
                        let found = ring.samples(index, in: allTicks, limit: 5_000)
                        for (left, right) in zip(found, found.dropFirst())
                        where right.tick.rawValue != left.tick.rawValue + 1 {
                            Issue.record("out of order, missing or twice: \(left.tick) \(right.tick)")
                        }
                        if let latest = ring.latest(index), latest.value != Double(latest.tick.rawValue) {
                            Issue.record("a torn sample")
                        }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                while !flag.isDone.load(ordering: .relaxed) {
                    do {
                        try ring.commit()
                        try ring.seal()
                    } catch {
                        Issue.record(error)
                    }
                    await Task.yield()
                }
            }
            for _ in 0..<4 { await group.next() }
            flag.isDone.store(true, ordering: .relaxed)
        }
        #expect(ring.statistics.appended == 4 * 2_000 * 16)
        for index in series { #expect(ring.samples(index, in: allTicks, limit: 5_000).count == 2_000) }
    }

    @Test func aBoardThatLearnsTheTimeLateDatesItsBootAnewWithOneRow() throws {
        let folder = try ScratchFolder()
        let hour: Int64 = 3_600_000
        do {
            let ring = try folder.open()
            let board = try ring.series(named: "board/own")
            let device = try ring.series(named: "device/clock", hasDeviceClock: true)
            for index in 0..<100 {
                ring.append(board, sample(hour + Int64(index) * 60_000, Double(index)))
                ring.append(device, sample(9 * hour + Int64(index) * 60_000, Double(index)))
            }
            try ring.seal()
            try ring.setClock(.init(from: hour, offset: 8 * hour, source: .synchronized))
            #expect(ring.latest(board)?.tick == Tick(milliseconds: 9 * hour + 99 * 60_000))
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/ring/ring.memory")
        let ring = try folder.open()
        let range = Tick(milliseconds: 9 * hour)..<Tick(milliseconds: 10 * hour)
        for name in ["board/own", "device/clock"] {
            let series = try #require(ring.existingSeries(named: name))
            #expect(ring.samples(series, in: range, limit: 100).map(\.value) == (0..<60).map(Double.init), "\(name)")
            #expect(ring.oldestTick(series) == range.lowerBound, "\(name)")
            let hours = ring.aggregate(series, in: range, stepMilliseconds: hour, limit: 9)
            #expect(hours.map(\.start) == [range.lowerBound] && self.count(hours) == 60, "\(name)")
        }
        #expect(ring.newestTick == Tick(milliseconds: 9 * hour + 99 * 60_000), "the stored axis did not move")
    }
}
