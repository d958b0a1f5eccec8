internal import Synchronization

/// What the ring found when it was opened.
package struct RingOpenReport: Sendable, Hashable {
    package enum Mode: String, Sendable {
        /// The memory of a killed process was whole: nothing is lost.
        case adopted
        /// Memory was gone: the journal was read.
        case recovered
    }

    package internal(set) var mode = Mode.recovered
    /// Series that were there already.
    package internal(set) var seriesRestored = 0
    /// Samples in segments.
    package internal(set) var samplesRestored: UInt64 = 0
    /// Units of the journal that were read, and samples in them.
    package internal(set) var journalUnits = 0
    package internal(set) var journalSamples: UInt64 = 0
    /// Units that should be there and are not.
    package internal(set) var journalHoles: UInt64 = 0
    /// Segments that should be there and are damaged.
    package internal(set) var damagedSegments = 0
    /// What was set aside or lost, one line each; empty when everything was well.
    package internal(set) var problems: [String] = []
}

/// Counts and sizes of the ring.
package struct RingStatistics: Sendable, Hashable {
    /// Samples stored since the ring was opened.
    package var appended: UInt64
    /// Samples that were there already.
    package var duplicates: UInt64
    /// Samples that came out of order and were put in their place.
    package var reordered: UInt64
    /// Samples older than everything kept.
    package var late: UInt64
    /// Samples whose value or tick cannot be stored.
    package var rejected: UInt64
    /// Series that found no room.
    package var rejectedSeries: UInt64
    /// Writes that the card refused.
    package var writeFailures: UInt64
    /// Samples that found no room in the journal, and reach the card with the next segment.
    package var unjournaled: UInt64
    /// Samples given up because the card took nothing.
    package var dropped: UInt64
    /// Blocks and segments that did not hold what they should when they were read.
    package var damaged: UInt64
    /// Commits, seals and bytes written to the card.
    package var commits: UInt64
    package var seals: UInt64
    package var bytesWritten: UInt64
    package var seriesCount: Int
    package var seriesMax: Int
    package var bytesOnDisk: Int
    /// How far back samples, minutes and quarters go, milliseconds on the stored axis; `nil` while nothing was sealed.
    package var oldestRaw: Int64?
    package var oldestMinute: Int64?
    package var oldestQuarter: Int64?
    /// Why the card is not written to; `nil` when all is well.
    package var trouble: String?
}

/// Counters that several threads raise.
final class RingCounters: Sendable {
    let appended = Atomic<UInt64>(0)
    let duplicates = Atomic<UInt64>(0)
    let reordered = Atomic<UInt64>(0)
    let late = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
    let rejectedSeries = Atomic<UInt64>(0)
    let writeFailures = Atomic<UInt64>(0)
    let dropped = Atomic<UInt64>(0)
    let commits = Atomic<UInt64>(0)
    let seals = Atomic<UInt64>(0)
    let bytesWritten = Atomic<UInt64>(0)
    let stagedSamples = Atomic<UInt64>(0)
    let stagedBytes = Atomic<UInt64>(0)
}
