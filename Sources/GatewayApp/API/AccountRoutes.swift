internal import CampusModel
internal import Hummingbird
internal import SchoolRecords
internal import WebConsole

/// Users, tokens and the audit under `/api/v1`, for administrators.
struct AccountRoutes {
    let gateway: Gateway
    let console: Console

    func add(to administrator: RouterGroup<ConsoleContext>) {
        self.addUsers(to: administrator)
        self.addTokens(to: administrator)
        administrator.get("audit") { request, _ in try self.console.json(try await self.audit(request)) }
    }

    // MARK: Users

    private struct NewUser: Decodable {
        var name: String
        var role: String
        /// Without one, a password is generated that has to be changed.
        var password: String?
    }

    private struct UserChange: Decodable {
        var role: String?
        var isDisabled: Bool?
    }

    private func addUsers(to administrator: RouterGroup<ConsoleContext>) {
        let records = self.gateway.records
        administrator.get("users") { request, _ in
            let limit = try APIQuery.limit(request, standard: 200, maximum: 1_000)
            let after = request.query["after"] ?? ""
            let users = try await records.perform { try $0.users() }.filter { $0.name > after }
            return try self.console.json(
                APIModel.List.page(users.sorted { $0.name < $1.name }, limit: limit, cursor: \.name, APIModel.User.init)
            )
        }
        administrator.post("users") { request, context in
            let body = try await APIBody.read(NewUser.self, request, context)
            let role = try Self.role(body.role)
            let actor = context.actor ?? "api"
            let login = try await APIBody.asking {
                try await records.createUser(body.name, role: role, password: body.password, actor: actor)
            }
            return try self.console.json(
                APIModel.Login(user: login?.user ?? body.name, password: login?.password),
                status: .created
            )
        }
        administrator.patch("users/:name") { request, context in
            let name = context.parameters.get("name") ?? ""
            let body = try await APIBody.read(UserChange.self, request, context)
            let role = try body.role.map(Self.role)
            let actor = context.actor ?? "api"
            let user = try await APIBody.asking {
                try await records.perform { records in
                    if let role { try records.setRole(role, of: name, actor: actor) }
                    if let isDisabled = body.isDisabled {
                        try records.setDisabled(isDisabled, user: name, actor: actor)
                    }
                    return try records.user(name)
                }
            }
            guard let user else { throw Problem.notFound }
            // Open pages were opened with what the user was allowed before.
            self.console.live.disconnect(user: user.name)
            return try self.console.json(APIModel.User(user))
        }
        administrator.delete("users/:name") { _, context in
            let name = context.parameters.get("name") ?? ""
            let actor = context.actor ?? "api"
            try await APIBody.asking { try await records.perform { try $0.removeUser(name, actor: actor) } }
            self.console.live.disconnect(user: name.lowercased())
            return Response(status: .noContent)
        }
        administrator.post("users/:name/reset") { _, context in
            let name = context.parameters.get("name") ?? ""
            let login = try await APIBody.asking {
                try await records.resetPassword(of: name, actor: context.actor ?? "api")
            }
            self.console.live.disconnect(user: login.user)
            return try self.console.json(APIModel.Login(user: login.user, password: login.password))
        }
    }

    private static func role(_ text: String) throws -> UserRole {
        guard let role = UserRole(rawValue: text) else {
            throw APIRoutes.invalid("role: \(UserRole.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }

    // MARK: Tokens

    private struct NewToken: Decodable {
        var label: String
        var role: String
        /// RFC 3339; without one the token holds until it is revoked.
        var expiresAt: String?
    }

    private func addTokens(to administrator: RouterGroup<ConsoleContext>) {
        let records = self.gateway.records
        administrator.get("tokens") { request, _ in
            let limit = try APIQuery.limit(request, standard: 200, maximum: 500)
            let after = request.query["after"] ?? ""
            let tokens = try await records.perform { try $0.tokens() }.filter { $0.id > after }
            return try self.console.json(
                APIModel.List.page(tokens.sorted { $0.id < $1.id }, limit: limit, cursor: \.id) {
                    APIModel.Token($0, secret: nil)
                }
            )
        }
        administrator.post("tokens") { request, context in
            let body = try await APIBody.read(NewToken.self, request, context)
            let role = try Self.role(body.role)
            let expires = try body.expiresAt.map { text in
                guard let tick = UTCText.tick(rfc3339: text) else {
                    throw APIRoutes.invalid("expiresAt: RFC 3339 such as 2027-01-31T07:00:00Z")
                }
                return tick
            }
            let actor = context.actor ?? "api"
            let made = try await APIBody.asking {
                try await records.perform {
                    try $0.createToken(label: body.label, role: role, expires: expires, actor: actor)
                }
            }
            return try self.console.json(APIModel.Token(made.record, secret: made.secret), status: .created)
        }
        administrator.delete("tokens/:id") { _, context in
            let id = context.parameters.get("id") ?? ""
            let actor = context.actor ?? "api"
            try await APIBody.asking { try await records.perform { try $0.revokeToken(id: id, actor: actor) } }
            return Response(status: .noContent)
        }
    }

    // MARK: Audit

    private func audit(_ request: Request) async throws -> APIModel.List<APIModel.AuditItem> {
        let limit = try APIQuery.limit(request, standard: 100, maximum: 1_000)
        let query = AuditQuery(
            actor: request.query["actor"],
            action: request.query["action"],
            subject: request.query["subject"],
            range: try APIQuery.openRange(request, now: self.gateway.now)
        )
        let before = try APIQuery.number(after: request)
        let page = try await self.gateway.records.perform {
            try $0.auditEntries(matching: query, before: before, pageSize: limit)
        }
        return APIModel.List(items: page.items.map(APIModel.AuditItem.init), next: page.next.map { "\($0)" })
    }
}
