internal import Dispatch
internal import Synchronization

/// Runs blocking work away from the cooperative pool: at most `width` at a time, at most `backlogMax` waiting, the
/// rest refused and counted.
///
/// A flood of logins therefore costs `width` times the memory of one derivation, whatever arrives.
final class BoundedWorkers: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
        var refusedCount: UInt64 = 0
    }

    private let queue: DispatchQueue
    private let width: Int
    private let backlogMax: Int
    private let state = Mutex(State())

    init(label: String, width: Int, backlogMax: Int) {
        self.queue = DispatchQueue(label: label, attributes: .concurrent)
        self.width = width
        self.backlogMax = backlogMax
    }

    /// The number of refusals since the start.
    var refusedCount: UInt64 { self.state.withLock { $0.refusedCount } }

    /// Runs `work` and returns its result; throws ``RecordsError/Code/busy`` when too much waits already.
    func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let job: @Sendable () -> Void = { continuation.resume(with: Swift.Result { try work() }) }
            guard let start = self.admit(job) else {
                continuation.resume(throwing: RecordsError(.busy, "too many requests at once; try again in a moment"))
                return
            }
            if start { self.queue.async { self.drain(startingWith: job) } }
        }
    }

    /// `true`: start now; `false`: it waits; `nil`: refused.
    private func admit(_ job: @escaping @Sendable () -> Void) -> Bool? {
        self.state.withLock { state in
            if state.running < self.width {
                state.running += 1
                return true
            }
            guard state.waiting.count < self.backlogMax else {
                state.refusedCount += 1
                return nil
            }
            state.waiting.append(job)
            return false
        }
    }

    private func drain(startingWith first: @escaping @Sendable () -> Void) {
        var next: (@Sendable () -> Void)? = first
        while let job = next {
            job()
            next = self.state.withLock { state in
                if state.waiting.isEmpty {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}
