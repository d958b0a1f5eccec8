package import CampusModel

/// The inverse of decoding: makes the registers or payloads that a device would send for given values.
///
/// For the simulator, which plays any profile, and for tests.
package struct ProfileEncoder: Sendable {
    private let profile: DeviceProfile

    package init(profile: DeviceProfile) { self.profile = profile }

    /// The registers of one point for a value in its unit, or `nil` when the type cannot hold it.
    ///
    /// A point with ``PointDefinition/Scale/exponentFrom`` or ``PointDefinition/Scale/multiplyFrom`` is encoded for the
    /// exponent 0 and the factor 1.
    package func words(for value: Double, point index: Int) -> [UInt16]? {
        guard self.profile.points.indices.contains(index),
            case .register(let source) = self.profile.points[index].source
        else { return nil }
        return source.words(for: self.raw(value, self.profile.points[index]))
    }

    /// The registers of a text point.
    package func words(for text: String, point index: Int) -> [UInt16]? {
        guard self.profile.points.indices.contains(index),
            case .register(let source) = self.profile.points[index].source, source.type.isText
        else { return nil }
        return source.words(for: text)
    }

    /// The registers that say "no value" of a point, or `nil` where its profile knows none.
    package func wordsForNoValue(point index: Int) -> [UInt16]? {
        guard self.profile.points.indices.contains(index),
            case .register(let source) = self.profile.points[index].source
        else { return nil }
        switch self.profile.points[index].invalid.first {
        case .value(let raw), .range(let raw, _): return source.words(for: raw)
        case .nan: return source.words(for: Double.nan)
        case .text, nil: return nil
        }
    }

    private func raw(_ value: Double, _ point: PointDefinition) -> Double {
        for piece in point.pieces {
            let raw = piece.scale.raw(of: value)
            if piece.raw.contains(raw) { return raw }
        }
        return point.scale.raw(of: value)
    }

    /// One message to publish.
    package struct Message: Sendable, Hashable {
        package var topic: String
        package var payload: [UInt8]

        package init(topic: String, payload: [UInt8]) {
            self.topic = topic
            self.payload = payload
        }
    }

    /// The payloads that carry `values`, one for each message of the profile that has a value or field in it.
    ///
    /// - Parameters:
    ///   - values: By point index, in the point's unit.
    ///   - texts: By point index.
    ///   - fields: Event fields by name, put into every message that carries an event with these fields.
    ///   - parameters: For the topics.
    ///   - tick: The device's clock.
    ///   - zonelessOffsetSeconds: East of UTC, for local clocks.
    package func messages(
        values: [Int: Double],
        texts: [Int: String] = [:],
        fields: [String: String] = [:],
        parameters: [String: String],
        tick: Tick,
        zonelessOffsetSeconds: Int64
    ) -> [Message] {
        guard let wire = self.profile.messageWire else { return [] }
        var result: [Message] = []
        for (index, message) in wire.messages.enumerated() {
            guard let filter = message.topic.filter(parameters: parameters) else { continue }
            let topic = filter.split(separator: "/", omittingEmptySubsequences: false)
                .map { $0 == "+" || $0 == "#" ? "0" : String($0) }.joined(separator: "/")
            // What a device calls history would not be true.
            if message.replay == .always { continue }
            if message.payload == .text {
                if let text = self.bareText(message: index, values: values, texts: texts, fields: fields) {
                    result.append(Message(topic: topic, payload: Array(text.utf8)))
                }
                continue
            }
            // A list of one element: its members are what the pointers point to.
            var tree = JSONTree.object([:])
            var hasContent = self.setPoints(message: index, values: values, texts: texts, in: &tree)
            if self.setEvents(message: index, fields: fields, in: &tree) { hasContent = true }
            guard hasContent else { continue }
            var time: JSONTree?
            if let clock = message.clock {
                time = self.time(clock, tick, zonelessOffsetSeconds: zonelessOffsetSeconds)
                if let time, !clock.pointer.isOfPayload { tree.set(clock.pointer, time) }
            }
            if let list = message.each {
                let element = tree
                tree = .object([:])
                tree.set(list, .array([element]))
            }
            if let clock = message.clock, clock.pointer.isOfPayload, let time { tree.set(clock.pointer, time) }
            if let when = message.when {
                switch when.test {
                case .oneOf(let accepted): if let text = accepted.first { tree.set(when.pointer, .scalar(of: text)) }
                case .present(true) where !tree.has(when.pointer): tree.set(when.pointer, .literal("0"))
                case .present: break
                }
            }
            result.append(Message(topic: topic, payload: Array(tree.text.utf8)))
        }
        return result
    }

    /// What the broker sends as the last will of a device, or a device when it comes.
    package static func lastWill(_ word: String, of wire: MQTTWire.Availability) -> [UInt8] {
        guard let pointer = wire.pointer else { return Array(word.utf8) }
        var tree = JSONTree.object([:])
        tree.set(pointer, .string(word))
        return Array(tree.text.utf8)
    }

    private func bareText(
        message: Int,
        values: [Int: Double],
        texts: [Int: String],
        fields: [String: String]
    ) -> String? {
        for (index, point) in self.profile.points.enumerated() {
            guard case .payload(let places) = point.source, places.contains(where: { $0.messageIndex == message })
            else { continue }
            if let text = texts[index] { return text }
            if let value = values[index] {
                return point.enumeration.first { $0.value == value }?.text ?? NumberText.text(self.raw(value, point))
            }
        }
        for event in self.profile.events {
            if case .payload(message, _, let definitions) = event.capture, let field = definitions.first,
                let text = fields[field.name]
            {
                return text
            }
        }
        return nil
    }

    private func setPoints(
        message: Int,
        values: [Int: Double],
        texts: [Int: String],
        in tree: inout JSONTree
    ) -> Bool {
        var hasContent = false
        for (index, point) in self.profile.points.enumerated() {
            guard case .payload(let places) = point.source,
                let pointer = places.first(where: { $0.messageIndex == message })?.pointer
            else { continue }
            if let text = texts[index] {
                tree.set(pointer, .string(text))
            } else if let value = values[index] {
                if let text = point.enumeration.first(where: { $0.value == value })?.text {
                    tree.set(pointer, .string(text))
                } else if point.kind == .boolean {
                    tree.set(pointer, .literal(value == 0 ? "false" : "true"))
                } else {
                    tree.set(pointer, .literal(NumberText.text(self.raw(value, point))))
                }
            } else {
                continue
            }
            hasContent = true
        }
        return hasContent
    }

    private func setEvents(message: Int, fields: [String: String], in tree: inout JSONTree) -> Bool {
        var hasContent = false
        for event in self.profile.events {
            guard case .payload(message, let sequence, let definitions) = event.capture else { continue }
            for field in definitions {
                // Those that are coded or come from beside the list are left to real devices.
                guard let pointer = field.pointer, let text = fields[field.name], field.decoding == nil,
                    !pointer.isOfPayload
                else { continue }
                tree.set(pointer, .string(text))
                hasContent = true
            }
            if hasContent, let sequence, let text = fields["sequence"] { tree.set(sequence, .scalar(of: text)) }
        }
        return hasContent
    }

    private func time(_ clock: MQTTWire.Clock, _ tick: Tick, zonelessOffsetSeconds: Int64) -> JSONTree {
        switch clock.format {
        case .rfc3339: .string(UTCText.rfc3339(tick))
        case .local:
            .string(String(UTCText.rfc3339(tick.advanced(byMilliseconds: zonelessOffsetSeconds * 1_000)).prefix(19)))
        case .unixSeconds: .literal(NumberText.text(Double(tick.rawValue) / 1_000))
        case .unixMilliseconds: .literal(String(tick.rawValue))
        }
    }
}

/// A JSON document under construction.
indirect enum JSONTree {
    case object([String: JSONTree])
    case array([JSONTree])
    case string(String)
    /// A number, `true`, `false` or `null`, as written.
    case literal(String)

    /// `true`, `false` and numbers as such, everything else as a string.
    static func scalar(of text: String) -> JSONTree {
        text == "true" || text == "false" || PayloadView.Scalar.number(text) != nil ? .literal(text) : .string(text)
    }

    /// Whether something is at a pointer.
    func has(_ pointer: JSONPointer) -> Bool {
        var current = self
        for token in pointer.tokens {
            switch current {
            case .object(let members):
                guard let next = members[token] else { return false }
                current = next
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index) else { return false }
                current = elements[index]
            case .string, .literal: return false
            }
        }
        return true
    }

    mutating func set(_ pointer: JSONPointer, _ value: JSONTree) { self.set(pointer.tokens[...], value) }

    private mutating func set(_ tokens: ArraySlice<String>, _ value: JSONTree) {
        guard let token = tokens.first else {
            self = value
            return
        }
        if let index = Int(token), index >= 0, index < 64 {
            var elements: [JSONTree] = if case .array(let found) = self { found } else { [] }
            while elements.count <= index { elements.append(.literal("null")) }
            elements[index].set(tokens.dropFirst(), value)
            self = .array(elements)
        } else {
            var members: [String: JSONTree] = if case .object(let found) = self { found } else { [:] }
            members[token, default: .object([:])].set(tokens.dropFirst(), value)
            self = .object(members)
        }
    }

    var text: String {
        switch self {
        case .object(let members):
            let parts = members.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0.key)):\($0.value.text)" }
            return "{\(parts.joined(separator: ","))}"
        case .array(let elements): return "[\(elements.map(\.text).joined(separator: ","))]"
        case .string(let text): return JSONText.quoted(text)
        case .literal(let text): return text
        }
    }
}
