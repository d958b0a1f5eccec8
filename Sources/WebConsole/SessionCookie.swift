internal import Hummingbird

/// The cookie that holds a session's token: `__Host-sid` over TLS, where a browser then insists on Secure and Path=/.
struct SessionCookie: Sendable {
    let isTLS: Bool

    var name: String { self.isTLS ? "__Host-sid" : "sid" }

    /// The token that a browser sent; nil without one or when it cannot be one of ours.
    func token(in request: Request) -> String? {
        guard let value = request.cookies[self.name]?.value, (16...256).contains(value.utf8.count) else { return nil }
        return value
    }

    func setting(_ token: String) throws -> Cookie {
        try .validated(
            name: self.name,
            value: token,
            path: "/",
            secure: self.isTLS,
            httpOnly: true,
            sameSite: .strict
        )
    }

    func clearing() throws -> Cookie {
        try .validated(
            name: self.name,
            value: "",
            maxAge: 0,
            path: "/",
            secure: self.isTLS,
            httpOnly: true,
            sameSite: .strict
        )
    }
}
