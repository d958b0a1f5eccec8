internal import CampusModel

/// Payloads as the description promises them: they prove that the parts of the file fit each other.
extension ProfileDraft {
    private static let example = "example"

    /// One case for each topic.
    var messageCases: [String] {
        var topics: [String] = []
        for message in self.messages where !topics.contains(message.topic) { topics.append(message.topic) }
        return topics.flatMap(self.messageCase)
    }

    private func messageCase(_ template: String) -> [String] {
        let kinds = self.messages.filter { $0.topic == template }
        guard let first = kinds.first, let topic = TopicTemplate(template) else { return [] }
        let names = Set(kinds.map(\.name))
        var tree = PayloadTree()
        var text = ""
        var expected: [String] = []
        for point in self.points {
            guard let place = point.places.first(where: { names.contains($0.message) }) else { continue }
            let sample = Self.sample(of: point)
            if first.isText {
                text = sample.text
                expected.append("\(Self.quoted(point.name)): \(sample.expected)")
            } else if tree.set(place.pointer[...], sample.json) {
                expected.append("\(Self.quoted(point.name)): \(sample.expected)")
            }
        }
        let isPress = self.press.map { names.contains($0.message) } ?? false
        if isPress, let press { _ = tree.set(press.pointer[...], "\"single\"") }
        for kind in kinds {
            if case .oneOf(let path, let words) = kind.when { _ = tree.set(path[...], JSONText.quoted(words[0])) }
        }
        if let each = first.each {
            _ = tree.set(each.milliseconds[...], "1704110400000")
            _ = tree.set(each.isHistory[...], "false")
            var whole = PayloadTree()
            _ = whole.set(each.list[...], "[\(tree.json)]")
            tree = whole
        }
        let parameters = Dictionary(topic.parameterNames.map { ($0, Self.example) }) { first, _ in first }
        let filled = topic.filter(parameters: parameters) ?? template
        let pairs = parameters.keys.sorted().map { "\($0): \(Self.example)" }.joined(separator: ", ")
        var lines = [
            "  - name: a payload made of the description (not heard from a device)",
            "    mqtt: {topic: \(Self.quoted(filled)), payload: \(Self.quoted(first.isText ? text : tree.json))}",
            "    parameters: {\(pairs)}", "    expect: {\(expected.joined(separator: ", "))}",
        ]
        if isPress { lines.append("    expectEvents: [{name: action, fields: {action: single}}]") }
        return lines
    }

    /// What the device itself answered when it was asked.
    var registerCases: [String] {
        let values = self.expected.sorted { $0.key < $1.key }
            .map { "\(Self.quoted($0.key)): \(NumberText.text($0.value))" }
        return [
            "  - name: what the device answered when it was read for the first time",
            "    modbus:",
        ] + self.replies.map { "      - \(Self.exchange($0))" } + ["    expect: {\(values.joined(separator: ", "))}"]
    }

    private static func exchange(_ reply: Reply) -> String {
        func bytes(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(truncatingIfNeeded: word)] }
        func frame(_ body: [UInt8]) -> String {
            let crc = ModbusCRC.value(of: body)
            return HexText.text(body + [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)])
        }
        let data = reply.words.flatMap(bytes)
        let request = [1, 3] + bytes(UInt16(clamping: reply.address)) + bytes(UInt16(clamping: reply.words.count))
        return "{request: \"\(frame(request))\", response: \"\(frame([1, 3, UInt8(clamping: data.count)] + data))\"}"
    }

    /// A value that fits the point: as JSON, as bare text, and as it is expected.
    private static func sample(of point: Point) -> (json: String, text: String, expected: String) {
        switch point.kind {
        case .number(_, let range, _):
            let scale = point.scale
            let wanted = range.map { min(max(1, $0.lowerBound), $0.upperBound) } ?? 1
            let raw = (wanted - scale.add) * scale.divide / scale.multiply
            let text = NumberText.text(raw.isFinite ? raw : 1)
            let value = (Double(text) ?? 1) * scale.multiply / scale.divide + scale.add
            return (text, text, NumberText.text(value))
        case .boolean(let on, _, _): return (on.map(JSONText.quoted) ?? "true", on ?? "ON", "1")
        case .enumeration(let texts):
            let first = texts.first ?? ""
            return (JSONText.quoted(first), first, "0")
        case .numbered(let words):
            let first = words.keys.min() ?? 0
            return ("\(first)", "\(first)", "\(first)")
        case .text: return ("\"text\"", "text", "\"text\"")
        }
    }
}

/// A JSON object being made; a path may not go through a value.
struct PayloadTree {
    private indirect enum Node {
        case value(String)
        case object([(name: String, node: Node)])
    }

    private var root = Node.object([])

    /// Puts a value at a path; `false` when something is there already.
    mutating func set(_ path: ArraySlice<String>, _ json: String) -> Bool { Self.set(&self.root, path, json) }

    private static func set(_ node: inout Node, _ path: ArraySlice<String>, _ json: String) -> Bool {
        guard case .object(var members) = node, let name = path.first else { return false }
        let rest = path.dropFirst()
        if let index = members.firstIndex(where: { $0.name == name }) {
            guard !rest.isEmpty, self.set(&members[index].node, rest, json) else { return false }
        } else if rest.isEmpty {
            members.append((name, .value(json)))
        } else {
            var inner = Node.object([])
            guard self.set(&inner, rest, json) else { return false }
            members.append((name, inner))
        }
        node = .object(members)
        return true
    }

    var json: String { Self.text(self.root) }

    private static func text(_ node: Node) -> String {
        switch node {
        case .value(let json): return json
        case .object(let members):
            return "{"
                + members.map { "\(JSONText.quoted($0.name)):\(self.text($0.node))" }.joined(separator: ",") + "}"
        }
    }
}
