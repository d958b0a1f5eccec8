internal import FoundationEssentials

/// JSON as it is stored: keys sorted, so that equal values are equal texts.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw RecordsError(.storage, "a stored JSON text cannot be read; check the database with campusctl")
        }
    }
}

/// Texts from outside, brought to a length that the database may keep.
enum Bounded {
    /// `text` itself, or as many whole characters of it as fit, with `…`.
    static func text(_ text: String, bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var kept = ""
        var bytes = 3
        for character in text {
            bytes += character.utf8.count
            if bytes > bytesMax { break }
            kept.append(character)
        }
        return kept + "…"
    }
}
