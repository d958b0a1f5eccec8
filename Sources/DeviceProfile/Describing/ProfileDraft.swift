package import CampusModel
internal import StrictYAML

/// A profile that is being made of a description.
///
/// What is written of it (``yaml(id:)``) is read again by the strict reader before anybody gets it.
package struct ProfileDraft: Hashable, Sendable {
    /// The words of the file's head that say where it comes from.
    struct Origin: Hashable, Sendable {
        /// Begins the profile's identifier: `z2m`.
        var prefix: String
        /// The first line of the file, without `#`.
        var comment: String
        var source: String
        var url: String
    }

    /// What a message must have to count.
    enum Condition: Hashable, Sendable {
        case present([String], Bool)
        case oneOf([String], [String])
    }

    /// One kind of message.
    struct Message: Hashable, Sendable {
        var name: String
        /// A topic template.
        var topic: String
        var isText = false
        var when: Condition?
        /// Its retained copies mean nothing.
        var ignoresRetained = false
        /// Comes at least once in a report period.
        var isRegular = false
        /// Elements of a list, each with its own time and its own word whether it is history.
        var each: Each?
    }

    /// A list whose elements are one message each.
    struct Each: Hashable, Sendable {
        var list: [String]
        /// Milliseconds since 1970, in the element.
        var milliseconds: [String]
        /// `true` in the element: history, not live.
        var isHistory: [String]
    }

    /// One place of a value: a message, and the path in its JSON payload (empty: the whole text).
    struct Place: Hashable, Sendable {
        var message: String
        var pointer: [String]
    }

    /// value = raw × multiply ÷ divide + add.
    struct Scale: Hashable, Sendable {
        var multiply = 1.0
        var divide = 1.0
        var add = 0.0
    }

    /// A value in registers.
    struct Register: Hashable, Sendable {
        var address: Int
        var type: String
        /// Registers of a text.
        var length: Int?
        /// The point that holds the decimal exponent.
        var exponentFrom: String?
        var isHidden = false
        var isSlow = false
    }

    package struct Point: Hashable, Sendable {
        /// How the value is told.
        enum Kind: Hashable, Sendable {
            case number(unit: String, range: ClosedRange<Double>?, invalid: [String])
            /// `nil`: JSON's own, or on/off. Labels only say what true and false mean.
            case boolean(on: String?, off: String?, labels: [LocalizedText])
            case enumeration([String])
            /// Numbers on the wire with their words.
            case numbered([Int: LocalizedText])
            case text
        }

        package var name: String
        package var title: LocalizedText
        var places: [Place]
        var kind: Kind
        var scale = Scale()
        var deadband: Double?
        var register: Register?
    }

    /// Registers as a device answered them.
    struct Reply: Hashable, Sendable {
        var address: Int
        /// At most 125.
        var words: [UInt16]
    }

    /// A press of a button.
    struct Press: Hashable, Sendable {
        var message: String
        var pointer: [String]
    }

    /// The last will.
    struct Availability: Hashable, Sendable {
        var topic: String
        /// `nil`: the payload is the word.
        var pointer: [String]?
        var online: String
        var offline: String
    }

    var origin: Origin
    package var vendor: String
    package var model: String
    package var title: String
    package var category: DeviceProfile.Category
    var messages: [Message] = []
    package var points: [Point] = []
    var press: Press?
    var availability: Availability?
    /// Of a Modbus device: what it answered, and numbers that come out of it.
    var replies: [Reply] = []
    var expected: [String: Double] = [:]

    /// `family-vendor-model`, as a file may be called.
    package var baseIdentifier: String {
        let text = "\(self.origin.prefix)-\(self.vendor)-\(self.model)"
        return DescriptionText.identifier(text, charactersMax: 58)
    }

    /// How many things that happen once it has.
    package var eventCount: Int { self.press == nil ? 0 : 1 }
}

extension ProfileDraft.Point {
    /// UCUM; `1` where there is none.
    package var unit: String { if case .number(let unit, _, _) = self.kind { unit } else { "1" } }

    /// As profiles call it.
    package var kindName: String {
        switch self.kind {
        case .number: "number"
        case .boolean: "boolean"
        case .enumeration, .numbered: "enumeration"
        case .text: "text"
        }
    }

    package var isHidden: Bool { self.register?.isHidden ?? false }
}

extension ProfileDraft {
    /// The profile as the strict reader sees it, and the text of its file; its golden case must pass.
    package func proven(id: String) throws(DescriptionError) -> (profile: DeviceProfile, yaml: String) {
        let yaml = self.yaml(id: id)
        let profile: DeviceProfile
        do throws(YAMLProblems) {
            profile = try DeviceProfile.read(yaml: yaml, file: "\(id).yaml")
        } catch {
            throw DescriptionError(description: String(error.description.prefix(400)))
        }
        if let failure = GoldenRunner.run(profile).first {
            throw DescriptionError(description: String("\(failure)".prefix(400)))
        }
        return (profile, yaml)
    }

    /// An identifier that `isTaken` does not know; with a number where devices of one model tell different things.
    package func freeIdentifier(isTaken: (String) -> Bool) -> String {
        let base = self.baseIdentifier
        guard isTaken(base) else { return base }
        return (2...100_000).lazy.map { "\(base)-\($0)" }.first { !isTaken($0) } ?? base
    }
}
