internal import AlertEngine
internal import CampusModel
package import StrictYAML

extension RuleTestFile {
    /// Reads a file of tests.
    ///
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> RuleTestFile {
        let document = try YAMLDocument(yaml, file: file)
        let read = RuleTestReader(root: document.root).read(file: file)
        document.root.finish()
        try document.check()
        return read
    }
}

/// Reads a file of tests.
private struct RuleTestReader {
    let root: YAMLMap

    private static let day: Int64 = 86_400_000
    /// Values of one series.
    private static let stepsMax = 200_000

    func read(file: String) -> RuleTestFile {
        let rules = RuleParts.texts("rules", self.root)
        if rules.isEmpty { self.root.problem("the key 'rules' is missing: which files are tested?") }
        let hours = TimetableReader.read(self.root.optionalMap("timetable"), utcOffsetSeconds: 25_200)
        var nodes = [WatchedSite.Node(id: NodeID(rawValue: "site"), parent: nil, kind: "site")]
        for value in self.root.list("rooms", limit: 1_000) {
            let map = value.map()
            let id = RuleParts.identifier("id", "room", map)
            let kind = map.optionalString("kind", limit: 64)
            map.finish()
            if let id {
                nodes.append(
                    .init(id: NodeID(rawValue: id), parent: NodeID(rawValue: "site"), kind: "room", room: kind)
                )
            }
        }
        let rooms = Set(nodes.map(\.id.rawValue))
        let points = self.root.list("points", limit: 5_000).compactMap { self.point($0.map(), rooms) }
        let indexes = Dictionary(
            points.enumerated().map { ($1.id.description, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let tests = self.root.list("tests", limit: 1_000).compactMap { self.test($0.map(), points, indexes, hours) }
        if tests.isEmpty { self.root.problem("the key 'tests' is missing or empty") }
        return RuleTestFile(
            file: file,
            ruleFiles: rules,
            site: WatchedSite(nodes: nodes, points: points, hours: hours),
            tests: tests
        )
    }

    private func point(_ map: YAMLMap, _ rooms: Set<String>) -> WatchedSite.Point? {
        let text = map.string("id", limit: 140)
        let id = text.flatMap { PointID($0) }
        if text != nil, id == nil { map.problem(at: "id", "is written device/point, such as p101-air/co2") }
        let room = map.optionalString("room", limit: 64) ?? "site"
        if !rooms.contains(room) {
            let near = NearestWord.suggestion(for: room, among: rooms.sorted()).map { "; did you mean '\($0)'?" }
            map.problem(at: "room", "there is no room called '\(room)'\(near ?? "")")
        }
        let unit = RuleParts.unit("unit", map) ?? "1"
        let every = map.milliseconds("every", in: 1_000...Self.day, default: 60_000)
        let category = map.optionalString("category", limit: 64) ?? "environment"
        let profile = map.optionalString("profile", limit: 64) ?? "test"
        let bus = map.optionalString("bus", limit: 64) ?? "mqtt"
        map.finish()
        return id.map {
            WatchedSite.Point(
                id: $0,
                node: NodeID(rawValue: room),
                unit: unit,
                profile: profile,
                category: category,
                bus: bus,
                interval: every
            )
        }
    }

    private func test(
        _ map: YAMLMap,
        _ points: [WatchedSite.Point],
        _ indexes: [String: Int],
        _ hours: SchoolHours
    ) -> RuleTestFile.Test? {
        let name = map.string("name", limit: 200)
        let start = map.required("start").flatMap { self.start($0, hours) }
        let series = map.list("series", limit: 5_000).compactMap { self.series($0.map(), points, indexes) }
        let deeds = map.list("do", limit: 1_000).compactMap { self.deed($0.map()) }
        let expectations = map.list("expect", limit: 5_000).compactMap { self.expectation($0.map()) }
        if expectations.isEmpty { map.problem("a test expects something: the key 'expect' is missing or empty") }
        map.finish()
        guard let name, let start else { return nil }
        return .init(
            name: name,
            line: map.line,
            start: start,
            series: series,
            deeds: deeds,
            expectations: expectations
        )
    }

    /// `2026-11-24 08:00`, local time.
    private func start(_ value: YAMLValue, _ hours: SchoolHours) -> Tick? {
        let parts = value.scalarText?.split(separator: " ").map(String.init) ?? []
        guard parts.count == 2, let day = TimetableReader.day(parts[0]),
            let minute = TimetableReader.minute(Substring(parts[1]))
        else {
            value.problem("must be local time, written as \"2026-11-24 08:00\"")
            return nil
        }
        return Tick(milliseconds: day * Self.day + Int64(minute) * 60_000 - hours.utcOffsetSeconds * 1_000)
    }

    private func series(
        _ map: YAMLMap,
        _ points: [WatchedSite.Point],
        _ indexes: [String: Int]
    ) -> RuleTestFile.Series? {
        let name = map.string("point", limit: 140)
        let index = name.flatMap { indexes[$0] }
        if let name, index == nil {
            let near = NearestWord.suggestion(for: name, among: indexes.keys.sorted())
            map.problem(
                at: "point",
                "there is no point called '\(name)'\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
        }
        let every = map.milliseconds(
            "every",
            in: 100...Self.day,
            default: index.map { points[$0].interval } ?? 60_000
        )
        let values = map.required("values")
        map.finish()
        guard let index, let values, let steps = self.steps(values) else { return nil }
        return .init(point: index, every: every, steps: steps)
    }

    /// `1 2 3`, `1x4` (1 and four more), `1+2x3` (1 3 5 7), `_x3` (three times nothing), `bad:range`.
    private func steps(_ value: YAMLValue) -> [RuleTestFile.Step]? {
        var steps: [RuleTestFile.Step] = []
        for word in (value.scalarText ?? "").split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "x", omittingEmptySubsequences: false)
            let times = parts.count == 2 ? Int(parts[1]) : 0
            guard parts.count <= 2, let times, times >= 0, steps.count + times < Self.stepsMax,
                let more = self.expanded(String(parts[0]), times, isRepeated: parts.count == 2)
            else {
                value.problem(
                    "'\(word.prefix(40))' is none of 21.5, 21x9 (ten of them), 400+10x5, _x3 and bad:sentinel"
                )
                return nil
            }
            steps += more
        }
        return steps
    }

    private func expanded(_ word: String, _ times: Int, isRepeated: Bool) -> [RuleTestFile.Step]? {
        if word == "_" { return Array(repeating: .nothing, count: isRepeated ? times : 1) }
        if let number = Double(word), number.isFinite { return Array(repeating: .value(number), count: times + 1) }
        if word.contains(":"), let quality = Quality(word) {
            return Array(repeating: .quality(quality), count: times + 1)
        }
        // The sign of the second number is the separator; the first one's is at the beginning.
        guard let sign = word.dropFirst().lastIndex(where: { $0 == "+" || $0 == "-" }),
            let first = Double(word[..<sign]), let change = Double(word[sign...]), first.isFinite, change.isFinite
        else { return nil }
        return (0...times).map { .value(first + change * Double($0)) }
    }

    private func instant(_ map: YAMLMap) -> Int64? {
        map.required("at")?.milliseconds(in: 0...(400 * Self.day))
    }

    private func key(_ key: String, _ map: YAMLMap) -> AlertKey? {
        guard let text = map.string(key, limit: 300) else { return nil }
        if let found = AlertKey(text) { return found }
        map.problem(at: key, "is written rule:instance, such as co2-high:p101-air/co2")
        return nil
    }

    private func deed(_ map: YAMLMap) -> RuleTestFile.Deed? {
        let at = self.instant(map)
        let key = self.key("on", map)
        let actor = map.optionalString("by", limit: 64) ?? "tester"
        let second = map.optionalString("with", limit: 64)
        let word = map.string("what", limit: 32)
        let length = map.optional("length").flatMap { $0.milliseconds(in: 1...(400 * Self.day)) }
        map.finish()
        let words = [
            "acknowledge", "reset", "restart", "shelve", "unshelve", "out-of-service", "in-service",
        ]
        let command: RuleTestFile.Command
        switch word {
        case "acknowledge": command = .acknowledge
        case "reset": command = .reset
        case "restart": command = .restart
        case "shelve": command = .shelve(milliseconds: length ?? 3_600_000, second: second)
        case "unshelve": command = .unshelve
        case "out-of-service": command = .takeOutOfService(second: second)
        case "in-service": command = .returnToService
        default:
            if let word, let value = map.optional("what") { RuleParts.unknown(word, among: words, value) }
            return nil
        }
        guard let at, let key else { return nil }
        return .init(at: at, key: key, actor: actor, command: command)
    }

    private func expectation(_ map: YAMLMap) -> RuleTestFile.Expectation? {
        let at = self.instant(map)
        defer { map.finish() }
        let isActive = map.optional("active") != nil
        let calls = map.optional("calls").flatMap { $0.int(in: 0...1_000_000) }
        var subject: RuleTestFile.Expectation.Subject?
        if isActive {
            subject = .active(Set(map.list("active", limit: 5_000).compactMap { $0.string(limit: 300) }))
        } else if let calls {
            subject = .calls(calls)
        } else {
            let key = self.key("alert", map)
            let state = map.choice("state", of: AlertState.self)
            let activations = map.optional("activations").flatMap { $0.int(in: 0...1_000_000) }
            if let key, let state { subject = .alert(key, state: state, activations: activations.map { Int64($0) }) }
        }
        guard let at, let subject else { return nil }
        return .init(at: at, subject: subject, line: map.line)
    }
}
