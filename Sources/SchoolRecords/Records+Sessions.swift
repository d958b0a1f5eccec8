package import CampusModel
internal import GRDB

extension Records {
    /// The session of a token; `nil` when unknown, expired, ended, or of a disabled user.
    ///
    /// Counts as use.
    package func session(forToken token: String) throws -> SessionRecord? {
        let stored = Secret.stored(token)
        let now = self.clock.now()
        let found = try self.read { db in
            try Row.fetchOne(db, sql: Self.sessionQuery + " WHERE token_hash = ?", arguments: [stored])
                .map(SessionRecord.init(row:))
        }
        guard var session = found, self.isOpen(session, at: now) else { return nil }
        let touch = session.lastSeen.advanced(byMilliseconds: self.options.sessions.touchMilliseconds)
        if now >= touch {
            try self.write { db in
                try db.execute(
                    sql: "UPDATE sessions SET last_seen = ? WHERE token_hash = ?",
                    arguments: [now.rawValue, stored]
                )
            }
            session.lastSeen = now
        }
        return session
    }

    /// The open sessions, newest first; of one user or of all.
    package func sessions(ofUser name: String? = nil) throws -> [SessionRecord] {
        let now = self.clock.now()
        return
            try self.read { db in
                try Row.fetchAll(
                    db,
                    sql: Self.sessionQuery
                        + " WHERE (:user IS NULL OR sessions.user = :user) ORDER BY sessions.created DESC",
                    arguments: ["user": name.map(Self.userName)]
                )
                .map(SessionRecord.init(row:))
            }
            .filter { self.isOpen($0, at: now) }
    }

    /// Ends the session of a token (a logout); an unknown token is ignored.
    package func endSession(token: String) throws {
        try self.endSession(where: "token_hash", is: Secret.stored(token), action: "session.logout", actor: nil)
    }

    /// Ends a session by its id, for an administrator or its user; an unknown one is ignored.
    package func endSession(id: String, actor: String) throws {
        try self.endSession(where: "id", is: id, action: "session.revoke", actor: actor)
    }

    /// Ends all sessions of a user.
    package func endSessions(ofUser name: String, actor: String) throws {
        let user = Self.userName(name)
        try self.write { db in
            try db.execute(sql: "DELETE FROM sessions WHERE user = ?", arguments: [user])
            guard db.changesCount > 0 else { return }
            try AuditDraft(actor: actor, action: "session.revoke", subject: user).append(to: db, at: self.clock.now())
        }
    }

    /// Keeps the language chosen in a session, also for the user's next one; an unknown token is ignored.
    package func setLanguage(_ language: Language, forToken token: String) throws {
        let stored = Secret.stored(token)
        try self.write { db in
            try db.execute(
                sql: "UPDATE users SET language = ? WHERE name = (SELECT user FROM sessions WHERE token_hash = ?)",
                arguments: [language.rawValue, stored]
            )
            try db.execute(
                sql: "UPDATE sessions SET language = ? WHERE token_hash = ?",
                arguments: [language.rawValue, stored]
            )
        }
    }

    /// Opens a session; `nil` when the user is gone or disabled by now.
    func openSession(of user: String, source: String) throws -> (token: String, session: SessionRecord)? {
        let token = Secret.token()
        let now = self.clock.now()
        let limits = self.options.sessions
        return try self.write { db in
            let enabled = "SELECT EXISTS (SELECT 1 FROM users WHERE name = ? AND disabled = 0)"
            guard try Bool.fetchOne(db, sql: enabled, arguments: [user]) == true else { return nil }
            try db.execute(
                sql: "DELETE FROM sessions WHERE expires <= :now OR last_seen <= :idle",
                arguments: [
                    "now": now.rawValue,
                    "idle": now.advanced(byMilliseconds: -limits.idleMilliseconds).rawValue,
                ]
            )
            try db.execute(
                sql: """
                    DELETE FROM sessions WHERE id IN (
                        SELECT id FROM sessions WHERE user = ? ORDER BY created DESC, id LIMIT -1 OFFSET ?)
                    """,
                arguments: [user, max(limits.perUserMax - 1, 0)]
            )
            let id = Hexadecimal.text(Secret.bytes(8))
            try db.execute(
                sql: """
                    INSERT INTO sessions (id, token_hash, user, csrf, source, created, last_seen, expires)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id, Secret.stored(token), user, Secret.token(), Bounded.text(source, bytesMax: 100), now.rawValue,
                    now.rawValue, now.advanced(byMilliseconds: limits.absoluteMilliseconds).rawValue,
                ]
            )
            try AuditDraft(actor: user, action: "session.login", subject: user, detail: ["source": source])
                .append(to: db, at: now)
            let session = try Row.fetchOne(db, sql: Self.sessionQuery + " WHERE sessions.id = ?", arguments: [id])
            return session.map { (token, SessionRecord(row: $0)) }
        }
    }

    private static let sessionQuery = """
        SELECT sessions.id, sessions.user, users.role, sessions.csrf, sessions.source, sessions.created,
            sessions.last_seen, sessions.expires, users.must_change,
            coalesce(sessions.language, users.language) AS language
        FROM sessions JOIN users ON users.name = sessions.user AND users.disabled = 0
        """

    private func isOpen(_ session: SessionRecord, at now: Tick) -> Bool {
        // A clock far behind the last use says that the board lost its time: nobody knows how long it was.
        let isBehind = now.advanced(byMilliseconds: 300_000) < session.lastSeen
        let idleEnd = session.lastSeen.advanced(byMilliseconds: self.options.sessions.idleMilliseconds)
        return !isBehind && now < idleEnd && now < session.expires
    }

    private func endSession(where column: String, is value: String, action: String, actor: String?) throws {
        let find =
            column == "id"
            ? "SELECT id, user FROM sessions WHERE id = ?" : "SELECT id, user FROM sessions WHERE token_hash = ?"
        try self.write { db in
            guard let row = try Row.fetchOne(db, sql: find, arguments: [value]) else { return }
            let id: String = row["id"]
            let user: String = row["user"]
            try db.execute(sql: "DELETE FROM sessions WHERE id = ?", arguments: [id])
            try AuditDraft(actor: actor ?? user, action: action, subject: user).append(to: db, at: self.clock.now())
        }
    }
}

extension SessionRecord {
    init(row: Row) {
        self.init(
            id: row["id"],
            user: row["user"],
            role: UserRole(rawValue: row["role"]) ?? .viewer,
            csrfToken: row["csrf"],
            language: (row["language"] as String?).flatMap(Language.init(rawValue:)),
            source: row["source"],
            created: Tick(milliseconds: row["created"]),
            lastSeen: Tick(milliseconds: row["last_seen"]),
            expires: Tick(milliseconds: row["expires"]),
            mustChangePassword: row["must_change"]
        )
    }
}
