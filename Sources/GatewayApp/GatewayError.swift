package import CampusModel

/// Why the gateway does not start or cannot do something, in words for the operator.
package struct GatewayError: Error, CustomStringConvertible {
    /// What pages and the API say.
    package var text: LocalizedText

    /// Something that only a shell or the log shows.
    package init(_ description: String) { self.init(vi: description, en: description) }

    init(_ text: LocalizedText) { self.text = text }

    package init(vi: String, en: String) { self.text = LocalizedText(vi: vi, en: en) }

    package var description: String { self.text.en }
}
