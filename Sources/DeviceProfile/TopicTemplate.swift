/// An MQTT topic filter with `{name}` placeholders, each standing for one whole level or a part of one.
package struct TopicTemplate: Sendable, Hashable, CustomStringConvertible {
    /// One level of a topic.
    package enum Level: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        /// A placeholder with text before or after it.
        case mixed(before: String, name: String, after: String)
        /// `+`: any one level.
        case any
        /// `#`: the rest.
        case rest
    }

    package let levels: [Level]
    package let description: String

    /// Reads a template; `nil` when it is empty, longer than 512 bytes, has a NUL, a wildcard inside a level, a `#`
    /// that is not last, or a malformed placeholder.
    package init?(_ text: String) {
        guard (1...512).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var levels: [Level] = []
        for (offset, part) in parts.enumerated() {
            if part == "+" {
                levels.append(.any)
            } else if part == "#" {
                guard offset == parts.count - 1 else { return nil }
                levels.append(.rest)
            } else {
                guard let level = Self.level(part) else { return nil }
                levels.append(level)
            }
        }
        self.levels = levels
        self.description = text
    }

    /// A literal level or one with a placeholder; `nil` for anything else.
    private static func level(_ part: Substring) -> Level? {
        guard let open = part.firstIndex(of: "{") else {
            return part.contains { "+#}".contains($0) } ? nil : .literal(String(part))
        }
        guard let close = part[open...].firstIndex(of: "}") else { return nil }
        let before = part[..<open]
        let name = part[part.index(after: open)..<close]
        let after = part[part.index(after: close)...]
        let isAllowed = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard !name.isEmpty, isAllowed, !(before + after).contains(where: { "+#{}".contains($0) }) else { return nil }
        if before.isEmpty, after.isEmpty { return .parameter(String(name)) }
        return .mixed(before: String(before), name: String(name), after: String(after))
    }

    /// The names of the placeholders, in order of appearance.
    package var parameterNames: [String] {
        self.levels.compactMap { level in
            switch level {
            case .parameter(let name), .mixed(_, let name, _): name
            default: nil
            }
        }
    }

    /// The topic filter to subscribe, or `nil` when a parameter is not given.
    ///
    /// Parameter values may have slashes (a prefix of several levels) but no wildcard and no NUL.
    package func filter(parameters: [String: String]) -> String? {
        var parts: [String] = []
        for level in self.levels {
            switch level {
            case .literal(let text): parts.append(text)
            case .any: parts.append("+")
            case .rest: parts.append("#")
            case .parameter(let name):
                guard let value = parameters[name], !value.isEmpty,
                    !value.unicodeScalars.contains(where: { $0 == "+" || $0 == "#" || $0 == "\0" })
                else { return nil }
                parts.append(value)
            case .mixed(let before, let name, let after):
                guard let value = parameters[name], !value.isEmpty,
                    !value.unicodeScalars.contains(where: { $0 == "+" || $0 == "#" || $0 == "/" || $0 == "\0" })
                else { return nil }
                parts.append(before + value + after)
            }
        }
        return parts.joined(separator: "/")
    }
}

extension TopicTemplate {
    /// What `topic` gives for the placeholders, or `nil` when it does not match.
    ///
    /// One placeholder is one level here.
    package func parameters(from topic: String) -> [String: String]? {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
        var found: [String: String] = [:]
        for (offset, level) in self.levels.enumerated() {
            if case .rest = level { return found }
            guard offset < parts.count else { return nil }
            switch level {
            case .literal(let text): guard parts[offset] == text else { return nil }
            case .parameter(let name):
                guard !parts[offset].isEmpty, found[name] == nil || found[name] == String(parts[offset]) else {
                    return nil
                }
                found[name] = String(parts[offset])
            case .mixed(let before, let name, let after):
                let part = parts[offset]
                guard part.hasPrefix(before), part.hasSuffix(after), part.count > before.count + after.count else {
                    return nil
                }
                let value = String(part.dropFirst(before.count).dropLast(after.count))
                guard found[name] == nil || found[name] == value else { return nil }
                found[name] = value
            case .any, .rest: break
            }
        }
        return parts.count == self.levels.count ? found : nil
    }
}
