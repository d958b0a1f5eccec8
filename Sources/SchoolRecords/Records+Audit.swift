internal import CampusModel
internal import GRDB

/// An audit entry that is about to be written, in the transaction of what it tells.
struct AuditDraft {
    var actor: String
    var action: String
    var subject: String
    var detail: [String: String] = [:]

    func append(to db: Database, at now: Tick) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)"
        )
        try statement.execute(arguments: [
            now.rawValue, Bounded.text(self.actor, bytesMax: 200), Bounded.text(self.action, bytesMax: 100),
            Bounded.text(self.subject, bytesMax: 400),
            try JSONText.encode(self.detail.mapValues { Bounded.text($0, bytesMax: 2_000) }),
        ])
    }
}

extension Records {
    /// Writes an audit entry of its own; the calls of this module that change something write theirs themselves.
    package func audit(actor: String, action: String, subject: String, detail: [String: String] = [:]) throws {
        try self.write { db in
            try AuditDraft(actor: actor, action: action, subject: subject, detail: detail)
                .append(to: db, at: self.clock.now())
        }
    }

    /// Audit entries, newest first.
    ///
    /// `before`: the cursor of the page before.
    package func auditEntries(
        matching query: AuditQuery = AuditQuery(),
        before: Int64? = nil,
        pageSize: Int = 100
    ) throws -> RecordsPage<AuditEntry, Int64> {
        let size = PageSize.clamped(pageSize)
        return try self.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, at, actor, action, subject, detail FROM audit
                    WHERE (:before IS NULL OR id < :before) AND (:actor IS NULL OR actor = :actor)
                        AND (:action IS NULL OR action = :action) AND (:subject IS NULL OR subject = :subject)
                        AND (:from IS NULL OR at >= :from) AND (:to IS NULL OR at < :to)
                    ORDER BY id DESC LIMIT :limit
                    """,
                arguments: [
                    "before": before, "actor": query.actor, "action": query.action, "subject": query.subject,
                    "from": query.range?.lowerBound.rawValue, "to": query.range?.upperBound.rawValue,
                    "limit": size + 1,
                ]
            )
            let items = try rows.prefix(size)
                .map { row in
                    AuditEntry(
                        id: row["id"],
                        at: Tick(milliseconds: row["at"]),
                        actor: row["actor"],
                        action: row["action"],
                        subject: row["subject"],
                        detail: try JSONText.decode([String: String].self, from: row["detail"])
                    )
                }
            return RecordsPage(items: items, next: rows.count > size ? items.last?.id : nil)
        }
    }
}
