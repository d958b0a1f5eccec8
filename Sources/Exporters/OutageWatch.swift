internal import CampusModel

/// Knows when a receiver was away, and sums up what became of the samples that waited.
struct OutageWatch: Sendable {
    private var lastAcknowledged: Tick?
    private var waitingSince: Tick?
    private var statement: LossStatement?
    private(set) var isReplaying = false
    /// Counted before anybody knew that it was an outage.
    private var repeatedBefore: UInt64 = 0
    private var lostBefore: UInt64 = 0

    /// Whether the receiver is away, or what waited meanwhile is still being sent.
    var isOn: Bool { self.statement != nil }

    /// Since when samples wait for a receiver that is away; `nil` while it is there.
    var awaySince: Tick? { self.isReplaying ? nil : self.statement?.from }

    /// A cursor was found: samples may have waited since.
    mutating func resume(after tick: Tick?) { self.lastAcknowledged = tick }

    /// Something is to be sent.
    mutating func waits(since now: Tick) {
        if self.waitingSince == nil { self.waitingSince = now }
    }

    /// Samples wait since the receiver was last heard, before the gateway was started.
    mutating func waitedBeforeStart() { self.waitingSince = self.lastAcknowledged }

    /// Looks at the time; an outage may begin.
    mutating func check(now: Tick, limit: Int64) {
        guard self.statement == nil || self.isReplaying, let since = self.waitingSince,
            now.rawValue - since.rawValue >= limit
        else { return }
        // Away again before everything had been sent: one longer outage.
        if self.isReplaying {
            self.isReplaying = false
        } else {
            var statement = LossStatement(from: since, to: now)
            statement.duplicates = self.repeatedBefore
            statement.lost = self.lostBefore
            self.statement = statement
        }
    }

    /// Returns whether an outage has just ended.
    mutating func acknowledged(now: Tick, limit: Int64) -> Bool {
        self.check(now: now, limit: limit)
        self.lastAcknowledged = now
        self.waitingSince = nil
        self.repeatedBefore = 0
        self.lostBefore = 0
        guard self.statement != nil, !self.isReplaying else { return false }
        self.statement?.to = now
        self.isReplaying = true
        return true
    }

    mutating func lost(_ count: UInt64) {
        if self.statement != nil { self.statement?.lost &+= count } else { self.lostBefore &+= count }
    }

    mutating func repeated(_ count: UInt64) {
        if self.statement != nil { self.statement?.duplicates &+= count } else { self.repeatedBefore &+= count }
    }

    mutating func replayed(_ count: UInt64) { self.statement?.replayed &+= count }

    mutating func finish() -> LossStatement? {
        defer {
            self.statement = nil
            self.isReplaying = false
        }
        return self.statement
    }
}
