package import CampusModel

/// How a profile that is in use differs from what its device tells now, for a person to decide.
package enum ProfileDifference {
    /// The most lines; what comes after them is counted.
    package static let linesMax = 40

    /// A profile with what its topics are filled with.
    package struct Side: Sendable {
        var profile: DeviceProfile
        var parameters: [String: String]

        package init(_ profile: DeviceProfile, parameters: [String: String] = [:]) {
            self.profile = profile
            self.parameters = parameters
        }

        /// Where a value is read, as it is on the wire.
        func place(_ point: PointDefinition) -> String {
            switch (point.source, self.profile.wire) {
            case (.register(let source), _): return "\(source.table.rawValue) \(source.address) \(source.type.rawValue)"
            case (.payload(let places), .mqtt(let wire)):
                return places.map { self.topic(wire.messages[$0.messageIndex].topic) + ($0.pointer?.description ?? "") }
                    .joined(separator: ", ")
            default: return "–"
            }
        }

        func topic(_ template: TopicTemplate) -> String {
            template.filter(parameters: self.parameters) ?? template.description
        }

        /// How it tells that it is there.
        var will: String {
            guard case .mqtt(let wire) = self.profile.wire, let will = wire.availability else { return "–" }
            return "\(self.topic(will.topic))\(will.pointer?.description ?? "") \(will.online)/\(will.offline)"
        }
    }

    /// One line a difference; empty when both read the same in the same way.
    package static func lines(inUse old: Side, described new: Side) -> [LocalizedText] {
        var lines: [LocalizedText] = []
        let known = Dictionary(old.profile.points.map { ($0.name, $0) }) { first, _ in first }
        let shared = new.profile.points.filter { known[$0.name] != nil }
        // A device that was renamed has all its topics elsewhere: that is one difference, not one for each value.
        let moved = shared.filter { point in known[point.name].map { old.place($0) != new.place(point) } ?? false }
        let isMoved = moved.count > 1 && moved.count == shared.count
        if isMoved, let first = moved.first, let before = known[first.name] {
            lines.append(
                LocalizedText(
                    vi: "mọi giá trị được đọc ở nơi khác, thí dụ \(new.place(first)) thay cho \(old.place(before))",
                    en: "every value is read elsewhere, such as \(new.place(first)) instead of \(old.place(before))"
                )
            )
        }
        for point in new.profile.points {
            guard let before = known[point.name] else {
                lines.append(
                    LocalizedText(
                        vi: "có thêm '\(point.name)' (\(point.unit))",
                        en: "it also tells '\(point.name)' (\(point.unit))"
                    )
                )
                continue
            }
            let places = isMoved ? ("", "") : (old.place(before), new.place(point))
            lines += self.lines(point, before, places)
        }
        let told = Set(new.profile.points.map(\.name))
        for point in old.profile.points where !told.contains(point.name) {
            lines.append(
                LocalizedText(vi: "không còn '\(point.name)'", en: "it does not tell '\(point.name)' any more")
            )
        }
        if new.will != old.will, !isMoved {
            lines.append(
                LocalizedText(
                    vi: "nơi báo còn hoạt động trước là \(old.will), bây giờ là \(new.will)",
                    en: "where it tells that it is there was \(old.will) and is \(new.will)"
                )
            )
        }
        if new.profile.events.map(\.name) != old.profile.events.map(\.name) {
            lines.append(LocalizedText(vi: "thao tác (nút bấm) đã đổi", en: "what it tells of presses has changed"))
        }
        guard lines.count > self.linesMax else { return lines }
        let more = lines.count - self.linesMax
        return lines.prefix(self.linesMax) + [LocalizedText(vi: "và \(more) khác biệt nữa", en: "and \(more) more")]
    }

    private static func lines(
        _ new: PointDefinition,
        _ old: PointDefinition,
        _ places: (old: String, new: String)
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
        line(("nơi đọc", "place"), places.old, places.new)
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
}
