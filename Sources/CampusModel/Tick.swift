/// An instant on the gateway's stored time axis, in milliseconds.
///
/// The axis starts at the UTC the board believed when the process started and advances with `CLOCK_BOOTTIME`, so it
/// never steps backwards while the gateway runs. Values with a device clock of their own (a replayed recording, a
/// reader's log) carry the device's instant on the same axis. Rules and intervals use ticks only; text for people is
/// made at the edges by ``UTCText``.
package struct Tick: RawRepresentable, Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z as the axis tells them; may be negative.
    package var rawValue: Int64

    /// Makes a tick from milliseconds.
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// Makes a tick from milliseconds since 1970-01-01T00:00:00Z.
    package init(milliseconds: Int64) { self.rawValue = milliseconds }

    /// The earliest and the latest tick that the product stores: 1970-01-01 to 2100-01-01.
    package static let storable = Tick(milliseconds: 0)..<Tick(milliseconds: 4_102_444_800_000)

    package static func < (left: Tick, right: Tick) -> Bool { left.rawValue < right.rawValue }

    /// The tick `milliseconds` later (or earlier, when negative); saturates at the ends of `Int64`.
    package func advanced(byMilliseconds milliseconds: Int64) -> Tick {
        let (sum, overflow) = self.rawValue.addingReportingOverflow(milliseconds)
        if overflow { return Tick(rawValue: milliseconds > 0 ? .max : .min) }
        return Tick(rawValue: sum)
    }

    /// The start of the minute, hour or day (any `period` in milliseconds > 0) that holds this tick, in UTC.
    package func floored(toMilliseconds period: Int64) -> Tick {
        precondition(period > 0, "a period is positive")
        let remainder = self.rawValue % period
        return Tick(rawValue: self.rawValue - (remainder < 0 ? remainder + period : remainder))
    }
}

/// Tells the present tick.
///
/// The real one is ``SystemTickClock``; tests bring a manual one.
package protocol TickClock: Sendable {
    /// The present instant on the stored axis.
    func now() -> Tick
    /// The instant on the stored axis at which `CLOCK_BOOTTIME` read `boottimeNanoseconds`.
    func tick(boottimeNanoseconds: UInt64) -> Tick
}
