package import CampusModel

/// A user, without the password.
package struct UserRecord: Sendable, Hashable {
    /// The login name: `a-z 0-9 - _ .`.
    package var name: String
    package var role: UserRole
    package var created: Tick
    package var passwordChanged: Tick
    /// The password was generated; the user has to choose another after the login.
    package var mustChangePassword: Bool
    package var isDisabled: Bool
    /// The language of the pages, where the user chose one.
    package var language: Language?
}

/// A login that was generated: shown once, stored nowhere.
package struct GeneratedLogin: Sendable, Hashable {
    package var user: String
    package var password: String
}
