import CampusModel
import Testing

@testable import Exporters

@Suite struct ThinningTests {
    private func samples(_ seconds: ClosedRange<Int64>) -> [Sample] {
        seconds.map { Sample(tick: Tick(rawValue: $0 * 1_000), value: Double($0)) }
    }

    private func thinning(drop: Int64 = -1, minute: Int64 = -1, tenth: Int64) -> Thinning {
        Thinning(
            dropThrough: Tick(rawValue: drop * 1_000),
            minuteThrough: Tick(rawValue: minute * 1_000),
            tenthThrough: Tick(rawValue: tenth * 1_000)
        )
    }

    private func kept(_ thinning: Thinning, _ seconds: ClosedRange<Int64>, after: Int64 = -1) -> [Int64] {
        thinning.kept(self.samples(seconds), after: Tick(rawValue: after * 1_000)).map { $0.tick.rawValue / 1_000 }
    }

    @Test func everyTenthStays() {
        #expect(self.kept(self.thinning(tenth: 39), 0...45) == [0, 10, 20, 30, 40, 41, 42, 43, 44, 45])
    }

    @Test func theFirstOfEachMinuteStays() {
        #expect(self.kept(self.thinning(minute: 199, tenth: 199), 0...201) == [0, 60, 120, 180, 200, 201])
        #expect(self.kept(self.thinning(minute: 199, tenth: 199), 61...130, after: 60) == [120], "60 was served")
    }

    @Test func theOldestIsThinnedMost() {
        let thinning = self.thinning(drop: 99, minute: 199, tenth: 229)
        #expect(self.kept(thinning, 0...231) == [100, 120, 180, 200, 210, 220, 230, 231])
    }

    @Test(arguments: [10_000.0, 8_000, 2_000, 1_000, 500, 200, 100, 10])
    func theMildestThinningThatFitsIsTaken(_ samplesMax: Double) {
        let span = Thinning.Span(from: Tick(rawValue: 0), to: Tick(rawValue: 9_999_000), count: 10_000)
        let thinning = Thinning.fitting([span], samplesMax: samplesMax)
        let kept = thinning.kept(self.samples(0...9_999), after: Tick(rawValue: -1))
        #expect(Double(kept.count) <= samplesMax * 1.02 + 2)
        #expect(Double(kept.count) >= samplesMax * 0.95 - 3)
        #expect((thinning.minuteThrough.rawValue > 0) == (samplesMax < 1_000))
        #expect((thinning.dropThrough.rawValue > 0) == (samplesMax < 160))
    }

    @Test func aBacklogOverItsQuotaIsThinnedFromTheOldestAndCountedExactly() async throws {
        // 32 bytes a sample: 2,000 samples.
        let bench = try Bench { $0.backlogBytesMax = 64_000 }
        bench.source.add(0, [0])
        await bench.exporter.liveRound()
        bench.source.add(0, (1...10_000).map { $0 * 1_000 })
        bench.sink.isAway()
        await bench.exporter.liveRound()
        _ = await bench.exporter.replayRequest()
        bench.timer.advance(11_000)
        await bench.exporter.look()
        #expect(bench.exporter.statistics.backlogBytes <= 65_000)
        bench.sink.isBack()
        while await bench.exporter.replayRequest() > 0 {}
        let arrived = bench.sink.ticks()
        #expect((1_900...2_100).contains(arrived.count))
        #expect(bench.exporter.statistics.dropped == UInt64(10_001 - arrived.count))
        #expect(Array(arrived.suffix(900)) == (9_101...10_000).map { $0 * 1_000 }, "the newest are whole")
        #expect(arrived == arrived.sorted())
        #expect(bench.exporter.statistics.statements.first?.lost == UInt64(10_001 - arrived.count))
        #expect(bench.exporter.statistics.backlogSamples == 0)
    }

    @Test func aReceiverThatWasAwayTooLongGetsNothingOlder() async throws {
        let bench = try Bench { $0.maximumAgeMilliseconds = 100_000 }
        bench.source.add(0, [900_000])
        await bench.exporter.liveRound()
        bench.sink.isAway()
        // The clock says 1,000,000 now; a sample a second.
        for second in 0..<400 {
            bench.source.add(0, [1_000_000 + Int64(second) * 1_000])
            await bench.exporter.liveRound()
            bench.timer.advance(1_000)
            await bench.exporter.look()
        }
        bench.sink.isBack()
        while await bench.exporter.replayRequest() > 0 {}
        #expect(bench.sink.ticks().dropFirst() == (301..<400).map { 1_000_000 + $0 * 1_000 }[...])
        #expect(bench.exporter.statistics.dropped == 301)
    }

    @Test func oldSamplesThatArriveNowAreNotTooOld() async throws {
        let bench = try Bench { $0.maximumAgeMilliseconds = 100_000 }
        bench.source.add(0, 1...500)
        await bench.exporter.liveRound()
        await bench.exporter.look()
        while await bench.exporter.replayRequest() > 0 {}
        #expect(bench.sink.ticks().count == 500)
    }

    @Test func minutesStandInForWhatTheRingOverwrote() async throws {
        let bench = try Bench()
        bench.source.add(0, [0])
        await bench.exporter.liveRound()
        bench.sink.isAway()
        bench.source.add(0, (1...1_000).map { $0 * 1_000 })
        await bench.exporter.liveRound()
        await bench.exporter.look()
        // Seconds 0 to 300 are gone, minutes 0 to 4 are not.
        bench.source.overwrite(0, oldest: 301)
        bench.source.keepMinutes(0, [0, 60, 120, 180, 240, 300])
        bench.sink.isBack()
        while await bench.exporter.replayRequest() > 0 {}
        let minutes: [Int64] = [60, 120, 180, 240].map { $0 * 1_000 }
        #expect(bench.sink.ticks() == [0] + minutes + (301...1_000).map { $0 * 1_000 })
        #expect(bench.exporter.statistics.dropped == 300)
        #expect(bench.sink.runs[1].samples[0].quality == .uncertain(.none))
    }
}
