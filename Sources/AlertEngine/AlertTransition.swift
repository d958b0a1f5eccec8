package import CampusModel

/// One thing that happened to an alert, as it is kept and sent.
package struct AlertTransition: Sendable, Hashable {
    /// What happened.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case raised
        case cleared
        /// The severe limit was passed.
        case escalated
        /// Below the severe limit again, and still active.
        case eased
        case acknowledged
        /// Active for so long that it is called again.
        case realarmed
        /// A latched alert was reset.
        case reset
        case shelved
        case unshelved
        case suppressed
        case unsuppressed
        case outOfService = "out-of-service"
        case inService = "in-service"
        /// Active so often that it is held.
        case flapping
        case settled
        /// Somebody is called.
        case annunciated
        /// Its rule or what it watches is gone.
        case retired
    }

    /// From 1, without a gap: with the site, what makes it one of its kind everywhere.
    package var sequence: Int64
    package var tick: Tick
    package var key: AlertKey
    package var kind: Kind
    package var activation: Int64
    /// The state after it.
    package var state: AlertState
    package var isActive: Bool
    package var isAcknowledged: Bool
    package var priority: AlertPriority
    package var isLifeSafety: Bool
    package var node: NodeID
    package var incident: Int64
    /// What was compared, in the rule's unit; `nil` where there is no number.
    package var value: Double?
    /// With what it was compared.
    package var limit: Double?
    package var timetable: TimetableState
    /// Who did it: a user, or `engine`.
    package var actor: String
    /// A person's words.
    package var note: String?
    /// When a shelf ends.
    package var until: Tick?
}
