internal import CampusModel

/// A parsed payload, asked by pointer.
///
/// Lives only while the payload's bytes do.
struct PayloadView {
    /// What a pointer leads to.
    enum Scalar {
        case absent
        case null
        case container
        case bool(Bool)
        case number(Double)
        case text(String)

        /// The scalar as text, booleans as `true` and `false`.
        var text: String? {
            switch self {
            case .absent, .null, .container: nil
            case .bool(let flag): flag ? "true" : "false"
            case .number(let number): number.isFinite ? NumberText.text(number) : nil
            case .text(let text): text
            }
        }

        var isText: Bool { if case .text = self { true } else { false } }

        /// The raw value for a point; `nil` when the scalar cannot be one of its kind.
        func raw(for point: PointDefinition) -> Double? {
            switch self {
            case .absent, .null, .container: return nil
            case .bool(let flag): return flag ? 1 : 0
            case .number(let number):
                if point.kind == .boolean, number != 0, number != 1 { return nil }
                return number
            case .text(let text):
                if let listed = point.enumeration.first(where: { $0.text == text }) { return listed.value }
                if point.kind == .boolean {
                    switch text.lowercased() {
                    case "on", "true", "1": return 1
                    case "off", "false", "0": return 0
                    default: return nil
                    }
                }
                return Self.number(text)
            }
        }

        /// A number written as text, by JSON's grammar, blanks around it allowed.
        static func number(_ text: String) -> Double? {
            let bytes = Array(text.utf8.drop(while: { $0 == 0x20 }))
            guard bytes.count <= 64 else { return nil }
            var end = bytes.count
            while end > 0, [0x20, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
            return bytes.withUnsafeBufferPointer { BoundedJSON.double($0, 0, end) }
        }
    }

    let json: BoundedJSON
    let bytes: UnsafeBufferPointer<UInt8>
    /// The token that pointers start from: the document, or one element of its list.
    var root = 0

    /// The number at a token; `nil` for everything else.
    func number(at token: Int) -> Double? {
        guard token != PointerTree.absent, self.json.tokens[token].kind == .number else { return nil }
        return BoundedJSON.value(self.bytes, Int(self.json.tokens[token].start), Int(self.json.tokens[token].end))
    }

    /// What is at a token, ``PointerTree/absent`` included.
    func scalar(at index: Int) -> Scalar {
        guard index != PointerTree.absent else { return .absent }
        switch self.json.tokens[index].kind {
        case .object, .array, .key: return .container
        case .null: return .null
        case .yes: return .bool(true)
        case .no: return .bool(false)
        case .number: return self.number(at: index).map { .number($0) } ?? .container
        case .string, .escapedString: return self.json.text(index, in: self.bytes).map { .text($0) } ?? .container
        }
    }

    /// A scalar as text; numbers as they are written on the wire, so that a long identifier keeps all its digits.
    func text(_ pointer: JSONPointer) -> String? {
        let root = pointer.isOfPayload ? 0 : self.root
        guard let index = self.json.find(pointer, from: root, in: self.bytes), self.json.tokens[index].kind != .null
        else {
            return nil
        }
        return self.json.text(index, in: self.bytes)
    }

    func fulfils(_ condition: MQTTWire.Condition) -> Bool {
        switch condition.test {
        case .oneOf(let accepted): self.text(condition.pointer).map { accepted.contains($0) } ?? false
        case .present(let isPresent): self.isPresent(condition.pointer) == isPresent
        }
    }

    private func isPresent(_ pointer: JSONPointer) -> Bool {
        guard let index = self.json.find(pointer, from: pointer.isOfPayload ? 0 : self.root, in: self.bytes) else {
            return false
        }
        return self.json.tokens[index].kind != .null
    }

    /// Whether the message is history by its own word.
    func isReplay(_ wire: MQTTWire.Message) -> Bool {
        switch wire.replay {
        case .always: true
        case .when(let condition): self.fulfils(condition)
        case nil: false
        }
    }

    /// The text of an event's field, decoded and scaled as its profile says.
    ///
    /// `nil` when it is not there or no such text.
    func text(of field: EventDefinition.PayloadField) -> String? {
        guard let text = field.pointer.flatMap({ self.text($0) }) else { return nil }
        return Self.text(text, of: field)
    }

    /// The same of the text that the payload has.
    static func text(_ text: String, of field: EventDefinition.PayloadField) -> String? {
        switch field.decoding {
        case .base64: return Base64Text.bytes(text).map { HexText.digits($0) }
        case nil: break
        }
        guard field.scale != .identity else { return text }
        return Scalar.number(text).flatMap { field.scale.text(of: $0) }
    }

    /// The tokens of the elements of the list at a pointer; empty when there is none.
    func elements(at pointer: JSONPointer) -> [Int] {
        guard let list = self.json.find(pointer, in: self.bytes), self.json.tokens[list].kind == .array else {
            return []
        }
        let end = Int(self.json.tokens[list].next)
        var found: [Int] = []
        var element = list + 1
        while element < end {
            found.append(element)
            element = Int(self.json.tokens[element].next)
        }
        return found
    }

    func tick(_ clock: MQTTWire.Clock, zonelessOffsetSeconds: Int64) -> Tick? {
        guard let text = self.text(clock.pointer) else { return nil }
        switch clock.format {
        case .rfc3339: return UTCText.tick(rfc3339: text)
        case .local: return UTCText.tick(rfc3339: text, zonelessOffsetSeconds: zonelessOffsetSeconds)
        case .unixSeconds, .unixMilliseconds:
            guard let number = Scalar.number(text) else { return nil }
            let milliseconds = clock.format == .unixSeconds ? number * 1_000 : number
            return Int64(exactly: milliseconds.rounded()).map { Tick(milliseconds: $0) }
        }
    }
}
