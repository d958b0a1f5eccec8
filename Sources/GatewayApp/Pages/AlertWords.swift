internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import WebConsole

extension AlertState {
    var label: LocalizedText {
        switch self {
        case .normal: LocalizedText(vi: "Bình thường", en: "Normal")
        case .unacknowledged: LocalizedText(vi: "Chưa ai xác nhận", en: "Unacknowledged")
        case .acknowledged: LocalizedText(vi: "Đã xác nhận", en: "Acknowledged")
        case .returnedUnacknowledged: LocalizedText(vi: "Đã hết, chưa xác nhận", en: "Over, unacknowledged")
        case .latched: LocalizedText(vi: "Đã hết, chờ đặt lại", en: "Over, to be reset")
        case .shelved: LocalizedText(vi: "Gác lại", en: "Shelved")
        case .suppressed: LocalizedText(vi: "Do nguyên nhân khác", en: "Follows from another")
        case .outOfService: LocalizedText(vi: "Ngừng theo dõi", en: "Out of service")
        }
    }

    func kind(_ priority: AlertPriority) -> StatusKind {
        switch self {
        case .normal: .normal
        case .unacknowledged, .latched: priority >= .high ? .bad : .warning
        case .acknowledged: .uncertain
        case .returnedUnacknowledged: .information
        case .shelved, .outOfService: .quarantined
        case .suppressed: .offline
        }
    }
}

/// Why an alert is what it is, in words and numbers.
enum AlertWords {
    static func priority(_ view: AlertView, _ language: Language) -> String {
        let word = RuleWords.priority(view.priority, in: language)
        guard view.rule.isLifeSafety else { return word }
        return language == .vi ? "\(word) · an toàn tính mạng" : "\(word) · life-safety"
    }

    /// `1,234 ppm, trên 1,100 ppm`.
    static func reading(_ view: AlertView, _ template: RuleTemplate?, _ language: Language) -> String {
        guard let measure = view.reading.measure else {
            return template.map { RuleWords.condition($0, in: language) } ?? "–"
        }
        switch template?.condition {
        case .join?, .quality?, nil: return template.map { RuleWords.condition($0, in: language) } ?? "–"
        case .missing?:
            let minutes = Int64(exactly: (measure * 60_000).rounded()) ?? 0
            return LocalTime.span(minutes).text(in: language)
        case .stuck?:
            let milliseconds = Int64(exactly: (measure * 3_600_000).rounded()) ?? 0
            return LocalTime.span(milliseconds).text(in: language)
        case .anomaly?: return "\(self.number(measure, nil, language)) bit"
        case .runHours?: return self.number(measure, "h", language)
        case .excess?: return "\(self.number(measure, view.rule.unit, language)) × min"
        case .aggregate(.silent, _, _)?: return self.number(measure, "%", language)
        default: return self.number(measure, view.rule.unit, language)
        }
    }

    static func number(_ value: Double, _ unit: String?, _ language: Language) -> String {
        let text = RuleWords.number(value, unit)
        return language == .vi ? text.replacing(".", with: ",") : text
    }

    /// What happened, in words.
    static func kind(_ kind: String, _ language: Language) -> String {
        let words: [AlertTransition.Kind: LocalizedText] = [
            .raised: LocalizedText(vi: "Xảy ra", en: "Raised"), .cleared: LocalizedText(vi: "Hết", en: "Cleared"),
            .escalated: LocalizedText(vi: "Nặng hơn", en: "Escalated"),
            .eased: LocalizedText(vi: "Nhẹ hơn", en: "Eased"),
            .acknowledged: LocalizedText(vi: "Xác nhận", en: "Acknowledged"),
            .realarmed: LocalizedText(vi: "Nhắc lại", en: "Called again"),
            .reset: LocalizedText(vi: "Đặt lại", en: "Reset"), .shelved: LocalizedText(vi: "Gác lại", en: "Shelved"),
            .unshelved: LocalizedText(vi: "Hết gác lại", en: "Unshelved"),
            .suppressed: LocalizedText(vi: "Thuộc nguyên nhân khác", en: "Suppressed by its cause"),
            .unsuppressed: LocalizedText(vi: "Nguyên nhân đã hết", en: "Its cause is over"),
            .outOfService: LocalizedText(vi: "Ngừng theo dõi", en: "Out of service"),
            .inService: LocalizedText(vi: "Theo dõi lại", en: "In service again"),
            .flapping: LocalizedText(vi: "Chập chờn, được giữ", en: "Flapping, held"),
            .settled: LocalizedText(vi: "Hết chập chờn", en: "Settled"),
            .annunciated: LocalizedText(vi: "Đã báo người", en: "People were called"),
            .retired: LocalizedText(vi: "Không còn theo dõi", en: "Not watched any more"),
        ]
        return AlertTransition.Kind(rawValue: kind).flatMap { words[$0] }?.text(in: language) ?? kind
    }
}
