import CampusModel
import Foundation
import Synchronization
import Testing
import TimeSeriesRing

/// A folder of its own for each test, removed at the end.
final class ScratchFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("campus-ring-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func copy(to name: String) throws -> String {
        let target = "\(self.path)/\(name)"
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for file in ["hot", "cold", "minutes", "names"] {
            try FileManager.default.copyItem(atPath: "\(self.path)/ring/\(file)", toPath: "\(target)/\(file)")
        }
        return target
    }

    func open(_ name: String = "ring", series: Int = 8, samples: Int = 256, minutes: Int = 64) throws -> TimeSeriesRing
    {
        try TimeSeriesRing(
            configuration: .init(
                directory: "\(self.path)/\(name)",
                seriesMax: series,
                samplesPerSeries: samples,
                minuteRollupsPerSeries: minutes
            )
        )
    }
}

private final class Flag: Sendable {
    let isDone = Atomic<Bool>(false)
}

struct TimeSeriesRingTests {
    private let all = Tick(milliseconds: 0)..<Tick(milliseconds: 4_000_000_000_000)

    private func count(_ rollups: [Rollup]) -> Int {
        var total = 0
        for rollup in rollups { total += Int(rollup.count) }
        return total
    }

    private func sample(_ tick: Int64, _ value: Double, _ quality: Quality = .good) -> Sample {
        Sample(tick: Tick(milliseconds: tick), value: value, quality: quality)
    }

    @Test func givesBackWhatWasStoredInOrder() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a/co2")
        let samples = (0..<100).map { self.sample(Int64($0) * 1_000, Double($0) / 3) }
        for sample in samples { #expect(ring.append(series, sample) == .stored) }
        #expect(ring.samples(series, in: self.all, limit: 1_000) == samples)
        let range = Tick(milliseconds: 10_000)..<Tick(milliseconds: 12_001)
        #expect(ring.samples(series, in: range, limit: 10) == Array(samples[10...12]))
        #expect(ring.samples(series, in: self.all, limit: 3) == Array(samples[0..<3]))
        #expect(ring.lastSamples(series, count: 20) == Array(samples[80...]))
        #expect(ring.latest(series) == samples.last)
        #expect(ring.oldestTick(series) == Tick(milliseconds: 0))
    }

    @Test func theOldestMakeRoomAndTheSizeStays() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 64)
        let series = try ring.series(named: "a")
        let before = ring.statistics.bytesOnDisk
        for index in 0..<10_000 { ring.append(series, self.sample(Int64(index), Double(index))) }
        let kept = ring.samples(series, in: self.all, limit: 10_000)
        #expect(kept.count >= 64 && kept.count <= 80)
        let expected = ((10_000 - kept.count)..<10_000).map { Double($0) }
        #expect(kept.map(\.value) == expected)
        #expect(ring.statistics.bytesOnDisk == before)
        let sizes = try ["hot", "cold", "minutes", "names"]
            .map { file in
                try FileManager.default.attributesOfItem(atPath: "\(folder.path)/ring/\(file)")[.size] as? Int ?? 0
            }
        let total: Int = sizes.reduce(0, +)
        #expect(total == before)
    }

    @Test func everySampleIsThereAfterEveryAppendEvenIfNothingIsClosed() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        var stored: [Sample] = []
        for index in 0..<200 {
            // Every tenth comes late.
            let tick = index % 10 == 9 ? Int64(index) * 7_000 - 20_000 : Int64(index) * 7_000
            let sample = self.sample(tick, Double(index))
            #expect(ring.append(series, sample) == .stored)
            stored.append(sample)
            let copy = try TimeSeriesRing(
                configuration: .init(
                    directory: try folder.copy(to: "copy"),
                    seriesMax: 8,
                    samplesPerSeries: 256,
                    minuteRollupsPerSeries: 64
                )
            )
            #expect(copy.openReport.problems == [])
            let found = try #require(copy.existingSeries(named: "a"))
            let expected = stored.sorted { $0.tick < $1.tick }
            #expect(copy.samples(found, in: self.all, limit: 1_000) == expected)
            #expect(
                copy.minuteRollups(found, in: self.all, limit: 1_000)
                    == ring.minuteRollups(series, in: self.all, limit: 1_000)
            )
        }
    }

    @Test func aMessageDeliveredTwiceIsStoredOnce() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        let batch = (0..<50).map { SeriesSample(series: series, sample: self.sample(Int64($0) * 10, Double($0))) }
        #expect(ring.append(batch).stored == 50)
        #expect(ring.append(batch).duplicates == 50)
        #expect(ring.samples(series, in: self.all, limit: 100).count == 50)
        #expect(ring.statistics.duplicates == 50)
    }

    @Test func twoValuesInOneMillisecondAreBothKept() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        #expect(ring.append(series, self.sample(5, 1)) == .stored)
        #expect(ring.append(series, self.sample(5, 2)) == .stored)
        #expect(ring.append(series, self.sample(5, 1)) == .duplicate)
        #expect(ring.append(series, self.sample(5, 2)) == .duplicate)
        #expect(ring.samples(series, in: self.all, limit: 9).map(\.value) == [1, 2])
    }

    @Test func lateSamplesArePutInOrderOrCounted() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 1_024)
        let series = try ring.series(named: "a")
        for index in 0..<600 { ring.append(series, self.sample(Int64(index) * 100, Double(index))) }
        #expect(ring.append(series, self.sample(59_850, -1)) == .stored)
        #expect(ring.append(series, self.sample(40_050, -2)) == .stored)
        #expect(ring.append(series, self.sample(50, -3)) == .late)
        #expect(ring.append(series, self.sample(100, 1)) == .duplicate, "an old one that is there already is no loss")
        let found = ring.samples(series, in: self.all, limit: 1_000)
        #expect(found.map(\.tick) == found.map(\.tick).sorted())
        #expect(found.count == 602)
        #expect(ring.statistics.late == 1)
        let minute = ring.minuteRollups(series, in: self.all, limit: 10)
        #expect(self.count(minute) == 602)
        #expect(minute.map(\.minimum).min() == -2)
    }

    @Test func aSampleOlderThanTheFirstIsPutBeforeIt() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        ring.append(series, self.sample(100, 1))
        #expect(ring.append(series, self.sample(50, 2)) == .stored)
        #expect(ring.samples(series, in: self.all, limit: 9).map(\.value) == [2, 1])
    }

    @Test func aFullRingReadWhileItIsWrittenGivesNoSampleTwice() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 64)
        let series = try ring.series(named: "a")
        for index in 0..<200 { ring.append(series, self.sample(Int64(index), Double(index))) }
        var seen: [Double] = []
        var next = 200
        ring.forEachSample(series, in: self.all) { sample in
            seen.append(sample.value)
            ring.append(series, self.sample(Int64(next), Double(next)))
            next += 1
            return seen.count < 500
        }
        #expect(Set(seen).count == seen.count)
        #expect(seen == seen.sorted())
    }

    @Test func stepsOlderThanTheRollUpsComeFromTheSamples() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 256, minutes: 16)
        let series = try ring.series(named: "a")
        for index in 0..<200 { ring.append(series, self.sample(Int64(index) * 60_000, 1)) }
        #expect(ring.minuteRollups(series, in: self.all, limit: 1_000).count <= 17)
        #expect(self.count(ring.aggregate(series, in: self.all, stepMilliseconds: 3_600_000, limit: 100)) == 200)
    }

    @Test func lateMinutesNeverPushOutTheNewest() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 256, minutes: 16)
        let series = try ring.series(named: "a")
        for index in stride(from: 0, to: 80, by: 2) { ring.append(series, self.sample(Int64(index) * 60_000, 1)) }
        for index in stride(from: 79, to: 1, by: -2) { ring.append(series, self.sample(Int64(index) * 60_000, 1)) }
        let starts = ring.minuteRollups(series, in: self.all, limit: 1_000).map(\.start)
        #expect(starts == starts.sorted())
        #expect(starts.contains(Tick(milliseconds: 76 * 60_000)))
    }

    @Test func whatIsNoNumberOrNoTimeIsRejected() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "a")
        for sample in [
            self.sample(1, .nan), self.sample(1, .infinity), self.sample(-1, 1), self.sample(4_102_444_800_000, 1),
            self.sample(.max, 1), self.sample(.min, 1),
        ] {
            #expect(ring.append(series, sample) == .rejected)
        }
        #expect(ring.append(SeriesIndex(rawValue: 7), self.sample(1, 1)) == .rejected)
        #expect(ring.append(SeriesIndex(rawValue: .max), self.sample(1, 1)) == .rejected)
        #expect(ring.statistics.rejected == 8)
        #expect(ring.latest(series) == nil)
        #expect(ring.latest(SeriesIndex(rawValue: .max)) == nil)
    }

    @Test func minutesAgreeWithANaiveModel() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(samples: 8_192, minutes: 512)
        let series = try ring.series(named: "a")
        var state: UInt64 = 7
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var tick: Int64 = 1_000_000
        var model: [Int64: [Sample]] = [:]
        for _ in 0..<4_000 {
            tick += Int64(random(9_000))
            let isBad = random(20) == 0
            let moment = random(10) == 0 ? tick - Int64(random(30_000)) : tick
            let sample = self.sample(moment, isBad ? 0 : Double(random(1_000)) / 8, isBad ? .bad(.sentinel) : .good)
            if ring.append(series, sample) == .stored { model[moment / 60_000, default: []].append(sample) }
        }
        let found = ring.minuteRollups(series, in: self.all, limit: 10_000)
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
        let hours = ring.aggregate(series, in: self.all, stepMilliseconds: 3_600_000, limit: 1_000)
        #expect(self.count(hours) == self.count(found))
        let tens = ring.aggregate(series, in: self.all, stepMilliseconds: 10_000, limit: 100_000)
        #expect(self.count(tens) == self.count(hours))
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

    @Test func otherSizesSetTheOldFilesAside() throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open()
            ring.append(try ring.series(named: "a"), self.sample(1, 1))
        }
        let ring = try folder.open(samples: 512)
        #expect(ring.openReport.problems.count == 1)
        #expect(ring.openReport.seriesRestored == 0)
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/ring/hot.set-aside-1"))
    }

    @Test func aDamagedByteAnywhereInTheHeadsNeverRefusesOrTraps() throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open(series: 2)
            let series = try ring.series(named: "a")
            for index in 0..<40 { ring.append(series, self.sample(Int64(index) * 5_000, Double(index))) }
        }
        for offset in Array(0..<48) + Array(4_096..<(4_096 + 128)) {
            let copy = try folder.copy(to: "damaged")
            let handle = try #require(FileHandle(forUpdatingAtPath: "\(copy)/hot"))
            try handle.seek(toOffset: UInt64(offset))
            let byte = try #require(try handle.read(upToCount: 1)).first ?? 0
            try handle.seek(toOffset: UInt64(offset))
            try handle.write(contentsOf: Data([byte ^ 0xFF]))
            try handle.close()
            let ring = try TimeSeriesRing(
                configuration: .init(directory: copy, seriesMax: 2, samplesPerSeries: 256, minuteRollupsPerSeries: 64)
            )
            let series = try ring.series(named: "a")
            _ = ring.samples(series, in: self.all, limit: 1_000)
            _ = ring.minuteRollups(series, in: self.all, limit: 1_000)
            _ = ring.append(series, self.sample(1_000_000, 1))
        }
    }

    @Test func fourThreadsAppendWhileOneReads() async throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 64, samples: 4_096)
        let series = try (0..<64).map { try ring.series(named: "s\($0)") }
        let flag = Flag()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for tick in 0..<2_000 {
                        for index in 0..<16 {
                            ring.append(
                                series[worker * 16 + index],
                                Sample(tick: Tick(milliseconds: Int64(tick)), value: Double(tick))
                            )
                        }
                    }
                }
            }
            group.addTask {
                while !flag.isDone.load(ordering: .relaxed) {
                    for index in series {
                        let found = ring.lastSamples(index, count: 50)
                        for (left, right) in zip(found, found.dropFirst()) where left.tick >= right.tick {
                            Issue.record("out of order")
                        }
                    }
                    await Task.yield()
                }
            }
            for _ in 0..<4 { await group.next() }
            flag.isDone.store(true, ordering: .relaxed)
        }
        #expect(ring.statistics.appended == 4 * 2_000 * 16)
        for index in series { #expect(ring.samples(index, in: self.all, limit: 5_000).count == 2_000) }
    }
}
