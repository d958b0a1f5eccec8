/// What came of an attempt to log in.
package enum LoginOutcome: Sendable, Hashable {
    /// Right; the token is new and is returned this once.
    case success(token: String, session: SessionRecord)
    /// Unknown or disabled user, or wrong password: which of them is not told.
    case wrong
    /// Too many failures for this account or from this source.
    case locked(retryAfterSeconds: Int)
    /// Too many logins at once; nothing was counted against anybody.
    case busy
}

/// What came of checking a password.
package enum PasswordVerdict: Sendable, Hashable {
    /// Right, of an enabled user.
    case correct(UserRecord)
    /// Unknown or disabled user, or wrong password.
    case wrong
    /// Too many failures for this account or from this source.
    case locked(retryAfterSeconds: Int)
    /// Too many logins at once; nothing was counted against anybody.
    case busy
}
