import CampusModel
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import WebConsole

@Suite struct PageTests {
    @Test func hostileTextIsEscaped() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let page = try await client.get("/?say=%3Cimg%20src=x%20onerror=alert(1)%3E", try await client.login())
                #expect(page.text.contains("&lt;img src=x onerror=alert(1)&gt;"))
                #expect(!page.text.contains("<script>alert(1)"))
            }
    }

    @Test func layoutShowsWhereYouAreAndWhoYouAre() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let page = try await client.get("/", try await client.login("viewer")).text
                #expect(page.contains(#"<a href="/" aria-current="page">Tổng quan</a>"#))
                #expect(page.contains(#"<a href="/site">Trường</a>"#))
                #expect(page.contains("Người xem"))
                #expect(page.contains(#"action="/logout""#))
                #expect(page.contains("data-live-indicator"))
                #expect(!page.contains("/users"))
                #expect(page.contains("1.2.3"))
            }
    }

    @Test func noInlineScriptOrStyleIsSent() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let headers = try await client.login()
                for path in ["/", "/login", "/nowhere"] {
                    let page = try await client.get(path, headers).text
                    #expect(page.firstMatch(of: /<script(?![^>]*src=)/) == nil)
                    #expect(page.firstMatch(of: /\son[a-z]+="/) == nil)
                    #expect(page.firstMatch(of: /\sstyle="/) == nil)
                }
            }
    }

    @Test func noticesAreTextsWeHaveNotWordsFromTheAddress() async throws {
        let subject = try ConsoleUnderTest()
        #expect(
            subject.console.redirect(to: "/rooms", notice: "notice.saved").headers[.location]
                == "/rooms?notice=notice.saved"
        )
        #expect(subject.console.redirect(to: "//evil").headers[.location] == "/")
        try await subject.test { client in
            let page = try await client.get("/?notice=Your%20account%20is%20closed", try await client.login()).text
            #expect(!page.contains("account is closed"))
            #expect(!page.contains(#"class="notice""#))
        }
    }

    @Test func templatesWithUnknownTextsOrPartialsAreRefusedAtStart() throws {
        for source in ["{{t.no.such}}", "{{> nowhere}}", "{{asset.none_css}}"] {
            var library = TemplateLibrary()
            try library.add("page", source)
            #expect(throws: WebConsoleError.self) { try library.check(texts: TextTable(), assets: [:]) }
        }
        var library = TemplateLibrary()
        #expect(throws: WebConsoleError.self) { try library.add("broken", "{{#a}} no end") }
    }

    @Test func missingResourcesNameEveryPlaceThatWasSearched() {
        let error = #expect(throws: WebConsoleError.self) {
            _ = try ResourceFolder(module: "Nothing", environment: ["CAMPUS_RESOURCES": "/opt/x"], executable: "/a/b")
        }
        #expect(error?.message.contains("/opt/x/campus-gateway_Nothing.resources/Resources") == true)
        #expect(error?.message.contains("/a/../share/campus-gateway/") == true)
    }

    @Test(arguments: [
        (0, 1, 1, false), (10, 1, 1, false), (11, 1, 2, true), (11, 99, 2, true), (25, -3, 3, true),
    ])
    func paginationStaysInRange(items: Int, page: Int, count: Int, hasPages: Bool) {
        let pagination = Pagination(page: page, itemsPerPage: 10, itemCount: items, path: "/rooms?floor=1")
        #expect(pagination.pageCount == count)
        #expect((1...count).contains(pagination.page))
        #expect(pagination.child(named: "has_pages") as? Bool == hasPages)
    }

    @Test func componentsRenderTheirPartials() throws {
        let console = try ConsoleUnderTest().console
        let library = console.templates
        func show(_ partial: String, _ value: Any) throws -> String {
            var copy = library
            try copy.add("test", "{{#x}}{{> \(partial)}}{{/x}}")
            let values: [String: Any] = [
                "x": value, "t": console.texts.templateValue(.en), "address": "outer", "csrf": "c",
            ]
            return try #require(copy.render("test", values))
        }
        #expect(
            try show("pill", StatusPill(.bad, "Lỗi <1>", liveKey: "device/a")).contains(#"data-state-key="device/a""#)
        )
        #expect(try show("pill", StatusPill(.bad, "Lỗi <1>")).contains("Lỗi &lt;1&gt;"))
        let tile = try show("tile", ValueTile(label: "T", value: "21,4", unit: "°C", point: "d/t"))
        #expect(tile.contains(#"data-point="d/t""#) && tile.contains("°C") && !tile.contains("outer"))
        #expect(
            try show("tabs", TabBar([("A", "/a"), ("B", "/b")], current: 1))
                .contains(#"<a href="/b" aria-current="page">B"#)
        )
        let pages = try show("pagination", Pagination(page: 2, itemsPerPage: 10, itemCount: 30, path: "/r?f=1"))
        #expect(pages.contains("/r?f=1&amp;page=1") && pages.contains("/r?f=1&amp;page=3") && pages.contains("2/3"))
        let question = Confirmation(id: "d1", address: "/x", button: "Delete", question: "Sure?", fields: ["id": "7"])
        let dialog = try show("confirmation", question)
        #expect(dialog.contains(#"name="_csrf" value="c""#) && dialog.contains(#"name="id" value="7""#))
        #expect(try show("chart", ChartFigure(title: "T", unit: "°C", source: "/api/v1/x?a=1")).contains("data-chart"))
    }
}
