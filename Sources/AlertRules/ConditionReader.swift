internal import AlertEngine
internal import CampusModel
internal import StrictYAML

/// Reads the condition of a rule.
struct ConditionReader {
    /// Collects which cited limits a rule uses.
    final class Used {
        private(set) var values: [String] = []

        func insert(_ source: String) { if !self.values.contains(source) { self.values.append(source) } }
    }

    let limits: [String: RulePack.CitedLimit]
    let unit: String?
    let used = Used()

    private static let day: Int64 = 86_400_000
    private static let comparisons = ["above", "below", "is", "isNot", "outside"]

    init(limits: [String: RulePack.CitedLimit], unit: String?) {
        self.limits = limits
        self.unit = unit
    }

    func read(_ kind: String, _ value: YAMLValue) -> RuleTemplate.Condition? {
        if kind == "all" {
            let terms = value.list(limit: 16).compactMap { self.term($0.map()) }
            if terms.isEmpty { value.problem("needs at least one part") }
            return .join(terms)
        }
        let map = value.map()
        defer { map.finish() }
        switch kind {
        case "threshold": return self.limits(map).map { .threshold($0) }
        case "rate":
            let window = map.milliseconds("window", in: 10_000...Self.day, default: 600_000)
            let per = map.milliseconds("per", in: 1_000...Self.day, default: 3_600_000)
            return self.limits(map).map { .rate($0, window: window, per: per) }
        case "stuck":
            guard let span = map.required("for")?.milliseconds(in: 60_000...(30 * Self.day)) else { return nil }
            return .stuck(
                span: span,
                tolerance: map.double("tolerance", default: 0),
                partner: map.optionalString("whileChanging", limit: 64),
                partnerTolerance: map.double("whileChangingBy", default: 0)
            )
        case "missing":
            return .missing(span: map.optional("for").flatMap { $0.milliseconds(in: 5_000...(30 * Self.day)) })
        case "quality": return self.quality(map)
        case "aggregate": return self.aggregate(map)
        default: return self.overTime(kind, map)
        }
    }

    private func overTime(_ kind: String, _ map: YAMLMap) -> RuleTemplate.Condition? {
        switch kind {
        case "counter":
            let window = map.milliseconds("window", in: 60_000...(31 * Self.day), default: Self.day)
            return self.limits(map).map { .counter($0, window: window) }
        case "runHours": return self.limits(map, unit: "h").map { .runHours($0) }
        case "excess":
            let over = map.optional("over").flatMap { self.number($0, unit: self.unit) }
            let under = map.optional("under").flatMap { self.number($0, unit: self.unit) }
            let limits = self.limits(map, isCited: false)
            guard let base = over ?? under, (over == nil) != (under == nil) else {
                map.problem("exactly one of the keys 'over' and 'under' is needed")
                return nil
            }
            return limits.map { .excess(over: base, isBelow: under != nil, $0) }
        case "forecast":
            let step = map.milliseconds("step", in: 10_000...3_600_000, default: 300_000)
            let season = map.milliseconds("season", in: 0...(7 * Self.day), default: Self.day)
            let within = map.milliseconds("within", in: 10_000...Self.day, default: 1_800_000)
            let steps = season / step
            if steps > 2_016 { map.problem(at: "season", "has more than 2016 steps; make 'step' longer") }
            if within / step > 288 || within < step {
                map.problem(at: "within", "is 1 to 288 steps long")
            }
            let limits = self.limits(map)
            if let comparison = limits?.comparison, comparison != .above, comparison != .below {
                map.problem("a forecast goes 'above' or 'below'")
                return nil
            }
            return limits.map {
                .forecast(
                    $0,
                    step: step,
                    season: Int(clamping: min(steps, 2_016)),
                    horizon: Int(clamping: max(1, min(within / step, 288)))
                )
            }
        default:
            let bits = map.required("bits")?.double(in: 1...100)
            return bits.map { .anomaly(Limits(.above, $0)) }
        }
    }

    private func quality(_ map: YAMLMap) -> RuleTemplate.Condition {
        let all = Quality.Reason.allCases.filter { $0 != .none }
        let words = all.map { "\($0)" }
        var reasons: Set<Quality.Reason> = []
        for value in map.list("reasons", limit: 16) {
            if let reason = all.first(where: { "\($0)" == value.scalarText }) {
                reasons.insert(reason)
            } else {
                RuleParts.unknown(value.scalarText ?? "", among: words, value)
            }
        }
        return .quality(
            reasons: reasons.isEmpty ? Set(all) : reasons,
            uncertainToo: map.bool("uncertainToo", default: false)
        )
    }

    private func aggregate(_ map: YAMLMap) -> RuleTemplate.Condition? {
        let words = AlertCondition.Aggregate.allCases.map { "\($0)" }
        let quorum = map.int("quorum", in: 1...10_000, default: 1)
        let function = map.required("of")
        let aggregate = AlertCondition.Aggregate.allCases.first { "\($0)" == function?.scalarText }
        if let function, aggregate == nil { RuleParts.unknown(function.scalarText ?? "", among: words, function) }
        let unit: String? =
            switch aggregate {
            case .count?: "1"
            case .silent?: "%"
            default: self.unit
            }
        let limits = self.limits(map, unit: unit)
        guard let aggregate, let limits else { return nil }
        return .aggregate(aggregate, limits, quorum: quorum)
    }

    private func term(_ map: YAMLMap) -> RuleTemplate.Term? {
        let selection = RuleReader.selection(map)
        let isEvery = map.bool("every", default: false)
        let held = map.milliseconds("for", in: 0...Self.day, default: 0)
        let unit = RuleParts.unit("unit", map)
        let limits = self.comparison(map, unit: unit)
        map.finish()
        if selection.points.isEmpty { map.problem("the key 'points' is missing") }
        guard let limits else { return nil }
        return RuleTemplate.Term(
            selection: selection,
            isEvery: isEvery,
            comparison: limits.comparison,
            limit: limits.limit,
            upper: limits.upper,
            held: held,
            unit: unit
        )
    }

    private func limits(_ map: YAMLMap) -> Limits? { self.limits(map, unit: self.unit) }

    private func limits(_ map: YAMLMap, isCited: Bool) -> Limits? { self.limits(map, unit: nil) }

    private func limits(_ map: YAMLMap, unit: String?) -> Limits? {
        let deadband = map.optional("deadband").flatMap { $0.double(in: 0...1e12) } ?? 0
        let severe = map.optional("severe").flatMap { self.number($0, unit: unit) }
        var byState: [TimetableState: Double] = [:]
        if let inner = map.optionalMap("byState") {
            for key in inner.keys {
                guard let value = inner.required(key) else { continue }
                guard let state = TimetableState(word: key) else {
                    RuleParts.unknown(key, among: TimetableState.allCases.map(\.word), value)
                    continue
                }
                byState[state] = self.number(value, unit: unit)
            }
        }
        guard var limits = self.comparison(map, unit: unit) else { return nil }
        limits.deadband = deadband
        limits.severe = severe
        limits.byState = byState
        if let severe,
            limits.comparison == .above && severe < limits.limit
                || limits.comparison == .below && severe > limits.limit
        {
            map.problem(at: "severe", "is not beyond the limit")
        }
        return limits
    }

    private func comparison(_ map: YAMLMap, unit: String?) -> Limits? {
        let found = Self.comparisons.filter { map.optional($0) != nil }
        guard found.count == 1, let word = found.first, let value = map.optional(word) else {
            map.problem("exactly one of the keys \(Self.comparisons.joined(separator: ", ")) is needed")
            return nil
        }
        switch word {
        case "outside":
            let bounds = value.list(limit: 2).compactMap { self.number($0, unit: unit) }
            guard bounds.count == 2, bounds[0] < bounds[1] else {
                value.problem("must be two numbers, the lower first, such as [207, 253]")
                return nil
            }
            return Limits(.outside, bounds[0], upper: bounds[1])
        case "below": return self.number(value, unit: unit).map { Limits(.below, $0) }
        case "is": return self.number(value, unit: unit).map { Limits(.equal, $0) }
        case "isNot": return self.number(value, unit: unit).map { Limits(.notEqual, $0) }
        default: return self.number(value, unit: unit).map { Limits(.above, $0) }
        }
    }

    /// A number, `true`, `false`, or the name of a cited limit, in `unit`.
    private func number(_ value: YAMLValue, unit: String?) -> Double? {
        if let number = value.numberIfAny { return number }
        switch value.plainText {
        case "true": return 1
        case "false": return 0
        default: break
        }
        guard let name = value.scalarText, value.plainText?.first?.isLetter == true else {
            return value.double()
        }
        guard let cited = self.limits[name] else {
            let near = NearestWord.suggestion(for: name, among: self.limits.keys.sorted())
            value.problem(
                "there is no limit called '\(name.prefix(60))'\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
            return nil
        }
        guard let conversion = UnitConversion(from: cited.unit, to: unit ?? "1") else {
            value.problem(
                "the limit '\(name)' is in \(cited.unit), which does not become \(unit ?? "1"); set 'unit' of the rule"
            )
            return nil
        }
        self.used.insert(cited.source)
        return conversion.apply(cited.value)
    }
}
