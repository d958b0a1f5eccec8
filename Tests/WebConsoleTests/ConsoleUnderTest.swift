import CampusModel
import Hummingbird
import HummingbirdTesting
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

@testable import WebConsole

/// Sessions in memory: `an`/`right` may log in, `locked` never, `broken` fails in the store.
final class MemorySessions: SessionStore {
    struct StoreFailure: Error {}

    struct State {
        var sessions: [String: ConsoleSession] = [:]
        var opened = 0
        var sources: [String] = []
    }

    let state = Mutex(State())

    func login(user: String, password: String, source: String) async throws -> LoginResult {
        if user == "broken" { throw StoreFailure() }
        if user == "locked" { return .locked(retryAfterSeconds: 90) }
        guard password == "right" else { return .wrong }
        return self.state.withLock { state in
            state.opened += 1
            state.sources.append(source)
            let token = "session-token-number-\(state.opened)"
            let role = ConsoleRole(rawValue: user) ?? .administrator
            let session = ConsoleSession(
                id: "s\(state.opened)",
                user: user,
                role: role,
                csrfToken: "csrf-of-\(state.opened)-0123456789abcdef",
                mustChangePassword: user == "fresh"
            )
            state.sessions[token] = session
            return .success(token: token, session: session)
        }
    }

    func session(for token: String) async throws -> ConsoleSession? {
        if token == "broken-token-0123456789" { throw StoreFailure() }
        return self.state.withLock { $0.sessions[token] }
    }

    func logout(token: String) async throws { self.state.withLock { _ = $0.sessions.removeValue(forKey: token) } }

    func changePassword(
        of session: ConsoleSession,
        from old: String,
        to new: String,
        source: String
    ) async throws -> PasswordChange {
        if old == "locked" { return .locked(retryAfterSeconds: 60) }
        guard old == "right" else { return .wrong }
        guard new.count >= 10 else { return .refused(LocalizedText(vi: "quá ngắn", en: "too short")) }
        self.state.withLock { state in
            state.sessions = state.sessions.filter { $0.value.user != session.user || $0.value.id == session.id }
            for token in state.sessions.keys where state.sessions[token]?.id == session.id {
                state.sessions[token]?.mustChangePassword = false
            }
        }
        return .done
    }

    func setLanguage(_ language: Language, for token: String) async throws {
        self.state.withLock { $0.sessions[token]?.language = language }
    }
}

struct FixedTokens: TokenStore {
    func identity(for token: String) async throws -> APIIdentity? {
        switch token {
        case "reader-token-0123456789": APIIdentity(name: "reader", role: .viewer)
        case "writer-token-0123456789": APIIdentity(name: "writer", role: .administrator)
        default: nil
        }
    }
}

/// A console with a few routes of an app, as the gateway would add them.
struct ConsoleUnderTest {
    struct Leaky: Error, CustomStringConvertible { let description = "the secret of the database" }

    let sessions = MemorySessions()
    let live: LiveBroadcaster
    let console: Console

    init(
        isTLS: Bool = false,
        chartFolder: String = "/usr/share/javascript/dygraphs",
        loginBurst: Int = 10,
        live: LiveBroadcaster = LiveBroadcaster()
    ) throws {
        self.live = live
        self.console = try Console(
            configuration: ConsoleConfiguration(
                siteName: LocalizedText(vi: "Trường THCS Thử Nghiệm", en: "Trường THCS Thử Nghiệm"),
                version: "1.2.3",
                isTLS: isTLS,
                navigation: [
                    .init(id: "overview", title: LocalizedText(vi: "Tổng quan", en: "Overview"), address: "/"),
                    .init(id: "rooms", title: LocalizedText(vi: "Phòng", en: "Rooms"), address: "/rooms"),
                    .init(
                        id: "users",
                        title: LocalizedText(vi: "Người dùng", en: "Users"),
                        address: "/users",
                        role: .administrator
                    ),
                ],
                bodyBytesMax: 4096,
                chartFolder: chartFolder,
                loginBurst: loginBurst
            ),
            resources: [],
            sessions: self.sessions,
            tokens: FixedTokens(),
            live: live,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func application(
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let console = self.console
        let router = console.makeRouter()
        router.get("/") { request, context in
            let page = Page(
                title: LocalizedText(vi: "Tổng quan", en: "Overview"),
                template: "empty",
                content: EmptyState(title: request.query["say"] ?? "-", text: "<script>alert(1)</script>"),
                navigation: "overview",
                breadcrumb: [.init(LocalizedText(vi: "Trường", en: "School"), "/site")],
                isLive: true,
                hasCharts: true
            )
            return try console.render(page, request, context)
        }
        router.get("/healthz") { _, _ in "ok" }
        router.get("/fails") { _, _ -> String in throw Leaky() }
        router.post("/echo") { request, context in
            try await request.form(context)["text"] ?? ""
        }
        router.get("/api/v1/me") { _, context in try console.json(["actor": context.actor ?? ""]) }
        router.get("/api/v1/fails") { _, _ -> String in throw Leaky() }
        router.post("/api/v1/echo") { request, context in try await request.form(context)["text"] ?? "" }
        router.group("/admin").add(middleware: RoleRequirement(.administrator))
            .get("/users") { _, _ in "users" }
            .post("/users") { _, context in "changed by \(context.actor ?? "")" }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            services: [self.live],
            onServerRunning: onServerRunning,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func test<Value>(
        _ setup: TestingSetup = .router,
        _ body: @Sendable (any TestClientProtocol) async throws -> Value
    ) async throws -> Value {
        try await self.application().test(setup, body)
    }
}

extension TestClientProtocol {
    func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        try await self.executeRequest(uri: uri, method: .get, headers: headers, body: nil)
    }

    func post(_ uri: String, _ body: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        return try await self.executeRequest(
            uri: uri,
            method: .post,
            headers: headers,
            body: ByteBuffer(string: body)
        )
    }

    /// Logs in as `user` and gives the headers with the cookie.
    func login(_ user: String = "an") async throws -> HTTPFields {
        let response = try await self.post("/login", "user=\(user)&password=right&next=/")
        let cookie = try #require(response.headers[.setCookie]?.split(separator: ";").first)
        return [.cookie: String(cookie)]
    }
}

extension TestResponse {
    var text: String { String(buffer: self.body) }
}
