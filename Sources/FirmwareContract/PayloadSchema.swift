package import CampusModel

/// What a value in a payload must be: the part of JSON Schema that contracts use, with every reference resolved.
///
/// The keywords mean the same in draft-07 and 2020-12. Values of this type are finite trees: a schema that contains
/// itself is refused while reading.
package struct PayloadSchema: Sendable, Hashable {
    /// The type of a JSON value.
    package enum Kind: String, Sendable, CaseIterable {
        case object
        case array
        case string
        case number
        case integer
        case boolean
        case null
    }

    /// One end of a range.
    package struct Limit: Sendable, Hashable {
        package var value: ExactDecimal
        /// Whether the value itself is outside.
        package var isExclusive: Bool
    }

    /// A value of `enum` or `const`.
    package enum Scalar: Sendable, Hashable, CustomStringConvertible {
        case text(String)
        case number(ExactDecimal)
        case boolean(Bool)
        case null

        /// As JSON.
        package var description: String {
            switch self {
            case .text(let text): JSONText.quoted(text)
            case .number(let number): number.description
            case .boolean(let flag): flag ? "true" : "false"
            case .null: "null"
            }
        }
    }

    /// The unit of a number.
    package enum Unit: Sendable, Hashable, CustomStringConvertible {
        case fixed(String)
        /// A setting of the device chooses among units: what a payload means cannot be seen in it.
        case bySetting(name: String, choices: [Choice])

        /// What one value of the setting means.
        package struct Choice: Sendable, Hashable {
            package var value: String
            package var unit: String
        }

        package var description: String {
            switch self {
            case .fixed(let unit): unit
            case .bySetting(let name, let choices):
                "\(choices.map { "\($0.unit) (\($0.value))" }.joined(separator: " or ")) by the setting \(name)"
            }
        }
    }

    /// One property of an object.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var schema: PayloadSchema
        package var isRequired: Bool
    }

    /// One or several types; never empty.
    ///
    /// `integer` is also a `number`.
    package var kinds: [Kind]
    /// `enum`, or `const` alone.
    package var allowed: [Scalar]?
    package var minimum: Limit?
    package var maximum: Limit?
    package var multipleOf: ExactDecimal?
    /// In Unicode characters, as JSON Schema counts.
    package var lengthMin = 0
    package var lengthMax: Int?
    package var pattern: TextPattern?
    /// The schema of every element of an array: one entry, none when the value is no array.
    package var items: [PayloadSchema] = []
    package var itemsMin = 0
    package var itemsMax: Int?
    package var members: [Member] = []
    /// Whether an object may have no other members (`additionalProperties: false`).
    package var isClosed = false
    package var unit: Unit?
    package var privacy: PrivacyClass = .none
    /// Whether a text stands for a number (`x-encodes: number`).
    package var encodesNumber = false
    /// For people: not compared.
    package var title: String?
    package var notes: String?
    package var isDeprecated = false

    package init(kinds: [Kind]) { self.kinds = kinds }

    /// The member called `name`.
    package func member(_ name: String) -> Member? { self.members.first { $0.name == name } }

    /// The names of all private members, in lower case.
    package var privateNames: Set<String> {
        var names = self.items.first?.privateNames ?? []
        for member in self.members {
            if member.schema.privacy != .none { names.insert(member.name.lowercased()) }
            names.formUnion(member.schema.privateNames)
        }
        return names
    }

    /// How many values the tree describes, at most `limit` + 1.
    func nodeCount(limit: Int) -> Int {
        var count = 1
        for schema in self.items + self.members.map(\.schema) {
            count += schema.nodeCount(limit: limit - count)
            if count > limit { break }
        }
        return count
    }

    /// How deep objects and arrays nest; 0 for a scalar.
    var depth: Int {
        let inner = (self.items + self.members.map(\.schema)).map(\.depth).max() ?? 0
        return self.kinds.contains(.object) || self.kinds.contains(.array) ? inner + 1 : inner
    }
}
