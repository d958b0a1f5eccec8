import CampusModel
import HummingbirdTesting
import HTTPTypes
import Testing

@testable import WebConsole

@Suite struct LanguageTests {
    @Test func vietnameseIsTheDefaultAndTheQueryWinsOverTheCookie() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let plain = try await client.get("/login")
                #expect(plain.text.contains(#"<html lang="vi""#))
                #expect(plain.text.contains("Đăng nhập"))
                let english = try await client.get("/login", [.cookie: "lang=en"])
                #expect(english.text.contains("Log in"))
                #expect(english.headers[.contentLanguage] == "en")
                #expect(try await client.get("/login?lang=vi", [.cookie: "lang=en"]).text.contains("Đăng nhập"))
                #expect(try await client.get("/login?lang=xx", [.cookie: "lang=yy"]).text.contains("Đăng nhập"))
            }
    }

    @Test func switchSetsTheCookieAndComesBack() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get("/language?to=en&next=/rooms%3Fpage%3D2")
                #expect(response.headers[.location] == "/rooms?page=2")
                #expect(response.headers[.setCookie]?.hasPrefix("lang=en;") == true)
                #expect(try await client.get("/language?to=en&next=//evil.example").headers[.location] == "/")
                #expect(try await client.get("/language?to=xx").status == .badRequest)
            }
    }

    @Test func switchIsKeptInTheSession() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let headers = try await client.login()
                _ = try await client.get("/language?to=en", headers)
                #expect(try await client.get("/", headers).text.contains("<h1>Overview</h1>"))
            }
    }

    @Test func problemsSpeakTheLanguage() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let english = try await client.get("/api/v1/me?lang=en")
                #expect(english.text.contains("Log in first"))
                let vietnamese = try await client.get("/api/v1/me")
                #expect(vietnamese.text.contains("Cần đăng nhập"))
            }
    }

    @Test func everyTextKeyOfTheTemplatesExistsInBothLanguages() throws {
        let console = try ConsoleUnderTest().console
        var used = 0
        for name in console.templates.names {
            for tag in TemplateLibrary.tags(in: console.templates.source(name)) where tag.hasPrefix("t.") {
                used += 1
                let text = console.texts[String(tag.dropFirst(2))]
                #expect(text != nil, "\(name): \(tag)")
            }
        }
        #expect(used > 20)
        for key in console.texts.keys {
            #expect(console.texts[key]?.vi.isEmpty == false && console.texts[key]?.en.isEmpty == false, "\(key)")
        }
        for role in ConsoleRole.allCases { #expect(console.texts["role.\(role.rawValue)"] != nil) }
        for kind in StatusKind.allCases { #expect(console.texts["status.\(kind.rawValue)"] != nil) }
    }

    @Test func textWithValuesIsFilledOnce() throws {
        var table = TextTable()
        try table.add("a.b", LocalizedText(vi: "{x} và {y}", en: "{x} and {y}"), from: "test")
        #expect(table.text("a.b", .en, ["x": "{y}", "y": "2"]) == "{y} and 2")
        #expect(table.text("a.c", .en) == "a.c")
        #expect(throws: WebConsoleError.self) {
            try table.add("a", LocalizedText(vi: "x", en: "x"), from: "test")
        }
        #expect(throws: WebConsoleError.self) {
            try table.add("c", LocalizedText(vi: "x", en: ""), from: "test")
        }
    }
}
