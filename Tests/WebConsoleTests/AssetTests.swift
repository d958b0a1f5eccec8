import HummingbirdTesting
import HTTPTypes
import Testing

@testable import WebConsole

@Suite struct AssetTests {
    @Test func hashedNamesAreCachedForEverAndPlainNamesAreRevalidated() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let address = try #require(subject.console.assets.address(of: "console.css"))
            let hashed = try await client.get(address)
            #expect(hashed.status == .ok)
            #expect(hashed.headers[.contentType] == "text/css; charset=utf-8")
            #expect(hashed.headers[.cacheControl]?.contains("immutable") == true)
            let plain = try await client.get("/assets/console.css")
            #expect(plain.headers[.cacheControl] == "no-cache")
            let etag = try #require(plain.headers[.eTag])
            #expect(try await client.get("/assets/console.css", [.ifNoneMatch: etag]).status == .notModified)
        }
    }

    @Test(arguments: [
        "/assets/../strings.json", "/assets/%2e%2e/strings.json", "/assets/..%2fstrings.json",
        "/assets/....//strings.json", "/assets//etc/passwd", "/assets/%2fetc%2fpasswd", "/assets/console.css/..",
        "/assets/console.css%00", "/assets/\\..\\strings.json", "/assets/", "/assets/../templates/login.mustache",
    ])
    func nothingButKnownFilesIsServed(path: String) async throws {
        try await ConsoleUnderTest()
            .test { client in
                let response = try await client.get(path)
                #expect(response.status == .notFound || response.status == .seeOther)
                #expect(!response.text.contains("root:"))
                #expect(!response.text.contains("layout.skip"))
            }
    }

    @Test func layoutNamesEveryAssetByItsHashedAddress() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let page = try await client.get("/", try await client.login())
                let addresses = page.text.matches(of: /(?:src|href)="(\/assets\/[^"#]+)/).map { String($0.output.1) }
                #expect(addresses.count >= 6)
                for address in Set(addresses) {
                    let response = try await client.get(address)
                    #expect(response.status == .ok, "\(address)")
                    #expect(response.headers[.cacheControl]?.contains("immutable") == true)
                }
            }
    }

    @Test func withoutDygraphsPagesDoWithoutCharts() async throws {
        let subject = try ConsoleUnderTest(chartFolder: "/nonexistent")
        #expect(!subject.console.hasCharts)
        try await subject.test { client in
            let page = try await client.get("/", try await client.login())
            #expect(page.status == .ok)
            #expect(!page.text.contains("dygraph"))
        }
    }
}
