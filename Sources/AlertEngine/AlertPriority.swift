/// How soon somebody has to act.
///
/// ISA-18.2 asks for some 80 % low, 15 % medium and 5 % high, with the highest of four levels below 1 %.
package enum AlertPriority: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    case low = 0
    case medium = 1
    case high = 2
    /// Danger to people or loss that cannot be made good.
    case critical = 3

    package static func < (left: AlertPriority, right: AlertPriority) -> Bool { left.rawValue < right.rawValue }

    /// The word of files and of the API.
    package var word: String { "\(self)" }

    /// Reads ``word``.
    package init?(word: String) {
        guard let priority = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = priority
    }
}
