package import CampusModel

/// Who did what, when.
///
/// Append only.
package struct AuditEntry: Sendable, Hashable {
    /// Ascending, never reused.
    package var id: Int64
    package var at: Tick
    /// A user's name, an API token's label, or a part of the gateway (`gateway`, `configuration`).
    package var actor: String
    /// A noun and a verb, as `user.create` or `login.lock`.
    package var action: String
    /// What it was done to.
    package var subject: String
    /// Further facts; never a password, token or personal field.
    package var detail: [String: String]

    package init(id: Int64, at: Tick, actor: String, action: String, subject: String, detail: [String: String]) {
        self.id = id
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
    }
}

/// Which audit entries are asked for; everything that is set must hold.
package struct AuditQuery: Sendable, Hashable {
    package var actor: String?
    package var action: String?
    package var subject: String?
    /// `from` is in, `to` is not.
    package var range: Range<Tick>?

    package init(
        actor: String? = nil,
        action: String? = nil,
        subject: String? = nil,
        range: Range<Tick>? = nil
    ) {
        self.actor = actor
        self.action = action
        self.subject = subject
        self.range = range
    }
}
