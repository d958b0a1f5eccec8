package import CampusModel
package import DeviceProfile

/// Whether a device can be relied on, and why not: a value state machine driven by polls, messages and time.
package struct DeviceHealth: Sendable, Hashable {
    /// The state that pages show.
    package enum State: String, Sendable, CaseIterable {
        /// Configured, and nothing heard yet.
        case waiting
        case online
        /// One period missed, or a part of it does not answer: other values are still the last good ones.
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
        /// It answered that it does not do what it was asked.
        case refused
        /// The reply did not fit the request.
        case badReply
        /// Its last will says that it is gone.
        case lastWill
        /// Its payload breaks the profile.
        case violation
        /// Its payload breaks the contract of its firmware: one lately is enough, whatever else it sends.
        case contract
    }

    package private(set) var state: State = .waiting
    package private(set) var reason: Reason = .none
    /// When the present state began.
    package private(set) var since: Tick
    /// The last time that the device said something usable.
    package private(set) var lastSeen: Tick?
    /// Failures in a row of parts that still counted, without an answer of any part in between.
    private var failuresInRow = 0
    private var violationsInRow = 0
    /// When a payload last broke its contract.
    private var contractBroken: Tick?
    private var failing: [Part: Failure] = [:]

    private struct Failure: Hashable {
        var count = 0
        var reason: Reason
    }

    /// What of a device is heard on its own, and so can be missing while the rest goes on.
    package enum Part: Sendable, Hashable {
        /// The points of one poll class.
        case points(PointDefinition.PollClass)
        /// The registers of one event, by its index among the profile's register events.
        case event(Int)
        /// One kind of message, by its index in the profile.
        case message(Int)
    }

    /// What a failure means for the values of the device.
    package enum Consequence: Sendable, Hashable {
        /// They are still the last good ones.
        case none
        /// Those of the failing part are too old to be good.
        case partIsMissing
        /// All are.
        case wentOffline
    }

    /// Violations in a row that quarantine a device.
    package static let violationsToQuarantine = 3
    /// How long a broken contract is told, although good messages come: somebody has to see it.
    package static let contractMemoryMilliseconds: Int64 = 900_000

    package init(since: Tick) { self.since = since }

    /// The same with its instants told by `utc`.
    package func dated(_ utc: (Tick) -> Tick) -> DeviceHealth {
        var health = self
        health.since = utc(self.since)
        health.lastSeen = self.lastSeen.map(utc)
        return health
    }

    /// The device answered or published something usable.
    ///
    /// - Parameter parts: What of it was heard; while any other part is failing, the device is late, not online.
    package mutating func heard(_ parts: some Sequence<Part> = EmptyCollection(), at tick: Tick) {
        self.failuresInRow = 0
        self.violationsInRow = 0
        self.lastSeen = max(self.lastSeen ?? tick, tick)
        if !self.failing.isEmpty { for part in parts { self.failing[part] = nil } }
        if let reason = self.failing.values.map(\.reason).min(by: { $0.rawValue < $1.rawValue }) {
            self.become(.late, reason, at: tick)
        } else if self.remembersBrokenContract(at: tick) {
            self.become(.late, .contract, at: tick)
        } else {
            self.become(.online, .answering, at: tick)
        }
    }

    /// A poll of `part` failed.
    ///
    /// A part that failed `missedMax` times in a row is missing; from then on its failures tell nothing new about the
    /// device, which is offline when `missedMax` failures that do count came in a row, without any answer in between.
    package mutating func failed(_ part: Part, _ reason: Reason, missedMax: Int64, at tick: Tick) -> Consequence {
        var failure = self.failing[part] ?? Failure(reason: reason)
        let counts = failure.count < missedMax
        failure.count = min(failure.count + 1, 1_000_000)
        failure.reason = reason
        self.failing[part] = failure
        if counts { self.failuresInRow = min(self.failuresInRow + 1, 1_000_000) }
        guard self.state != .quarantined else { return .none }
        let isMissing = counts && failure.count >= missedMax
        let isOffline = self.failuresInRow >= missedMax
        guard isOffline || self.state == .online || self.state == .late else {
            if self.state == .waiting { self.reason = reason }
            return isMissing ? .partIsMissing : .none
        }
        let wentOffline = isOffline && self.state != .offline
        self.become(isOffline ? .offline : .late, reason, at: tick)
        return wentOffline ? .wentOffline : isMissing ? .partIsMissing : .none
    }

    /// A part was not heard for so long that its values are too old, although others of the device were.
    ///
    /// Returns whether that is new.
    package mutating func missed(_ part: Part, at tick: Tick) -> Bool {
        guard self.failing[part] == nil else { return false }
        self.failing[part] = Failure(count: 1, reason: .silent)
        if self.state == .online { self.become(.late, .silent, at: tick) }
        return true
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

    /// A payload broke the contract of its firmware.
    ///
    /// The device is late from the first one on, and quarantined after several in a row. Its values stay the last good
    /// ones and become stale like those of a message that does not come.
    package mutating func brokeContract(at tick: Tick) {
        self.violationsInRow = min(self.violationsInRow + 1, 1_000_000)
        self.contractBroken = tick
        if self.violationsInRow >= Self.violationsToQuarantine || self.state == .quarantined {
            self.become(.quarantined, .contract, at: tick)
        } else {
            self.become(.late, .contract, at: tick)
        }
    }

    private func remembersBrokenContract(at tick: Tick) -> Bool {
        guard let broken = self.contractBroken else { return false }
        return tick.rawValue - broken.rawValue < Self.contractMemoryMilliseconds
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
        if silence > periodMilliseconds + periodMilliseconds / 2 {
            self.become(.late, .silent, at: tick)
        } else if self.reason == .contract, self.failing.isEmpty, !self.remembersBrokenContract(at: tick) {
            self.become(.online, .answering, at: tick)
        }
        return false
    }

    private mutating func become(_ state: State, _ reason: Reason, at tick: Tick) {
        if self.state != state { self.since = tick }
        self.state = state
        self.reason = reason
    }
}
