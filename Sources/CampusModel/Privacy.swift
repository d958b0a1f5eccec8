/// What may be done with a field that tells something about a person.
package enum PrivacyClass: String, Sendable, Codable, CaseIterable {
    /// Not personal: shown and stored as it is.
    case none
    /// An identifier of a person or card: stored as a keyed hash, shown masked.
    case hash
    /// A name or other personal text: stored for those who may see it, masked in pages, logs and quarantine.
    case mask
    /// Never stored, shown or logged (face images, biometric templates, keys): dropped while decoding.
    case drop
}

/// Masks personal text: the last two characters stay when there are at least six, everything else becomes `•`.
package enum Masking {
    package static func masked(_ text: String) -> String {
        let count = text.count
        guard count >= 6 else { return String(repeating: "•", count: min(count, 6)) }
        return String(repeating: "•", count: 4) + text.suffix(2)
    }
}
