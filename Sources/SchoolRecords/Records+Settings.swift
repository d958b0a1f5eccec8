internal import CampusModel
internal import GRDB

extension Records {
    /// The bytes that the JSON text of one setting may have.
    package static let settingBytesMax = 65_536

    /// The JSON text of a setting; `nil` when it was never set.
    package func setting(_ key: String) throws -> String? {
        try self.read { try String.fetchOne($0, sql: "SELECT value FROM settings WHERE key = ?", arguments: [key]) }
    }

    /// A setting as a value; `nil` when it was never set.
    package func setting<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value? {
        guard let text = try self.setting(key) else { return nil }
        return try JSONText.decode(type, from: text)
    }

    /// All settings, key to JSON text.
    package func settings() throws -> [String: String] {
        let rows = try self.read { try Row.fetchAll($0, sql: "SELECT key, value FROM settings") }
        return Dictionary(rows.map { ($0["key"], $0["value"]) }, uniquingKeysWith: { first, _ in first })
    }

    /// Keeps a setting and the audit entry of it; `nil` removes it.
    ///
    /// Setting what it is already writes nothing.
    package func setSetting(_ key: String, json: String?, actor: String) throws {
        guard (1...100).contains(key.utf8.count) else {
            throw RecordsError(.invalid, "the key of a setting has 1 to 100 bytes")
        }
        guard json.map({ $0.utf8.count <= Self.settingBytesMax }) ?? true else {
            throw RecordsError(.invalid, "the setting '\(key)' is longer than \(Self.settingBytesMax) bytes")
        }
        try self.write { db in
            let old = try String.fetchOne(db, sql: "SELECT value FROM settings WHERE key = ?", arguments: [key])
            guard old != json else { return }
            let now = self.clock.now()
            if let json {
                let isValid = try Bool.fetchOne(db, sql: "SELECT json_valid(?)", arguments: [json]) ?? false
                guard isValid else { throw RecordsError(.invalid, "the setting '\(key)' is not valid JSON") }
                try db.execute(
                    sql: """
                        INSERT INTO settings (key, value, changed) VALUES (?, ?, ?)
                        ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed = excluded.changed
                        """,
                    arguments: [key, json, now.rawValue]
                )
            } else {
                try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [key])
            }
            // The values of settings may be secrets (a password to a broker): only the fact is audited.
            try AuditDraft(actor: actor, action: json == nil ? "setting.remove" : "setting.change", subject: key)
                .append(to: db, at: now)
        }
    }

    /// Writes one small row and returns when it is on the disk; throws when the records take nothing.
    ///
    /// Not audited: it changes nothing that anybody set.
    package func checkWriting() throws {
        try self.write { db in
            let now = self.clock.now().rawValue
            try db.execute(
                sql: """
                    INSERT INTO settings (key, value, changed) VALUES ('readiness', ?, ?)
                    ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed = excluded.changed
                    """,
                arguments: [String(now), now]
            )
        }
    }

    /// Keeps a setting given as a value.
    package func setSetting(_ key: String, to value: some Encodable, actor: String) throws {
        try self.setSetting(key, json: try JSONText.encode(value), actor: actor)
    }
}
