package import CampusModel
package import Hummingbird
internal import Logging
internal import NIOCore

/// What is known about one request, filled in by the middlewares.
package struct ConsoleContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer's address without port; nil when the transport has none.
    package var sourceAddress: String?
    /// Who is logged in, by cookie.
    package var session: ConsoleSession?
    /// The token of ``session``, for ending it.
    package var sessionToken: String?
    /// Which program asks, by bearer token; with it the cookie is ignored.
    package var apiIdentity: APIIdentity?
    /// The language of the answer.
    package var language: Language = .vi
    /// Why the caller could not be identified, if so.
    var identityFailure: Problem?
    /// The most bytes of a request's body.
    package var bodyBytesMax = 1 << 20

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.sourceAddress = source.channel.remoteAddress?.ipAddress
    }

    package var maxUploadSize: Int { self.bodyBytesMax }

    /// What the caller may do; nil for a stranger.
    package var role: ConsoleRole? { self.apiIdentity?.role ?? self.session?.role }

    /// Who the caller is, for the audit trail: the user's or the token's name.
    package var actor: String? { self.apiIdentity.map { "token:\($0.name)" } ?? self.session?.user }

    /// The request's number in logs and error pages.
    package var requestID: String { self.logger[metadataKey: "hb.request.id"]?.description ?? "" }
}
