internal import DeviceProfile

/// The topics of one address, as far as the values of its placeholders are known.
struct AddressFilter: Sendable {
    /// A level of which only a part is known.
    private struct Fringe: Sendable {
        /// Its place in the topic: a value before it may have had several levels.
        var level: Int
        var before: String
        var after: String
    }

    /// What to subscribe: as narrow as MQTT can say it.
    let filter: String
    private let matcher: TopicFilter
    /// Where the filter's `+` is wider than the address.
    private let fringes: [Fringe]

    /// Binds an address; what is not among `parameters` may be any one level, or any part of one.
    init(_ address: TopicTemplate, _ parameters: [String: String]) {
        var parts: [String] = []
        var fringes: [Fringe] = []
        var count = 0
        for level in address.levels {
            let part: String
            switch level {
            case .literal(let text): part = text
            case .parameter(let name): part = Self.value(parameters[name]) ?? "+"
            case .mixed(let before, let name, let after):
                if let value = Self.value(parameters[name]), !value.contains("/") {
                    part = before + value + after
                } else {
                    part = "+"
                    fringes.append(Fringe(level: count, before: before, after: after))
                }
            case .any: part = "+"
            case .rest: part = "#"
            }
            parts.append(part)
            count += part.count { $0 == "/" } + 1
        }
        self.filter = parts.joined(separator: "/")
        self.matcher = TopicFilter(self.filter)
        self.fringes = fringes
    }

    private static func value(_ text: String?) -> String? {
        guard let text, !text.isEmpty, !text.contains(where: { $0 == "+" || $0 == "#" }) else { return nil }
        return text
    }

    /// Whether a message on `topic` came on this address.
    func matches(_ topic: String) -> Bool {
        guard self.matcher.matches(topic) else { return false }
        guard !self.fringes.isEmpty else { return true }
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        return self.fringes.allSatisfy { fringe in
            guard fringe.level < levels.count else { return false }
            let level = levels[fringe.level]
            return level.hasPrefix(fringe.before) && level.hasSuffix(fringe.after)
                && level.utf8.count > fringe.before.utf8.count + fringe.after.utf8.count
        }
    }
}
