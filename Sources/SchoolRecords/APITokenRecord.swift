package import CampusModel

/// A token with which a program uses the API, without its secret.
package struct APITokenRecord: Sendable, Hashable {
    package var id: String
    package var role: UserRole
    /// What the administrator called it; unique.
    package var label: String
    package var created: Tick
    /// `nil`: until revoked.
    package var expires: Tick?
    /// Written at most once an hour.
    package var lastUsed: Tick?
}

/// A new token: the secret is shown once, stored nowhere.
package struct GeneratedToken: Sendable, Hashable {
    package var secret: String
    package var record: APITokenRecord
}
