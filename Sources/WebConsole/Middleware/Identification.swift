internal import CampusModel
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Finds out who asks: a bearer token first, else the session cookie.
///
/// Refuses nobody; ``AccessControl`` does.
struct Identification: RouterMiddleware {
    typealias Context = ConsoleContext

    let sessions: any SessionStore
    let tokens: any TokenStore
    let cookie: SessionCookie

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        do {
            if let authorization = request.headers[.authorization] {
                context.apiIdentity = try await self.bearerIdentity(authorization)
                if context.apiIdentity == nil { context.identityFailure = .unauthenticated }
            } else if let token = self.cookie.token(in: request) {
                context.session = try await self.sessions.session(for: token)
                context.sessionToken = context.session == nil ? nil : token
            }
        } catch {
            context.logger.error("session store failed", metadata: ["error": "\(error)"])
            context.identityFailure = .unavailable(
                LocalizedText(
                    vi: "Chưa đọc được phiên đăng nhập. Hãy thử lại.",
                    en: "Sessions cannot be read now. Try again."
                )
            )
        }
        return try await next(request, context)
    }

    private func bearerIdentity(_ authorization: String) async throws -> APIIdentity? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", (1...512).contains(parts[1].utf8.count) else {
            return nil
        }
        return try await self.tokens.identity(for: String(parts[1]))
    }
}
