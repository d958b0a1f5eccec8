import CampusModel
import Hummingbird
import HummingbirdTesting
import HTTPTypes
import Synchronization
import Testing

@testable import WebConsole

@Suite struct LoginTests {
    @Test func rightPasswordOpensASessionAndGoesWhereThePersonWanted() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let refused = try await client.get("/rooms?floor=2")
            #expect(refused.status == .seeOther)
            #expect(refused.headers[.location] == "/login?next=/rooms%3Ffloor%3D2")
            let page = try await client.get("/login?next=/rooms%3Ffloor%3D2")
            #expect(page.status == .ok)
            #expect(page.text.contains(#"name="next" value="/rooms?floor=2""#))
            let done = try await client.post("/login", "user=an&password=right&next=%2Frooms%3Ffloor%3D2")
            #expect(done.status == .seeOther)
            #expect(done.headers[.location] == "/rooms?floor=2")
            let cookie = try #require(done.headers[.setCookie])
            let home = try await client.get("/", [.cookie: String(cookie.prefix { $0 != ";" })])
            #expect(home.status == .ok)
            #expect(home.text.contains("Tổng quan"))
        }
    }

    @Test(arguments: [
        ("user=an&password=bad", HTTPResponse.Status.unauthorized, "không đúng"),
        ("user=an", .unauthorized, "không đúng"),
        ("password=right", .unauthorized, "không đúng"),
        ("user=locked&password=right", .tooManyRequests, "90 giây"),
        ("user=broken&password=right", .internalServerError, "nhật ký"),
        ("user=an&password=\(String(repeating: "x", count: 1025))", .unauthorized, "không đúng"),
    ])
    func refusalsSayWhyAndSetNoCookie(form: String, status: HTTPResponse.Status, words: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.post("/login", form)
                #expect(response.status == status)
                #expect(response.text.contains(words))
                #expect(response.headers[.setCookie] == nil)
                #expect(!response.text.contains("StoreFailure"))
            }
    }

    @Test(arguments: [true, false])
    func cookieIsClosedToScriptsAndOtherSites(isTLS: Bool) async throws {
        try await ConsoleUnderTest(isTLS: isTLS)
            .test { client in
                let response = try await client.post("/login", "user=an&password=right")
                let cookie = try #require(response.headers[.setCookie])
                #expect(cookie.hasPrefix(isTLS ? "__Host-sid=" : "sid="))
                let attributes = Set(cookie.split(separator: ";").dropFirst().map { $0.drop { $0 == " " } })
                #expect(
                    attributes
                        == (isTLS
                            ? ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"]
                            : [
                                "Path=/", "HttpOnly", "SameSite=Strict",
                            ])
                )
            }
    }

    @Test func loginGivesANewTokenAndEndsTheOldSession() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let planted = try await client.login()
            let csrf = try #require(subject.sessions.state.withLock { $0.sessions.values.first?.csrfToken })
            let again = try await client.post("/login", "user=an&password=right&_csrf=\(csrf)", planted)
            #expect(again.status == .seeOther)
            #expect(again.headers[.setCookie]?.hasPrefix(planted[.cookie] ?? "-") == false)
            #expect(try await client.get("/", planted).status == .seeOther)
        }
    }

    @Test func unknownCookieIsNeverAdopted() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let planted: HTTPFields = [.cookie: "sid=chosen-by-an-attacker-123"]
                let response = try await client.post("/login", "user=an&password=right", planted)
                #expect(response.headers[.setCookie]?.contains("chosen-by") == false)
            }
    }

    @Test func logoutEndsTheSessionAndClearsTheCookie() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let headers = try await client.login()
            let csrf = try #require(subject.sessions.state.withLock { $0.sessions.values.first?.csrfToken })
            let response = try await client.post("/logout", "_csrf=\(csrf)", headers)
            #expect(response.headers[.location] == "/login")
            #expect(response.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await client.get("/", headers).status == .seeOther)
        }
    }

    @Test(arguments: ["//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil", "javascript:alert(1)"])
    func loginNeverLeadsToAnotherSite(next: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.post("/login", "user=an&password=right&next=\(next)")
                #expect(response.headers[.location] == "/")
            }
    }

    @Test func floodOfAttemptsIsRefusedWithTheTimeToWait() async throws {
        try await ConsoleUnderTest(loginBurst: 3)
            .test { client in
                for _ in 0..<3 {
                    #expect(try await client.post("/login", "user=an&password=bad").status == .unauthorized)
                }
                let response = try await client.post("/login", "user=an&password=right")
                #expect(response.status == .tooManyRequests)
                #expect(response.headers[.retryAfter] != nil)
            }
    }

    @Test func hostileUserNameIsEscaped() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.post(
                    "/login",
                    "user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&password=bad"
                )
                #expect(!response.text.contains("<script>alert"))
                #expect(response.text.contains("&quot;&gt;&lt;script&gt;"))
            }
    }

    @Test func sessionStoreFailureIs503NotALogin() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get("/", [.cookie: "sid=broken-token-0123456789"])
                #expect(response.status == .serviceUnavailable)
            }
    }
}
