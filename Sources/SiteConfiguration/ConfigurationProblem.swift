package import CampusModel

/// Something of the configuration that could not be taken up, for pages and for the shell.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    /// File and line, or the key; empty when there is no one place.
    package var place: String
    /// What is wrong and what to do.
    package var text: LocalizedText

    package init(_ place: String = "", vi: String, en: String) {
        self.place = place
        self.text = LocalizedText(vi: vi, en: en)
    }

    /// In English, as `campusctl` and the log tell it.
    package var description: String { self.line(in: .en) }

    /// `place: text`.
    package func line(in language: Language) -> String {
        let text = self.text.text(in: language)
        return self.place.isEmpty ? text : "\(self.place): \(text)"
    }
}
