internal import CampusModel
internal import GRDB

extension Records {
    /// The users that there may be.
    package static let usersMax = 1_000

    /// Makes the administrator `admin` with a generated password when there is no user at all; `nil` otherwise.
    ///
    /// The password is returned this once. Blocks for one password hash.
    package func createFirstAdministrator() throws -> GeneratedLogin? {
        let exists = try self.read { try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM users)") ?? false }
        guard !exists else { return nil }
        let login = GeneratedLogin(user: "admin", password: Secret.password())
        let hash = try PasswordHash.make(login.password, parameters: self.options.scrypt)
        return try self.write { db in
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM users") == 0 else { return nil }
            try self.insert(login.user, .administrator, hash, mustChange: true, actor: "gateway", into: db)
            return login
        }
    }

    /// The users by name.
    package func users() throws -> [UserRecord] {
        try self.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM users ORDER BY name").map(UserRecord.init(row:))
        }
    }

    /// One user; `nil` when there is none of that name.
    package func user(_ name: String) throws -> UserRecord? {
        try self.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM users WHERE name = ?", arguments: [Self.userName(name)])
                .map(UserRecord.init(row:))
        }
    }

    /// Makes a user with the given password, or with a generated one that has to be changed.
    ///
    /// Returns the login when the password was generated.
    @discardableResult
    package func createUser(
        _ name: String,
        role: UserRole,
        password: String? = nil,
        actor: String
    ) async throws -> GeneratedLogin? {
        let user = Self.userName(name)
        do { try IdentifierRule.check(user, kind: "user") } catch {
            throw RecordsError(.invalid, error.description)
        }
        guard user.utf8.count >= 2 else { throw RecordsError(.invalid, "a user name has at least 2 characters") }
        if let password { try PasswordRules.check(password, user: user) }
        let chosen = password ?? Secret.password()
        let hash = try await self.hash(chosen)
        try await self.perform { records in
            try records.write { db in
                guard try Int.fetchOne(db, sql: "SELECT count(*) FROM users") ?? 0 < Self.usersMax else {
                    throw RecordsError(.invalid, "there are \(Self.usersMax) users already; remove one first")
                }
                try records.insert(user, role, hash, mustChange: password == nil, actor: actor, into: db)
            }
        }
        return password == nil ? GeneratedLogin(user: user, password: chosen) : nil
    }

    /// Gives a user a generated password that has to be changed, ends the user's sessions and lifts a lock.
    package func resetPassword(of name: String, actor: String) async throws -> GeneratedLogin {
        let login = GeneratedLogin(user: Self.userName(name), password: Secret.password())
        let hash = try await self.hash(login.password)
        try await self.perform { records in
            try records.write { db in
                try records.setPassword(hash, of: login.user, mustChange: true, in: db)
                try db.execute(sql: "DELETE FROM sessions WHERE user = ?", arguments: [login.user])
                try records.forgetFailures(ofUser: login.user, in: db)
                try AuditDraft(actor: actor, action: "user.password.reset", subject: login.user)
                    .append(to: db, at: records.clock.now())
            }
        }
        return login
    }

    /// Changes a user's own password after checking the old one; ends all sessions but `keepingSession` (its id).
    ///
    /// A wrong old password counts as a failed login.
    package func changePassword(
        of name: String,
        from old: String,
        to new: String,
        source: String,
        keepingSession session: String? = nil
    ) async throws -> PasswordVerdict {
        let user = Self.userName(name)
        try PasswordRules.check(new, user: user)
        let verdict = try await self.verifyPassword(of: user, old, source: source)
        guard case .correct = verdict else { return verdict }
        guard old != new else { throw RecordsError(.weakPassword, "the new password is the old one; choose another") }
        let hash = try await self.hash(new)
        try await self.perform { records in
            try records.write { db in
                try records.setPassword(hash, of: user, mustChange: false, in: db)
                try db.execute(
                    sql: "DELETE FROM sessions WHERE user = ? AND id IS NOT ?",
                    arguments: [user, session]
                )
                try AuditDraft(actor: user, action: "user.password.change", subject: user)
                    .append(to: db, at: records.clock.now())
            }
        }
        return verdict
    }

    /// Gives a user another role.
    ///
    /// The last enabled administrator keeps the role.
    package func setRole(_ role: UserRole, of name: String, actor: String) throws {
        try self.change(name, action: "user.role", detail: ["role": role.rawValue], actor: actor) { db, user in
            try db.execute(sql: "UPDATE users SET role = ? WHERE name = ?", arguments: [role.rawValue, user])
        }
    }

    /// Disables a user (and ends the sessions) or enables one.
    ///
    /// The last enabled administrator stays enabled.
    package func setDisabled(_ isDisabled: Bool, user name: String, actor: String) throws {
        try self.change(name, action: isDisabled ? "user.disable" : "user.enable", actor: actor) { db, user in
            try db.execute(sql: "UPDATE users SET disabled = ? WHERE name = ?", arguments: [isDisabled, user])
            if isDisabled { try db.execute(sql: "DELETE FROM sessions WHERE user = ?", arguments: [user]) }
        }
    }

    /// Removes a user with all sessions; what the user did stays in the audit.
    package func removeUser(_ name: String, actor: String) throws {
        try self.change(name, action: "user.remove", actor: actor) { db, user in
            try db.execute(sql: "DELETE FROM users WHERE name = ?", arguments: [user])
            try self.forgetFailures(ofUser: user, in: db)
        }
    }

    /// The form in which user names are stored and looked up.
    static func userName(_ text: String) -> String { Bounded.text(text, bytesMax: 256).lowercased() }

    func hash(_ password: String) async throws -> PasswordHash {
        let parameters = self.options.scrypt
        return try await self.hashing.run { try PasswordHash.make(password, parameters: parameters) }
    }

    private func insert(
        _ user: String,
        _ role: UserRole,
        _ hash: PasswordHash,
        mustChange: Bool,
        actor: String,
        into db: Database
    ) throws {
        let exists = "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)"
        guard try Bool.fetchOne(db, sql: exists, arguments: [user]) == false else {
            throw RecordsError(.alreadyExists, "there is a user '\(user)' already")
        }
        let now = self.clock.now()
        try db.execute(
            sql: """
                INSERT INTO users (name, password, role, created, password_changed, must_change, disabled)
                VALUES (?, ?, ?, ?, ?, ?, 0)
                """,
            arguments: [user, hash.stored, role.rawValue, now.rawValue, now.rawValue, mustChange]
        )
        try AuditDraft(actor: actor, action: "user.create", subject: user, detail: ["role": role.rawValue])
            .append(to: db, at: now)
    }

    private func setPassword(_ hash: PasswordHash, of user: String, mustChange: Bool, in db: Database) throws {
        try db.execute(
            sql: "UPDATE users SET password = ?, password_changed = ?, must_change = ? WHERE name = ?",
            arguments: [hash.stored, self.clock.now().rawValue, mustChange, user]
        )
        guard db.changesCount == 1 else { throw Self.noUser(user) }
    }

    /// One change of one user with its audit entry, undone when no enabled administrator would be left.
    private func change(
        _ name: String,
        action: String,
        detail: [String: String] = [:],
        actor: String,
        _ work: (Database, String) throws -> Void
    ) throws {
        let user = Self.userName(name)
        try self.write { db in
            let administrators =
                "SELECT count(*) FROM users WHERE role = 'administrator' AND disabled = 0"
            let before = try Int.fetchOne(db, sql: administrators) ?? 0
            let exists = "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)"
            guard try Bool.fetchOne(db, sql: exists, arguments: [user]) == true else { throw Self.noUser(user) }
            try work(db, user)
            if before > 0, try Int.fetchOne(db, sql: administrators) == 0 {
                throw RecordsError(.invalid, "'\(user)' is the last administrator; make another one first")
            }
            try AuditDraft(actor: actor, action: action, subject: user, detail: detail)
                .append(to: db, at: self.clock.now())
        }
    }

    static func noUser(_ user: String) -> RecordsError {
        RecordsError(.notFound, "there is no user '\(Bounded.text(user, bytesMax: 80))'")
    }
}

extension UserRecord {
    init(row: Row) {
        self.init(
            name: row["name"],
            role: UserRole(rawValue: row["role"]) ?? .viewer,
            created: Tick(milliseconds: row["created"]),
            passwordChanged: Tick(milliseconds: row["password_changed"]),
            mustChangePassword: row["must_change"],
            isDisabled: row["disabled"],
            language: (row["language"] as String?).flatMap(Language.init(rawValue:))
        )
    }
}
