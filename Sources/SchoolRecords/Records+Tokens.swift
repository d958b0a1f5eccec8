package import CampusModel
internal import GRDB

extension Records {
    /// The API tokens that there may be.
    package static let tokensMax = 500

    /// Makes an API token.
    package func createToken(
        label: String,
        role: UserRole,
        expires: Tick? = nil,
        actor: String
    ) throws -> GeneratedToken {
        guard (1...100).contains(label.utf8.count) else {
            throw RecordsError(.invalid, "the label of a token has 1 to 100 bytes")
        }
        let now = self.clock.now()
        guard expires.map({ $0 > now }) ?? true else {
            throw RecordsError(.invalid, "the token would have expired already; give a later end")
        }
        let secret = "cgt_" + Secret.token()
        let record = APITokenRecord(
            id: Hexadecimal.text(Secret.bytes(8)),
            role: role,
            label: label,
            created: now,
            expires: expires
        )
        try self.write { db in
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM api_tokens") ?? 0 < Self.tokensMax else {
                throw RecordsError(.invalid, "there are \(Self.tokensMax) tokens already; revoke one first")
            }
            let taken = "SELECT EXISTS (SELECT 1 FROM api_tokens WHERE label = ?)"
            guard try Bool.fetchOne(db, sql: taken, arguments: [label]) == false else {
                throw RecordsError(.alreadyExists, "there is a token '\(label)' already; choose another label")
            }
            try db.execute(
                sql: "INSERT INTO api_tokens (id, token_hash, role, label, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    record.id, Secret.stored(secret), role.rawValue, label, now.rawValue, expires?.rawValue,
                ]
            )
            try AuditDraft(actor: actor, action: "token.create", subject: label, detail: ["role": role.rawValue])
                .append(to: db, at: now)
        }
        return GeneratedToken(secret: secret, record: record)
    }

    /// The tokens by label, expired ones too.
    package func tokens() throws -> [APITokenRecord] {
        try self.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM api_tokens ORDER BY label").map(APITokenRecord.init(row:))
        }
    }

    /// Whose token this is; `nil` when unknown, expired or revoked.
    ///
    /// Counts as use.
    package func token(forSecret secret: String) throws -> APITokenRecord? {
        let now = self.clock.now()
        let sql = "SELECT * FROM api_tokens WHERE token_hash = ?"
        let found = try self.read { db in
            try Row.fetchOne(db, sql: sql, arguments: [Secret.stored(secret)]).map(APITokenRecord.init(row:))
        }
        guard var record = found, record.expires.map({ now < $0 }) ?? true else { return nil }
        if record.lastUsed.map({ now >= $0.advanced(byMilliseconds: 3_600_000) }) ?? true {
            try self.write { db in
                try db.execute(
                    sql: "UPDATE api_tokens SET last_used = ? WHERE id = ?",
                    arguments: [now.rawValue, record.id]
                )
            }
            record.lastUsed = now
        }
        return record
    }

    /// Revokes a token at once.
    package func revokeToken(id: String, actor: String) throws {
        try self.write { db in
            let sql = "SELECT label FROM api_tokens WHERE id = ?"
            guard let label = try String.fetchOne(db, sql: sql, arguments: [id]) else {
                throw RecordsError(.notFound, "there is no token with this id; it may be revoked already")
            }
            try db.execute(sql: "DELETE FROM api_tokens WHERE id = ?", arguments: [id])
            try AuditDraft(actor: actor, action: "token.revoke", subject: label)
                .append(to: db, at: self.clock.now())
        }
    }
}

extension APITokenRecord {
    init(row: Row) {
        self.init(
            id: row["id"],
            role: UserRole(rawValue: row["role"]) ?? .viewer,
            label: row["label"],
            created: Tick(milliseconds: row["created"]),
            expires: (row["expires"] as Int64?).map(Tick.init(milliseconds:)),
            lastUsed: (row["last_used"] as Int64?).map(Tick.init(milliseconds:))
        )
    }
}
