internal import Yams

/// One value of a YAML file, with its place.
///
/// Reading it as something that it is not records a problem.
package struct YAMLValue {
    let node: Node
    /// Where in the structure: `points[3].scale`.
    package let path: String
    let collector: YAMLProblemCollector

    /// The line in the file, from 1.
    package var line: Int { self.node.mark?.line ?? 0 }

    /// Records that this value is wrong.
    package func problem(_ message: String) {
        self.collector.add(
            line: self.line,
            column: self.node.mark?.column ?? 0,
            path: self.path,
            message: message
        )
    }

    /// Whether the value is written as nothing: `key:` or `key: ~` or `key: null`.
    package var isNull: Bool {
        guard let text = self.plainText else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    /// Whether the value is a map.
    package var isMap: Bool { if case .mapping = self.node { true } else { false } }

    /// Whether the value is a list.
    package var isList: Bool { if case .sequence = self.node { true } else { false } }

    /// The text of a scalar without quotes; `nil` for quoted scalars, lists and maps.
    package var plainText: String? {
        guard case .scalar(let scalar) = self.node, scalar.style == .plain || scalar.style == .any else { return nil }
        return scalar.string
    }

    /// The text of any scalar.
    package var scalarText: String? {
        guard case .scalar(let scalar) = self.node else { return nil }
        return scalar.string
    }

    /// The value as text of at most `limit` characters, never empty.
    package func string(limit: Int = 4_096) -> String? {
        guard let text = self.scalarText, !self.isNull else {
            self.problem("must be a text")
            return nil
        }
        guard !text.isEmpty, text.utf8.count <= limit else {
            self.problem("must have 1 to \(limit) bytes")
            return nil
        }
        return text
    }

    /// The value as a whole number, decimal or `0x…`.
    package func int(in range: ClosedRange<Int>) -> Int? {
        guard let text = self.plainText, let number = self.wholeNumber(text) else {
            self.problem("must be a whole number from \(range.lowerBound) to \(range.upperBound)\(self.octalHint)")
            return nil
        }
        guard range.contains(number) else {
            self.problem("\(number) is outside \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// The value as a finite number, decimal, scientific or `0x…`.
    package func double(
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    )
        -> Double?
    {
        guard let text = self.plainText, let number = self.number(text) else {
            self.problem("must be a number\(self.octalHint)")
            return nil
        }
        guard range.contains(number) else {
            self.problem("\(text) is outside \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// The value as a number when it looks like one; records nothing.
    package var numberIfAny: Double? { self.plainText.flatMap { self.number($0) } }

    /// The value as `true` or `false`, written so.
    package func bool() -> Bool? {
        switch self.plainText {
        case "true": return true
        case "false": return false
        default:
            self.problem("must be true or false")
            return nil
        }
    }

    /// The value as one of the words of an enumeration.
    package func choice<Choice>(of type: Choice.Type) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        let words = Choice.allCases.map(\.rawValue)
        guard let text = self.scalarText else {
            self.problem("must be one of \(words.joined(separator: ", "))")
            return nil
        }
        if let choice = Choice(rawValue: text) { return choice }
        let hint = NearestWord.suggestion(for: text, among: words).map { "; did you mean '\($0)'?" } ?? ""
        self.problem("'\(text.prefix(60))' is not one of \(words.joined(separator: ", "))\(hint)")
        return nil
    }

    /// The value as a time span with unit, in milliseconds: `500 ms`, `5 s`, `10 min`, `1 h`, `7 d`.
    package func milliseconds(in range: ClosedRange<Int64>) -> Int64? {
        guard let text = self.scalarText, let milliseconds = Self.milliseconds(of: text) else {
            self.problem("must be a time span with its unit, such as 500 ms, 5 s, 10 min, 1 h or 7 d")
            return nil
        }
        guard range.contains(milliseconds) else {
            self.problem(
                "\(text) is outside \(Self.text(ofMilliseconds: range.lowerBound)) to "
                    + Self.text(ofMilliseconds: range.upperBound)
            )
            return nil
        }
        return milliseconds
    }

    /// The value as a list.
    package func list(limit: Int = 10_000) -> [YAMLValue] {
        guard case .sequence(let sequence) = self.node else {
            if !self.isNull { self.problem("must be a list") }
            return []
        }
        guard sequence.count <= limit else {
            self.problem("must have at most \(limit) entries")
            return []
        }
        return sequence.enumerated()
            .map { index, node in
                YAMLValue(node: node, path: "\(self.path)[\(index)]", collector: self.collector)
            }
    }

    /// The value as a map; an empty one, after recording the problem, when it is something else.
    package func map() -> YAMLMap {
        guard case .mapping(let mapping) = self.node else {
            self.problem("must be a list of `key: value` lines")
            return YAMLMap(value: self, entries: [:], isReadable: false)
        }
        var entries: [String: YAMLValue] = [:]
        for (key, node) in mapping {
            guard case .scalar(let scalar) = key else {
                YAMLValue(node: key, path: self.path, collector: self.collector).problem("a key must be a text")
                continue
            }
            let path = self.path.isEmpty ? scalar.string : "\(self.path).\(scalar.string)"
            entries[scalar.string] = YAMLValue(node: node, path: path, collector: self.collector)
        }
        let depth = self.path.utf8.count { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") }
        guard depth <= YAMLDocument.depthMax else {
            self.problem("nested too deeply")
            return YAMLMap(value: self, entries: [:], isReadable: false)
        }
        return YAMLMap(value: self, entries: entries, isReadable: true)
    }

    private var octalHint: String {
        guard let text = self.plainText, text.count > 1, text.hasPrefix("0"), text.allSatisfy(\.isNumber) else {
            return ""
        }
        return "; write it without the leading 0"
    }

    private func wholeNumber(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        let sign = text.hasPrefix("-") ? "-" : ""
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            guard digits.count <= 18 else { return nil }
            return Int(sign + digits.dropFirst(2), radix: 16)
        }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first), digits == "0" || first != 0x30 else {
            return nil
        }
        return Int(text)
    }

    private func number(_ text: String) -> Double? {
        if let whole = self.wholeNumber(text) { return Double(whole) }
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        guard let first = digits.utf8.first, (0x30...0x39).contains(first), text.utf8.count <= 64,
            digits.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }),
            !(first == 0x30 && digits.dropFirst().utf8.first.map { (0x30...0x39).contains($0) } ?? false),
            let number = Double(text), number.isFinite
        else { return nil }
        return number
    }

    /// A size such as `16 MiB`, in bytes.
    package func bytes(in range: ClosedRange<Int>) -> Int? {
        guard let text = self.string() else { return nil }
        let trimmed = text.filter { $0 != " " }
        let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
        let shifts = ["B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        guard let number = Int(digits), digits.count <= 9, let shift = shifts[String(trimmed.dropFirst(digits.count))]
        else {
            self.problem("'\(text)' is not a size; write it like 4 KiB, 256 MiB or 2 GiB")
            return nil
        }
        let bytes = number << shift
        guard range.contains(bytes) else {
            let bounds = [range.lowerBound, range.upperBound].map(Self.text(ofBytes:))
            self.problem("\(text) is outside \(bounds[0]) to \(bounds[1])")
            return nil
        }
        return bytes
    }

    private static func text(ofBytes bytes: Int) -> String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
        where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes) B"
    }

    static func milliseconds(of text: String) -> Int64? {
        let trimmed = text.filter { $0 != " " }
        let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), digits.count <= 12 else { return nil }
        let factor: Int64
        switch trimmed.dropFirst(digits.count) {
        case "ms": factor = 1
        case "s": factor = 1_000
        case "min": factor = 60_000
        case "h": factor = 3_600_000
        case "d": factor = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    static func text(ofMilliseconds milliseconds: Int64) -> String {
        for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")]
        where milliseconds >= factor && milliseconds % Int64(factor) == 0 {
            return "\(milliseconds / Int64(factor)) \(unit)"
        }
        return "\(milliseconds) ms"
    }
}
