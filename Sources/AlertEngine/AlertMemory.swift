/// What is remembered of one alert: independent memories, from which ``state`` is derived.
///
/// Each function is one event of the table of ISA-18.2 and says whether anything changed. Evaluation goes on in every
/// state: what is shelved, suppressed or out of service is remembered, only nobody is called.
package struct AlertMemory: Sendable, Hashable, Codable {
    /// The condition holds, its on-delay is over, and its off-delay has not ended it.
    package var isActive = false
    /// Somebody knows of ``activation``.
    package var isAcknowledged = true
    /// Kept until somebody resets it, although it may be over.
    package var isLatched = false
    /// Beyond the severe limit.
    package var isSevere = false
    /// How many active causes it is a consequence of.
    package var suppressionCount: Int32 = 0
    package var isOutOfService = false
    /// Active so often that it is held.
    package var isFlapping = false
    /// Somebody was called for ``activation``.
    package var isAnnunciated = false
    /// How often it has been active; what an acknowledgement must name.
    package var activation: Int64 = 0
    /// When it became active last; 0 before the first time.
    package var raised: Int64 = 0
    /// When it returned to normal last; 0 before the first time.
    package var cleared: Int64 = 0
    /// When it was acknowledged last; 0 before the first time.
    package var acknowledged: Int64 = 0
    /// When its shelf ends; 0 when it is not shelved.
    package var shelvedUntil: Int64 = 0
    /// When somebody is to be called; 0 when nobody is.
    package var annunciateAt: Int64 = 0
    /// The incident it belongs to; 0 when it belongs to none.
    package var incident: Int64 = 0
    /// The activations before the present one, the newest first; 0 where there was none.
    package var before: Int64 = 0
    package var beforeThat: Int64 = 0

    package init() {}

    package var isShelved: Bool { self.shelvedUntil != 0 }

    package var isSuppressed: Bool { self.suppressionCount > 0 }

    /// Whether nobody may be called for it now.
    package var isSetAside: Bool { self.isOutOfService || self.isShelved || self.isSuppressed }

    package var state: AlertState {
        if self.isOutOfService { return .outOfService }
        if self.isShelved { return .shelved }
        if self.isSuppressed { return .suppressed }
        if self.isActive { return self.isAcknowledged ? .acknowledged : .unacknowledged }
        if self.isLatched { return .latched }
        return self.isAcknowledged ? .normal : .returnedUnacknowledged
    }

    /// The condition held long enough: a new activation, which nobody knows of.
    package mutating func raise(at tick: Int64, latches: Bool) {
        self.beforeThat = self.before
        self.before = self.raised
        self.isActive = true
        self.isAcknowledged = false
        self.isAnnunciated = false
        if latches { self.isLatched = true }
        self.activation &+= 1
        self.raised = tick
    }

    /// The condition has been over long enough.
    ///
    /// - Parameter acknowledges: Whether alerts of this class need nobody once they are over.
    package mutating func clear(at tick: Int64, acknowledges: Bool) {
        self.isActive = false
        self.isSevere = false
        self.cleared = tick
        if acknowledges, !self.isLatched { self.isAcknowledged = true }
    }

    /// Somebody knows of activation `number`.
    ///
    /// - Returns: `false` when it is known already, or another activation is the present one.
    package mutating func acknowledge(activation number: Int64, at tick: Int64) -> Bool {
        guard number == self.activation, !self.isAcknowledged else { return false }
        self.isAcknowledged = true
        self.acknowledged = tick
        return true
    }

    /// It is called again: the severe limit is passed, or it has been active for long.
    package mutating func realarm() {
        self.isAcknowledged = false
        self.isAnnunciated = false
    }

    /// Ends a latched alert that is over and known.
    ///
    /// - Returns: `false` when there is nothing to reset, or it may not be reset yet.
    package mutating func reset() -> Bool {
        guard self.isLatched, !self.isActive, self.isAcknowledged else { return false }
        self.isLatched = false
        return true
    }

    /// It is looked at again after it was set aside: what is still active is called, even if it was known before.
    package mutating func returnFromAside() {
        if self.isActive, !self.isSetAside { self.realarm() }
    }
}
