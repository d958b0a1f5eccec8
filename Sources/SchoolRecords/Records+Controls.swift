internal import CampusModel
internal import GRDB

extension Records {
    /// The key of what keeps commands away from devices; see `docs/formats/records.md`.
    package static let holdsKey = "control.holds"
    /// The bytes that its JSON may have.
    package static let holdsBytesMax = 1 << 20

    /// Writes an audit entry that others will refer to.
    ///
    /// Returns its number; the entry is on the disk then.
    package func auditNumbered(
        actor: String,
        action: String,
        subject: String,
        detail: [String: String]
    ) throws -> Int64 {
        try self.write { db in
            try AuditDraft(actor: actor, action: action, subject: subject, detail: detail)
                .append(to: db, at: self.clock.now())
            return db.lastInsertedRowID
        }
    }

    /// Keeps what is held, together with the audit entry of the change.
    package func keepHolds(
        json: String,
        actor: String,
        action: String,
        subject: String,
        detail: [String: String]
    ) throws {
        guard json.utf8.count <= Self.holdsBytesMax else {
            throw RecordsError(.invalid, "too much is held at once; end some overrides or locks")
        }
        try self.keep(
            Self.holdsKey,
            json,
            AuditDraft(actor: actor, action: action, subject: subject, detail: detail)
        )
    }

    /// The key of where the schedules are.
    package static let schedulesKey = "control.schedules"

    /// Keeps where the schedules are, together with the audit entry of one of them.
    package func keepSchedules(json: String, action: String, subject: String, detail: [String: String]) throws {
        try self.keep(
            Self.schedulesKey,
            json,
            AuditDraft(actor: "schedule:\(subject)", action: action, subject: subject, detail: detail)
        )
    }

    private func keep(_ key: String, _ json: String, _ entry: AuditDraft) throws {
        try self.write { db in
            let now = self.clock.now()
            try db.execute(
                sql: """
                    INSERT INTO settings (key, value, changed) VALUES (?, ?, ?)
                    ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed = excluded.changed
                    """,
                arguments: [key, json, now.rawValue]
            )
            try entry.append(to: db, at: now)
        }
    }

    /// Entries of these actions among the newest `within` entries of the audit, the oldest first.
    package func auditTail(actions: [String], within: Int) throws -> [AuditEntry] {
        try self.read { db in
            let newest = try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM audit") ?? 0
            let marks = databaseQuestionMarks(count: actions.count)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, at, actor, action, subject, detail FROM audit
                    WHERE id > ? AND action IN (\(marks)) ORDER BY id
                    """,
                arguments: StatementArguments([newest - Int64(within)]) + StatementArguments(actions)
            )
            return try rows.map { row in
                AuditEntry(
                    id: row["id"],
                    at: Tick(milliseconds: row["at"]),
                    actor: row["actor"],
                    action: row["action"],
                    subject: row["subject"],
                    detail: try JSONText.decode([String: String].self, from: row["detail"])
                )
            }
        }
    }
}
