internal import HTTPTypes
package import Hummingbird

/// Refuses strangers everywhere but on the public paths: people go to the login page, programs get 401.
///
/// A user with a password that somebody else made goes to the page that changes it, and nowhere else.
struct AccessControl: RouterMiddleware {
    typealias Context = ConsoleContext

    let console: Console

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        if let failure = context.identityFailure { throw failure }
        if let session = context.session, session.mustChangePassword, !self.console.isOpenBeforeChange(request) {
            return try self.sendToChange(request)
        }
        if context.role != nil || self.console.isPublic(request) { return try await next(request, context) }
        guard self.console.isPage(request) else { throw Problem.unauthenticated }
        let target = LocalPath.checked(request.method == .get ? request.head.path : nil)
        let address = target == "/" ? "/login" : "/login?next=\(LocalPath.encoded(target))"
        return Response(status: .seeOther, headers: [.location: address])
    }

    /// Whoever handed the password over could read along: it opens nothing but the page that changes it.
    private func sendToChange(_ request: Request) throws -> Response {
        guard self.console.isPage(request) else { throw Problem.passwordChangeNeeded }
        let target = LocalPath.checked(request.method == .get ? request.head.path : nil)
        let address = target == "/" ? "/password" : "/password?next=\(LocalPath.encoded(target))"
        return Response(status: .seeOther, headers: [.location: address])
    }
}

/// Lets only callers through whose role allows `role`.
package struct RoleRequirement: RouterMiddleware {
    package typealias Context = ConsoleContext

    private let role: ConsoleRole

    /// Requires `role` or a higher one.
    package init(_ role: ConsoleRole) { self.role = role }

    package func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        guard let held = context.role else { throw Problem.unauthenticated }
        guard held.allows(self.role) else { throw Problem.forbidden(needs: self.role) }
        return try await next(request, context)
    }
}
