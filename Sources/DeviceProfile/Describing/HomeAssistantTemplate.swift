/// The part of Home Assistant's templates that only says where a value is and how it is scaled.
///
/// `{{ value }}`, `{{ value_json.a.b['c'][0] }}`, the filters `float`, `int`, `round`, `string` and `is_defined`, and
/// `+ - * /` with numbers. A template is a program; whatever is more than this is refused, never guessed. `round` and
/// `int` with a template of one value only coarsen it, so the value is taken as it was told.
struct HomeAssistantTemplate: Hashable {
    /// Where it is in the JSON; `nil`: the whole payload is the value.
    var pointer: [String]?
    var scale = ProfileDraft.Scale()

    static let bytesMax = 400
    private static let depthMax = 8

    /// `nil` when the template is more than this.
    init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax else { return nil }
        var scalars = Array(text.unicodeScalars)[...]
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        guard scalars.count >= 4, scalars.starts(with: "{{".unicodeScalars),
            scalars.suffix(2).elementsEqual("}}".unicodeScalars)
        else { return nil }
        var parser = Parser(rest: Array(scalars.dropFirst(2).dropLast(2)))
        guard let term = parser.sum(depth: 0), parser.isAtEnd, let place = term.place else { return nil }
        guard term.scale.multiply.isFinite, term.scale.divide.isFinite, term.scale.add.isFinite,
            term.scale.multiply != 0, term.scale.divide != 0
        else { return nil }
        self.pointer = place.isEmpty ? nil : place
        self.scale = term.scale
    }

    /// A part of the template: a number, or the value scaled.
    private struct Term {
        /// `nil`: only the number in `scale.add`; empty: the payload.
        var place: [String]?
        var scale = ProfileDraft.Scale()

        static func number(_ value: Double) -> Term {
            Term(place: nil, scale: ProfileDraft.Scale(multiply: 1, divide: 1, add: value))
        }
    }

    private struct Parser {
        var rest: [Unicode.Scalar]
        var at = 0

        var isAtEnd: Bool {
            mutating get {
                self.skip()
                return self.at == self.rest.count
            }
        }

        private mutating func skip() {
            while self.at < self.rest.count, self.rest[self.at].properties.isWhitespace { self.at += 1 }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            self.skip()
            guard self.at < self.rest.count, self.rest[self.at] == scalar else { return false }
            self.at += 1
            return true
        }

        mutating func sum(depth: Int) -> Term? {
            guard depth < HomeAssistantTemplate.depthMax, var left = self.product(depth: depth) else { return nil }
            while true {
                let isMinus: Bool
                if self.take("+") { isMinus = false } else if self.take("-") { isMinus = true } else { return left }
                guard let right = self.product(depth: depth), right.place == nil else { return nil }
                left.scale.add += isMinus ? -right.scale.add : right.scale.add
            }
        }

        private mutating func product(depth: Int) -> Term? {
            guard var left = self.filtered(depth: depth) else { return nil }
            while true {
                let isDivision: Bool
                if self.take("*") {
                    isDivision = false
                } else if self.take("/") {
                    isDivision = true
                } else {
                    return left
                }
                guard let right = self.filtered(depth: depth) else { return nil }
                // 0.1 * value is as good as value * 0.1.
                let isTurned = left.place == nil && right.place != nil && !isDivision
                let (value, factor) = isTurned ? (right, left) : (left, right)
                guard factor.place == nil, factor.scale.add != 0 else { return nil }
                left = value
                if value.place == nil {
                    left.scale.add =
                        isDivision ? value.scale.add / factor.scale.add : value.scale.add * factor.scale.add
                } else if isDivision {
                    left.scale.divide *= factor.scale.add
                    left.scale.add /= factor.scale.add
                } else {
                    left.scale.multiply *= factor.scale.add
                    left.scale.add *= factor.scale.add
                }
            }
        }

        private mutating func filtered(depth: Int) -> Term? {
            guard let term = self.primary(depth: depth) else { return nil }
            while self.take("|") {
                guard let name = self.word() else { return nil }
                switch name {
                case "float", "int", "round": if self.take("(") { guard self.skipArguments() else { return nil } }
                case "string", "is_defined": break
                default: return nil
                }
            }
            return term
        }

        /// Numbers, and the words of `round`.
        private mutating func skipArguments() -> Bool {
            while self.at < self.rest.count {
                let scalar = self.rest[self.at]
                self.at += 1
                if scalar == ")" { return true }
                let isAllowed = scalar.properties.isWhitespace || ".,-'\"".unicodeScalars.contains(scalar)
                guard
                    isAllowed
                        || scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                else { return false }
            }
            return false
        }

        private mutating func primary(depth: Int) -> Term? {
            if self.take("(") {
                guard let inner = self.sum(depth: depth + 1), self.take(")") else { return nil }
                return inner
            }
            self.skip()
            guard self.at < self.rest.count else { return nil }
            if ("0"..."9").contains(self.rest[self.at]) { return self.number() }
            switch self.word() {
            case "value": return Term(place: [])
            case "value_json": return self.path()
            default: return nil
            }
        }

        private mutating func number() -> Term? {
            var text = ""
            while self.at < self.rest.count, ("0"..."9").contains(self.rest[self.at]) || self.rest[self.at] == "." {
                text.unicodeScalars.append(self.rest[self.at])
                self.at += 1
            }
            return Double(text).map { .number($0) }
        }

        private mutating func word() -> String? {
            self.skip()
            var text = ""
            while self.at < self.rest.count, Self.isOfWord(self.rest[self.at]) {
                text.unicodeScalars.append(self.rest[self.at])
                self.at += 1
            }
            return text.isEmpty ? nil : text
        }

        private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil) || scalar == "_"
        }

        /// What follows `value_json`: at least one member.
        private mutating func path() -> Term? {
            var path: [String] = []
            while self.at < self.rest.count, path.count < 16 {
                if self.rest[self.at] == "." {
                    self.at += 1
                    guard let name = self.word() else { return nil }
                    path.append(name)
                } else if self.rest[self.at] == "[" {
                    self.at += 1
                    guard let name = self.subscripted(), self.take("]") else { return nil }
                    path.append(name)
                } else {
                    break
                }
            }
            return path.isEmpty ? nil : Term(place: path)
        }

        private mutating func subscripted() -> String? {
            self.skip()
            guard self.at < self.rest.count else { return nil }
            let quote = self.rest[self.at]
            guard quote == "'" || quote == "\"" else { return self.word().flatMap { Int($0) == nil ? nil : $0 } }
            self.at += 1
            var text = ""
            while self.at < self.rest.count, self.rest[self.at] != quote {
                guard self.rest[self.at] != "\\" else { return nil }
                text.unicodeScalars.append(self.rest[self.at])
                self.at += 1
            }
            self.at += 1
            return text.isEmpty || self.at > self.rest.count || !DescriptionText.isPlain(text) ? nil : text
        }
    }
}
