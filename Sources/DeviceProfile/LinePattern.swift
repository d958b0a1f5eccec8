/// A request or reply of a line device as a profile writes it: literal bytes with placeholders.
///
/// Every placeholder takes a run of one class of bytes, of bounded length, and nothing is ever tried twice: matching
/// takes one pass whatever comes from outside. The syntax is in `docs/formats/device-profile.md`.
package struct LinePattern: Sendable, Hashable, CustomStringConvertible {
    /// How the text of a profile stands for bytes.
    package enum Form: String, Sendable, CaseIterable {
        /// As written; the placeholders are characters.
        case text
        /// Hexadecimal pairs; the placeholders are bytes and numbers of bytes.
        case hex
    }

    /// What a field may be.
    package enum Kind: String, Sendable, CaseIterable {
        /// Characters other than controls, up to the literal after it.
        case any
        case digits
        case hex
        case letters
        /// A decimal number with sign and point, blanks before it allowed.
        case number
        case uint8
        case int8
        case uint16
        case int16
        case uint16LowFirst = "uint16-low-first"
        case int16LowFirst = "int16-low-first"
        /// Characters up to the first NUL; the length is counted in bytes.
        case ascii
        /// Bytes that nobody looks at.
        case skip

        /// Which form has it.
        var form: Form {
            switch self {
            case .any, .digits, .hex, .letters, .number: .text
            case .uint8, .int8, .uint16, .int16, .uint16LowFirst, .int16LowFirst, .ascii, .skip: .hex
            }
        }

        /// Bytes of a number; `nil` for classes with a length.
        var width: Int? {
            switch self {
            case .uint8, .int8: 1
            case .uint16, .int16, .uint16LowFirst, .int16LowFirst: 2
            case .any, .digits, .hex, .letters, .number, .ascii, .skip: nil
            }
        }
    }

    /// One part of a pattern.
    enum Piece: Sendable, Hashable {
        case literal([UInt8])
        /// The device's address: so many decimal digits, or 0 for one raw byte.
        case unit(digits: Int)
        /// Blanks, one or more.
        case blanks
        /// The checksum of the frame; in a reply the frame's reader has proved it.
        case checksum
        case field(name: String, kind: Kind, count: ClosedRange<Int>)
    }

    /// What a field was in a reply.
    package enum Value: Sendable, Hashable {
        /// A number in the grammar of JSON.
        case number(String)
        case text(String)

        /// The characters, whatever they mean.
        package var text: String {
            switch self {
            case .number(let text), .text(let text): text
            }
        }
    }

    /// Bytes of one request or reply at most.
    package static let bytesMax = 1_024
    /// Characters of one field at most.
    package static let fieldMax = 255

    package let description: String
    let pieces: [Piece]

    /// The fields that it takes, those whose name begins with `_` left out.
    package var fieldNames: [String] {
        self.pieces.compactMap { piece in
            if case .field(let name, _, _) = piece, !name.hasPrefix("_") { name } else { nil }
        }
    }

    /// Whether it has a placeholder for the address.
    package var hasUnit: Bool { self.pieces.contains { if case .unit = $0 { true } else { false } } }

    /// Whether it has fields of any sort, those that are skipped included.
    package var hasFields: Bool { self.pieces.contains { if case .field = $0 { true } else { false } } }

    /// Reads a pattern; the error is a sentence for whoever wrote the profile.
    package init(_ text: String, form: Form) throws(LinePatternError) {
        self.description = text
        var parser = LinePatternParser(form: form)
        self.pieces = try parser.parse(text)
    }
}

/// Why a text is no pattern.
package struct LinePatternError: Error, Hashable, CustomStringConvertible {
    package var description: String
}

/// Reads the text of a pattern.
struct LinePatternParser {
    let form: LinePattern.Form
    private var pieces: [LinePattern.Piece] = []
    private var literal: [UInt8] = []
    private var names: Set<String> = []

    init(form: LinePattern.Form) { self.form = form }

    mutating func parse(_ text: String) throws(LinePatternError) -> [LinePattern.Piece] {
        guard (1...512).contains(text.utf8.count) else {
            throw LinePatternError(description: "a pattern has 1 to 512 bytes")
        }
        var rest = Substring(text)
        while let first = rest.first {
            if first == "{" {
                if rest.hasPrefix("{{"), self.form == .text {
                    self.literal.append(UInt8(ascii: "{"))
                    rest = rest.dropFirst(2)
                    continue
                }
                guard let end = rest.firstIndex(of: "}") else {
                    throw LinePatternError(description: "'{' without '}' (a brace of the device is written '{{')")
                }
                self.flush()
                try self.placeholder(rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.firstIndex(of: "{") ?? rest.endIndex
                try self.take(rest[..<end])
                rest = rest[end...]
            }
        }
        self.flush()
        try self.checkNeighbours()
        return self.pieces
    }

    private mutating func take(_ text: Substring) throws(LinePatternError) {
        switch self.form {
        case .text: self.literal += Array(text.utf8)
        case .hex:
            guard let bytes = HexText.bytes(String(text)) else {
                throw LinePatternError(description: "'\(text)' is not hexadecimal, such as AA 11")
            }
            self.literal += bytes
        }
    }

    private mutating func flush() {
        guard !self.literal.isEmpty else { return }
        self.pieces.append(.literal(self.literal))
        self.literal = []
    }

    private mutating func placeholder(_ text: Substring) throws(LinePatternError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let words = (parts.count > 1 ? parts[1] : "").split(separator: " ").map(String.init)
        switch parts[0] {
        case " ":
            guard self.form == .text, parts.count == 1 else {
                throw LinePatternError(description: "'{ }' stands for blanks of a text and has no class")
            }
            self.pieces.append(.blanks)
        case "unit":
            let digits = words.first.map { Int($0) ?? -1 } ?? (self.form == .hex ? 0 : 1)
            let isAllowed = self.form == .hex ? digits == 0 && words.isEmpty : (1...3).contains(digits)
            guard isAllowed, words.count <= 1 else {
                throw LinePatternError(description: "'{unit}' has no length in hex, and 1 to 3 digits in a text")
            }
            self.pieces.append(.unit(digits: digits))
        case "checksum":
            guard self.form == .hex, words.isEmpty else {
                throw LinePatternError(description: "'{checksum}' is for hex and has no class")
            }
            self.pieces.append(.checksum)
        default: self.pieces.append(try self.field(parts[0], words))
        }
    }

    private mutating func field(_ name: String, _ words: [String]) throws(LinePatternError) -> LinePattern.Piece {
        let bytes = Array(name.utf8)
        let isName =
            (1...32).contains(bytes.count) && bytes.allSatisfy { $0 == 0x5F || $0 == 0x2D || Self.isAlphanumeric($0) }
        guard isName else {
            throw LinePatternError(description: "'{\(name)}': a field has a name of letters, digits, - and _")
        }
        if !name.hasPrefix("_"), !self.names.insert(name).inserted {
            throw LinePatternError(description: "the field '\(name)' is there twice")
        }
        let kindName = words.first ?? (self.form == .text ? "any" : "uint8")
        guard let kind = LinePattern.Kind(rawValue: kindName), kind.form == self.form else {
            let known = LinePattern.Kind.allCases.filter { $0.form == self.form }.map(\.rawValue)
            throw LinePatternError(description: "'\(kindName)' is none of \(known.joined(separator: ", "))")
        }
        if let width = kind.width {
            guard words.count <= 1 else {
                throw LinePatternError(description: "\(kindName) has a length of its own")
            }
            return .field(name: name, kind: kind, count: width...width)
        }
        guard words.count <= 2 else { throw LinePatternError(description: "'{\(name):…}' is {name:CLASS COUNT}") }
        return .field(name: name, kind: kind, count: try Self.count(words.dropFirst().first, kind))
    }

    private static func count(_ text: String?, _ kind: LinePattern.Kind) throws(LinePatternError) -> ClosedRange<Int> {
        guard let text else {
            switch kind {
            case .ascii, .skip: throw LinePatternError(description: "\(kind.rawValue) needs a length in bytes")
            case .any: return 1...LinePattern.fieldMax
            default: return 1...32
            }
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], low <= high,
            low >= 0, high >= 1, high <= LinePattern.fieldMax, kind.form == .text || low == high
        else {
            throw LinePatternError(description: "'\(text)' is no count: N or N-M, at most \(LinePattern.fieldMax)")
        }
        return low...high
    }

    /// Two open fields beside each other could be divided in several ways.
    private func checkNeighbours() throws(LinePatternError) {
        for (piece, next) in zip(self.pieces, self.pieces.dropFirst()) {
            guard case .field(let name, .any, let count) = piece, count.lowerBound != count.upperBound else { continue }
            if case .literal = next { continue }
            throw LinePatternError(
                description: "after '{\(name)}' must come a literal, or the field needs a fixed count"
            )
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
