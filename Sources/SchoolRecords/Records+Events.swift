package import CampusModel
internal import GRDB

extension Records {
    /// Stores events in one transaction and returns when they are on the disk; throws when none of them is.
    ///
    /// An event that is known already is counted and left out: the same device, name and sequence number, or without
    /// a number the same content within its window. Storing the same batch again therefore changes nothing.
    @discardableResult
    package func store(events: [Event], received: Tick) throws -> EventStoreResult {
        guard !events.isEmpty else { return EventStoreResult(stored: 0, duplicates: 0) }
        var shortenedCount = 0
        let result = try self.write { db in
            var result = EventStoreResult(stored: 0, duplicates: 0)
            for event in events {
                let fields = EventFields(event.fields, siteKey: self.siteKey)
                if try self.insert(event, fields, received: received, into: db) {
                    result.stored += 1
                    shortenedCount += fields.shortenedCount
                } else {
                    result.duplicates += 1
                }
            }
            return result
        }
        self.countShortenedFields(shortenedCount)
        return result
    }

    /// Events, latest first, as `role` may see them.
    ///
    /// `before`: the cursor of the page before.
    package func events(
        matching query: EventQuery = EventQuery(),
        for role: UserRole,
        before: EventCursor? = nil,
        pageSize: Int = 100
    ) throws -> RecordsPage<EventRecord, EventCursor> {
        let size = PageSize.clamped(pageSize)
        let from = query.range?.lowerBound ?? Tick(rawValue: .min)
        let rangeEnd = query.range?.upperBound.advanced(byMilliseconds: -1) ?? Tick(rawValue: .max)
        guard query.range?.isEmpty != true else { return RecordsPage(items: [], next: nil) }
        return try self.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: Self.eventQuery(query),
                arguments: [
                    "device": query.device?.rawValue, "node": query.node?.rawValue, "name": query.name,
                    "kind": query.kind?.rawValue,
                    "from": from.rawValue, "last": min(rangeEnd, before?.tick ?? rangeEnd).rawValue,
                    "beforeTick": before?.tick.rawValue, "beforeID": before?.id, "limit": size + 1,
                ]
            )
            let items = try rows.prefix(size).map { try Self.event($0, for: role) }
            let last = items.last.map { EventCursor(tick: $0.tick, id: $0.id) }
            return RecordsPage(items: items, next: rows.count > size ? last : nil)
        }
    }

    /// One event; `nil` when there is none of that id.
    package func event(id: Int64, for role: UserRole) throws -> EventRecord? {
        try self.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM events WHERE id = ?", arguments: [id])
                .map { try Self.event($0, for: role) }
        }
    }

    /// The number of stored events.
    package func eventCount() throws -> Int {
        try self.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") ?? 0 }
    }

    /// Erases events older than `tick` (their retention is over), at most 10,000 a call; returns how many.
    @discardableResult
    package func eraseEvents(before tick: Tick, actor: String) throws -> Int {
        try self.write { db in
            try db.execute(
                sql: "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE tick < ? ORDER BY tick LIMIT 10000)",
                arguments: [tick.rawValue]
            )
            let count = db.changesCount
            guard count > 0 else { return 0 }
            let detail = ["before": UTCText.rfc3339(tick), "count": String(count)]
            try AuditDraft(actor: actor, action: "event.erase", subject: "events", detail: detail)
                .append(to: db, at: self.clock.now())
            return count
        }
    }

    /// The pseudonym under which an identifier (a card number) is stored: 64 hexadecimal digits.
    package func pseudonym(of text: String) -> String { self.siteKey.pseudonym(of: text) }

    private func insert(
        _ event: Event,
        _ fields: EventFields,
        received: Tick,
        into db: Database
    ) throws -> Bool {
        let sequence = event.sequence.map { Bounded.text($0, bytesMax: 200) }
        let content = self.contentHash(of: event)
        if sequence == nil, event.windowMilliseconds > 0 {
            let known = try db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM events WHERE content_hash = ? AND tick BETWEEN ? AND ?)"
            )
            let first = event.tick.advanced(byMilliseconds: -event.windowMilliseconds)
            let last = event.tick.advanced(byMilliseconds: event.windowMilliseconds)
            let arguments: StatementArguments = [content, first.rawValue, last.rawValue]
            if try Bool.fetchOne(known, arguments: arguments) == true { return false }
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO events
                    (device, node, name, kind, tick, received, sequence, content_hash, replay, fields, personal)
                VALUES (:device, (SELECT node FROM devices WHERE id = :device), :name, :kind, :tick, :received,
                    :sequence, :content, :replay, :fields, :personal)
                ON CONFLICT (device, name, sequence) WHERE sequence IS NOT NULL DO NOTHING
                """
        )
        try statement.execute(arguments: [
            "device": event.device.rawValue, "name": Bounded.text(event.name, bytesMax: 200),
            "kind": event.kind.rawValue, "tick": event.tick.rawValue, "received": received.rawValue,
            "sequence": sequence, "content": content, "replay": event.isReplay,
            "fields": try JSONText.encode(fields.open),
            "personal": fields.personal.isEmpty ? nil : try JSONText.encode(fields.personal),
        ])
        return db.changesCount == 1
    }

    /// Keyed, because a plain hash of a short card number could be found by trying all numbers.
    private func contentHash(of event: Event) -> String {
        var parts = [event.device.rawValue, event.name, event.kind.rawValue]
        for field in event.fields where field.privacy != .drop && field.isIdentity {
            parts += [field.name, field.text]
        }
        return self.siteKey.digest(of: parts, purpose: "event content")
    }

    private static func event(_ row: Row, for role: UserRole) throws -> EventRecord {
        let personal: String? = role.seesPersonalFields ? row["personal"] : nil
        return EventRecord(
            id: row["id"],
            device: DeviceID(rawValue: row["device"]),
            node: (row["node"] as String?).map(NodeID.init(rawValue:)),
            name: row["name"],
            kind: Event.Kind(rawValue: row["kind"]) ?? .other,
            tick: Tick(milliseconds: row["tick"]),
            received: Tick(milliseconds: row["received"]),
            sequence: row["sequence"],
            isReplay: row["replay"],
            fields: EventFields.shown(
                open: try JSONText.decode([EventFields.Stored].self, from: row["fields"]),
                personal: try personal.map { try JSONText.decode([String: String].self, from: $0) } ?? [:],
                to: role
            )
        )
    }

    /// One text per index that answers; the values are bound.
    private static func eventQuery(_ query: EventQuery) -> String {
        let tail = """
             AND (:device IS NULL OR device = :device) AND (:name IS NULL OR name = :name)
                AND (:kind IS NULL OR kind = :kind)
                AND (:beforeTick IS NULL OR (tick, id) < (:beforeTick, :beforeID))
            ORDER BY tick DESC, id DESC LIMIT :limit
            """
        if query.node != nil {
            return Subtree.sql + " SELECT * FROM events INDEXED BY events_node WHERE node IN (SELECT id FROM inside)"
                + " AND tick BETWEEN :from AND :last" + tail
        }
        if query.device != nil {
            return "SELECT * FROM events INDEXED BY events_device WHERE device = :device AND :node IS NULL"
                + " AND tick BETWEEN :from AND :last" + tail
        }
        return "SELECT * FROM events WHERE tick BETWEEN :from AND :last AND :node IS NULL" + tail
    }
}

/// A node and everything inside it, as the table `inside`; the node is bound as `:node`.
enum Subtree {
    /// `UNION` drops what was seen, so that even a circle would end.
    static let sql = """
        WITH RECURSIVE inside (id) AS (
            SELECT :node UNION SELECT nodes.id FROM nodes JOIN inside ON nodes.parent = inside.id
        )
        """
}
