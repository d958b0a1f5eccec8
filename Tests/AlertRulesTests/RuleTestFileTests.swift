import AlertEngine
import CampusModel
import Foundation
import StrictYAML
import Testing

@testable import AlertRules

/// Files of rule tests, and the packs that come with the gateway.
struct RuleTestFileTests {
    private static let folder: String = {
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
            + "/deploy/rules"
    }()

    private static let rules = """
        pack: p
        title: {vi: a, en: b}
        rules:
          - {id: r, title: {vi: a, en: b}, advice: {vi: a, en: b}, priority: low, watch: {points: [v]}, threshold: {above: 3}}
        """

    private static func run(_ tests: String) throws -> [String] {
        let yaml = "rules: [p.yaml]\npoints: [{id: d/v}]\ntests:\n" + tests
        let file = try RuleTestFile.read(yaml: yaml, file: "p.test.yaml")
        let pack = try RulePack.read(yaml: Self.rules, file: "p.yaml")
        return RuleTestRunner.run(file, rules: pack.rules).results.flatMap(\.failures)
    }

    @Test func valuesAreWrittenAsInPromtool() throws {
        let yaml = """
            rules: [p.yaml]
            points: [{id: d/v}]
            tests:
              - name: n
                start: "2026-11-24 08:00"
                series: [{point: d/v, values: "1 2x2 -2+4x3 _ _x2 5-1x1 bad:range 1e2"}]
                expect: [{at: 0 s, active: []}]
            """
        let file = try RuleTestFile.read(yaml: yaml, file: "t.yaml")
        let expected: [RuleTestFile.Step] =
            [1, 2, 2, 2, -2, 2, 6, 10].map { .value($0) } + [.nothing, .nothing, .nothing, .value(5), .value(4)]
            + [.quality(.bad(.range)), .value(100)]
        #expect(file.tests.first?.series.first?.steps == expected)
        #expect(file.tests.first?.start == Tick(milliseconds: 1_795_482_000_000))
    }

    @Test func whatIsNotAsExpectedIsTold() throws {
        let failures = try Self.run(
            """
              - name: n
                start: "2026-11-24 08:00"
                series: [{point: d/v, values: "1 5 1"}]
                expect:
                  - {at: 1 min, alert: "r:d/v", state: normal}
                  - {at: 1 min, active: []}
                  - {at: 2 min, alert: "r:d/v", state: returned-unacknowledged, activations: 2}
                  - {at: 2 min, alert: "q:d/v", state: normal}
                  - {at: 2 min, calls: 5}
            """
        )
        #expect(failures.count == 5)
        #expect(failures.first == "line 8, at 1 min: r:d/v is unacknowledged, expected normal")
        #expect(failures.contains("line 11, at 2 min: there is no alert q:d/v; there are r:d/v"))
    }

    @Test func aDeedThatIsRefusedFails() throws {
        let failures = try Self.run(
            """
              - name: n
                start: "2026-11-24 08:00"
                do: [{at: 1 s, on: "r:d/v", what: acknowledge}]
                expect: [{at: 1 s, active: []}]
            """
        )
        #expect(failures.count == 1)
    }

    @Test(arguments: [
        ("{name: n, start: \"2026-11-24\", expect: [{at: 1 s, active: []}]}", "written as \"2026-11-24 08:00\""),
        ("{name: n, start: \"2026-11-24 08:00\"}", "the key 'expect' is missing or empty"),
        (
            "{name: n, start: \"2026-11-24 08:00\", series: [{point: d/w, values: \"1\"}], expect: [{at: 1 s, active: []}]}",
            "did you mean 'd/v'?"
        ),
        (
            "{name: n, start: \"2026-11-24 08:00\", series: [{point: d/v, values: \"1xx2\"}], expect: [{at: 1 s, active: []}]}",
            "'1xx2' is none of"
        ),
        (
            "{name: n, start: \"2026-11-24 08:00\", expect: [{at: 1 s, alert: r, state: normal}]}",
            "is written rule:instance"
        ),
        (
            "{name: n, start: \"2026-11-24 08:00\", expect: [{at: 1 s, alert: \"r:d/v\", state: norml}]}",
            "did you mean 'normal'?"
        ),
        (
            "{name: n, start: \"2026-11-24 08:00\", do: [{at: 1 s, on: \"r:d/v\", what: shelf}], expect: [{at: 1 s, active: []}]}",
            "did you mean 'shelve'?"
        ),
    ])
    func badTestFiles(test: String, expected: String) {
        #expect {
            _ = try RuleTestFile.read(yaml: "rules: [p]\npoints: [{id: d/v}]\ntests:\n  - \(test)\n", file: "t.yaml")
        } throws: { "\($0)".contains(expected) && "\($0)".contains("t.yaml:4:") }
    }

    @Test func thePacksThatComeWithTheGatewayAreGood() throws {
        let library = RuleLibrary(folders: [Self.folder])
        #expect(library.problems.map(\.description) == [])
        #expect(library.packs.count == 13)
        for template in library.templates {
            #expect(template.rule.advice.vi.count > 10, "\(template.rule.id): what to do is said")
        }
        // ISA-18.2: most are low, few are critical.
        let low = library.templates.count { $0.rule.priority == .low }
        #expect(low * 2 >= library.templates.count)
    }

    @Test func thePacksPassTheirTests() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
            .filter { $0.hasSuffix(".test.yaml") }
        #expect(names.count >= 2)
        for name in names {
            let path = "\(Self.folder)/\(name)"
            let file = try RuleTestFile.read(yaml: String(contentsOfFile: path, encoding: .utf8), file: name)
            let library = RuleLibrary(files: file.ruleFiles.map { "\(Self.folder)/\($0)" })
            let (results, binding) = RuleTestRunner.run(file, rules: library.templates)
            #expect(results.flatMap(\.failures) == [], "\(name)")
            #expect(binding.problems.map(\.text.en) == [])
        }
    }
}
