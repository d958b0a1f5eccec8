internal import Glibc

/// The monotonic time of polls, and a way to wait for it.
///
/// Tests bring a manual one.
package protocol PollTimer: Sendable {
    /// `CLOCK_BOOTTIME` in nanoseconds.
    var nowNanoseconds: UInt64 { get }
    /// Returns when `nowNanoseconds` has reached `deadline`; throws when the task is cancelled.
    func sleep(untilNanoseconds deadline: UInt64) async throws
}

/// The real timer.
package struct SystemPollTimer: PollTimer {
    package init() {}

    package var nowNanoseconds: UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    package func sleep(untilNanoseconds deadline: UInt64) async throws {
        let now = self.nowNanoseconds
        guard deadline > now else { return try Task.checkCancellation() }
        try await Task.sleep(for: .nanoseconds(Int64(clamping: deadline - now)), tolerance: .milliseconds(1))
    }
}
