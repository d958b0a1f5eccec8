import CampusModel
import Testing

@testable import Exporters

@Suite struct OutageTests {
    /// A receiver that is away for `seconds`, a sample a second in each series.
    private func outage(_ bench: Bench, series: Int, seconds: Int64, from first: Int64) async {
        bench.sink.isAway()
        for second in 0..<seconds {
            for index in 0..<series { bench.source.add(index, [first + second]) }
            await bench.exporter.liveRound()
            await bench.exporter.look()
            bench.timer.advance(1_000)
        }
        bench.sink.isBack()
    }

    private func drain(_ bench: Bench) async {
        for _ in 0..<3 { await bench.exporter.liveRound() }
        while await bench.exporter.replayRequest() > 0 {}
    }

    @Test func anOutageEndsWithItsStatement() async throws {
        let bench = try Bench(series: 2)
        bench.source.add(0, [1])
        await bench.exporter.liveRound()
        await self.outage(bench, series: 2, seconds: 20, from: 2)
        await self.drain(bench)
        let statement = try #require(bench.exporter.statistics.statements.first)
        #expect(statement.lost == 0)
        #expect(statement.replayed == 40)
        #expect(statement.duplicates == 0)
        #expect(statement.to.rawValue - statement.from.rawValue == 20_000)
        #expect(
            statement.description
                == "0 lost, 40 replayed, 0 duplicates, from 1970-01-01T00:16:40.000Z to 1970-01-01T00:17:00.000Z"
        )
        #expect(bench.sink.ticks(0) == Array(1...21))
    }

    @Test func aShortSilenceIsNoOutage() async throws {
        let bench = try Bench()
        await self.outage(bench, series: 1, seconds: 5, from: 1)
        await self.drain(bench)
        #expect(bench.exporter.statistics.statements.isEmpty)
        #expect(bench.sink.ticks() == Array(1...5))
    }

    @Test func whatMayHaveArrivedTwiceIsCounted() async throws {
        let bench = try Bench()
        bench.source.add(0, 1...7)
        bench.sink.isAway(true)
        await bench.exporter.liveRound()
        bench.timer.advance(11_000)
        await bench.exporter.look()
        bench.sink.isBack()
        await self.drain(bench)
        #expect(bench.exporter.statistics.statements.first?.duplicates == 7)
    }

    @Test func whatWentOutTwiceBeforeItWasAcknowledgedIsCounted() async throws {
        let bench = try Bench()
        bench.source.add(0, 1...7)
        bench.sink.isAway()
        await bench.exporter.liveRound()
        bench.timer.advance(11_000)
        await bench.exporter.look()
        bench.source.add(0, 8...9)
        bench.sink.isBack()
        bench.sink.repeatsOnce()
        await bench.exporter.liveRound()
        await self.drain(bench)
        let statement = try #require(bench.exporter.statistics.statements.first)
        #expect(statement.duplicates == 9 && statement.lost == 0)
        #expect(bench.sink.ticks() == Array(1...9))
    }

    @Test func anOutageGoesOnAcrossARestart() async throws {
        let bench = try Bench()
        bench.source.add(0, [1])
        await bench.exporter.liveRound()
        bench.timer.advance(5_000)
        await bench.exporter.look()
        await self.outage(bench, series: 1, seconds: 6, from: 2)
        bench.sink.isAway()
        try bench.restart()
        bench.timer.advance(6_000)
        await bench.exporter.look()
        bench.sink.isBack()
        await self.drain(bench)
        #expect(bench.exporter.statistics.statements.first?.replayed == 6)
        #expect(bench.sink.ticks() == Array(1...7))
    }

    @Test func statementsOutliveTheProcessAndTheOldestLeave() async throws {
        let bench = try Bench()
        for round in 0..<22 {
            await self.outage(bench, series: 1, seconds: 11, from: Int64(round) * 11 + 1)
            await self.drain(bench)
        }
        try bench.restart()
        #expect(bench.exporter.statistics.statements.count == 20)
        #expect(bench.exporter.statistics.statements.allSatisfy { $0.replayed == 11 })
    }

    @Test func samplesThatTheRingOverwroteAreCountedExactly() async throws {
        let bench = try Bench()
        bench.source.add(0, [0])
        await bench.exporter.liveRound()
        await self.outage(bench, series: 1, seconds: 300, from: 1)
        bench.source.overwrite(0, oldest: 124)
        try bench.restart()
        await self.drain(bench)
        #expect(bench.sink.ticks() == [0] + Array(124...300))
        #expect(bench.exporter.statistics.dropped == 123)
        #expect(bench.exporter.statistics.statements.first?.lost == 123)
        #expect(bench.exporter.statistics.droppedSeries == [.init(name: "device-0/value", count: 123)])
    }

    @Test func aSampleThatTheReceiverCannotReadIsDroppedAloneAndSaid() async throws {
        let bench = try Bench(series: 3)
        for index in 0..<3 { bench.source.add(index, 1...100) }
        bench.sink.answers { runs in
            let isBad = runs.contains { $0.series == 1 && $0.samples.contains { $0.tick.rawValue == 57 } }
            return isBad ? SinkError(.poison, "400: cannot parse") : nil
        }
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(0) == Array(1...100))
        #expect(bench.sink.ticks(1) == Array(1...100).filter { $0 != 57 })
        #expect(bench.sink.ticks(2) == Array(1...100))
        #expect(bench.exporter.statistics.dropped == 1)
        #expect(bench.exporter.statistics.lastError == "400: cannot parse")
    }

    @Test func aReceiverThatReadsNothingAtAllCostsNoSample() async throws {
        let bench = try Bench(series: 3)
        for index in 0..<3 { bench.source.add(index, 1...100) }
        bench.sink.answers { _ in SinkError(.poison, "400: database is required") }
        for _ in 0..<3 { await bench.exporter.liveRound() }
        #expect(bench.sink.requests < 200)
        #expect(bench.exporter.statistics.dropped == 0)
        bench.sink.isBack()
        await self.drain(bench)
        #expect(bench.sink.ticks(1) == Array(1...100))
    }

    @Test func theNextTryComesLaterEachTimeAndNeverTooLate() {
        var options = ExporterOptions()
        options.backoffInitialMilliseconds = 200
        options.backoffMaxMilliseconds = 5_000
        var backoff = BackOff(options)
        let now = Tick(rawValue: 0)
        for longest in [200, 400, 800, 1_600, 3_200, 5_000, 5_000] as [Int64] {
            backoff.fail(at: now, isRefusal: false)
            #expect((longest / 2...longest).contains(backoff.remaining(now)))
        }
        backoff.reset()
        #expect(backoff.remaining(now) == 0)
    }
}
