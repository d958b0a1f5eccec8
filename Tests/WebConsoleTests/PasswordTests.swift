import CampusModel
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import WebConsole

@Suite struct PasswordTests {
    private let good = "password=right&new=a+longer+one&again=a+longer+one&next=%2Frooms"

    @Test func aHandedOverPasswordOpensOnlyThePageThatChangesIt() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let cookie = try await client.login("fresh")
                let home = try await client.get("/?say=hello", cookie)
                #expect(home.status == .seeOther)
                #expect(home.headers[.location] == "/password?next=/%3Fsay%3Dhello")
                #expect(try await client.get("/", cookie).headers[.location] == "/password")
                for path in ["/api/v1/me", "/live"] {
                    let answer = try await client.get(path, cookie)
                    #expect(answer.status == .forbidden)
                    #expect(answer.text.contains("password-change-needed"))
                }
                let page = try await client.get("/password", cookie)
                #expect(page.status == .ok)
                #expect(page.text.contains("Mật khẩu này do người khác tạo"))
                #expect(try await client.get("/healthz", cookie).status == .ok)
                #expect(
                    try await client.post("/logout", "_csrf=csrf-of-1-0123456789abcdef", cookie).status == .seeOther
                )
            }
    }

    @Test func afterTheChangeEverythingIsOpenAndOtherSessionsAreOver() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let cookie = try await client.login("fresh")
                let other = try await client.login("fresh")
                let done = try await client.post("/password", "_csrf=csrf-of-1-0123456789abcdef&" + self.good, cookie)
                #expect(done.status == .seeOther)
                #expect(done.headers[.location] == "/rooms?notice=notice.password")
                #expect(try await client.get("/", cookie).status == .ok)
                #expect(try await client.get("/", other).headers[.location] == "/login")
            }
    }

    @Test(arguments: [
        ("password=wrong&new=a+longer+one&again=a+longer+one", HTTPResponse.Status.forbidden, "không đúng"),
        ("password=right&new=a+longer+one&again=another+one", .badRequest, "không giống nhau"),
        ("password=right&new=short&again=short", .badRequest, "quá ngắn"),
        ("password=right", .badRequest, "quá ngắn"),
        ("password=locked&new=a+longer+one&again=a+longer+one", .tooManyRequests, "60 giây"),
    ])
    func refusalsSayWhyAndChangeNothing(form: String, status: HTTPResponse.Status, words: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let cookie = try await client.login("fresh")
                let answer = try await client.post("/password", "_csrf=csrf-of-1-0123456789abcdef&" + form, cookie)
                #expect(answer.status == status)
                #expect(answer.text.contains(words))
                #expect(try await client.get("/", cookie).headers[.location] == "/password")
            }
    }

    @Test func theFormIsProtectedAndStrangersAndProgramsHaveNone() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let cookie = try await client.login()
                #expect(try await client.post("/password", self.good, cookie).status == .forbidden)
                #expect(try await client.get("/password").headers[.location] == "/login?next=/password")
                let program: HTTPFields = [.authorization: "Bearer writer-token-0123456789"]
                #expect(try await client.get("/password", program).status == .unauthorized)
            }
    }
}
