import CampusModel
import Synchronization

/// A clock that stands until it is moved.
final class ManualClock: TickClock {
    private let milliseconds: Mutex<Int64>

    init(milliseconds: Int64 = 1_790_000_000_000) { self.milliseconds = Mutex(milliseconds) }

    func now() -> Tick { Tick(milliseconds: self.milliseconds.withLock { $0 }) }

    func tick(boottimeNanoseconds: UInt64) -> Tick { self.now() }

    func advance(milliseconds: Int64) { self.milliseconds.withLock { $0 += milliseconds } }

    func advance(seconds: Int64) { self.advance(milliseconds: seconds * 1_000) }
}
