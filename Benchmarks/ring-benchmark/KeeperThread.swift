import Glibc
import Synchronization
import TimeSeriesRing

/// A thread that commits without a pause, and seals with every fiftieth commit.
final class KeeperThread: Sendable {
    private final class State: Sendable {
        let isOver = Atomic<Bool>(false)
        let ring: TimeSeriesRing
        init(_ ring: TimeSeriesRing) { self.ring = ring }
    }

    private let state: State
    private let thread: Mutex<pthread_t>

    init(_ ring: TimeSeriesRing) {
        let state = State(ring)
        self.state = state
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let state = Unmanaged<State>.fromOpaque(context).takeRetainedValue()
                var rounds = 0
                while !state.isOver.load(ordering: .relaxed) {
                    rounds += 1
                    do {
                        if rounds % 50 == 0 { try state.ring.seal() } else { try state.ring.maintain() }
                    } catch {
                        complain("\(error)")
                    }
                }
                return nil
            },
            Unmanaged.passRetained(state).toOpaque()
        )
        self.thread = Mutex(thread)
    }

    func stop() {
        self.state.isOver.store(true, ordering: .relaxed)
        pthread_join(self.thread.withLock { $0 }, nil)
    }
}
