import CampusModel
import Logging
import Synchronization
import Testing

@testable import Exporters

@Suite struct ExporterTests {
    @Test func aRoundSendsWhatIsNewOfEverySeriesInOneRequest() async throws {
        let bench = try Bench(series: 3)
        for index in 0..<3 { bench.source.add(index, 1...5) }
        await bench.exporter.liveRound()
        #expect(bench.sink.requests == 1)
        #expect(bench.sink.ticks(2) == [1, 2, 3, 4, 5])
        await bench.exporter.liveRound()
        #expect(bench.sink.requests == 1, "nothing is new")
        bench.source.add(1, [6])
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(1) == [1, 2, 3, 4, 5, 6])
    }

    @Test func nothingCountsAsSentWithoutItsAcknowledgement() async throws {
        let bench = try Bench()
        bench.source.add(0, 1...3)
        bench.sink.isAway()
        for _ in 0..<4 { await bench.exporter.liveRound() }
        #expect(bench.exporter.statistics.sent == 0)
        #expect(bench.exporter.statistics.retries == 4)
        #expect(bench.exporter.statistics.backlogSamples == 3)
        #expect(bench.exporter.statistics.lastError == "nobody answers")
        bench.sink.isBack()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks() == [1, 2, 3])
        #expect(bench.exporter.statistics.sent == 3)
        #expect(bench.exporter.statistics.connectedSince != nil)
    }

    @Test func aRestartGoesOnWhereTheCursorStands() async throws {
        let bench = try Bench(series: 2)
        bench.source.add(0, 1...10)
        await bench.exporter.liveRound()
        bench.timer.advance(5_000)
        await bench.exporter.look()
        bench.source.add(0, 11...12)
        bench.source.add(1, 1...2)
        try bench.restart()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(0) == Array(1...12))
        #expect(bench.sink.ticks(1) == [1, 2])
        #expect(bench.exporter.statistics.sent == 14, "the count goes on as well")
    }

    @Test func aKillBeforeTheCursorIsWrittenSendsAgainAndLosesNothing() async throws {
        let bench = try Bench()
        bench.source.add(0, 1...10)
        await bench.exporter.liveRound()
        try bench.restart()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks() == Array(1...10) + Array(1...10))
    }

    @Test func aSeriesWithABacklogSendsItFirstAndInOrder() async throws {
        let bench = try Bench(series: 2)
        bench.source.add(0, 1...1_000)
        bench.source.add(1, [1])
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(0).isEmpty, "it waits for its turn")
        #expect(bench.sink.ticks(1) == [1], "others do not wait for it")
        #expect(bench.exporter.statistics.backlogSamples == 1_000)
        bench.source.add(0, [1_001])
        bench.source.add(1, [2])
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(0).isEmpty)
        #expect(bench.sink.ticks(1) == [1, 2])
        while await bench.exporter.replayRequest() > 0 {}
        #expect(bench.sink.ticks(0) == Array(1...1_001))
        #expect(!bench.sink.runs.contains { $0.series == 0 && !$0.isReplay })
        bench.source.add(0, [1_002])
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(0) == Array(1...1_002), "it is at the head again")
        #expect(bench.sink.runs.last?.isReplay == false)
    }

    @Test func aLongBacklogDoesNotHoldBackAShortOne() async throws {
        let bench = try Bench(series: 2) { $0.requestSamplesMax = 3_000 }
        bench.source.add(0, 1...50_000)
        bench.source.add(1, 1...500)
        await bench.exporter.liveRound()
        _ = await bench.exporter.replayRequest()
        #expect(bench.sink.ticks(1) == Array(1...500))
    }

    @Test func requestsHoldNoMoreThanAllowed() async throws {
        let bench = try Bench(series: 4) { $0.requestSamplesMax = 100 }
        for index in 0..<4 { bench.source.add(index, 1...90) }
        bench.source.add(0, 91...2_000)
        await bench.exporter.liveRound()
        while await bench.exporter.replayRequest() > 0 {}
        let largest = bench.sink.runs.map(\.samples.count).max() ?? 0
        #expect(largest <= 100)
        #expect(bench.sink.ticks(0) == Array(1...2_000))
    }

    @Test func aLateSampleIsSentWithAllThatFollowIt() async throws {
        let bench = try Bench()
        bench.source.add(0, [10, 20, 30])
        await bench.exporter.liveRound()
        bench.addLate(0, 15)
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks() == [10, 20, 30, 15, 20, 30])
        #expect(bench.exporter.statistics.dropped == 0)
    }

    @Test func aLateSampleSurvivesAKillBetweenTwoRounds() async throws {
        let bench = try Bench()
        bench.source.add(0, [10, 20, 30])
        await bench.exporter.liveRound()
        bench.timer.advance(5_000)
        await bench.exporter.look()
        bench.addLate(0, 15)
        try bench.restart()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks() == [10, 20, 30, 15, 20, 30])
        // Once the cursor covers it, it is not sent again at every start.
        bench.timer.advance(5_000)
        await bench.exporter.look()
        try bench.restart()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks().count == 6)
    }

    @Test func aSampleThatArrivesDuringARequestIsNotPassedOver() async throws {
        let bench = try Bench()
        bench.source.add(0, [10, 30])
        let isFirst = Flag()
        bench.sink.answers { [source = bench.source, exporter = bench.exporter] _ in
            if isFirst.take() {
                exporter.observeLate(series: 0, tick: Tick(rawValue: 20))
                source.add(0, [20, 40])
            }
            return nil
        }
        await bench.exporter.liveRound()
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks() == [10, 30, 20, 30, 40])
    }

    @Test func seriesThatAreNotConfiguredWaitWithoutBeingLost() async throws {
        let bench = try Bench(series: 2)
        bench.source.hide(1)
        bench.source.add(0, 1...2)
        bench.source.add(1, 1...2)
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(1).isEmpty)
        bench.source.show(1)
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(1) == [1, 2])
    }

    @Test func newSeriesAreTakenUp() async throws {
        let bench = try Bench(series: 1)
        await bench.exporter.liveRound()
        bench.source.addSeries()
        bench.source.add(1, [7])
        await bench.exporter.liveRound()
        #expect(bench.sink.ticks(1) == [7])
    }

    @Test func aRingThatEndsBeforeTheCursorIsFollowedFromItsEnd() async throws {
        let bench = try Bench()
        bench.source.add(0, 1...10)
        await bench.exporter.liveRound()
        bench.timer.advance(5_000)
        await bench.exporter.look()
        // A power cut took the newest four; the clock goes on before where it was.
        let other = FakeSource(series: 1)
        other.add(0, 1...8)
        let exporter = Exporter(
            name: "x",
            kind: "test",
            options: bench.options,
            source: other,
            sink: bench.sink,
            cursor: try CursorFile(path: bench.folder.file("x.cursor"), capacity: 16),
            history: StatementHistory(path: nil),
            timer: bench.timer,
            logger: .init(label: "test")
        )
        other.add(0, [9])
        await exporter.liveRound()
        #expect(bench.sink.ticks() == Array(1...10) + [9])
    }
}

/// True once.
final class Flag: Sendable {
    private let isTaken = Mutex(false)

    func take() -> Bool {
        self.isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }
}
