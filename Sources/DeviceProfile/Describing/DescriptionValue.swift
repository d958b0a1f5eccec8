/// A JSON value of a description, bounded in size, depth and count.
///
/// A description is read once and walked as a tree; payloads, which come all the time, are not (see ``BoundedJSON``).
enum DescriptionValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([DescriptionValue])
    case map([String: DescriptionValue])

    /// A bridge of a few hundred devices sends some hundred kilobytes.
    static let bytesMax = 4 << 20
    /// Keys and values of the whole description.
    static let tokensMax = 262_144

    /// Parses a description.
    init(_ payload: [UInt8]) throws(BoundedJSON.Problem) {
        var json = BoundedJSON(limits: BoundedJSON.Limits(bytesMax: Self.bytesMax, tokensMax: Self.tokensMax))
        self = try payload.withUnsafeBufferPointer { bytes throws(BoundedJSON.Problem) in
            try json.parse(bytes)
            return Self(json, 0, bytes)
        }
    }

    /// The value at a token; the parser has bounded how deep that goes.
    private init(_ json: BoundedJSON, _ index: Int, _ bytes: UnsafeBufferPointer<UInt8>) {
        let token = json.tokens[index]
        let end = Int(token.next)
        switch token.kind {
        case .null, .key: self = .null
        case .yes: self = .bool(true)
        case .no: self = .bool(false)
        case .number:
            let value = BoundedJSON.value(bytes, Int(token.start), Int(token.end))
            self = value.map { $0.isFinite ? .number($0) : .null } ?? .null
        case .string, .escapedString: self = json.text(index, in: bytes).map { .text($0) } ?? .null
        case .array:
            var values: [DescriptionValue] = []
            var next = index + 1
            while next < end {
                values.append(Self(json, next, bytes))
                next = Int(json.tokens[next].next)
            }
            self = .list(values)
        case .object:
            var members: [String: DescriptionValue] = [:]
            var next = index + 1
            while next + 1 < end {
                let key = json.tokens[next]
                let name = BoundedJSON.unescaped(bytes, Int(key.start), Int(key.end)) ?? ""
                members[name] = Self(json, next + 1, bytes)
                next = Int(json.tokens[next + 1].next)
            }
            self = .map(members)
        }
    }

    subscript(key: String) -> DescriptionValue? {
        if case .map(let members) = self { members[key] } else { nil }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    var list: [DescriptionValue]? { if case .list(let values) = self { values } else { nil } }
    var isMap: Bool { if case .map = self { true } else { false } }
}

extension DescriptionValue {
    /// Parses a description; what is wrong with it in words.
    init(described payload: [UInt8]) throws(DescriptionError) {
        do throws(BoundedJSON.Problem) {
            self = try DescriptionValue(payload)
        } catch {
            throw DescriptionError(description: Self.text(of: error))
        }
    }

    private static func text(of problem: BoundedJSON.Problem) -> String {
        switch problem {
        case .tooLarge: "the description has more than \(Self.bytesMax >> 20) MiB"
        case .notUTF8: "the description is not UTF-8 text"
        case .syntax: "the description is not JSON"
        case .tooDeep: "the description is nested more than \(BoundedJSON.depthMax) levels deep"
        case .tooMany:
            "the description has more than \(Self.tokensMax) values, or a list of more than "
                + "\(BoundedJSON.membersMax)"
        case .duplicateKey: "a key stands twice in the description"
        }
    }
}
