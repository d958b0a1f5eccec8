import CampusModel

@testable import AlertEngine

/// One or more signals under one rule, fed minute by minute.
struct Watch {
    /// 2026-11-24, a Tuesday, 08:00 in Ho Chi Minh City: the second lesson.
    static let start = Tick(milliseconds: 1_795_482_000_000)
    static let hours = SchoolHours(
        weekdays: [1, 2, 3, 4, 5, 6],
        lessons: [420..<465, 470..<515, 535..<580, 585..<630, 635..<675],
        utcOffsetSeconds: 25_200
    )

    var engine: AlertEngine
    var transitions: [AlertTransition] = []
    var now = Self.start

    init(
        _ condition: AlertCondition,
        signals: Int = 1,
        states: Set<TimetableState> = Set(TimetableState.allCases),
        staleAfter: Int64 = 180_000,
        change: (inout AlertRule) -> Void = { _ in }
    ) {
        var rule = AlertRule(
            id: "rule",
            title: LocalizedText(vi: "Luật", en: "Rule"),
            advice: LocalizedText(vi: "Làm", en: "Do"),
            priority: .medium
        )
        rule.flapWindow = 0
        change(&rule)
        self.init(
            rules: [rule],
            instances: [
                RuleInstance(
                    rule: 0,
                    instance: "x",
                    node: NodeID(rawValue: "p1"),
                    condition: condition,
                    states: states
                )
            ],
            signals: signals,
            staleAfter: staleAfter
        )
    }

    init(rules: [AlertRule], instances: [RuleInstance], signals: Int, staleAfter: Int64 = 180_000) {
        let set = RuleSet(
            signals: (0..<signals)
                .map {
                    RuleSet.Signal(
                        point: PointID(device: DeviceID(rawValue: "d\($0)"), name: "v"),
                        staleAfter: staleAfter
                    )
                },
            rules: rules,
            instances: instances,
            hours: Self.hours
        )
        self.engine = AlertEngine(set, at: Self.start)
    }

    static func rule(_ id: String, _ priority: AlertPriority = .medium) -> AlertRule {
        var rule = AlertRule(
            id: id,
            title: LocalizedText(vi: id, en: id),
            advice: LocalizedText(vi: id, en: id),
            priority: priority
        )
        rule.flapWindow = 0
        return rule
    }

    var state: AlertState { self.engine.memory(0).state }
    var kinds: [AlertTransition.Kind] { self.transitions.map(\.kind) }
    var activations: Int { self.transitions.count { $0.kind == .raised } }

    /// Lets `seconds` pass, then gives a value to a signal.
    mutating func feed(
        _ value: Double,
        after seconds: Double = 60,
        signal: Int = 0,
        quality: Quality = .good
    ) {
        self.now = self.now.advanced(byMilliseconds: Int64(seconds * 1_000))
        self.engine.accept([(signal, Sample(tick: self.now, value: value, quality: quality))], now: self.now)
        self.transitions += self.engine.takeTransitions()
    }

    /// Lets `seconds` pass, looking every second or every hundredth of a long time.
    mutating func wait(_ seconds: Double) {
        let end = self.now.advanced(byMilliseconds: Int64(seconds * 1_000))
        while self.now < end {
            self.now = min(self.now.advanced(byMilliseconds: max(1_000, Int64(seconds * 10))), end)
            self.engine.advance(to: self.now)
        }
        self.transitions += self.engine.takeTransitions()
    }

    mutating func perform(_ command: AlertCommand, by actor: String = "lan") throws(AlertCommandError) {
        try self.engine.perform(command, on: self.engine.key(0), by: actor, now: self.now)
        self.transitions += self.engine.takeTransitions()
    }

    static func input(_ signal: Int = 0) -> RuleInput { RuleInput(signal: signal) }
}
