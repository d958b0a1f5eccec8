internal import Glibc

/// The board's tick clock: UTC once at start, `CLOCK_BOOTTIME` from then on.
///
/// A wall clock that is set while the gateway runs moves no tick, so intervals, polls and rules never see a step.
package struct SystemTickClock: TickClock {
    private let anchorMilliseconds: Int64

    /// Anchors the axis at the present wall clock, or at `notBefore` when the wall clock is behind it (a board without
    /// a battery clock boots in 1970; what is stored already must stay in the past).
    package init(notBefore: Tick = Tick(milliseconds: 0)) {
        let utc = max(Self.milliseconds(of: CLOCK_REALTIME), notBefore.rawValue)
        self.anchorMilliseconds = utc - Self.milliseconds(of: CLOCK_BOOTTIME)
    }

    package func now() -> Tick {
        Tick(milliseconds: self.anchorMilliseconds + Self.milliseconds(of: CLOCK_BOOTTIME))
    }

    package func tick(boottimeNanoseconds: UInt64) -> Tick {
        Tick(milliseconds: self.anchorMilliseconds &+ Int64(boottimeNanoseconds / 1_000_000))
    }

    private static func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
