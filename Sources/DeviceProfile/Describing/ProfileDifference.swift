package import CampusModel

/// How a profile that is in use differs from what its device tells now, for a person to decide.
package enum ProfileDifference {
    /// The most lines; what comes after them is counted.
    package static let linesMax = 40

    /// One line a difference; empty when both read the same in the same way.
    package static func lines(inUse old: DeviceProfile, described new: DeviceProfile) -> [LocalizedText] {
        var lines: [LocalizedText] = []
        let known = Dictionary(old.points.map { ($0.name, $0) }) { first, _ in first }
        for point in new.points {
            guard let before = known[point.name] else {
                lines.append(
                    LocalizedText(
                        vi: "có thêm '\(point.name)' (\(point.unit))",
                        en: "it also tells '\(point.name)' (\(point.unit))"
                    )
                )
                continue
            }
            lines += self.lines(point, before, new, old)
        }
        let told = Set(new.points.map(\.name))
        for point in old.points where !told.contains(point.name) {
            lines.append(
                LocalizedText(vi: "không còn '\(point.name)'", en: "it does not tell '\(point.name)' any more")
            )
        }
        if self.will(new) != self.will(old) {
            lines.append(
                LocalizedText(vi: "nơi báo còn hoạt động đã đổi", en: "where it tells that it is there has changed")
            )
        }
        if new.events.map(\.name) != old.events.map(\.name) {
            lines.append(LocalizedText(vi: "thao tác (nút bấm) đã đổi", en: "what it tells of presses has changed"))
        }
        guard lines.count > self.linesMax else { return lines }
        let more = lines.count - self.linesMax
        return lines.prefix(self.linesMax) + [LocalizedText(vi: "và \(more) khác biệt nữa", en: "and \(more) more")]
    }

    private static func lines(
        _ new: PointDefinition,
        _ old: PointDefinition,
        _ newProfile: DeviceProfile,
        _ oldProfile: DeviceProfile
    ) -> [LocalizedText] {
        let name = new.name
        var lines: [LocalizedText] = []
        func line(_ what: (vi: String, en: String), _ before: String, _ now: String) {
            guard before != now else { return }
            lines.append(
                LocalizedText(
                    vi: "'\(name)': \(what.vi) trước là \(before), bây giờ là \(now)",
                    en: "'\(name)': its \(what.en) was \(before) and is \(now)"
                )
            )
        }
        line(("loại", "kind"), old.kind.rawValue, new.kind.rawValue)
        line(("đơn vị", "unit"), old.unit, new.unit)
        line(("khoảng giá trị", "range"), self.text(old.range), self.text(new.range))
        line(("tỉ lệ", "scale"), self.text(old.scale), self.text(new.scale))
        line(("nơi đọc", "place"), self.place(old, oldProfile), self.place(new, newProfile))
        line(("các trạng thái", "states"), self.text(old.enumeration), self.text(new.enumeration))
        return lines
    }

    private static func text(_ range: ClosedRange<Double>?) -> String {
        range.map { "\(NumberText.text($0.lowerBound))…\(NumberText.text($0.upperBound))" } ?? "–"
    }

    private static func text(_ scale: PointDefinition.Scale) -> String {
        "× \(NumberText.text(scale.multiply)) ÷ \(NumberText.text(scale.divide)) + \(NumberText.text(scale.add))"
    }

    private static func text(_ cases: [PointDefinition.EnumerationCase]) -> String {
        let words = cases.map { "\(NumberText.text($0.value)) = \($0.text ?? $0.label.en)" }
        return words.isEmpty ? "–" : String(words.joined(separator: ", ").prefix(300))
    }

    private static func place(_ point: PointDefinition, _ profile: DeviceProfile) -> String {
        switch (point.source, profile.wire) {
        case (.register(let source), _): return "\(source.table.rawValue) \(source.address) \(source.type.rawValue)"
        case (.payload(let places), .mqtt(let wire)):
            return places.map { "\(wire.messages[$0.messageIndex].topic)\($0.pointer?.description ?? "")" }
                .joined(separator: ", ")
        default: return "–"
        }
    }

    private static func will(_ profile: DeviceProfile) -> MQTTWire.Availability? {
        if case .mqtt(let wire) = profile.wire { wire.availability } else { nil }
    }
}
