import DeviceProfile
import StrictYAML
import Testing

struct HTTPWireTests {
    private static func text(_ http: String, tests: String = Self.tests) -> String {
        """
        profile: p
        vendor: V
        model: M
        category: attendance
        title: {vi: T, en: T}
        sources: [{title: "by hand", trust: C}]
        verified: false
        http:
        \(http)
        points:
          - {name: t, title: {vi: T, en: T}, unit: Cel, wire: {message: state, pointer: /t}}
        tests:
        \(tests)
        """
    }

    private static let http = """
          requests:
            - {name: state, path: "/a/{serial}/{secret}", body: form, answer: "OK {count} {serial}"}
            - {name: other, method: GET, path: "/a/{serial}", query: {x: "1"}}
        """
    private static let tests = """
          - {name: t, http: {target: "/a/S1/k", body: "t=12.5&u=%C3%A9", answer: "OK 1 S1"}, expect: {t: 12.5}}
        """

    private func problems(_ text: String) -> String {
        do throws(YAMLProblems) {
            let profile = try DeviceProfile.read(yaml: text, file: "p.yaml")
            return GoldenRunner.run(profile).map(\.description).joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    private func wire() throws -> HTTPWire {
        guard case .http(let wire) = try DeviceProfile.read(yaml: Self.text(Self.http), file: "p.yaml").wire else {
            fatalError("a profile with 'http' has that wire")
        }
        return wire
    }

    @Test func aProfileThatIsPushedIsReadAndItsCasesComeOut() { #expect(self.problems(Self.text(Self.http)).isEmpty) }

    @Test(
        arguments: [
            ("path: \"/a/{serial}/{secret}\"", "path: \"a/{serial}\"", "is no path"),
            ("path: \"/a/{serial}/{secret}\"", "path: \"/a/{name}\"", "is no path"),
            ("path: \"/a/{serial}/{secret}\"", "path: \"/a/b\"", "named once"),
            ("body: form", "body: lines", "'fields' is needed"),
            ("body: form", "body: form, fields: [a]", "are for 'body: lines'"),
            ("body: form", "clock: {pointer: /t, format: local}", "thrown away"),
            ("body: form", "bdy: form", "did you mean 'body'?"),
        ]
    )
    func aWrongBlockSaysWhatToChange(old: String, new: String, message: String) {
        let found = self.problems(Self.text(Self.http.replacing(old, with: new)))
        #expect(found.contains(message), "\(found)")
    }

    @Test func aWrongAnswerOfAGoldenCaseIsTold() {
        let found = self.problems(Self.text(Self.http, tests: Self.tests.replacing("OK 1 S1", with: "OK 2 S1")))
        #expect(found.contains("the answer is 'OK 1 S1', expected 'OK 2 S1'"), "\(found)")
    }

    @Test func aRequestIsKnownByMethodPathAndQuery() throws {
        let wire = try self.wire()
        let match = try #require(wire.match(method: "POST", target: "/a/S1/k?more=1"))
        #expect(match.route == 0 && match.serial == "S1" && match.secret == "k")
        #expect(match.topic == "$http/a/S1/state")
        #expect(wire.match(method: "GET", target: "/a/S1?x=1")?.route == 1)
        #expect(wire.match(method: "GET", target: "/a/S1?x=2") == nil)
        #expect(wire.match(method: "PUT", target: "/a/S1/k") == nil)
        for serial in ["a+b", "%2e", "a b", "#", "$", String(repeating: "s", count: 65), "ä"] {
            #expect(wire.match(method: "POST", target: "/a/\(serial)/k") == nil, "\(serial)")
        }
    }

    @Test func eachLineIsAMessageOfItsOwn() {
        let body = Array("1\t2026-01-01 00:00:00\r\n\r\n2\tb\tc\td\n".utf8)
        let payloads = HTTPWire.payloads(body, as: .lines(fields: ["p", "t", "s"], isBlank: false), contentType: "")
        #expect(
            payloads.map { String(decoding: $0, as: UTF8.self) } == [
                #"{"p":"1","t":"2026-01-01 00:00:00"}"#, #"{"p":"2","t":"b","s":"c"}"#,
            ]
        )
        let many = Array(String(repeating: "1\n", count: 20_000).utf8)
        #expect(HTTPWire.payloads(many, as: .lines(fields: ["p"], isBlank: true), contentType: "").count == 10_000)
    }

    @Test func ofAMultipartBodyOnlyTheJSONPartIsLookedAt() {
        let type = "multipart/form-data; boundary=\"b\""
        let body =
            "--b\r\nContent-Type: image/jpeg\r\n\r\n{FACE}\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--b--"
        #expect(HTTPWire.payloads(Array(body.utf8), as: .multipart, contentType: type) == [Array("{\"a\":1}".utf8)])
        for broken in ["", "--b", "--b\r\nContent-Type: image/jpeg\r\n\r\nFACE\r\n--b--", "FACE"] {
            let payloads = HTTPWire.payloads(Array(broken.utf8), as: .multipart, contentType: type)
            #expect(payloads.map { String(decoding: $0, as: UTF8.self) } == ["no JSON part"], "no picture gets out")
        }
        let alone = Array("{\"a\":1}".utf8)
        #expect(HTTPWire.payloads(alone, as: .multipart, contentType: "application/json") == [alone])
    }
}
