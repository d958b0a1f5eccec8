internal import CampusModel
internal import GRDB

extension Records {
    /// Checks a password and opens a session.
    ///
    /// `source` is the peer's address.
    ///
    /// The attempt is counted as a failure before the password is looked at and forgiven when it is right, so neither
    /// parallel attempts nor a kill between the two escape the count.
    package func login(user name: String, password: String, source: String) async throws -> LoginOutcome {
        switch try await self.verifyPassword(of: name, password, source: source) {
        case .wrong: return .wrong
        case .locked(let seconds): return .locked(retryAfterSeconds: seconds)
        case .busy: return .busy
        case .correct(let user):
            return try await self.perform { records in
                guard let opened = try records.openSession(of: user.name, source: source) else { return .wrong }
                return .success(token: opened.token, session: opened.session)
            }
        }
    }

    /// Checks a password without opening a session; failures count as those of a login.
    package func verifyPassword(of name: String, _ password: String, source: String) async throws -> PasswordVerdict {
        let attempt = LoginAttempt(user: Self.userName(name), source: SourceAddress.group(source))
        // A text that no password may have costs no hash.
        guard password.utf8.count <= PasswordRules.bytesMax else { return .wrong }
        let start = try await self.perform { try $0.begin(attempt) }
        guard case .proceed(let hash) = start else {
            if case .locked(let seconds) = start { return .locked(retryAfterSeconds: seconds) }
            return .wrong
        }
        let isRight: Bool
        do {
            isRight = try await self.hashing.run { try hash.matches(password) }
        } catch let error as RecordsError where error.code == .busy {
            try await self.perform { try $0.withdraw(attempt) }
            return .busy
        }
        guard isRight else { return .wrong }
        // A hash of other parameters than today's is renewed while the password is at hand.
        let renewed = hash.parameters == self.options.scrypt ? nil : try? await self.hash(password)
        let user = try await self.perform { try $0.succeed(attempt, verified: hash, renewed: renewed) }
        return user.map { .correct($0) } ?? .wrong
    }

    func forgetFailures(ofUser user: String, in db: Database) throws {
        try db.execute(
            sql: "DELETE FROM login_failures WHERE kind = 'user' AND subject = ?",
            arguments: [self.failureSubject(ofUser: user)]
        )
    }

    private enum Start: Sendable {
        case proceed(PasswordHash)
        case locked(seconds: Int)
    }

    private func begin(_ attempt: LoginAttempt) throws -> Start {
        try self.write { db in
            let now = self.clock.now()
            let limits = self.options.limits
            let keys = self.keys(of: attempt)
            let failures = try keys.map { try LoginFailures.stored($0, in: db) }
            let remaining = failures.compactMap { $0?.remainingMilliseconds(at: now, limits: limits) }.max()
            if let remaining { return .locked(seconds: Int((remaining + 999) / 1_000)) }
            let sql = "SELECT password FROM users WHERE name = ? AND disabled = 0"
            let stored = try String.fetchOne(db, sql: sql, arguments: [attempt.user])
            for (key, old) in zip(keys, failures) {
                let none = LoginFailures(count: 0, last: now, lockedUntil: nil)
                let new = (old ?? none).adding(at: now, failuresMax: key.failuresMax, limits: limits)
                try new.store(key, in: db)
                if new.lockedUntil != nil {
                    // What was typed as a name may be a password: only names of users are written down.
                    let subject = key.kind == "source" ? attempt.source : stored == nil ? "unknown" : attempt.user
                    let detail = ["failures": String(new.count), "source": attempt.source]
                    try AuditDraft(actor: "gateway", action: "login.lock", subject: subject, detail: detail)
                        .append(to: db, at: now)
                }
            }
            try LoginFailures.prune(in: db, at: now, limits: limits)
            return .proceed(stored.flatMap(PasswordHash.init(stored:)) ?? self.decoy)
        }
    }

    private func succeed(_ attempt: LoginAttempt, verified: PasswordHash, renewed: PasswordHash?) throws -> UserRecord?
    {
        try self.write { db in
            let sql = "SELECT * FROM users WHERE name = ? AND disabled = 0 AND password = ?"
            guard let row = try Row.fetchOne(db, sql: sql, arguments: [attempt.user, verified.stored]) else {
                return nil
            }
            try self.forgetFailures(ofUser: attempt.user, in: db)
            try db.execute(
                sql: """
                    UPDATE login_failures SET count = max(count - 1, 0), locked_until = NULL
                    WHERE kind = 'source' AND subject = ?
                    """,
                arguments: [attempt.source]
            )
            if let renewed {
                try db.execute(
                    sql: "UPDATE users SET password = ? WHERE name = ?",
                    arguments: [renewed.stored, attempt.user]
                )
            }
            return UserRecord(row: row)
        }
    }

    /// Takes back the failure of an attempt whose password was never looked at.
    private func withdraw(_ attempt: LoginAttempt) throws {
        try self.write { db in
            for key in self.keys(of: attempt) {
                try db.execute(
                    sql: """
                        UPDATE login_failures SET count = max(count - 1, 0),
                            locked_until = CASE WHEN count - 1 < :max THEN NULL ELSE locked_until END
                        WHERE kind = :kind AND subject = :subject
                        """,
                    arguments: ["max": key.failuresMax, "kind": key.kind, "subject": key.subject]
                )
            }
        }
    }

    private func keys(of attempt: LoginAttempt) -> [LoginFailures.Key] {
        let limits = self.options.limits
        return [
            LoginFailures.Key(
                kind: "user",
                subject: self.failureSubject(ofUser: attempt.user),
                failuresMax: limits.userFailuresMax
            ),
            LoginFailures.Key(kind: "source", subject: attempt.source, failuresMax: limits.sourceFailuresMax),
        ]
    }

    private func failureSubject(ofUser user: String) -> String {
        self.siteKey.digest(of: [user], purpose: "login failures")
    }
}

/// Who tries to log in from where, in the forms that are counted.
private struct LoginAttempt: Sendable {
    var user: String
    var source: String
}

extension LoginFailures {
    /// The place of one count.
    struct Key {
        var kind: String
        var subject: String
        var failuresMax: Int
    }

    static func stored(_ key: Key, in db: Database) throws -> LoginFailures? {
        try Row.fetchOne(
            db,
            sql: "SELECT count, last, locked_until FROM login_failures WHERE kind = ? AND subject = ?",
            arguments: [key.kind, key.subject]
        )
        .map { row in
            LoginFailures(
                count: row["count"],
                last: Tick(milliseconds: row["last"]),
                lockedUntil: (row["locked_until"] as Int64?).map(Tick.init(milliseconds:))
            )
        }
    }

    func store(_ key: Key, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO login_failures (kind, subject, count, last, locked_until) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (kind, subject) DO UPDATE SET count = excluded.count, last = excluded.last,
                    locked_until = excluded.locked_until
                """,
            arguments: [key.kind, key.subject, self.count, self.last.rawValue, self.lockedUntil?.rawValue]
        )
    }

    static func prune(in db: Database, at now: Tick, limits: LoginLimits) throws {
        try db.execute(
            sql: "DELETE FROM login_failures WHERE last < ?",
            arguments: [now.advanced(byMilliseconds: -limits.forgetMilliseconds).rawValue]
        )
        try db.execute(
            sql: """
                DELETE FROM login_failures WHERE (kind, subject) IN (
                    SELECT kind, subject FROM login_failures ORDER BY last
                    LIMIT max(0, (SELECT count(*) FROM login_failures) - ?))
                """,
            arguments: [limits.entriesMax]
        )
    }
}
