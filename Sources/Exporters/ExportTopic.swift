/// A topic with placeholders, `{site}`, `{room}` and `{device}`: `campus/{site}/{device}/samples`.
///
/// The configuration checks it.
package struct ExportTopic: Sendable, Hashable {
    package var text: String

    package init(_ text: String) { self.text = text }

    func filled(_ identity: SeriesIdentity) -> String {
        self.text.split(separator: "{", omittingEmptySubsequences: false).enumerated()
            .map { index, part in
                guard index > 0, let end = part.firstIndex(of: "}") else { return String(part) }
                let value =
                    switch part[..<end] {
                    case "site": identity.site
                    case "room": identity.room
                    default: identity.device
                    }
                return value + part[part.index(after: end)...]
            }
            .joined()
    }
}
