internal import CampusModel
internal import DeviceProfile
internal import StrictYAML

/// Compares the tokens of one payload with a schema and gathers what differs.
///
/// Lives only while the payload's bytes do. The schema is a finite tree and the payload is bounded, so is the work.
struct PayloadChecker {
    let json: BoundedJSON
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var differences: [Difference] = []
    private(set) var moreCount = 0
    /// The tokens that lead to the value that is looked at; a pointer is only made of them when something differs.
    private var path: [String] = []

    init(json: BoundedJSON, bytes: UnsafeBufferPointer<UInt8>) {
        self.json = json
        self.bytes = bytes
    }

    /// Notes a difference of the value that is looked at, or of its member `child`.
    private mutating func add(_ child: String? = nil, vi: String, en: String) {
        guard self.differences.count < ContractViolation.differencesMax else {
            self.moreCount += 1
            return
        }
        let tokens = child.map { self.path + [$0] } ?? self.path
        self.differences.append(Difference(tokens.map(JSONText.token).joined(), vi: vi, en: en))
    }

    /// How deep the payload nests: 1 for an object of scalars.
    var depth: Int {
        var ends: [Int32] = []
        var deepest = 0
        for (index, token) in self.json.tokens.enumerated() where token.kind == .object || token.kind == .array {
            while let end = ends.last, end <= Int32(index) { ends.removeLast() }
            ends.append(token.next)
            deepest = max(deepest, ends.count)
        }
        return deepest
    }

    /// Compares the value at token `index`.
    mutating func check(_ index: Int, _ schema: PayloadSchema) {
        let token = self.json.tokens[index]
        let text = self.json.text(index, in: self.bytes) ?? ""
        guard self.isOfKind(token.kind, text, schema) else {
            self.wrongKind(token.kind, text, schema)
            return
        }
        switch token.kind {
        case .object: self.checkObject(index, schema)
        case .array: self.checkArray(index, schema)
        case .string, .escapedString:
            self.checkAllowed(.text(text), text, schema)
            self.checkText(text, schema)
        case .number: self.checkNumber(text, schema)
        case .yes, .no: self.checkAllowed(.boolean(token.kind == .yes), text, schema)
        case .null: self.checkAllowed(.null, text, schema)
        case .key: break
        }
    }

    /// Bare text.
    mutating func checkBareText(_ text: String, _ schema: PayloadSchema) {
        self.checkAllowed(.text(text), text, schema)
        self.checkText(text, schema)
    }

    private func isOfKind(_ kind: BoundedJSON.Kind, _ text: String, _ schema: PayloadSchema) -> Bool {
        switch kind {
        case .object: return schema.kinds.contains(.object)
        case .array: return schema.kinds.contains(.array)
        case .string, .escapedString: return schema.kinds.contains(.string)
        case .yes, .no: return schema.kinds.contains(.boolean)
        case .null: return schema.kinds.contains(.null)
        case .number:
            if schema.kinds.contains(.number) { return true }
            guard schema.kinds.contains(.integer) else { return false }
            // 5.0 is a whole number by draft-06 and later.
            if let number = ExactDecimal(text) { return number.decimals <= 0 }
            return Double(text).map { $0.rounded() == $0 } ?? false
        case .key: return false
        }
    }

    private mutating func wrongKind(
        _ kind: BoundedJSON.Kind,
        _ text: String,
        _ schema: PayloadSchema
    ) {
        let found: PayloadSchema.Kind
        var quoted = ""
        switch kind {
        case .object, .key: found = .object
        case .array: found = .array
        case .string, .escapedString:
            found = .string
            quoted = " " + Self.quoted(text, schema)
        case .number:
            found = .number
            quoted = " " + Self.shown(text, schema)
        case .yes, .no:
            found = .boolean
            quoted = " \(text)"
        case .null: found = .null
        }
        let expected = schema.kinds.map(\.words)
        let name = found == .boolean ? LocalizedText(vi: "", en: "") : found.words
        self.add(
            vi: "cần \(expected.map(\.vi).joined(separator: " hoặc ")), nhận được \(name.vi)\(quoted)"
                .replacing("nhận được  ", with: "nhận được "),
            en: "expected \(expected.map(\.en).joined(separator: " or ")), got \(name.en)\(quoted)"
                .replacing("got  ", with: "got ")
        )
    }

    private mutating func checkObject(_ object: Int, _ schema: PayloadSchema) {
        let end = Int(self.json.tokens[object].next)
        var found: Set<String> = []
        var unknown: [String] = []
        var index = object + 1
        while index + 1 < end {
            // The text of a key: like that of a string.
            let name = self.key(index)
            if let member = schema.member(name) {
                found.insert(name)
                self.path.append(name)
                self.check(index + 1, member.schema)
                self.path.removeLast()
            } else {
                unknown.append(name)
            }
            index = Int(self.json.tokens[index + 1].next)
        }
        for member in schema.members where member.isRequired && !found.contains(member.name) {
            let near = Self.nearest(to: member.name, among: unknown)
            self.add(
                member.name,
                vi: "thiếu" + (near.map { "; có \($0)" } ?? ""),
                en: "missing" + (near.map { "; there is \($0)" } ?? "")
            )
        }
        guard schema.isClosed else { return }
        for name in unknown {
            let near = Self.nearest(to: name, among: schema.members.map(\.name))
            self.add(
                Self.isPlain(name) ? name : "•••",
                vi: "không có trong hợp đồng" + (near.map { "; có phải \($0)?" } ?? ""),
                en: "not in the contract" + (near.map { "; did you mean \($0)?" } ?? "")
            )
        }
    }

    private func key(_ index: Int) -> String { self.json.text(index, in: self.bytes) ?? "" }

    /// The name that was probably meant, quoted, if it may be shown.
    private static func nearest(to name: String, among names: [String]) -> String? {
        let plain = names.filter(self.isPlain)
        if let same = plain.first(where: { $0.lowercased() == name.lowercased() }) { return "\"\(same)\"" }
        return NearestWord.suggestion(for: name, among: plain.sorted()).map { "\"\($0)\"" }
    }

    /// Whether a member's name looks like one, and not like something that a person would not want to be seen.
    private static func isPlain(_ name: String) -> Bool {
        guard (1...40).contains(name.utf8.count) else { return false }
        let isWord = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "_-.:@ ".utf8.contains(byte)
        }
        return isWord && !self.hasLongNumber(name)
    }

    private mutating func checkArray(_ array: Int, _ schema: PayloadSchema) {
        let end = Int(self.json.tokens[array].next)
        var index = array + 1
        var count = 0
        while index < end {
            if let element = schema.items.first, count < schema.itemsMax ?? .max {
                self.path.append("\(count)")
                self.check(index, element)
                self.path.removeLast()
            }
            index = Int(self.json.tokens[index].next)
            count += 1
        }
        if count < schema.itemsMin {
            self.add(
                vi: "có \(count) phần tử, cần ít nhất \(schema.itemsMin)",
                en: "\(count) elements, at least \(schema.itemsMin) expected"
            )
        }
        if let most = schema.itemsMax, count > most {
            self.add(
                vi: "có \(count) phần tử, nhiều nhất \(most)",
                en: "\(count) elements, at most \(most) allowed"
            )
        }
    }

    private mutating func checkAllowed(
        _ scalar: PayloadSchema.Scalar,
        _ text: String,
        _ schema: PayloadSchema
    ) {
        guard let allowed = schema.allowed, !allowed.contains(scalar) else { return }
        let shown: String = if case .text = scalar { Self.quoted(text, schema) } else { Self.shown(text, schema) }
        let list = allowed.prefix(8).map(\.description).joined(separator: ", ") + (allowed.count > 8 ? ", …" : "")
        self.add(
            vi: allowed.count == 1 ? "phải là \(list), nhận được \(shown)" : "\(shown) không thuộc \(list)",
            en: allowed.count == 1 ? "must be \(list), got \(shown)" : "\(shown) is none of \(list)"
        )
    }

    private mutating func checkText(_ text: String, _ schema: PayloadSchema) {
        let count = text.unicodeScalars.count
        if count < schema.lengthMin {
            self.add(
                vi: "dài \(count) ký tự, cần ít nhất \(schema.lengthMin)",
                en: "\(count) characters, at least \(schema.lengthMin) expected"
            )
        }
        if let most = schema.lengthMax, count > most {
            self.add(
                vi: "dài \(count) ký tự, nhiều nhất \(most)",
                en: "\(count) characters, at most \(most) allowed"
            )
            return
        }
        guard let pattern = schema.pattern, !pattern.matches(text) else { return }
        let shown = Self.quoted(text, schema)
        self.add(
            vi: "\(shown) không có dạng \(pattern)",
            en: "\(shown) does not have the form \(pattern)"
        )
    }

    private mutating func checkNumber(_ text: String, _ schema: PayloadSchema) {
        let shown = Self.shown(text, schema)
        guard let number = ExactDecimal(text) else {
            self.checkInexact(text, shown, schema)
            return
        }
        self.checkAllowed(.number(number), text, schema)
        if let low = schema.minimum, low.isExclusive ? number <= low.value : number < low.value {
            self.outside(shown, low, isLow: true)
        }
        if let high = schema.maximum, high.isExclusive ? number >= high.value : number > high.value {
            self.outside(shown, high, isLow: false)
        }
        if let step = schema.multipleOf, !number.isMultiple(of: step) {
            self.add(vi: "\(shown) không phải bội số của \(step)", en: "\(shown) is not a multiple of \(step)")
        }
    }

    /// A number with more digits than limits are kept in.
    private mutating func checkInexact(
        _ text: String,
        _ shown: String,
        _ schema: PayloadSchema
    ) {
        let value = Double(text) ?? .infinity
        if schema.allowed != nil || schema.multipleOf != nil {
            self.add(vi: "\(shown) có quá nhiều chữ số", en: "\(shown) has too many digits")
        }
        if let low = schema.minimum, value < low.value.value { self.outside(shown, low, isLow: true) }
        if let high = schema.maximum, value > high.value.value { self.outside(shown, high, isLow: false) }
    }

    private mutating func outside(_ shown: String, _ limit: PayloadSchema.Limit, isLow: Bool) {
        let vi = isLow ? "nhỏ hơn" : "lớn hơn"
        let en = isLow ? "below" : "above"
        let orEqual = limit.isExclusive
        self.add(
            vi: "\(shown) \(vi)\(orEqual ? " hoặc bằng" : "") \(limit.value)",
            en: "\(shown) is \(en)\(orEqual ? " or equal to" : "") \(limit.value)"
        )
    }

    /// A text in quotes as far as it may be shown: nothing of a private member, nothing that could be the number of a
    /// card, at most 24 characters.
    static func quoted(_ text: String, _ schema: PayloadSchema) -> String {
        guard schema.privacy == .none else { return "\"•••\"" }
        // Masked or not, what is left of a text may have control characters.
        let visible = self.hasLongNumber(text) ? Masking.masked(String(text.prefix(64))) : text
        var shown = String.UnicodeScalarView()
        for scalar in visible.unicodeScalars.prefix(24) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            shown.append(isControl ? "·" : scalar)
        }
        return "\"\(String(shown))\(visible.unicodeScalars.count > 24 ? "…" : "")\""
    }

    /// A number as it may be shown.
    private static func shown(_ text: String, _ schema: PayloadSchema) -> String {
        guard schema.privacy == .none else { return "•••" }
        if !text.contains("."), text.utf8.count >= 8 { return Masking.masked(text) }
        return text.utf8.count > 32 ? text.prefix(32) + "…" : text
    }

    /// Six or more digits of a hexadecimal number in a row, unless it has a point: as cards are numbered.
    private static func hasLongNumber(_ text: String) -> Bool {
        if ExactDecimal(text) != nil, text.contains(".") { return false }
        var run = 0
        for byte in text.utf8 {
            let isDigit =
                (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
            if isDigit {
                run += 1
                if run >= 6 { return true }
            } else if ![UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: " ")].contains(byte) {
                run = 0
            }
        }
        return false
    }
}
