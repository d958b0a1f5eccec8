package import CampusModel
internal import GRDB

extension Records {
    /// Commits transitions, the states they led to, their rows in the outbox and the progress, all or nothing.
    ///
    /// - Throws: ``RecordsError/Code/invalid`` when the numbers do not go on where the last ones ended.
    package func commit(
        alerts transitions: [AlertTransitionRow],
        states: [AlertStateRow],
        progress: AlertProgress
    ) throws {
        try self.write { db in
            let last = try Int64.fetchOne(db, sql: "SELECT seq FROM alert_progress") ?? 0
            var next = last
            for row in transitions {
                next += 1
                guard row.sequence == next else {
                    throw RecordsError(
                        .invalid,
                        "transition \(row.sequence) of alerts does not follow \(next - 1); nothing was written"
                    )
                }
                try Self.insert(row, into: db)
            }
            guard progress.sequence == next else {
                throw RecordsError(.invalid, "the alerts' progress \(progress.sequence) is not \(next)")
            }
            for state in states { try Self.put(state, into: db) }
            try db.execute(
                sql: "UPDATE alert_progress SET seq = ?, processed = ?, incident = ?",
                arguments: [progress.sequence, progress.processed.rawValue, progress.incident]
            )
        }
    }

    /// The states of all alerts that are to be remembered, and how far they have come.
    package func alertStates() throws -> (states: [AlertStateRow], progress: AlertProgress) {
        try self.read { db in
            let states = try Row.fetchAll(db, sql: "SELECT * FROM alert_states ORDER BY rule, instance")
                .map {
                    AlertStateRow(
                        rule: $0["rule"],
                        instance: $0["instance"],
                        node: NodeID(rawValue: $0["node"]),
                        snapshot: $0["snapshot"]
                    )
                }
            let row = try Row.fetchOne(db, sql: "SELECT * FROM alert_progress")
            let progress = AlertProgress(
                sequence: row?["seq"] ?? 0,
                processed: Tick(milliseconds: row?["processed"] ?? 0),
                incident: row?["incident"] ?? 0
            )
            return (states, progress)
        }
    }

    /// Transitions, the latest first.
    ///
    /// - Parameters:
    ///   - alert: Of one rule and instance only.
    ///   - before: Numbers below this, for the next page.
    package func alertTransitions(
        of alert: (rule: String, instance: String)? = nil,
        before: Int64? = nil,
        pageSize: Int = 100
    ) throws -> RecordsPage<AlertTransitionRow, Int64> {
        let size = PageSize.clamped(pageSize)
        return try self.read { db in
            let filter = alert == nil ? "" : "AND rule = :rule AND instance = :instance"
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM alert_transitions WHERE seq < :before \(filter) ORDER BY seq DESC LIMIT :limit",
                arguments: StatementArguments(
                    [
                        "before": before ?? .max, "limit": size + 1,
                    ] as [String: (any DatabaseValueConvertible)?]
                )
                    + StatementArguments(
                        alert.map {
                            ["rule": $0.rule, "instance": $0.instance] as [String: (any DatabaseValueConvertible)?]
                        }
                            ?? [:]
                    )
            )
            let items = rows.prefix(size).map(Self.transition)
            return RecordsPage(items: items, next: rows.count > size ? items.last?.sequence : nil)
        }
    }

    /// Transitions from number `first` on that wait for the centre, in order, at most `limit`.
    package func outbox(from first: Int64 = 0, limit: Int) throws -> [AlertTransitionRow] {
        try self.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT alert_transitions.* FROM outbox JOIN alert_transitions USING (seq)
                    WHERE outbox.seq >= ? ORDER BY outbox.seq LIMIT ?
                    """,
                arguments: [first, max(limit, 0)]
            )
            .map(Self.transition)
        }
    }

    /// How many transitions wait for the centre.
    package func outboxDepth() throws -> Int {
        try self.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM outbox") ?? 0 }
    }

    /// Erases transitions older than `tick`, at most 10,000 a call; returns how many.
    ///
    /// Critical ones that still wait for the centre stay.
    @discardableResult
    package func eraseAlerts(before tick: Tick, actor: String) throws -> Int {
        try self.write { db in
            let old = """
                SELECT seq FROM alert_transitions LEFT JOIN outbox USING (seq)
                WHERE tick < ? AND coalesce(critical, 0) = 0 ORDER BY seq LIMIT 10000
                """
            let numbers = try Int64.fetchAll(db, sql: old, arguments: [tick.rawValue])
            guard !numbers.isEmpty else { return 0 }
            for number in numbers {
                try db.execute(sql: "DELETE FROM outbox WHERE seq = ?", arguments: [number])
                try db.execute(sql: "DELETE FROM alert_transitions WHERE seq = ?", arguments: [number])
            }
            let detail = ["before": UTCText.rfc3339(tick), "count": String(numbers.count)]
            try AuditDraft(actor: actor, action: "alert.erase", subject: "alerts", detail: detail)
                .append(to: db, at: self.clock.now())
            return numbers.count
        }
    }

    private static func insert(_ row: AlertTransitionRow, into db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO alert_transitions (seq, tick, rule, instance, kind, activation, state, active, acknowledged,
                    priority, life_safety, node, incident, value, threshold, timetable, actor, note, until)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            row.sequence, row.tick.rawValue, row.rule, row.instance, row.kind, row.activation, row.state,
            row.isActive, row.isAcknowledged, row.priority, row.isLifeSafety, row.node.rawValue, row.incident,
            row.value, row.limit, row.timetable, row.actor, row.note.map { Bounded.text($0, bytesMax: 2_000) },
            row.until?.rawValue,
        ])
        let outbox = try db.cachedStatement(sql: "INSERT INTO outbox (seq, critical) VALUES (?, ?)")
        try outbox.execute(arguments: [row.sequence, row.priority == "critical"])
    }

    private static func put(_ state: AlertStateRow, into db: Database) throws {
        guard let snapshot = state.snapshot else {
            try db.execute(
                sql: "DELETE FROM alert_states WHERE rule = ? AND instance = ?",
                arguments: [state.rule, state.instance]
            )
            return
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO alert_states (rule, instance, node, snapshot) VALUES (?, ?, ?, ?)
                ON CONFLICT (rule, instance) DO UPDATE SET node = excluded.node, snapshot = excluded.snapshot
                """
        )
        try statement.execute(arguments: [state.rule, state.instance, state.node.rawValue, snapshot])
    }

    private static func transition(_ row: Row) -> AlertTransitionRow {
        AlertTransitionRow(
            sequence: row["seq"],
            tick: Tick(milliseconds: row["tick"]),
            rule: row["rule"],
            instance: row["instance"],
            kind: row["kind"],
            activation: row["activation"],
            state: row["state"],
            isActive: row["active"],
            isAcknowledged: row["acknowledged"],
            priority: row["priority"],
            isLifeSafety: row["life_safety"],
            node: NodeID(rawValue: row["node"]),
            incident: row["incident"],
            value: row["value"],
            limit: row["threshold"],
            timetable: row["timetable"],
            actor: row["actor"],
            note: row["note"],
            until: (row["until"] as Int64?).map(Tick.init(milliseconds:))
        )
    }
}
