/// What a person or a token may do; each role may do all that the ones below it may.
package enum ConsoleRole: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Looks, changes nothing.
    case viewer
    /// Runs and calibrates in the laboratories.
    case lab
    /// Looks after rooms and equipment.
    case facility
    /// Everything: users, configuration, devices.
    case administrator

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .lab: 1
        case .facility: 2
        case .administrator: 3
        }
    }

    /// Whether this role may do what asks for `required`.
    package func allows(_ required: ConsoleRole) -> Bool { self.rank >= required.rank }

    package static func < (left: ConsoleRole, right: ConsoleRole) -> Bool { left.rank < right.rank }
}
