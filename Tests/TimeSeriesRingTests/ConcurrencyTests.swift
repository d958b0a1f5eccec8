import CampusModel
import Foundation
import Synchronization
import Testing

@testable import TimeSeriesRing

/// Everything that threads may do with a ring, at the same time: what `Tests/Scripts/thread-sanitizer` looks at.
///
/// Threads of their own, more than there are processors, so that locks are waited for and holders are interrupted.
struct ConcurrencyTests {
    private static let ticks = 1_500

    /// Runs all bodies, each on a thread, and waits.
    private func run(_ bodies: [@Sendable () -> Void]) async {
        await withTaskGroup(of: Void.self) { group in
            for body in bodies {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            body()
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }

    private func isWrong(_ samples: [Sample]) -> Bool {
        samples.contains { $0.value != Double($0.tick.rawValue) }
            || zip(samples, samples.dropFirst()).contains { $0.tick >= $1.tick }
    }

    @Test func threadsThatAppendReadRegisterCommitAndSealDoNotDisturbEachOther() async throws {
        let folder = try ScratchFolder()
        let ring = try folder.open(series: 64)
        // All in one group, so that they share a lock.
        let series = try (0..<8).map { try ring.series(named: "s\($0)") }
        let running = Atomic<Int>(4)
        let wrong = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
        let late = Atomic<Int>(0)
        ring.observeLate { _, _ in late.add(1, ordering: .relaxed) }
        @Sendable func whileRunning(_ body: () throws -> Void) {
            while running.load(ordering: .relaxed) > 0 {
                do { try body() } catch { failures.add(1, ordering: .relaxed) }
                sched_yield()
            }
        }
        let appenders: [@Sendable () -> Void] = (0..<4)
            .map { worker in
                {
                    let own = [series[worker * 2], series[worker * 2 + 1]]
                    for index in 0..<Self.ticks {
                        // Of every eight the last comes first: the seven before it are late.
                        let tick = Int64(index / 8 * 8 + (index % 8 + 7) % 8)
                        ring.append(own.map { .init(series: $0, sample: sample(tick, Double(tick))) })
                    }
                    running.subtract(1, ordering: .relaxed)
                }
            }
        let reader: @Sendable () -> Void = {
            whileRunning {
                for index in series {
                    if self.isWrong(ring.samples(index, in: allTicks, limit: 10_000)) {
                        wrong.add(1, ordering: .relaxed)
                    }
                    if self.isWrong(ring.lastSamples(index, count: 50)) { wrong.add(1, ordering: .relaxed) }
                    if let latest = ring.latest(index), self.isWrong([latest]) { wrong.add(1, ordering: .relaxed) }
                    _ = ring.minuteRollups(index, in: allTicks, limit: 10)
                    _ = ring.aggregate(
                        index,
                        in: Tick(milliseconds: 0)..<Tick(milliseconds: 60_000),
                        stepMilliseconds: 60_000,
                        limit: 2
                    )
                    _ = ring.oldestTick(index)
                }
            }
        }
        let observer: @Sendable () -> Void = {
            whileRunning {
                _ = (ring.statistics, ring.newestTick, ring.seriesNames, ring.tierBytes, ring.clock, ring.openReport)
            }
        }
        let registrar: @Sendable () -> Void = {
            for number in 0..<50 { _ = try? ring.series(named: "new\(number)") }
        }
        let keeper: @Sendable () -> Void = {
            whileRunning {
                try ring.maintain()
                try ring.seal()
                ring.trimResidentPages()
                try ring.setClock(.init(from: 0, offset: 0, source: .manual))
            }
        }
        let committer: @Sendable () -> Void = { whileRunning { try ring.commit() } }
        await self.run(appenders + [reader, reader, observer, registrar, keeper, committer])
        #expect(wrong.load(ordering: .relaxed) == 0, "a reader saw a torn, misplaced or repeated sample")
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(late.load(ordering: .relaxed) > 0)
        #expect(ring.seriesCount == 58)
        for index in series { #expect(ring.samples(index, in: allTicks, limit: 10_000).count == Self.ticks) }
        // The same after a kill, and after a cut behind a commit.
        try ring.commit()
        try folder.copy(to: "killed")
        try folder.copy(to: "cut", withMemory: false)
        for name in ["killed", "cut"] {
            let again = try folder.open(name, series: 64)
            for index in series {
                #expect(again.samples(index, in: allTicks, limit: 10_000).count == Self.ticks, "\(name)")
            }
        }
    }

    /// Series that nobody asked for since the start are looked up on the card by the first who does.
    @Test func whoeverAsksForASilentSeriesFirstOthersSeeItsNewestSampleToo() async throws {
        let folder = try ScratchFolder()
        do {
            let ring = try folder.open(series: 64)
            let series = try (0..<64).map { try ring.series(named: "s\($0)") }
            for tick in 0..<200 {
                ring.append(series.map { .init(series: $0, sample: sample(Int64(tick), Double(tick))) })
            }
            try ring.seal()
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/ring/ring.memory")
        let ring = try folder.open(series: 64)
        let series = try (0..<64).map { try #require(ring.existingSeries(named: "s\($0)")) }
        let missing = Atomic<Int>(0)
        let ask: @Sendable () -> Void = {
            for index in series where ring.latest(index)?.tick != Tick(milliseconds: 199) {
                missing.add(1, ordering: .relaxed)
            }
        }
        let look: @Sendable () -> Void = {
            for index in series.reversed() where ring.samples(index, in: allTicks, limit: 999).count != 200 {
                missing.add(1, ordering: .relaxed)
            }
        }
        let register: @Sendable () -> Void = { for index in 0..<64 { _ = try? ring.series(named: "s\(index)") } }
        await self.run([ask, look, ask, register, ask, ask])
        #expect(missing.load(ordering: .relaxed) == 0)
    }
}
