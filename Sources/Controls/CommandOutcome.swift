package import CampusModel

/// What became of a command: what is known, and no more.
package enum CommandOutcome: Sendable, Hashable {
    /// Sent, or about to be; nothing is known yet.
    case pending
    /// The device shows the value.
    case confirmed(Double)
    /// The device shows something else, or (`nil`) nothing usable, until the time was over.
    case different(Double?)
    /// The device or the broker took it; nothing shows whether the device did it.
    case acknowledged
    /// The device refused, with this word of its protocol.
    case refused(code: String, LocalizedText)
    /// Nothing left the gateway.
    case notSent(LocalizedText)
    /// It may or may not have been done.
    case unknown(LocalizedText)

    /// The stable word of the API and the audit.
    package var code: String {
        switch self {
        case .pending: "pending"
        case .confirmed: "confirmed"
        case .different: "not-confirmed"
        case .acknowledged: "acknowledged"
        case .refused: "refused"
        case .notSent: "not-sent"
        case .unknown: "unknown"
        }
    }

    /// The value that was read back.
    package var value: Double? {
        switch self {
        case .confirmed(let value): value
        case .different(let value): value
        default: nil
        }
    }

    /// The protocol's word and what it means, where there is more to say than ``code``.
    package var detail: LocalizedText? {
        switch self {
        case .refused(let code, let text): LocalizedText(vi: "\(code): \(text.vi)", en: "\(code): \(text.en)")
        case .notSent(let text), .unknown(let text): text
        default: nil
        }
    }
}

/// A command that was written down, and what became of it.
package struct Command: Sendable, Hashable {
    /// The number of its intent in the audit.
    package var id: Int64
    package var key: ControlKey
    package var value: Double?
    package var actor: String
    package var reason: String
    package var priority: CommandRequest.Priority
    package var sent: Tick
    package var outcome: CommandOutcome
    /// From the intent to the outcome; `nil` while pending.
    package var milliseconds: Double?

    package init(
        id: Int64,
        key: ControlKey,
        value: Double?,
        actor: String,
        reason: String,
        priority: CommandRequest.Priority,
        sent: Tick,
        outcome: CommandOutcome,
        milliseconds: Double?
    ) {
        self.id = id
        self.key = key
        self.value = value
        self.actor = actor
        self.reason = reason
        self.priority = priority
        self.sent = sent
        self.outcome = outcome
        self.milliseconds = milliseconds
    }
}

/// Something that keeps weaker commands away.
package struct ControlHold: Sendable, Hashable {
    package var actor: String
    package var reason: String
    package var since: Tick
    /// `nil`: until somebody takes it away.
    package var until: Tick?
    /// What an override set.
    package var value: Double?

    package init(actor: String, reason: String, since: Tick, until: Tick?, value: Double? = nil) {
        self.actor = actor
        self.reason = reason
        self.since = since
        self.until = until
        self.value = value
    }

    func holds(at now: Tick) -> Bool { self.until.map { now < $0 } ?? true }
}

/// All that keeps commands away, as it outlives a restart.
package struct ControlHolds: Sendable, Hashable {
    /// By control: a person's word against schedules and other people's.
    package var overrides: [ControlKey: ControlHold] = [:]
    /// By device: nothing is sent at all.
    package var locks: [DeviceID: ControlHold] = [:]

    package init() {}
}
