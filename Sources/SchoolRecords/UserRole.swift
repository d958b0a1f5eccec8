/// What a person or a token may do.
package enum UserRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// Everything: users, configuration, devices.
    case administrator
    /// Looks after rooms and equipment.
    case facility
    /// Runs and calibrates in the laboratories.
    case lab
    /// Looks, changes nothing.
    case viewer

    /// Whether names and pseudonyms of persons are shown in full; everybody else sees them masked.
    package var seesPersonalFields: Bool {
        switch self {
        case .administrator, .facility: true
        case .lab, .viewer: false
        }
    }
}
