import Hummingbird
import HummingbirdTesting
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import WebConsole

@Suite struct ProtectionTests {
    private static let json: HTTPFields = [.contentType: "application/json"]

    @Test(arguments: ["/", "/login", "/assets/console.css", "/healthz", "/api/v1/me", "/nowhere"])
    func everyAnswerHasTheSecurityHeaders(path: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let headers = try await client.get(path).headers
                let policy = try #require(HTTPField.Name("Content-Security-Policy").flatMap { headers[$0] })
                for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
                    #expect(policy.contains(part))
                }
                #expect(!policy.contains("unsafe"))
                for (name, value) in [
                    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
                    ("Cross-Origin-Opener-Policy", "same-origin"),
                ] { #expect(HTTPField.Name(name).flatMap { headers[$0] } == value) }
                #expect(headers[.strictTransportSecurity] == nil)
            }
    }

    @Test func tlsTellsBrowsersToStayOnTLS() async throws {
        try await ConsoleUnderTest(isTLS: true)
            .test { client in
                let login = try await client.get("/login")
                #expect(login.headers[.strictTransportSecurity] == "max-age=31536000")
            }
    }

    @Test func formWithoutOrWithWrongTokenIsRefused() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let headers = try await client.login()
            let csrf = try #require(subject.sessions.state.withLock { $0.sessions.values.first?.csrfToken })
            #expect(try await client.post("/echo", "text=a", headers).status == .forbidden)
            #expect(try await client.post("/echo", "text=a&_csrf=", headers).status == .forbidden)
            #expect(try await client.post("/echo", "text=a&_csrf=\(csrf)x", headers).status == .forbidden)
            let field = try await client.post("/echo", "text=a&_csrf=\(csrf)", headers)
            #expect(field.status == .ok && field.text == "a")
            var withHeader = headers
            if let name = HTTPField.Name("X-CSRF-Token") { withHeader[name] = csrf }
            #expect(try await client.post("/echo", "text=b", withHeader).text == "b")
        }
    }

    @Test(arguments: [
        ("Origin", "https://evil.example", false), ("Origin", "null", false), ("Origin", "http://localhost", true),
        ("Sec-Fetch-Site", "cross-site", false), ("Sec-Fetch-Site", "same-site", false),
        ("Sec-Fetch-Site", "same-origin", true),
    ])
    func originMustBeUsEvenForTheLogin(name: String, value: String, isAccepted: Bool) async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            var headers = HTTPFields()
            headers[try #require(HTTPField.Name(name))] = value
            let login = try await client.post("/login", "user=an&password=right", headers)
            #expect(login.status == (isAccepted ? .seeOther : .forbidden))
            headers[.cookie] = try await client.login()[.cookie]
            let sessions = subject.sessions.state.withLock { $0.sessions }
            let token = try #require(headers[.cookie]?.split(separator: "=").last.map(String.init))
            let csrf = try #require(sessions[token]?.csrfToken)
            let form = try await client.post("/echo", "text=a&_csrf=\(csrf)", headers)
            #expect(form.status == (isAccepted ? .ok : .forbidden))
        }
    }

    @Test func bearerTokensNeedNoFormToken() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let headers: HTTPFields = [.authorization: "Bearer writer-token-0123456789"]
                let answer = try await client.post("/api/v1/echo", "text=a", headers)
                #expect(answer.text == "a")
            }
    }

    @Test func bearerTokenAndCookieTogetherCountAsTheToken() async throws {
        try await ConsoleUnderTest()
            .test { client in
                var headers = try await client.login()
                headers[.authorization] = "Bearer reader-token-0123456789"
                #expect(try await client.get("/api/v1/me", headers).text == #"{"actor":"token:reader"}"#)
                #expect(try await client.get("/admin/users", headers).status == .forbidden)
            }
    }

    @Test(arguments: [("viewer", 403), ("lab", 403), ("facility", 403), ("administrator", 200)])
    func rolesBelowTheRequiredOneAreRefused(user: String, status: Int) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get("/admin/users", try await client.login(user))
                #expect(response.status.code == status)
            }
    }

    @Test(arguments: ["/api/v1/me", "/api/v1/nowhere", "/api", "/metrics", "/live"])
    func strangersGetProblemDocumentsFromTheAPI(path: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get(path)
                #expect(response.status == .unauthorized)
                #expect(response.headers[.contentType] == "application/problem+json")
                #expect(response.headers[.wwwAuthenticate] == "Bearer")
                #expect(response.text.contains(#""instance":"\#(path)""#))
            }
    }

    @Test(arguments: ["Bearer wrong", "Bearer", "Basic YTpi", "", "Bearer " + String(repeating: "x", count: 600)])
    func wrongAuthorizationIsRefused(value: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                var headers = try await client.login()
                headers[.authorization] = value
                #expect(try await client.get("/api/v1/me", headers).status == .unauthorized)
            }
    }

    @Test func unknownErrorsTellNothing() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let headers = try await client.login()
                for path in ["/fails", "/api/v1/fails"] {
                    let response = try await client.get(path, headers)
                    #expect(response.status == .internalServerError)
                    #expect(!response.text.contains("secret"))
                }
                let page = try await client.get("/fails", headers)
                #expect(page.headers[.contentType]?.hasPrefix("text/html") == true)
                let problem = try await client.get("/api/v1/fails", headers)
                #expect(problem.text.contains("urn:campus-gateway:problem:internal-error"))
            }
    }

    @Test func unknownPathsArePagesForPeople() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get("/nowhere", try await client.login())
                #expect(response.status == .notFound)
                #expect(response.text.contains("<html"))
                #expect(response.text.contains("Không tìm thấy"))
            }
    }

    @Test(arguments: [4096, 4097, 200_000])
    func bodiesOverTheLimitAreRefused(bytes: Int) async throws {
        try await ConsoleUnderTest()
            .test(.live) { client in
                let headers: HTTPFields = [.authorization: "Bearer writer-token-0123456789"]
                let text = "text=" + String(repeating: "a", count: bytes - 5)
                let response = try await client.post("/api/v1/echo", text, headers)
                #expect(response.status == (bytes <= 4096 ? .ok : .contentTooLarge))
            }
    }

    @Test func bodiesWithoutLengthAreCountedWhileRead() async throws {
        let limit = BodyLimit(bytesMax: 10)
        let request = Request(
            head: HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/echo"),
            body: RequestBody(buffer: ByteBuffer(string: "text=01234567"))
        )
        let context = ConsoleContext(source: .init(channel: SilentChannel.make(), logger: SilentChannel.logger))
        await #expect(throws: Problem.self) {
            _ = try await limit.handle(request, context: context) { request, context in
                _ = try await request.form(context)
                return Response(status: .ok)
            }
        }
    }

    @Test func publicPathsNeedNoLogin() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let health = try await client.get("/healthz")
                #expect(health.text == "ok")
                let login = try await client.get("/login")
                #expect(login.status == .ok)
            }
    }
}
