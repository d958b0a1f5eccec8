package import CampusModel

/// How long sessions last and how many there are.
package struct SessionLimits: Sendable, Hashable {
    /// A session that is not used this long ends.
    package var idleMilliseconds: Int64 = 1_800_000
    /// A session ends this long after the login, used or not.
    package var absoluteMilliseconds: Int64 = 43_200_000
    /// Use is written down at most this often, so a session may end this much early.
    package var touchMilliseconds: Int64 = 60_000
    /// Sessions that one user may have; the oldest ends.
    package var perUserMax = 16

    package init() {}
}

/// An open session, without its token.
package struct SessionRecord: Sendable, Hashable {
    /// Names the session without opening it.
    package var id: String
    package var user: String
    package var role: UserRole
    /// Proves that a form came from our page; 256 random bits.
    package var csrfToken: String
    /// The language chosen in this session, or else by this user.
    package var language: Language?
    /// The address of the login.
    package var source: String
    package var created: Tick
    package var lastSeen: Tick
    package var expires: Tick
    /// The password was generated: ask for another before anything else.
    package var mustChangePassword: Bool
}
