import Dispatch
import Synchronization
import Testing

@testable import SchoolRecords

/// How many are inside, and the most that ever were.
private final class Gauge: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    var most: Int { self.counts.withLock { $0.most } }

    func enter() { self.counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }

    func leave() { self.counts.withLock { $0.now -= 1 } }
}

@Suite struct BoundedWorkersTests {
    @Test func floodIsRefusedAndCountedAndNeverWiderThanAllowed() async throws {
        let workers = BoundedWorkers(label: "test", width: 2, backlogMax: 3)
        let gate = DispatchSemaphore(value: 0)
        let running = Gauge()
        let (refusals, refused) = AsyncStream<Void>.makeStream()
        let done = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    do {
                        return try await workers.run {
                            running.enter()
                            gate.wait()
                            running.leave()
                            return true
                        }
                    } catch let error as RecordsError {
                        #expect(error.code == .busy)
                        refused.yield()
                        return false
                    }
                }
            }
            // Two run and three wait; the other seven are refused before anything ends.
            var count = 0
            for await _ in refusals {
                count += 1
                if count == 7 { break }
            }
            for _ in 0..<5 { gate.signal() }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(done.filter { $0 }.count == 5)
        #expect(workers.refusedCount == 7)
        #expect(running.most == 2)
    }
}
