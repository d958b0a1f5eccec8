internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Refuses requests that change something and may come from another site.
///
/// With a cookie the form must carry the session's token (field `_csrf` or header `X-CSRF-Token`); with or without one,
/// what the browser says about the origin must be us. A bearer token is never sent by a browser on its own: exempt.
struct CrossSiteProtection: RouterMiddleware {
    typealias Context = ConsoleContext

    static let fieldName = "_csrf"
    private static let headerName = HTTPField.Name("X-CSRF-Token")
    private static let fetchSiteName = HTTPField.Name("Sec-Fetch-Site")

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        let isSafe = [.get, .head, .options].contains(request.method)
        if isSafe || context.apiIdentity != nil { return try await next(request, context) }
        guard self.isSameOrigin(request) else { throw Problem.crossSite }
        guard let session = context.session else { return try await next(request, context) }
        var request = request
        let sent: String?
        if let header = Self.headerName.flatMap({ request.headers[$0] }) {
            sent = header
        } else if request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true {
            let buffer = try await request.collectBody(upTo: context.bodyBytesMax)
            sent = FormFields(String(buffer: buffer))[Self.fieldName]
        } else {
            sent = nil
        }
        guard let sent, Self.isEqual(sent, session.csrfToken) else { throw Problem.crossSite }
        return try await next(request, context)
    }

    /// What the browser says; clients that are no browser say nothing and pass.
    private func isSameOrigin(_ request: Request) -> Bool {
        if let site = Self.fetchSiteName.flatMap({ request.headers[$0] }) {
            return site == "same-origin" || site == "none"
        }
        guard let origin = request.headers[.origin] else { return true }
        guard let host = request.head.authority, let scheme = origin.firstRange(of: "://") else { return false }
        return origin[scheme.upperBound...].lowercased() == host.lowercased()
    }

    /// Compares in time that does not depend on where the first difference is.
    static func isEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count == right.count, !left.isEmpty else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
