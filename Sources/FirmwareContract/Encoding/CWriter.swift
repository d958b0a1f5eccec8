internal import CampusModel

/// Writes the C of structs and encoders.
struct CWriter {
    /// What an example puts into a struct.
    enum Fill: CaseIterable {
        case required
        case least
        case most
    }

    let prefix: String
    /// `prefix_message`.
    let name: String
    /// Enumerations, gathered while members are written.
    private(set) var types = ""
    /// Tables of forms, gathered while encoders are written.
    private(set) var tables = ""
    private var tableCount = 0

    init(prefix: String, name: String) {
        self.prefix = prefix
        self.name = name
    }

    private var upper: String { self.prefix.uppercased() }

    // MARK: Structs

    mutating func members(_ fields: [CField], _ indent: String) -> String {
        var text = ""
        for field in fields {
            if case .constant = field.shape { continue }
            if !field.comment.isEmpty { text += "\(indent)/* \(field.comment) */\n" }
            if field.hasState { text += "\(indent)uint8_t \(field.state);\n" }
            text += self.member(field, indent)
        }
        // An empty struct is no C.
        return text.isEmpty ? "\(indent)uint8_t nothing;\n" : text
    }

    private mutating func member(_ field: CField, _ indent: String) -> String {
        switch field.shape {
        case .constant: return ""
        case .boolean: return "\(indent)bool \(field.identifier);\n"
        case .number(let type, _, _, _, _): return "\(indent)\(type) \(field.identifier);\n"
        case .text: return "\(indent)const char *\(field.identifier);\n"
        case .choice(let type, let choices):
            let names = choices.map { "    \($0.name)" }.joined(separator: ",\n")
            self.types += "typedef enum {\n\(names)\n} \(type);\n\n"
            return "\(indent)\(type) \(field.identifier);\n"
        case .object(let inner):
            return "\(indent)struct {\n\(self.members(inner, indent + "    "))\(indent)} \(field.identifier);\n"
        case .list(let element, let most, _):
            let type = if case .number(let type, _, _, _, _) = element.shape { type } else { "bool" }
            return "\(indent)size_t \(field.identifier)_count;\n\(indent)\(type) \(field.identifier)[\(most)];\n"
        }
    }

    // MARK: Encoders

    mutating func object(_ fields: [CField], _ access: String, _ indent: String) -> String {
        var text = "\(indent)\(self.prefix)_put(&w, \"{\", 1);\n\(indent)w.follows = false;\n"
        for field in fields { text += self.field(field, access, indent) }
        return text + "\(indent)\(self.prefix)_put(&w, \"}\", 1);\n\(indent)w.follows = true;\n"
    }

    private mutating func field(_ field: CField, _ access: String, _ indent: String) -> String {
        let key = "\(self.prefix)_key(&w, \(CName.string(JSONText.quoted(field.name) + ":")));\n"
        let value = "\(access)\(field.identifier)"
        let state = "\(access)\(field.state)"
        guard field.hasState else {
            return "\(indent)\(key)\(self.value(field, value, indent))"
        }
        var text = "\(indent)if (\(state) == 1) {\n\(indent)    \(key)\(self.value(field, value, indent + "    "))"
        if field.isNullable {
            text += "\(indent)} else if (\(state) == 2) {\n\(indent)    \(key)"
            text += "\(indent)    \(self.prefix)_put(&w, \"null\", 4);\n"
        }
        if field.isRequired {
            text += "\(indent)} else {\n\(indent)    \(self.prefix)_fail(&w, \(self.upper)_MISSING);\n"
        } else {
            text += "\(indent)} else if (\(state) != 0) {\n\(indent)    \(self.prefix)_fail(&w, \(self.upper)_RANGE);\n"
        }
        return text + "\(indent)}\n"
    }

    private mutating func value(_ field: CField, _ value: String, _ indent: String) -> String {
        switch field.shape {
        case .constant(let json): return "\(indent)\(self.prefix)_put(&w, \(CName.string(json)), \(json.utf8.count));\n"
        case .boolean:
            return "\(indent)\(self.prefix)_put(&w, \(value) ? \"true\" : \"false\", \(value) ? 4 : 5);\n"
        case .number(_, let decimals, let low, let high, let step):
            return "\(indent)\(self.prefix)_number(&w, (int64_t)\(value), \(decimals), \(Self.literal(low)), "
                + "\(Self.literal(high)), \(Self.literal(step)));\n"
        case .text(let most, let least, let pattern): return self.text(value, most, least, pattern, indent)
        case .choice(_, let choices):
            let cases = choices.map { choice in
                "\(indent)case \(choice.name): \(self.prefix)_put(&w, \(CName.string(choice.json)), "
                    + "\(choice.json.utf8.count)); break;\n"
            }
            return "\(indent)switch (\(value)) {\n\(cases.joined())"
                + "\(indent)default: \(self.prefix)_fail(&w, \(self.upper)_RANGE);\n\(indent)}\n"
        case .object(let inner): return self.object(inner, "\(value).", indent)
        case .list(let element, let most, let least): return self.list(element, value, most, least, indent)
        }
    }

    private mutating func text(
        _ value: String,
        _ most: Int,
        _ least: Int,
        _ pattern: TextPattern?,
        _ indent: String
    ) -> String {
        var condition = "\(value) == NULL"
        var before = ""
        if let pattern {
            let (table, count) = self.table(pattern)
            before = "\(indent)    unsigned char now[\(count + 1)], next[\(count + 1)];\n"
            condition += " || !\(self.prefix)_matches(\(table), \(count), now, next, \(value))"
        }
        return """
            \(indent){
            \(before)\(indent)    if (\(condition)) {
            \(indent)        \(self.prefix)_fail(&w, \(value) == NULL ? \(self.upper)_MISSING : \(self.upper)_RANGE);
            \(indent)    } else {
            \(indent)        \(self.prefix)_text(&w, \(value), \(least), \(most));
            \(indent)    }
            \(indent)}

            """
    }

    /// A form as a table of places; returns its name and length.
    private mutating func table(_ pattern: TextPattern) -> (String, Int) {
        let name = "\(self.name)_form\(self.tableCount)"
        self.tableCount += 1
        var rows: [String] = []
        for part in pattern.parts {
            var words: [UInt32] = [0, 0, 0, 0]
            for byte in UInt32(1)..<128 where part.set.contains(byte) { words[Int(byte / 32)] |= 1 << (byte % 32) }
            let set = words.map { "0x\(String($0, radix: 16))u" }.joined(separator: ", ")
            func add(_ canSkip: Bool, _ canStay: Bool) {
                rows.append("    {{\(set)}, \(canSkip), \(canStay)}")
            }
            for _ in 0..<part.atLeast { add(false, false) }
            if let atMost = part.atMost {
                for _ in part.atLeast..<max(part.atLeast, atMost) { add(true, false) }
            } else {
                add(true, true)
            }
        }
        if rows.isEmpty { rows = ["    {{0u, 0u, 0u, 0u}, true, false}"] }
        self.tables += "/* \(pattern.description.replacing("*/", with: "* /").replacing("\\", with: "\\\\")) */\n"
        self.tables += "static const \(self.prefix)_place \(name)[\(rows.count)] = {\n"
        self.tables += rows.joined(separator: ",\n") + "\n};\n\n"
        return (name, rows.count)
    }

    private mutating func list(
        _ element: CField,
        _ value: String,
        _ most: Int,
        _ least: Int,
        _ indent: String
    ) -> String {
        let inner = self.value(element, "\(value)[i]", indent + "        ")
        let tooFew = least > 0 ? "\(value)_count < \(least) || " : ""
        return """
            \(indent){
            \(indent)    size_t i;
            \(indent)    if (\(tooFew)\(value)_count > \(most)) {
            \(indent)        \(self.prefix)_fail(&w, \(self.upper)_RANGE);
            \(indent)    }
            \(indent)    \(self.prefix)_put(&w, "[", 1);
            \(indent)    for (i = 0; i < \(value)_count && i < \(most); ++i) {
            \(indent)        if (i > 0) {
            \(indent)            \(self.prefix)_put(&w, ",", 1);
            \(indent)        }
            \(inner)\(indent)    }
            \(indent)    \(self.prefix)_put(&w, "]", 1);
            \(indent)}

            """
    }

    private static func literal(_ number: Int64) -> String {
        if number == .min { return "INT64_MIN" }
        return abs(number) > Int64(Int32.max) ? "INT64_C(\(number))" : "\(number)"
    }

    // MARK: Size

    /// The most bytes that a value takes.
    static func worstBytes(_ shape: CField.Shape) -> Int {
        switch shape {
        case .constant(let json): return json.utf8.count
        case .boolean: return 5
        case .number(_, let decimals, let low, let high, _):
            let digits = max("\(low.magnitude)".count, "\(high.magnitude)".count, decimals + 1)
            return digits + (decimals > 0 ? 1 : 0) + (low < 0 ? 1 : 0)
        case .text(let most, _, let pattern):
            // Without a form a character may take six bytes as an escape; with one, what it allows.
            let width = pattern.map { self.width($0) } ?? 6
            return 2 + most * width
        case .choice(_, let choices): return choices.map(\.json.utf8.count).max() ?? 0
        case .object(let fields):
            return 2
                + fields.reduce(0) { sum, field in
                    let value = max(self.worstBytes(field.shape), field.isNullable ? 4 : 0)
                    return sum + JSONText.quoted(field.name).utf8.count + 2 + value
                }
        case .list(let element, let most, _): return 2 + most * (self.worstBytes(element.shape) + 1)
        }
    }

    private static func width(_ pattern: TextPattern) -> Int {
        let sets = pattern.parts.map(\.set)
        if sets.contains(where: { set in (UInt32(1)..<0x20).contains { set.contains($0) } }) { return 6 }
        return sets.contains { $0.contains(0x22) || $0.contains(0x5C) } ? 2 : 1
    }

    // MARK: Examples

    func assignments(_ fields: [CField], _ access: String, _ fill: Fill) -> String {
        var text = ""
        for field in fields where field.isRequired || fill != .required {
            let value = "\(access)\(field.identifier)"
            if field.hasState {
                text += "        \(access)\(field.state) = \(field.isNullable && fill == .required ? 2 : 1);\n"
            }
            switch field.shape {
            case .constant: break
            case .boolean: text += "        \(value) = \(fill == .most ? "true" : "false");\n"
            case .number(_, _, let low, let high, let step):
                let least = low % step == 0 ? low : low - low % step + (low > 0 ? step : 0)
                text += "        \(value) = \(Self.literal(fill == .most ? high - high % step : least));\n"
            case .text(let most, let least, let pattern):
                let example = pattern?.example ?? String(repeating: "x", count: fill == .most ? most : max(least, 1))
                text += "        \(value) = \(CName.string(example));\n"
            case .choice(_, let choices):
                let choice = fill == .most ? choices.last : choices.first
                text += "        \(value) = \(choice?.name ?? "0");\n"
            case .object(let inner): text += self.assignments(inner, "\(value).", fill)
            case .list(let element, let most, let least):
                let count = fill == .most ? most : least
                text += "        \(value)_count = \(count);\n"
                if case .number(_, _, _, let high, let step) = element.shape, fill == .most {
                    for index in 0..<count {
                        text += "        \(value)[\(index)] = \(Self.literal(high - high % step));\n"
                    }
                }
            }
        }
        return text
    }
}
