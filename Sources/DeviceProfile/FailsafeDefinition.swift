package import CampusModel

/// What a device does by itself when nobody speaks to it any more, and what keeps it from doing so.
package struct FailsafeDefinition: Sendable, Hashable {
    /// How long it waits.
    package enum Patience: Sendable, Hashable {
        case seconds(Double)
        /// The point of this name tells it, in its unit.
        case point(String)
    }

    /// A register that has to be written again and again.
    package struct Feed: Sendable, Hashable {
        package var source: RegisterSource
        /// Raw values, written in turn.
        package var values: [Double]
        package var everyMilliseconds: Int64

        /// The request of the `number`th feeding.
        package func write(_ number: Int) -> ControlWrite? {
            guard !self.values.isEmpty, let words = self.source.words(for: self.values[number % self.values.count])
            else { return nil }
            if self.source.table == .coil {
                return .registers(function: 5, address: self.source.address, words: [words[0] == 0 ? 0 : 0xFF00])
            }
            return .registers(function: words.count == 1 ? 6 : 16, address: self.source.address, words: words)
        }
    }

    /// What it does then.
    package var title: LocalizedText
    package var patience: Patience?
    /// `nil`: that it is polled is enough.
    package var feed: Feed?
}
