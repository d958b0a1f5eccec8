internal import AlertEngine
internal import CampusModel
internal import StrictYAML

/// Reads one rule.
struct RuleReader {
    let map: YAMLMap
    let limits: [String: RulePack.CitedLimit]

    private static let day: Int64 = 86_400_000
    /// A condition is one of these keys.
    private static let kinds = [
        "threshold", "rate", "stuck", "missing", "quality", "aggregate", "all", "counter", "runHours", "excess",
        "forecast", "anomaly",
    ]

    func read() -> RuleTemplate? {
        let id = RuleParts.identifier("id", "rule", self.map)
        let title = RuleParts.localized("title", self.map, limit: 200)
        let advice = RuleParts.localized("advice", self.map, limit: 1_000)
        let priority = self.priority("priority", isRequired: true)
        let unit = RuleParts.unit("unit", self.map)
        let watch = self.map.optionalMap("watch")
        let selection = watch.map { map in
            let selection = Self.selection(map)
            map.finish()
            return selection
        }
        let scope = self.map.choice("per", of: RuleTemplate.Scope.self, default: .point)
        let reach = self.map.choice("reach", of: RuleTemplate.Reach.self, default: .node)
        let states = RuleParts.states("while", self.map) ?? Set(TimetableState.allCases)
        let reader = ConditionReader(limits: self.limits, unit: unit)
        let condition = self.condition(reader)
        if selection == nil, let condition, condition.word != "all" { self.map.problem("the key 'watch' is missing") }
        let none = LocalizedText(vi: "", en: "")
        // A rule that lacks something is read to its end, so that all its problems are told.
        var rule = AlertRule(id: id ?? "", title: title ?? none, advice: advice ?? none, priority: priority ?? .low)
        rule.severePriority = self.priority("severePriority", isRequired: false) ?? rule.priority
        if rule.severePriority < rule.priority {
            self.map.problem(at: "severePriority", "is lower than 'priority'")
        }
        rule.unit = unit ?? "1"
        self.readTimes(into: &rule)
        guard id != nil, title != nil, advice != nil, priority != nil else { return nil }
        self.check(rule, condition)
        guard let condition else { return nil }
        return RuleTemplate(
            rule: rule,
            watch: selection ?? RuleTemplate.Selection(),
            scope: scope,
            reach: reach,
            states: states,
            condition: condition,
            unit: unit,
            sources: reader.used.values,
            line: self.map.line
        )
    }

    private func readTimes(into rule: inout AlertRule) {
        rule.isLifeSafety = self.map.bool("lifeSafety", default: false)
        rule.isLatching = self.map.bool("latching", default: false)
        rule.acknowledgesItself = self.map.bool("acknowledgesItself", default: false)
        rule.onDelay = self.map.milliseconds("onDelay", in: 0...(30 * Self.day), default: 0)
        rule.offDelay = self.map.milliseconds("offDelay", in: 0...(30 * Self.day), default: 0)
        rule.realarm = self.map.milliseconds("realarm", in: 0...(30 * Self.day), default: 0)
        rule.shelfMax = self.map.milliseconds(
            "shelfMax",
            in: 60_000...(30 * Self.day),
            default: rule.isLifeSafety ? 3_600_000 : 8 * 3_600_000
        )
        rule.flapWindow = self.map.milliseconds(
            "flapWindow",
            in: 0...Self.day,
            default: rule.isLifeSafety ? 0 : 3_600_000
        )
        if self.map.optional("cause") != nil {
            rule.cause = self.map.choice("cause", of: AlertRule.Cause.self)
        }
        rule.suppressedBy = Set(
            self.map.list("suppressedBy", limit: 8).compactMap { $0.choice(of: AlertRule.Cause.self) }
        )
    }

    private func priority(_ key: String, isRequired: Bool) -> AlertPriority? {
        guard let value = isRequired ? self.map.required(key) : self.map.optional(key) else { return nil }
        guard let text = value.scalarText, let priority = AlertPriority(word: text) else {
            RuleParts.unknown(value.scalarText ?? "", among: AlertPriority.allCases.map(\.word), value)
            return nil
        }
        return priority
    }

    static func selection(_ map: YAMLMap) -> RuleTemplate.Selection {
        var selection = RuleTemplate.Selection()
        selection.points = RuleParts.texts("points", map)
        selection.rooms = RuleParts.texts("rooms", map)
        selection.categories = RuleParts.texts("categories", map)
        selection.profiles = RuleParts.texts("profiles", map)
        selection.devices = RuleParts.texts("devices", map)
        selection.nodes = RuleParts.texts("nodes", map)
        selection.buses = RuleParts.texts("buses", map)
        return selection
    }

    private func condition(_ reader: ConditionReader) -> RuleTemplate.Condition? {
        let found = Self.kinds.filter { self.map.optional($0) != nil }
        guard found.count == 1, let kind = found.first else {
            self.map.problem(
                found.isEmpty
                    ? "a rule needs one of the keys \(Self.kinds.joined(separator: ", "))"
                    : "a rule has one condition; here are \(found.joined(separator: " and ")): make two rules"
            )
            return nil
        }
        guard let value = self.map.optional(kind) else { return nil }
        return reader.read(kind, value)
    }

    private func check(_ rule: AlertRule, _ condition: RuleTemplate.Condition?) {
        if rule.isLifeSafety, rule.priority != .critical {
            self.map.problem(at: "priority", "a life-safety rule is critical")
        }
        if rule.isLifeSafety, !rule.suppressedBy.isEmpty {
            self.map.problem(at: "suppressedBy", "a life-safety alert is never suppressed; remove this key")
        }
        if rule.isLifeSafety, rule.acknowledgesItself {
            self.map.problem(at: "acknowledgesItself", "somebody has to know of a life-safety alert; remove this key")
        }
        if let cause = rule.cause, rule.suppressedBy.contains(cause) {
            self.map.problem(at: "suppressedBy", "a cause does not suppress itself; remove '\(cause.rawValue)'")
        }
        if case .anomaly? = condition, rule.priority != .low || rule.severePriority != .low {
            self.map.problem(at: "priority", "what is only strange is of low priority")
        }
    }
}
