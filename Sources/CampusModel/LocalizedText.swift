/// A text for people in the product's two languages.
package struct LocalizedText: Hashable, Sendable, Codable {
    /// Vietnamese, shown first.
    package var vi: String
    /// English.
    package var en: String

    package init(vi: String, en: String) {
        self.vi = vi
        self.en = en
    }

    /// The text in `language`.
    package func text(in language: Language) -> String { language == .vi ? self.vi : self.en }
}

/// A language of pages and messages.
package enum Language: String, Sendable, Codable, CaseIterable {
    case vi
    case en
}
