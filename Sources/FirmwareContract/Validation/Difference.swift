package import CampusModel

/// One way in which a payload is not what its contract says, in words.
///
/// Has no personal data: what a private or unknown member holds is not quoted.
package struct Difference: Sendable, Hashable, CustomStringConvertible {
    /// JSON pointer to the place; empty for the payload as a whole.
    package var pointer: String
    package var text: LocalizedText

    package init(_ pointer: String, vi: String, en: String) {
        self.pointer = pointer
        self.text = LocalizedText(vi: vi, en: en)
    }

    /// `/temperature: expected number, got text "21.5"` in a language.
    package func line(in language: Language) -> String {
        let place = self.pointer.isEmpty ? (language == .vi ? "bản tin" : "payload") : self.pointer
        return "\(place): \(self.text.text(in: language))"
    }

    package var description: String { self.line(in: .en) }
}

/// Why a message may not be used, as a fixed word.
package enum ContractReason: String, Sendable, Hashable, CaseIterable {
    /// The payload is not what the contract promises.
    case contractViolation
    /// The payload says of itself that it follows a version that nobody here knows.
    case contractUnknownVersion
    /// The payload is none of the messages of its topic.
    case contractUnknownMessage
}

/// A payload that breaks its contract.
package struct ContractViolation: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: ContractReason
    package var contract: ContractName
    /// The message that it was compared with; `nil` when it is none.
    package var message: String?
    /// At least one, at most ``differencesMax``, from the top of the payload to its end.
    package var differences: [Difference]
    /// How many more there are.
    package var moreCount = 0

    package static let differencesMax = 16

    package init(
        reason: ContractReason,
        contract: ContractName,
        message: String?,
        differences: [Difference],
        moreCount: Int = 0
    ) {
        self.reason = reason
        self.contract = contract
        self.message = message
        self.differences = differences
        self.moreCount = moreCount
    }

    /// Everything as lines in a language.
    package func lines(in language: Language) -> [String] {
        var lines = self.differences.map { $0.line(in: language) }
        if self.moreCount > 0 {
            lines.append(language == .vi ? "… và \(self.moreCount) điểm khác nữa" : "… and \(self.moreCount) more")
        }
        return lines
    }

    package var description: String {
        "\(self.contract)\(self.message.map { " \($0)" } ?? ""): \(self.lines(in: .en).joined(separator: "; "))"
    }
}

extension PayloadSchema.Kind {
    /// The type in words.
    package var words: LocalizedText {
        switch self {
        case .object: LocalizedText(vi: "đối tượng", en: "object")
        case .array: LocalizedText(vi: "danh sách", en: "list")
        case .string: LocalizedText(vi: "chữ", en: "text")
        case .number: LocalizedText(vi: "số", en: "number")
        case .integer: LocalizedText(vi: "số nguyên", en: "whole number")
        case .boolean: LocalizedText(vi: "true hoặc false", en: "true or false")
        case .null: LocalizedText(vi: "null", en: "null")
        }
    }
}
