import AlertEngine
import CampusModel
import StrictYAML
import Testing

@testable import AlertRules

/// Reading rules: what is wrong is told with its line, what is right is laid on a site.
struct RulePackTests {
    private static let head = """
        pack: p
        title: {vi: a, en: b}
        sources: [{id: s, title: S, status: indicative}]
        limits: {warm: {value: 30, unit: Cel, source: s}}
        rules:
          - id: r
            title: {vi: a, en: b}
            advice: {vi: a, en: b}
            priority: low

        """

    private static func problems(_ rest: String, head: String = Self.head) -> [String] {
        do throws(YAMLProblems) {
            _ = try RulePack.read(yaml: head + rest, file: "p.yaml")
            return []
        } catch {
            return error.problems.map { "\($0.line): \($0.path): \($0.message)" }
        }
    }

    private static let threshold = "    watch: {points: [temperature]}\n    unit: Cel\n    threshold: {above: warm}\n"

    @Test func aGoodFileIsRead() throws {
        let pack = try RulePack.read(yaml: Self.head + Self.threshold, file: "folder/p.yaml")
        #expect(pack.rules.map(\.rule.id) == ["r"])
        #expect(pack.rules.first?.sources == ["s"])
        guard case .threshold(let limits)? = pack.rules.first?.condition else {
            Issue.record("no threshold")
            return
        }
        #expect(limits.limit == 30)
    }

    @Test(arguments: [
        ("    watch: {points: [t]}\n    treshold: {above: 3}\n", "11: rules[0].treshold", "did you mean 'threshold'?"),
        ("    watch: {points: [t]}\n    threshold: {abov: 3}\n", "11: rules[0].threshold", "did you mean 'above'?"),
        (
            "    watch: {points: [t]}\n    threshold: {above: worm}\n", "11:",
            "there is no limit called 'worm'; did you mean 'warm'?"
        ),
        ("    watch: {points: [t]}\n    unit: \"%\"\n    threshold: {above: warm}\n", "12:", "does not become %"),
        ("    watch: {points: [t]}\n    unit: cel\n    threshold: {above: 3}\n", "11:", "did you mean 'Cel'?"),
        ("    threshold: {above: 3}\n", "6: rules[0]", "the key 'watch' is missing"),
        ("    watch: {points: [t]}\n", "6: rules[0]", "a rule needs one of the keys"),
        ("    watch: {points: [t]}\n    threshold: {above: 3}\n    missing: {for: 5 min}\n", "6:", "make two rules"),
        (
            "    watch: {points: [t]}\n    threshold: {above: 3, below: 1}\n", "11:",
            "exactly one of the keys above, below"
        ),
        ("    watch: {points: [t]}\n    threshold: {above: 3, severe: 2}\n", "11:", "is not beyond the limit"),
        ("    watch: {points: [t]}\n    threshold: {outside: [3, 2]}\n", "11:", "the lower first"),
        ("    watch: {points: [t]}\n    while: [leson]\n    missing: {}\n", "11:", "did you mean 'lesson'?"),
        ("    watch: {points: [t]}\n    onDelay: 10\n    missing: {}\n", "11:", "a time span with its unit"),
        ("    watch: {points: [t]}\n    lifeSafety: true\n    missing: {}\n", "9:", "a life-safety rule is critical"),
        ("    watch: {points: [t]}\n    severePriority: medium\n    anomaly: {bits: 9}\n", "9:", "is of low priority"),
        ("    watch: {points: [t]}\n    forecast: {is: 3}\n", "11:", "goes 'above' or 'below'"),
        ("    watch: {points: [t]}\n    forecast: {above: 3, step: 10 s, season: 7 d}\n", "11:", "make 'step' longer"),
        ("    watch: {points: [t]}\n    aggregate: {of: mea, above: 3}\n", "11:", "did you mean 'mean'?"),
        ("    watch: {points: [t]}\n    quality: {reasons: [rang]}\n", "11:", "did you mean 'range'?"),
        (
            "    watch: {points: [t]}\n    excess: {over: 3, under: 2, above: 1}\n", "11:",
            "exactly one of the keys 'over'"
        ),
        ("    all: []\n", "10:", "needs at least one part"),
        ("    all: [{is: 1}]\n", "10:", "the key 'points' is missing"),
        (
            "    cause: power\n    suppressedBy: [power]\n    watch: {points: [t]}\n    missing: {}\n", "11:",
            "does not suppress itself"
        ),
        ("    watch: {points: [t]}\n    threshold: {above: 3, byState: {lesso: 2}}\n", "11:", "did you mean 'lesson'?"),
    ])
    func whatIsWrongIsToldWithItsLine(rest: String, place: String, text: String) {
        let found = Self.problems(rest)
        #expect(found.contains { $0.hasPrefix(place) && $0.contains(text) }, "\(found)")
    }

    @Test func headsAreChecked() {
        let bad = Self.head.replacing("source: s}", with: "source: x}").replacing("pack: p", with: "pack: q")
        let found = Self.problems(Self.threshold, head: bad)
        #expect(found.contains { $0.hasPrefix("1:") && $0.contains("the file must be called q.yaml") })
        #expect(found.contains { $0.hasPrefix("4:") && $0.contains("there is no source called 'x'") })
    }

    @Test func aRuleNameIsUsedOnce() {
        let rule = Self.head.split(separator: "\n", omittingEmptySubsequences: false).suffix(5).joined(separator: "\n")
        let found = Self.problems(Self.threshold + rule + Self.threshold)
        #expect(found.contains { $0.contains("another rule is called 'r' already") }, "\(found)")
    }
}

/// Laying rules on a site.
struct RuleBindingTests {
    private static func site() -> WatchedSite {
        let nodes: [WatchedSite.Node] = [
            .init(id: NodeID(rawValue: "s"), parent: nil, kind: "site"),
            .init(id: NodeID(rawValue: "a"), parent: NodeID(rawValue: "s"), kind: "building"),
            .init(id: NodeID(rawValue: "a1"), parent: NodeID(rawValue: "a"), kind: "room", room: "classroom"),
            .init(id: NodeID(rawValue: "a2"), parent: NodeID(rawValue: "a"), kind: "room", room: "office"),
        ]
        func point(_ text: String, _ node: String, _ unit: String, _ bus: String = "mqtt") -> WatchedSite.Point {
            let parts = text.split(separator: "/").map(String.init)
            return WatchedSite.Point(
                id: PointID(device: DeviceID(rawValue: parts[0]), name: parts[1]),
                node: NodeID(rawValue: node),
                unit: unit,
                profile: "test",
                category: "environment",
                bus: bus,
                interval: 60_000
            )
        }
        return WatchedSite(
            nodes: nodes,
            points: [
                point("d1/temperature", "a1", "Cel"), point("d2/temperature", "a1", "[degF]", "bus-1"),
                point("d3/temperature", "a2", "%"), point("d1/power", "a1", "W"),
            ],
            hours: SchoolHours(weekdays: [1], lessons: [], utcOffsetSeconds: 0)
        )
    }

    private static func bind(_ rest: String) throws -> RuleBinding {
        let yaml = """
            pack: p
            title: {vi: a, en: b}
            rules:
              - id: r
                title: {vi: a, en: b}
                advice: {vi: a, en: b}
                priority: low

            """
        return RuleBinding(try RulePack.read(yaml: yaml + rest, file: "p.yaml").rules, on: Self.site())
    }

    @Test func onePointEachAndUnitsThatDoNotFitAreTold() throws {
        let binding = try Self.bind("    watch: {points: [temperature]}\n    unit: Cel\n    threshold: {above: 3}\n")
        #expect(binding.set.instances.map(\.instance) == ["d1/temperature", "d2/temperature"])
        #expect(binding.problems.map(\.text.en) == ["d3/temperature is in %, which does not become Cel"])
    }

    @Test func roomsAndBuildings() throws {
        let rest =
            "    watch: {points: [temperature], rooms: [classroom]}\n    unit: Cel\n    aggregate: {of: mean, above: 3}\n"
        let rooms = try Self.bind("    per: room\n" + rest)
        #expect(rooms.set.instances.map(\.instance) == ["a1"])
        guard case .aggregate(let inputs, .mean, _, 1)? = rooms.set.instances.first?.condition else {
            Issue.record("no aggregate")
            return
        }
        #expect(inputs.map(\.signal) == [0, 1])
        #expect(try Self.bind("    per: building\n" + rest).set.instances.map(\.instance) == ["a"])
        #expect(try Self.bind("    per: site\n" + rest).set.instances.map(\.instance) == ["s"])
    }

    @Test func aRuleThatWatchesNothingIsIdle() throws {
        #expect(try Self.bind("    watch: {points: [none]}\n    missing: {}\n").idle == ["r"])
    }

    @Test func severalPointsNeedAnAggregate() throws {
        let binding = try Self.bind(
            "    per: room\n    watch: {points: [temperature]}\n    unit: Cel\n    threshold: {above: 3}\n"
        )
        #expect(binding.problems.contains { $0.text.en.contains("a1 has 2 points; use 'aggregate'") })
    }

    @Test func aDeviceIsMissingWhenAllOfItIs() throws {
        let binding = try Self.bind("    per: device\n    watch: {}\n    missing: {}\n")
        #expect(binding.set.instances.map(\.instance) == ["d1", "d2", "d3"])
        #expect(
            binding.set.instances.first?.condition
                == .missing([RuleInput(signal: 0), RuleInput(signal: 3)], span: 180_000)
        )
        #expect(binding.set.instances.first?.places == ["a1", "a", "s", "bus:mqtt"])
    }

    @Test func aJoinLooksInTheSameRoom() throws {
        let binding = try Self.bind(
            "    per: device\n    all:\n      - {points: [power], above: 3}\n      - {points: [temperature], above: 30, unit: Cel, every: true}\n"
        )
        #expect(binding.set.instances.map(\.instance) == ["d1"])
        guard case .join(let terms)? = binding.set.instances.first?.condition else {
            Issue.record("no join")
            return
        }
        #expect(terms.map { $0.inputs.map(\.signal) } == [[3], [0, 1]])
    }
}
