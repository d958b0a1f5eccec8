package import AlertEngine
package import CampusModel

/// Rules in words, for people who do not read YAML.
package enum RuleWords {
    /// A rule in some lines: what it waits for, how long, when, and where its limits come from.
    package static func lines(_ template: RuleTemplate, _ pack: RulePack?, in language: Language) -> [String] {
        let rule = template.rule
        let isVi = language == .vi
        var lines = ["\(rule.id): \(rule.title.text(in: language)) [\(self.priority(rule.priority, in: language))]"]
        lines.append("  \(self.condition(template, in: language))")
        var times: [String] = []
        if rule.onDelay > 0 { times.append("\(isVi ? "kéo dài" : "for") \(self.span(rule.onDelay, in: language))") }
        if rule.offDelay > 0 {
            times.append(
                "\(isVi ? "hết sau khi bình thường" : "over when normal for") \(self.span(rule.offDelay, in: language))"
            )
        }
        if template.states.count < TimetableState.allCases.count {
            let states = template.states.sorted { $0.rawValue < $1.rawValue }
                .map { self.state($0, in: language) }.joined(separator: ", ")
            times.append("\(isVi ? "chỉ khi" : "only during") \(states)")
        }
        if !times.isEmpty { lines.append("  \(times.joined(separator: "; "))") }
        for source in pack?.sources.filter({ template.sources.contains($0.id) }) ?? [] {
            let status =
                source.status == .indicative
                ? (isVi ? "tham khảo" : "indicative") : (isVi ? "cần thiết bị đã hiệu chuẩn" : "calibrated")
            lines.append("  \(source.title) (\(status))")
        }
        lines.append("  → \(rule.advice.text(in: language))")
        return lines
    }

    /// What a rule compares with what.
    package static func condition(_ template: RuleTemplate, in language: Language) -> String {
        let isVi = language == .vi
        let unit = template.unit
        func compared(_ limits: Limits, _ unit: String?) -> String { self.limits(limits, unit, in: language) }
        switch template.condition {
        case .threshold(let limits): return "\(isVi ? "giá trị" : "the value is") \(compared(limits, unit))"
        case .rate(let limits, let window, let per):
            let text = "\(compared(limits, unit)) \(isVi ? "mỗi" : "per") \(self.span(per, in: language))"
            return "\(isVi ? "tốc độ thay đổi" : "it changes by") \(text) "
                + "(\(isVi ? "trong" : "over") \(self.span(window, in: language)))"
        case .stuck(let span, _, let partner, _):
            let other = partner.map { isVi ? " trong khi \($0) có đổi" : " while \($0) does" } ?? ""
            return "\(isVi ? "không đổi trong" : "it has not changed for") \(self.span(span, in: language))\(other)"
        case .missing(let span):
            let text = span.map { self.span($0, in: language) } ?? (isVi ? "ba chu kỳ" : "three of its periods")
            return "\(isVi ? "không có giá trị trong" : "nothing has come for") \(text)"
        case .quality: return isVi ? "giá trị không tin được" : "its values cannot be believed"
        case .aggregate(let function, let limits, let quorum):
            let isCount = function == .count || function == .silent
            let text = compared(limits, function == .silent ? "%" : isCount ? nil : unit)
            return "\(self.function(function, in: language)) \(text)"
                + (quorum > 1 ? (isVi ? ", ít nhất \(quorum) cảm biến" : ", of at least \(quorum) sensors") : "")
        case .join(let terms):
            return
                terms.map { term in
                    let limits = Limits(term.comparison, term.limit, upper: term.upper)
                    let held = term.held > 0 ? " \(isVi ? "suốt" : "for") \(self.span(term.held, in: language))" : ""
                    return "\(term.selection.points.joined(separator: "/")) \(compared(limits, term.unit))\(held)"
                }
                .joined(separator: isVi ? " và " : " and ")
        case .counter(let limits, let window):
            return "\(isVi ? "tăng" : "it rises by") \(compared(limits, unit)) "
                + "\(isVi ? "trong" : "within") \(self.span(window, in: language))"
        case .runHours(let limits): return "\(isVi ? "đã chạy" : "it has run for") \(compared(limits, "h"))"
        case .excess(let over, let isBelow, let limits):
            let edge = self.number(over, unit)
            let side = isBelow ? (isVi ? "dưới" : "below") : (isVi ? "trên" : "above")
            return "\(side) \(edge) \(isVi ? "quá lâu" : "for too long"): \(compared(limits, nil)) "
                + "\(Units.text(for: unit ?? "1")) × min"
        case .forecast(let limits, let step, _, let horizon):
            return "\(isVi ? "trong" : "within") \(self.span(step * Int64(horizon), in: language)) "
                + "\(isVi ? "sẽ" : "it will be") \(compared(limits, unit)) (90 %)"
        case .anomaly: return isVi ? "khác mọi ngày" : "it differs from other days"
        }
    }

    /// `above 1,100 ppm (severe above 2,000 ppm)`.
    package static func limits(_ limits: Limits, _ unit: String?, in language: Language) -> String {
        let isVi = language == .vi
        let limit = self.number(limits.limit, unit)
        let text: String =
            switch limits.comparison {
            case .above: "\(isVi ? "trên" : "above") \(limit)"
            case .below: "\(isVi ? "dưới" : "below") \(limit)"
            case .equal: "= \(limit)"
            case .notEqual: "≠ \(limit)"
            case .outside: "\(isVi ? "ngoài" : "outside") \(limit) … \(self.number(limits.upper, unit))"
            }
        let severe = limits.severe.map { " (\(isVi ? "nặng" : "severe") \(self.number($0, unit)))" } ?? ""
        let states = limits.byState.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { " \(self.state($0.key, in: language)): \(self.number($0.value, unit))" }.joined(separator: ",")
        return text + severe + (states.isEmpty ? "" : ";\(states)")
    }

    /// A number with at most two decimals, and its unit.
    package static func number(_ value: Double, _ unit: String?) -> String {
        let rounded = (value * 100).rounded() / 100
        let whole = Int(exactly: rounded)
        let text = whole.map { "\($0)" } ?? "\(rounded)"
        let shown = unit.map { Units.text(for: $0) } ?? ""
        return shown.isEmpty ? text : "\(text) \(shown)"
    }

    package static func span(_ milliseconds: Int64, in language: Language) -> String {
        let isVi = language == .vi
        let units: [(Int64, String, String)] = [
            (86_400_000, "ngày", "d"), (3_600_000, "giờ", "h"), (60_000, "phút", "min"), (1_000, "giây", "s"),
        ]
        for (factor, vi, en) in units where milliseconds >= factor && milliseconds % factor == 0 {
            return "\(milliseconds / factor) \(isVi ? vi : en)"
        }
        return "\(milliseconds) ms"
    }

    package static func state(_ state: TimetableState, in language: Language) -> String {
        guard language == .vi else { return state.word }
        switch state {
        case .lesson: return "tiết học"
        case .pause: return "ra chơi"
        case .empty: return "ngoài tiết"
        case .night: return "ban đêm"
        case .holiday: return "ngày nghỉ"
        case .exam: return "kỳ thi"
        }
    }

    package static func priority(_ priority: AlertPriority, in language: Language) -> String {
        guard language == .vi else { return priority.word }
        switch priority {
        case .low: return "thấp"
        case .medium: return "trung bình"
        case .high: return "cao"
        case .critical: return "nguy cấp"
        }
    }

    private static func function(_ function: AlertCondition.Aggregate, in language: Language) -> String {
        let isVi = language == .vi
        switch function {
        case .mean: return isVi ? "trung bình" : "the mean is"
        case .minimum: return isVi ? "thấp nhất" : "the lowest is"
        case .maximum: return isVi ? "cao nhất" : "the highest is"
        case .sum: return isVi ? "tổng" : "the sum is"
        case .spread: return isVi ? "chênh lệch" : "the spread is"
        case .count: return isVi ? "số điểm khác 0" : "the number that is not 0 is"
        case .silent: return isVi ? "tỷ lệ im lặng" : "the share that is silent is"
        }
    }
}
