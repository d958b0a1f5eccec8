internal import CampusModel
internal import SchoolRecords
internal import WebConsole

/// Users, sessions and tokens of the records, for the console.
struct ConsoleSessions: SessionStore, TokenStore {
    let records: Records

    func login(user: String, password: String, source: String) async throws -> LoginResult {
        switch try await self.records.login(user: user, password: password, source: source) {
        case .success(let token, let session): .success(token: token, session: session.consoleSession)
        case .wrong: .wrong
        case .locked(let seconds): .locked(retryAfterSeconds: seconds)
        case .busy: .locked(retryAfterSeconds: 5)
        }
    }

    func session(for token: String) async throws -> ConsoleSession? {
        try await self.records.perform { try $0.session(forToken: token) }?.consoleSession
    }

    func logout(token: String) async throws { try await self.records.perform { try $0.endSession(token: token) } }

    func changePassword(
        of session: ConsoleSession,
        from old: String,
        to new: String,
        source: String
    ) async throws -> PasswordChange {
        if let weakness = PasswordRules.weakness(of: new, user: session.user) { return .refused(weakness) }
        do {
            let verdict = try await self.records.changePassword(
                of: session.user,
                from: old,
                to: new,
                source: source,
                keepingSession: session.id
            )
            switch verdict {
            case .correct: return .done
            case .wrong: return .wrong
            case .locked(let seconds): return .locked(retryAfterSeconds: seconds)
            case .busy: return .locked(retryAfterSeconds: 5)
            }
        } catch let error as RecordsError where error.code == .weakPassword {
            // The rules hold, so it is the old one again.
            return .refused(
                LocalizedText(vi: "Mật khẩu mới trùng mật khẩu cũ; hãy chọn mật khẩu khác.", en: error.description)
            )
        }
    }

    func setLanguage(_ language: Language, for token: String) async throws {
        try await self.records.perform { try $0.setLanguage(language, forToken: token) }
    }

    func identity(for token: String) async throws -> APIIdentity? {
        try await self.records.perform { try $0.token(forSecret: token) }
            .map { APIIdentity(name: $0.label, role: $0.role.consoleRole) }
    }
}

extension UserRole {
    var consoleRole: ConsoleRole {
        switch self {
        case .administrator: .administrator
        case .facility: .facility
        case .lab: .lab
        case .viewer: .viewer
        }
    }

    init(_ role: ConsoleRole) {
        switch role {
        case .administrator: self = .administrator
        case .facility: self = .facility
        case .lab: self = .lab
        case .viewer: self = .viewer
        }
    }
}

extension SessionRecord {
    fileprivate var consoleSession: ConsoleSession {
        ConsoleSession(
            id: self.id,
            user: self.user,
            role: self.role.consoleRole,
            csrfToken: self.csrfToken,
            language: self.language,
            mustChangePassword: self.mustChangePassword
        )
    }
}
