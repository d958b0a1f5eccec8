/// A JSON pointer (RFC 6901), split into its reference tokens.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The unescaped tokens; empty means the whole document.
    package let tokens: [String]
    /// Written with `^` before it: from the whole payload, where others are from one element of its list.
    package let isOfPayload: Bool
    /// The same as UTF-8, ready to compare with bytes.
    package let tokenBytes: [[UInt8]]
    /// The hash of each token, as ``BoundedJSON`` keeps it with each key.
    let tokenHashes: [UInt32]

    /// Reads a pointer; `nil` unless it is empty or starts with `/` (after an optional `^`), has at most 16 tokens and
    /// only valid escapes.
    package init?(_ text: String) {
        guard text.utf8.count <= 512 else { return nil }
        self.isOfPayload = text.hasPrefix("^")
        let text = self.isOfPayload ? text.dropFirst() : text[...]
        guard !text.isEmpty else {
            self.tokens = []
            self.tokenBytes = []
            self.tokenHashes = []
            return
        }
        guard text.hasPrefix("/") else { return nil }
        var tokens: [String] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        guard tokens.count <= 16 else { return nil }
        self.tokens = tokens
        self.tokenBytes = tokens.map { Array($0.utf8) }
        self.tokenHashes = tokens.map { BoundedJSON.hash($0.utf8) }
    }

    package var description: String {
        (self.isOfPayload ? "^" : "")
            + self.tokens
            .map { token in
                "/" + token.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
            }
            .joined()
    }

    private static func unescaped(_ part: Substring) -> String? {
        var result = ""
        var characters = part.unicodeScalars.makeIterator()
        while let scalar = characters.next() {
            guard scalar == "~" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            switch characters.next() {
            case "0": result.append("~")
            case "1": result.append("/")
            default: return nil
            }
        }
        return result
    }
}
