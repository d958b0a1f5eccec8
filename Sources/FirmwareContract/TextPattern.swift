/// A pattern that a text must have as a whole: a small part of the regular expressions of JSON Schema that is matched
/// in time proportional to text and pattern, whatever the text is.
///
/// `^`, then characters, `.`, classes such as `[0-9a-f-]` and `[^/]`, each with `?`, `*`, `+`, `{n}` or `{n,m}`, then
/// `$`. No groups, no alternatives, no back-references. `\` takes the next character as it is, except in `\d` and `\w`.
package struct TextPattern: Sendable, Hashable, CustomStringConvertible {
    /// Characters that one place of the text may have.
    package struct CharacterSet: Sendable, Hashable {
        package var ranges: [ClosedRange<UInt32>]
        package var isInverted: Bool

        func contains(_ scalar: UInt32) -> Bool {
            self.ranges.contains { $0.contains(scalar) } != self.isInverted
        }
    }

    /// A set and how often it may come.
    package struct Part: Sendable, Hashable {
        package var set: CharacterSet
        package var atLeast: Int
        /// `nil`: as often as it likes.
        package var atMost: Int?
    }

    /// The most places of a pattern, repeats written out.
    package static let placesMax = 512
    package let parts: [Part]
    package let description: String
    /// The parts with every repeat written out, made once.
    private let places: [Place]

    /// One character of the text.
    private struct Place: Sendable, Hashable {
        /// The ASCII characters it takes, as bits.
        var low: UInt64 = 0
        var high: UInt64 = 0
        let set: CharacterSet
        let canSkip: Bool
        let canStay: Bool

        init(_ set: CharacterSet, canSkip: Bool, canStay: Bool) {
            self.set = set
            self.canSkip = canSkip
            self.canStay = canStay
            for scalar in UInt32(0)..<64 where set.contains(scalar) { self.low |= 1 << UInt64(scalar) }
            for scalar in UInt32(64)..<128 where set.contains(scalar) { self.high |= 1 << UInt64(scalar - 64) }
        }

        func takes(_ scalar: UInt32) -> Bool {
            if scalar < 64 { return self.low >> UInt64(scalar) & 1 == 1 }
            if scalar < 128 { return self.high >> UInt64(scalar - 64) & 1 == 1 }
            return self.set.contains(scalar)
        }
    }

    /// Why a text is no such pattern.
    package struct Problem: Error, Hashable, CustomStringConvertible { package var description: String }

    /// Reads a pattern.
    package init(_ text: String) throws(Problem) {
        var reader = PatternReader(text)
        self.parts = try reader.read()
        self.description = text
        var places: [Place] = []
        for part in self.parts {
            for _ in 0..<part.atLeast { places.append(Place(part.set, canSkip: false, canStay: false)) }
            if let atMost = part.atMost {
                for _ in part.atLeast..<max(part.atLeast, atMost) {
                    places.append(Place(part.set, canSkip: true, canStay: false))
                }
            } else {
                places.append(Place(part.set, canSkip: true, canStay: true))
            }
        }
        self.places = places
    }

    /// Whether `text` has the pattern from its first to its last character.
    ///
    /// All places that the text may have reached are followed at once.
    package func matches(_ text: String) -> Bool {
        let count = self.places.count
        var reached = [Bool](repeating: false, count: count + 1)
        var next = reached
        self.reach(0, in: &reached)
        for scalar in text.unicodeScalars {
            var isAlive = false
            for place in 0..<count where reached[place] && self.places[place].takes(scalar.value) {
                self.reach(self.places[place].canStay ? place : place + 1, in: &next)
                isAlive = true
            }
            guard isAlive else { return false }
            swap(&reached, &next)
            for place in next.indices { next[place] = false }
        }
        return reached[count]
    }

    private func reach(_ place: Int, in reached: inout [Bool]) {
        var place = place
        while !reached[place] {
            reached[place] = true
            guard place < self.places.count, self.places[place].canSkip else { return }
            place += 1
        }
    }

    /// A text that has the pattern, as short as possible.
    package var example: String {
        var result = String.UnicodeScalarView()
        for part in self.parts {
            let candidates = (0x20...0x7E).lazy.map { UInt32($0) }
            let preferred: [UInt32] = [0x30, 0x61, 0x41]
            let found = preferred.first { part.set.contains($0) } ?? candidates.first { part.set.contains($0) }
            let scalar = found ?? part.set.ranges.first?.lowerBound ?? 0x30
            for _ in 0..<part.atLeast { result.append(Unicode.Scalar(scalar) ?? "0") }
        }
        return String(result)
    }
}

/// Reads the text of a ``TextPattern``.
private struct PatternReader {
    private var rest: Substring.UnicodeScalarView
    private let text: String
    private static let digits: ClosedRange<UInt32> = 0x30...0x39

    init(_ text: String) {
        self.text = text
        self.rest = text[...].unicodeScalars
    }

    mutating func read() throws(TextPattern.Problem) -> [TextPattern.Part] {
        guard self.text.utf8.count <= 256 else { throw self.problem("is longer than 256 bytes") }
        guard self.rest.popFirst() == "^" else { throw self.problem("must start with ^: it holds for the whole text") }
        var parts: [TextPattern.Part] = []
        var places = 0
        while let scalar = self.rest.popFirst() {
            if scalar == "$", self.rest.isEmpty { return parts }
            let set = try self.set(scalar)
            let (atLeast, atMost) = try self.repeats()
            places += max(atLeast, atMost ?? atLeast + 1)
            guard places <= TextPattern.placesMax else { throw self.problem("has too many repeats") }
            parts.append(TextPattern.Part(set: set, atLeast: atLeast, atMost: atMost))
        }
        throw self.problem("must end with $: it holds for the whole text")
    }

    private mutating func set(_ scalar: Unicode.Scalar) throws(TextPattern.Problem) -> TextPattern.CharacterSet {
        switch scalar {
        case "[": return try self.characterClass()
        case ".": return TextPattern.CharacterSet(ranges: [0x0A...0x0A, 0x0D...0x0D], isInverted: true)
        case "\\": return TextPattern.CharacterSet(ranges: try self.escaped(), isInverted: false)
        case "(", ")", "|", "*", "+", "?", "{", "}", "]", "^", "$":
            throw self.problem("has '\(scalar)' where this subset has none: no groups, no alternatives")
        default: return TextPattern.CharacterSet(ranges: [scalar.value...scalar.value], isInverted: false)
        }
    }

    private mutating func escaped() throws(TextPattern.Problem) -> [ClosedRange<UInt32>] {
        guard let scalar = self.rest.popFirst() else { throw self.problem("ends in \\") }
        switch scalar {
        case "d": return [Self.digits]
        case "w": return [Self.digits, 0x41...0x5A, 0x61...0x7A, 0x5F...0x5F]
        case _ where scalar.properties.isAlphabetic || Self.digits.contains(scalar.value):
            throw self.problem("has \\\(scalar), which is not in this subset")
        default: return [scalar.value...scalar.value]
        }
    }

    private mutating func characterClass() throws(TextPattern.Problem) -> TextPattern.CharacterSet {
        var set = TextPattern.CharacterSet(ranges: [], isInverted: false)
        if self.rest.first == "^" {
            self.rest.removeFirst()
            set.isInverted = true
        }
        while let scalar = self.rest.popFirst() {
            if scalar == "]" {
                guard !set.ranges.isEmpty else { throw self.problem("has an empty class") }
                return set
            }
            if scalar == "\\" {
                set.ranges += try self.escaped()
                continue
            }
            var upper = scalar
            if self.rest.first == "-", let end = self.rest.dropFirst().first, end != "]" {
                self.rest.removeFirst(2)
                upper = end
            }
            guard scalar <= upper else { throw self.problem("has a range whose end comes before its start") }
            set.ranges.append(scalar.value...upper.value)
        }
        throw self.problem("has a class without its ]")
    }

    private mutating func repeats() throws(TextPattern.Problem) -> (Int, Int?) {
        switch self.rest.first {
        case "?":
            self.rest.removeFirst()
            return (0, 1)
        case "*":
            self.rest.removeFirst()
            return (0, nil)
        case "+":
            self.rest.removeFirst()
            return (1, nil)
        case "{":
            let inner = self.rest.dropFirst().prefix { $0 != "}" }
            guard inner.count < 8, self.rest.dropFirst(inner.count + 1).first == "}" else {
                throw self.problem("has a { without its }")
            }
            self.rest.removeFirst(inner.count + 2)
            let numbers = String(inner).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = numbers.first ?? nil, first >= 0, numbers.count <= 2 else {
                throw self.problem("has a repeat that is not {n} or {n,m}")
            }
            guard numbers.count == 2 else { return (first, first) }
            guard let second = numbers[1], second >= first else {
                throw self.problem("has a repeat that is not {n} or {n,m}")
            }
            return (first, second)
        default: return (1, 1)
        }
    }

    private func problem(_ text: String) -> TextPattern.Problem {
        TextPattern.Problem(description: "the pattern '\(self.text.prefix(80))' \(text)")
    }
}
