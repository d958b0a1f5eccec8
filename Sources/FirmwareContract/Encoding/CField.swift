internal import CampusModel
internal import DeviceProfile

/// Why no encoder can be made of a contract, with the place that must be put right.
package struct CHeaderProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// One member of a payload as a member of a C struct.
struct CField {
    /// What C holds and how it is written.
    indirect enum Shape {
        /// The same in every payload; the JSON text.
        case constant(String)
        case boolean
        /// A whole number that counts steps of 10^-`decimals`.
        case number(type: String, decimals: Int, low: Int64, high: Int64, step: Int64)
        case text(most: Int, least: Int, pattern: TextPattern?)
        /// One of a list of JSON texts, with the names that C has for them.
        case choice(typeName: String, [(name: String, json: String)])
        case object([CField])
        case list(CField, most: Int, least: Int)
    }

    /// The name in JSON.
    var name: String
    /// The name in C; of a number that counts parts, with the power of ten.
    var identifier: String
    /// The name in C of the member that says whether it is there.
    var state: String
    var shape: Shape
    var isRequired: Bool
    var isNullable: Bool
    var comment: String

    /// Whether a member beside it says if it is there.
    var hasState: Bool {
        if case .constant = self.shape { return false }
        return !self.isRequired || self.isNullable
    }
}

/// Makes the members of a payload's struct.
struct CFieldMaker {
    /// Leads every name that is not a member: `campus_lab_node_v1_telemetry`.
    let prefix: String
    /// The member that says the version, if any, and what it says.
    let version: (pointer: JSONPointer, text: String)?

    func fields(_ schema: PayloadSchema, _ path: [String]) throws(CHeaderProblem) -> [CField] {
        var fields: [CField] = []
        var seen: Set<String> = []
        for member in schema.members {
            var field = try self.field(member, path + [member.name])
            while !seen.insert(field.identifier).inserted || !seen.insert(field.state).inserted {
                field.identifier += "_"
                field.state += "_"
            }
            fields.append(field)
        }
        return fields
    }

    private func field(_ member: PayloadSchema.Member, _ path: [String]) throws(CHeaderProblem) -> CField {
        let schema = member.schema
        let kinds = schema.kinds.filter { $0 != .null }
        let place = path.map(JSONText.token).joined()
        guard kinds.count == 1, let kind = kinds.first else {
            throw CHeaderProblem(description: "\(place) has several types; a firmware sends one")
        }
        let base = CName.member(member.name)
        var identifier = base
        let shape: CField.Shape
        if let version, version.pointer.tokens == path {
            shape = .constant(JSONText.quoted(version.text))
        } else if let allowed = schema.allowed, allowed.count == 1 {
            shape = .constant(allowed[0].description)
        } else if let allowed = schema.allowed {
            shape = .choice(typeName: CName.type(self.prefix, path), CName.choices(allowed, self.prefix, path))
        } else {
            shape = try self.shape(kind, schema, path)
        }
        if case .number(_, let decimals, _, _, _) = shape, decimals > 0 { identifier += "_e\(decimals)" }
        return CField(
            name: member.name,
            identifier: identifier,
            state: "\(base)_is",
            shape: shape,
            isRequired: member.isRequired,
            isNullable: schema.kinds.contains(.null),
            comment: self.comment(schema, shape)
        )
    }

    private func shape(
        _ kind: PayloadSchema.Kind,
        _ schema: PayloadSchema,
        _ path: [String]
    ) throws(CHeaderProblem) -> CField.Shape {
        let place = path.map(JSONText.token).joined()
        switch kind {
        case .boolean: return .boolean
        case .number, .integer: return try self.number(kind, schema, place)
        case .string:
            guard let most = schema.lengthMax else { throw CHeaderProblem(description: "\(place) has no maxLength") }
            return .text(most: most, least: schema.lengthMin, pattern: schema.pattern)
        case .object: return .object(try self.fields(schema, path))
        case .array:
            guard let element = schema.items.first, let most = schema.itemsMax else {
                throw CHeaderProblem(description: "\(place) has no items or maxItems")
            }
            let inner = try self.field(
                PayloadSchema.Member(name: path.last ?? "item", schema: element, isRequired: true),
                path
            )
            switch inner.shape {
            case .boolean, .number: break
            default: throw CHeaderProblem(description: "\(place): only lists of numbers and truth values are made")
            }
            if inner.isNullable { throw CHeaderProblem(description: "\(place): its elements may be null") }
            return .list(inner, most: most, least: schema.itemsMin)
        case .null: throw CHeaderProblem(description: "\(place) is always null")
        }
    }

    private func number(
        _ kind: PayloadSchema.Kind,
        _ schema: PayloadSchema,
        _ place: String
    ) throws(CHeaderProblem) -> CField.Shape {
        guard let low = schema.minimum, let high = schema.maximum, !low.isExclusive, !high.isExclusive else {
            throw CHeaderProblem(description: "\(place) needs 'minimum' and 'maximum'")
        }
        guard let step = schema.multipleOf ?? (kind == .integer ? ExactDecimal(1) : nil) else {
            throw CHeaderProblem(description: "\(place) needs 'multipleOf': firmware counts steps and has no floats")
        }
        let decimals = max(0, step.decimals)
        guard decimals <= 9, let lowest = low.value.scaled(by: decimals), let highest = high.value.scaled(by: decimals),
            let stride = step.scaled(by: decimals)
        else {
            throw CHeaderProblem(description: "\(place): minimum and maximum must be multiples of multipleOf, 64 bits")
        }
        let type =
            lowest >= Int64(Int32.min) && highest <= Int64(Int32.max)
            ? "int32_t" : lowest >= 0 && highest <= Int64(UInt32.max) ? "uint32_t" : "int64_t"
        return .number(type: type, decimals: decimals, low: lowest, high: highest, step: stride)
    }

    private func comment(_ schema: PayloadSchema, _ shape: CField.Shape) -> String {
        var parts: [String] = []
        if let title = schema.title { parts.append(title) }
        if case .number(_, let decimals, let low, let high, _) = shape {
            let unit = schema.unit.map { " \($0)" } ?? ""
            parts.append(decimals > 0 ? "in 10^-\(decimals)\(unit), \(low) to \(high)" : "\(low) to \(high)\(unit)")
        }
        if case .text(let most, _, let pattern) = shape {
            parts.append("at most \(most) characters" + (pattern.map { ", \($0)" } ?? ""))
        }
        return parts.joined(separator: "; ").replacing("*/", with: "* /").replacing("\n", with: " ")
            .replacing("\\", with: "\\\\")
    }
}

/// Names for C.
enum CName {
    private static let keywords: Set<String> = [
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
        "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
        "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
        "true", "false", "asm", "class", "new", "delete", "this", "template", "operator",
    ]

    /// Lower case, anything but letters and digits an underscore.
    static func lower(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else if (0x41...0x5A).contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            } else {
                result.append("_")
            }
        }
        return result
    }

    static func member(_ name: String) -> String {
        let text = self.lower(name)
        let isBad = text.isEmpty || (0x30...0x39).contains(text.utf8.first ?? 0x30) || self.keywords.contains(text)
        return isBad ? "m_\(text)" : text
    }

    static func type(_ prefix: String, _ path: [String]) -> String {
        ([prefix] + path.map(self.lower)).joined(separator: "_")
    }

    static func choices(
        _ allowed: [PayloadSchema.Scalar],
        _ prefix: String,
        _ path: [String]
    ) -> [(name: String, json: String)] {
        var seen: Set<String> = []
        return allowed.map { scalar in
            var name = self.type(prefix, path + [scalar.plainText]).uppercased()
            while !seen.insert(name).inserted { name += "_" }
            return (name, scalar.description)
        }
    }

    /// A text as a C string.
    static func string(_ text: String) -> String {
        var result = "\""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\" + String(Unicode.Scalar(byte))
            // Octal, because hexadecimal escapes have no end in C; ? for the sake of trigraphs.
            case 0x20...0x3E, 0x40...0x7E: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
