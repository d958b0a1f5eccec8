package import CampusModel

/// Whether a device can be relied on, and why not: a value state machine driven by polls, messages and time.
package struct DeviceHealth: Sendable, Hashable {
    /// The state that pages show.
    package enum State: String, Sendable, CaseIterable {
        /// Configured, and nothing heard yet.
        case waiting
        case online
        /// One period missed, or the last poll failed: values are still the last good ones.
        case late
        /// Several periods missed, or the device said goodbye: its values are marked bad.
        case offline
        /// It sends what its profile does not allow: nothing of it is stored.
        case quarantined
    }

    /// Why the device is in its state.
    package enum Reason: String, Sendable, CaseIterable {
        case none
        /// It answers or publishes as expected.
        case answering
        /// Nothing within the expected period.
        case silent
        /// The request ran out of time.
        case timeout
        /// The address does not accept or keep connections.
        case notConnected
        /// It answered with a Modbus exception.
        case exception
        /// The reply did not fit the request.
        case badReply
        /// Its last will says that it is gone.
        case lastWill
        /// Its payload breaks the profile.
        case violation
    }

    package private(set) var state: State = .waiting
    package private(set) var reason: Reason = .none
    /// When the present state began.
    package private(set) var since: Tick
    /// The last time that the device said something usable.
    package private(set) var lastSeen: Tick?
    private var failuresInRow = 0
    private var violationsInRow = 0

    /// Failures in a row that turn a device from late to offline.
    package static let failuresToOffline = 3
    /// Violations in a row that quarantine a device.
    package static let violationsToQuarantine = 3

    package init(since: Tick) { self.since = since }

    /// The device answered or published something usable.
    package mutating func heard(at tick: Tick) {
        self.failuresInRow = 0
        self.violationsInRow = 0
        self.lastSeen = max(self.lastSeen ?? tick, tick)
        self.become(.online, .answering, at: tick)
    }

    /// A poll failed.
    ///
    /// Returns `true` when the device went offline by it: its values must be marked.
    package mutating func failed(_ reason: Reason, at tick: Tick) -> Bool {
        self.failuresInRow = min(self.failuresInRow + 1, 1_000_000)
        guard self.state != .quarantined else { return false }
        let isOffline = self.failuresInRow >= Self.failuresToOffline
        guard isOffline || self.state == .online || self.state == .late else {
            if self.state == .waiting { self.reason = reason }
            return false
        }
        let wentOffline = isOffline && self.state != .offline
        self.become(isOffline ? .offline : .late, reason, at: tick)
        return wentOffline
    }

    /// A payload broke the profile.
    ///
    /// Returns `true` when the device was quarantined by it.
    package mutating func violated(at tick: Tick) -> Bool {
        self.violationsInRow = min(self.violationsInRow + 1, 1_000_000)
        guard self.violationsInRow >= Self.violationsToQuarantine, self.state != .quarantined else { return false }
        self.become(.quarantined, .violation, at: tick)
        return true
    }

    /// The last will said that the device is gone.
    ///
    /// Returns `true` when it went offline by it.
    package mutating func saidGoodbye(at tick: Tick) -> Bool {
        guard self.state != .offline else {
            self.reason = .lastWill
            return false
        }
        self.become(.offline, .lastWill, at: tick)
        return true
    }

    /// Time passed.
    ///
    /// A publisher that missed 1½ periods is late, one that missed `missedMax` is offline. Returns `true` when it went
    /// offline by it.
    package mutating func waited(until tick: Tick, periodMilliseconds: Int64, missedMax: Int64) -> Bool {
        guard self.state == .online || self.state == .late, let lastSeen else { return false }
        let silence = tick.rawValue - lastSeen.rawValue
        if silence > periodMilliseconds * missedMax {
            self.become(.offline, .silent, at: tick)
            return true
        }
        if silence > periodMilliseconds + periodMilliseconds / 2 { self.become(.late, .silent, at: tick) }
        return false
    }

    private mutating func become(_ state: State, _ reason: Reason, at tick: Tick) {
        if self.state != state { self.since = tick }
        self.state = state
        self.reason = reason
    }
}
