internal import CampusModel

/// A profile that is being made of a description, and its text.
///
/// What it writes is read again by the strict reader before anybody gets it.
struct ProfileDraft: Hashable {
    struct Point: Hashable {
        /// How the value is told.
        enum Kind: Hashable {
            case number(unit: String, range: ClosedRange<Double>?, invalid: [Double])
            /// `nil`: JSON's own, or on/off. Labels only say what true and false mean.
            case boolean(on: String?, off: String?, labels: [LocalizedText])
            case enumeration([String])
            case text
        }

        var name: String
        var title: LocalizedText
        var pointer: [String]
        var kind: Kind
    }

    var vendor: String
    var model: String
    var title: String
    var category: DeviceProfile.Category
    var baseTopic: String
    var points: [Point]
    /// The member that tells of a button press.
    var action: String?

    /// The file's text.
    func yaml(id: String) -> String {
        let topic = "\(self.baseTopic)/{device}"
        var lines = [
            "# Made of what Zigbee2MQTT told about the model in \(self.baseTopic)/bridge/devices.",
            "# Nobody has seen it work yet: compare the values with the device, then say so under 'verified'.",
            "profile: \(Self.quoted(id))",
            "vendor: \(Self.quoted(self.vendor))",
            "model: \(Self.quoted(self.model))",
            "category: \(self.category.rawValue)",
            "title: \(Self.localized(LocalizedText(vi: self.title, en: self.title)))",
            "sources:",
            "  - title: \"Zigbee2MQTT, bridge/devices: what the bridge itself told about the model\"",
            "    url: \"https://www.zigbee2mqtt.io/guide/usage/exposes.html\"",
            "    trust: B",
            "verified: false",
            "mqtt:",
            "  messages:",
        ]
        // A press may come alone or with values; a state that tells nothing would break the profile.
        if !self.points.isEmpty {
            let when = self.action.map { ", when: {pointer: \(Self.pointer([$0])), present: false}" } ?? ""
            lines.append("    - {name: state, topic: \(Self.quoted(topic)), sent: on-change\(when)}")
        }
        if let action {
            let when = "{pointer: \(Self.pointer([action])), present: true}"
            lines.append(
                "    - {name: action, topic: \(Self.quoted(topic)), sent: on-change, retained: ignore, when: \(when)}"
            )
        }
        lines.append(
            "  availability: {topic: \(Self.quoted(topic + "/availability")), pointer: /state, online: online, "
                + "offline: offline}"
        )
        lines.append(self.points.isEmpty ? "points: []" : "points:")
        lines += self.points.map { "  - \(self.line($0))" }
        if let action {
            lines += [
                "events:",
                "  - name: action",
                "    title: {vi: Thao tác, en: Action}",
                "    kind: button",
                "    message: action",
                "    fields:",
                "      - {name: action, pointer: \(Self.pointer([action])), required: true, invalid: [\"\"]}",
            ]
        }
        lines += self.goldenCase(topic: "\(self.baseTopic)/example")
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ point: Point) -> String {
        let place = "pointer: \(Self.pointer(point.pointer))"
        let wire =
            self.action == nil
            ? "{\(place)}" : "[{message: state, \(place)}, {message: action, \(place)}]"
        var parts = ["name: \(Self.quoted(point.name))", "title: \(Self.localized(point.title))"]
        switch point.kind {
        case .number(let unit, let range, let invalid):
            parts.append("unit: \(Self.quoted(unit))")
            if let range {
                let (low, high) = (NumberText.text(range.lowerBound), NumberText.text(range.upperBound))
                parts.append("range: {min: \(low), max: \(high)}")
            }
            if !invalid.isEmpty { parts.append("invalid: [\(invalid.map(NumberText.text).joined(separator: ", "))]") }
            if point.pointer == ["linkquality"] { parts.append("deadband: 20") }
        case .boolean(let on, let off, let labels):
            parts.append("kind: boolean")
            let texts = [(1, on), (0, off)]
            if on != nil || off != nil || labels.count == 2 {
                let cases = texts.enumerated()
                    .map { index, entry in
                        let (value, text) = entry
                        let label = labels.count == 2 ? labels[index] : LocalizedText(vi: text ?? "", en: text ?? "")
                        let written = text.map { "text: \(Self.quoted($0)), " } ?? ""
                        return "{value: \(value), \(written)\(Self.localizedMembers(label))}"
                    }
                parts.append("enumeration: [\(cases.joined(separator: ", "))]")
            }
        case .enumeration(let texts):
            parts.append("kind: enumeration")
            let cases = texts.enumerated()
                .map { index, text in
                    let label = DescriptionText.cleaned(text.replacing("_", with: " "), charactersMax: 80)
                    return "{value: \(index), text: \(Self.quoted(text)), "
                        + "\(Self.localizedMembers(LocalizedText(vi: label, en: label)))}"
                }
            parts.append("enumeration: [\(cases.joined(separator: ", "))]")
        case .text: parts.append("kind: text")
        }
        parts.append("wire: \(wire)")
        return "{\(parts.joined(separator: ", "))}"
    }

    /// One payload as the description promises it: proves that the parts of the file fit each other.
    private func goldenCase(topic: String) -> [String] {
        var payload = PayloadTree()
        var expected: [String] = []
        for point in self.points {
            let json: String
            switch point.kind {
            case .number(_, let range, _):
                let value = range.map { min(max(1, $0.lowerBound), $0.upperBound) } ?? 1
                json = NumberText.text(value)
                expected.append("\(Self.quoted(point.name)): \(json)")
            case .boolean(let on, _, _):
                json = on.map(JSONText.quoted) ?? "true"
                expected.append("\(Self.quoted(point.name)): 1")
            case .enumeration(let texts):
                json = JSONText.quoted(texts.first ?? "")
                expected.append("\(Self.quoted(point.name)): 0")
            case .text:
                json = "\"text\""
                expected.append("\(Self.quoted(point.name)): \"text\"")
            }
            payload.set(point.pointer, json)
        }
        if let action { payload.set([action], "\"single\"") }
        var lines = [
            "tests:",
            "  - name: a payload made of the description (not heard from a device)",
            "    mqtt: {topic: \(Self.quoted(topic)), payload: \(Self.quoted(payload.text))}",
            "    parameters: {device: example}",
            "    expect: {\(expected.joined(separator: ", "))}",
        ]
        if self.action != nil { lines.append("    expectEvents: [{name: action, fields: {action: single}}]") }
        return lines
    }

    /// A JSON object being made: members in order, objects inside.
    private struct PayloadTree {
        private var members: [(name: String, value: String?, inner: [(String, String)])] = []

        mutating func set(_ path: [String], _ json: String) {
            guard let first = path.first else { return }
            guard path.count > 1 else {
                self.members.append((first, json, []))
                return
            }
            if let index = self.members.firstIndex(where: { $0.name == first }) {
                self.members[index].inner.append((path[1], json))
            } else {
                self.members.append((first, nil, [(path[1], json)]))
            }
        }

        var text: String {
            let parts = self.members.map { member in
                let inner = member.inner.map { "\(JSONText.quoted($0.0)):\($0.1)" }.joined(separator: ",")
                return "\(JSONText.quoted(member.name)):\(member.value ?? "{\(inner)}")"
            }
            return "{\(parts.joined(separator: ","))}"
        }
    }

    private static func pointer(_ path: [String]) -> String {
        self.quoted(path.map(JSONText.token).joined())
    }

    private static func localized(_ text: LocalizedText) -> String { "{\(self.localizedMembers(text))}" }

    private static func localizedMembers(_ text: LocalizedText) -> String {
        "vi: \(self.quoted(text.vi)), en: \(self.quoted(text.en))"
    }

    /// A double-quoted YAML scalar.
    ///
    /// The quote is written as its number, so that a scan for quotes is never led astray.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\x22"
            case "\\": result += "\\\\"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
