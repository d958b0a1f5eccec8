/// What people see of an alert: the states of ISA-18.2 (IEC 62682), derived from its memories.
package enum AlertState: String, Sendable, Hashable, CaseIterable {
    /// A: nothing is wrong and nothing is to be done.
    case normal
    /// B: active, and nobody has said that they know.
    case unacknowledged
    /// C: active, and somebody knows.
    case acknowledged
    /// D: over, and nobody has said that they know.
    case returnedUnacknowledged = "returned-unacknowledged"
    /// Over, but latched: somebody has to reset it.
    case latched
    /// E: set aside by a person, for a time.
    case shelved
    /// F: the consequence of a cause that has an alert of its own.
    case suppressed
    /// G: taken out of service by a person until further notice.
    case outOfService = "out-of-service"

    /// The letter of the standard; `L` for latched.
    package var letter: Character {
        switch self {
        case .normal: "A"
        case .unacknowledged: "B"
        case .acknowledged: "C"
        case .returnedUnacknowledged: "D"
        case .latched: "L"
        case .shelved: "E"
        case .suppressed: "F"
        case .outOfService: "G"
        }
    }
}
