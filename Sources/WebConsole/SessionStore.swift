package import CampusModel

/// A person who is logged in.
package struct ConsoleSession: Sendable, Hashable {
    /// Names the session without opening it; not the token.
    package var id: String
    /// The user's login name.
    package var user: String
    /// What the user may do.
    package var role: ConsoleRole
    /// Proves that a form came from our page: random, fixed for the session, at least 128 bits.
    package var csrfToken: String
    /// The user's language, if one was chosen.
    package var language: Language?
    /// Somebody else knows the password: the user has to choose another before anything else.
    package var mustChangePassword: Bool

    package init(
        id: String,
        user: String,
        role: ConsoleRole,
        csrfToken: String,
        language: Language? = nil,
        mustChangePassword: Bool = false
    ) {
        self.id = id
        self.user = user
        self.role = role
        self.csrfToken = csrfToken
        self.language = language
        self.mustChangePassword = mustChangePassword
    }
}

/// What came of an attempt to change one's own password.
package enum PasswordChange: Sendable {
    /// Changed; the user's other sessions ended.
    case done
    /// The old password is wrong.
    case wrong
    /// The new one breaks a rule, which the text tells.
    case refused(LocalizedText)
    /// Too many failures for this account.
    case locked(retryAfterSeconds: Int)
}

/// What came of an attempt to log in.
package enum LoginResult: Sendable {
    /// Right; `token` is new and goes into the cookie.
    case success(token: String, session: ConsoleSession)
    /// Unknown user or wrong password: which of the two is not told.
    case wrong
    /// Too many failures for this account.
    case locked(retryAfterSeconds: Int)
}

/// What the console needs from whoever keeps users and sessions.
package protocol SessionStore: Sendable {
    /// Checks a password and opens a session. `source` is the peer's address.
    func login(user: String, password: String, source: String) async throws -> LoginResult
    /// The session of a cookie's token; nil when unknown, expired or ended. Counts as use of the session.
    func session(for token: String) async throws -> ConsoleSession?
    /// Ends a session; an unknown token is ignored.
    func logout(token: String) async throws
    /// Changes the password of the session's user, and ends the user's other sessions.
    func changePassword(
        of session: ConsoleSession,
        from old: String,
        to new: String,
        source: String
    ) async throws -> PasswordChange
    /// Keeps the language that the user chose.
    func setLanguage(_ language: Language, for token: String) async throws
}

/// A program that shows an API token.
package struct APIIdentity: Sendable, Hashable {
    /// The name the administrator gave the token.
    package var name: String
    /// What the token may do.
    package var role: ConsoleRole

    package init(name: String, role: ConsoleRole) {
        self.name = name
        self.role = role
    }
}

/// What the console needs from whoever keeps API tokens.
package protocol TokenStore: Sendable {
    /// Who shows this bearer token; nil when unknown, expired or revoked.
    func identity(for token: String) async throws -> APIIdentity?
}
