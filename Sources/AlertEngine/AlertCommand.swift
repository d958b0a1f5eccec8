package import CampusModel

/// What a person does about an alert.
package enum AlertCommand: Sendable, Hashable {
    /// Says that they know of one activation.
    case acknowledge(activation: Int64, note: String?)
    /// Ends a latched alert.
    case reset(note: String?)
    /// Sets it aside until then; life-safety alerts need a second person who agrees.
    case shelve(until: Tick, reason: String, second: String?)
    case unshelve
    case takeOutOfService(reason: String, second: String?)
    case returnToService
    /// Starts run hours or a count anew, after the work was done.
    case restart(note: String?)
}

/// Why a command was refused.
package enum AlertCommandError: Error, Sendable, Hashable {
    /// There is no such alert.
    case unknown
    /// Another activation is the present one: it has to be looked at first.
    case superseded(present: Int64)
    /// Nothing to do: it is so already.
    case alreadySo
    /// A shelf ends in the past or after the longest time of the rule, milliseconds.
    case shelfLength(longest: Int64)
    /// A reason is needed.
    case reasonMissing
    /// Life-safety: a second person has to agree.
    case secondPersonMissing
    /// It is active, or nobody knows of it yet.
    case notResettable
    /// The rule counts nothing.
    case nothingToRestart
}
