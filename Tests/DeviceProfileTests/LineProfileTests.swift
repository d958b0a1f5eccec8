import DeviceProfile
import StrictYAML
import Testing

struct LineProfileTests {
    private func text(line: String, points: String = "", tests: String = "") -> String {
        """
        profile: p
        vendor: V
        model: M
        category: classroom
        title: {vi: T, en: T}
        sources: [{title: "by hand", trust: C}]
        verified: false
        line:
        \(line)
        points:
        \(points.isEmpty ? Self.points : points)
        tests:
        \(tests.isEmpty ? Self.tests : tests)
        """
    }

    private static let line = """
          port: 23
          terminator: "\\r"
          requests:
            - {name: power, send: "P?", replies: [{match: "P={on:digits 1}"}, {match: "NO", refused: true}]}
        """
    private static let points =
        "  - {name: power, title: {vi: P, en: P}, kind: boolean, wire: {request: power, field: on}}"
    private static let tests = """
          - {name: t, line: [{request: power, send: "P?\\r", reply: "P=1\\r"}], expect: {power: 1}}
        """

    private func problems(_ text: String) -> String {
        do throws(YAMLProblems) {
            let profile = try DeviceProfile.read(yaml: text, file: "p.yaml")
            return GoldenRunner.run(profile).map(\.description).joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    @Test func aProfileOfLinesIsReadAndItsCasesComeOut() { #expect(self.problems(self.text(line: Self.line)).isEmpty) }

    @Test(
        arguments: [
            ("port: 23", "unit: 1", "needs 'port', 'serial' or both"),
            ("terminator: \"\\r\"", "terminater: \"\\r\"", "did you mean 'terminator'?"),
            ("\"P?\"", "\"P{x}?\"", "only {unit} and {checksum}"),
            ("{on:digits 1}", "{on:digit 1}", "'digit' is none of any, digits"),
            (
                "[{match: \"P={on:digits 1}\"}, {match: \"NO\", refused: true}]", "[{match: \"NO\", refused: true}]",
                "says no reply that has a value"
            ),
            ("match: \"NO\"", "match: \"NO{why}\"", "a refusal has no values"),
            ("port: 23", "port: 23\n  form: hex", "'frame' is needed"),
            ("port: 23", "port: 23\n  frame: {start: AA, lengthAt: 3, overhead: 5}", "needs 'form: hex'"),
            ("port: 23", "port: 23\n  greeting: [{match: \"HI {r:hex 8}\", md5Prefix: q}]", "no field called 'q'"),
        ]
    )
    func aWrongLineBlockSaysWhatToChange(old: String, new: String, message: String) {
        let found = self.problems(self.text(line: Self.line.replacing(old, with: new)))
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        arguments: [
            ("field: on", "field: no", "did you mean 'on'?"),
            ("request: power", "request: powre", "did you mean 'power'?"),
            ("kind: boolean,", "kind: boolean, poll: fast,", "its request says how often"),
        ]
    )
    func aWrongPointSaysWhatToChange(old: String, new: String, message: String) {
        let found = self.problems(self.text(line: Self.line, points: Self.points.replacing(old, with: new)))
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        arguments: [
            ("send: \"P?\\r\"", "send: \"Q?\\r\"", "is sent as 'P?\\r', expected 'Q?\\r'"),
            ("reply: \"P=1\\r\"", "reply: \"P=0\\r\"", "is 0, expected 1"),
            ("reply: \"P=1\\r\"", "reply: \"X\\r\"", "is no reply to it"),
            ("reply: \"P=1\\r\"", "reply: \"NO\\r\"", "the device refuses"),
            ("reply: \"P=1\\r\"", "reply: \"P=1\"", "is no reply to it"),
        ]
    )
    func aGoldenCaseThatDoesNotComeOutSaysWhy(old: String, new: String, message: String) {
        let found = self.problems(self.text(line: Self.line, tests: Self.tests.replacing(old, with: new)))
        #expect(found.contains(message), "\(found)")
    }

    @Test func aFieldThatOneFormOfTheReplyDoesNotTellHasNoValue() {
        let line = Self.line.replacing("{match: \"NO\", refused: true}", with: "{match: \"LATER\"}")
        let tests = """
              - {name: t, line: [{request: power, reply: "LATER\\r"}], expect: {power: {quality: "bad:sentinel"}}}
            """
        #expect(self.problems(self.text(line: line, tests: tests)).isEmpty)
    }
}
