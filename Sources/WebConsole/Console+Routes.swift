internal import CampusModel
internal import HTTPTypes
internal import Hummingbird
internal import Logging

extension Console {
    func addRoutes(to router: Router<ConsoleContext>) {
        router.get("/login") { request, context in try self.loginPage(request, context) }
        router.post("/login") { request, context in try await self.login(request, context) }
        router.get("/password") { request, context in try self.passwordPage(request, context) }
        router.post("/password") { request, context in try await self.changePassword(request, context) }
        router.post("/logout") { _, context in try await self.logout(context) }
        router.get("/language") { request, context in try await self.changeLanguage(request, context) }
        router.get("/assets/**") { request, _ in
            guard let response = self.assets.response(for: String(request.path.dropFirst(8)), request: request) else {
                throw Problem.notFound
            }
            return response
        }
        router.get("/live") { request, context in try self.live.response(request, context) }
    }

    private func loginPage(
        _ request: Request,
        _ context: ConsoleContext,
        next: String? = nil,
        user: String = "",
        message: String? = nil,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let target = LocalPath.checked(next ?? request.query["next"])
        if context.session != nil, message == nil { return self.redirect(to: target) }
        var content: [String: Any] = ["next": target, "user": user]
        content["message"] = message
        let page = Page(
            title: self.texts.localized("login.title"),
            template: "login",
            content: content,
            status: status,
            showsHeading: false
        )
        return try self.render(page, request, context)
    }

    private func login(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let form = try await request.form(context)
        let next = form["next"]
        let user = String((form["user"] ?? "").prefix(128))
        let source = context.sourceAddress ?? "unknown"
        func refusal(_ message: String, _ status: HTTPResponse.Status, retryAfterSeconds: Int? = nil) throws -> Response
        {
            var response = try self.loginPage(
                request,
                context,
                next: next,
                user: user,
                message: message,
                status: status
            )
            if let retryAfterSeconds { response.headers[.retryAfter] = String(retryAfterSeconds) }
            return response
        }
        func tooMany(_ seconds: Int) throws -> Response {
            let message = self.texts.text("login.locked", context.language, ["seconds": String(seconds)])
            return try refusal(message, .tooManyRequests, retryAfterSeconds: seconds)
        }

        if let seconds = self.loginLimiter.secondsToWait(Self.limiterKey(source))
            ?? self.loginLimiterOfAll.secondsToWait("all")
        {
            return try tooMany(seconds)
        }
        // Longer passwords cost time to hash and are nobody's.
        let password = form["password"] ?? ""
        guard !user.isEmpty, !password.isEmpty, password.utf8.count <= 1024 else {
            return try refusal(self.texts.text("login.wrong", context.language), .unauthorized)
        }
        switch try await self.sessions.login(user: user, password: password, source: source) {
        case .success(let token, _):
            // A session that this browser already had ends: a token planted before the login is worth nothing.
            if let old = context.sessionToken { try await self.end(old, context) }
            var response = self.redirect(to: LocalPath.checked(next))
            response.setCookie(try self.cookie.setting(token))
            return response
        case .wrong:
            return try refusal(self.texts.text("login.wrong", context.language), .unauthorized)
        case .locked(let seconds):
            return try tooMany(seconds)
        }
    }

    private func passwordPage(
        _ request: Request,
        _ context: ConsoleContext,
        next: String? = nil,
        message: String? = nil,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        guard let session = context.session else { throw Problem.unauthenticated }
        var content: [String: Any] = [
            "next": LocalPath.checked(next ?? request.query["next"]), "user": session.user,
            "forced": session.mustChangePassword,
        ]
        content["message"] = message
        let page = Page(
            title: self.texts.localized("password.title"),
            template: "password",
            content: content,
            status: status,
            showsHeading: false
        )
        return try self.render(page, request, context)
    }

    private func changePassword(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        guard let session = context.session else { throw Problem.unauthenticated }
        let form = try await request.form(context)
        let next = form["next"]
        func refusal(_ message: String, _ status: HTTPResponse.Status = .badRequest) throws -> Response {
            try self.passwordPage(request, context, next: next, message: message, status: status)
        }
        let new = form["new"] ?? ""
        guard new == form["again"] ?? "" else {
            return try refusal(self.texts.text("password.differs", context.language))
        }
        let result = try await self.sessions.changePassword(
            of: session,
            from: form["password"] ?? "",
            to: new,
            source: context.sourceAddress ?? "unknown"
        )
        switch result {
        case .done:
            // Streams of the sessions that ended; this browser's comes back by itself.
            self.live.disconnect(user: session.user)
            return self.redirect(to: LocalPath.checked(next), notice: "notice.password")
        case .wrong: return try refusal(self.texts.text("password.wrong", context.language), .forbidden)
        case .refused(let reason): return try refusal(reason.text(in: context.language))
        case .locked(let seconds):
            let message = self.texts.text("login.locked", context.language, ["seconds": String(seconds)])
            var response = try refusal(message, .tooManyRequests)
            response.headers[.retryAfter] = String(seconds)
            return response
        }
    }

    private func logout(_ context: ConsoleContext) async throws -> Response {
        if let token = context.sessionToken { try await self.end(token, context) }
        var response = self.redirect(to: "/login")
        response.setCookie(try self.cookie.clearing())
        return response
    }

    private func end(_ token: String, _ context: ConsoleContext) async throws {
        try await self.sessions.logout(token: token)
        if let session = context.session { self.live.disconnect(owner: session.id) }
    }

    private func changeLanguage(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        guard let language = request.query["to"].flatMap(Language.init(rawValue:)) else {
            throw Problem.invalid(
                LocalizedText(vi: "Ngôn ngữ là “vi” hoặc “en”.", en: "The language is “vi” or “en”.")
            )
        }
        if let token = context.sessionToken { try await self.sessions.setLanguage(language, for: token) }
        var response = self.redirect(to: LocalPath.checked(request.query["next"]))
        response.setCookie(
            try .validated(
                name: LanguageSelection.cookieName,
                value: language.rawValue,
                maxAge: 31_536_000,
                path: "/",
                secure: self.configuration.isTLS,
                httpOnly: true,
                sameSite: .lax
            )
        )
        return response
    }

    /// One key per IPv4 address, one per /64 of IPv6: a household has the whole /64.
    static func limiterKey(_ address: String) -> String {
        guard address.contains(":") else { return address }
        return address.split(separator: ":", omittingEmptySubsequences: false).prefix(4).joined(separator: ":")
    }
}
