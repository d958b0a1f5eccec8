package import CampusModel

/// One transition of an alert, as it is kept and sent.
package struct AlertTransitionRow: Sendable, Hashable {
    /// From 1, without a gap.
    package var sequence: Int64
    package var tick: Tick
    package var rule: String
    package var instance: String
    package var kind: String
    package var activation: Int64
    package var state: String
    package var isActive: Bool
    package var isAcknowledged: Bool
    /// One of `low`, `medium`, `high` and `critical`.
    package var priority: String
    package var isLifeSafety: Bool
    package var node: NodeID
    /// 0 where there is none.
    package var incident: Int64
    package var value: Double?
    package var limit: Double?
    package var timetable: String
    package var actor: String
    package var note: String?
    package var until: Tick?

    package init(
        sequence: Int64,
        tick: Tick,
        rule: String,
        instance: String,
        kind: String,
        activation: Int64,
        state: String,
        isActive: Bool,
        isAcknowledged: Bool,
        priority: String,
        isLifeSafety: Bool,
        node: NodeID,
        incident: Int64,
        value: Double?,
        limit: Double?,
        timetable: String,
        actor: String,
        note: String?,
        until: Tick?
    ) {
        self.sequence = sequence
        self.tick = tick
        self.rule = rule
        self.instance = instance
        self.kind = kind
        self.activation = activation
        self.state = state
        self.isActive = isActive
        self.isAcknowledged = isAcknowledged
        self.priority = priority
        self.isLifeSafety = isLifeSafety
        self.node = node
        self.incident = incident
        self.value = value
        self.limit = limit
        self.timetable = timetable
        self.actor = actor
        self.note = note
        self.until = until
    }
}

/// The state of one alert, as it is kept.
package struct AlertStateRow: Sendable, Hashable {
    package var rule: String
    package var instance: String
    package var node: NodeID
    /// JSON; `nil` where there is nothing to be remembered.
    package var snapshot: String?

    package init(rule: String, instance: String, node: NodeID, snapshot: String?) {
        self.rule = rule
        self.instance = instance
        self.node = node
        self.snapshot = snapshot
    }
}

/// How far the alerts have come.
package struct AlertProgress: Sendable, Hashable {
    /// The number of the last transition.
    package var sequence: Int64
    /// Samples until here have been looked at; 0 before the first.
    package var processed: Tick
    /// The number of the newest incident.
    package var incident: Int64

    package init(sequence: Int64, processed: Tick, incident: Int64) {
        self.sequence = sequence
        self.processed = processed
        self.incident = incident
    }
}
