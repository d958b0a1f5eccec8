internal import CPlatform
package import CampusModel
internal import Glibc

/// Notices that the system's clock no longer agrees with the gateway's axis.
///
/// A board without a clock starts with a wrong one and learns the time later: then the whole time since the start is
/// dated anew. A clock that was right, and is set, holds from now on.
package struct ClockWatch: Sendable {
    /// Less is a clock that is slewed; more is a step.
    static let toleranceMilliseconds: Int64 = 250

    private let started: Tick
    private let wasSynchronized: Bool
    private let utcMilliseconds: @Sendable () -> Int64
    private let isSynchronized: @Sendable () -> Bool

    /// - Parameters:
    ///   - started: when the axis began.
    ///   - utcMilliseconds: what the system believes; the real one unless a test says otherwise.
    ///   - isSynchronized: whether a time server keeps the system's clock.
    package init(
        started: Tick,
        utcMilliseconds: @escaping @Sendable () -> Int64 = { Self.systemMilliseconds() },
        isSynchronized: @escaping @Sendable () -> Bool = { campus_clock_is_synchronized() != 0 }
    ) {
        self.started = started
        self.utcMilliseconds = utcMilliseconds
        self.isSynchronized = isSynchronized
        self.wasSynchronized = isSynchronized()
    }

    /// The row that is to be added, if there is one.
    package func look(now: Tick, map: ClockMap) -> ClockMap.Row? {
        let offset = self.utcMilliseconds() - now.rawValue
        let known = map.utc(now).rawValue - now.rawValue
        guard (offset - known).magnitude > UInt64(Self.toleranceMilliseconds) else { return nil }
        let isSynchronized = self.isSynchronized()
        return ClockMap.Row(
            from: isSynchronized && !self.wasSynchronized ? self.started.rawValue : now.rawValue,
            offset: offset,
            source: isSynchronized ? .synchronized : .step
        )
    }

    static func systemMilliseconds() -> Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
