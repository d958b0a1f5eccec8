/// A topic filter, ready to match one topic.
package struct TopicFilter: Sendable, Hashable {
    private let filter: String
    private let levels: [Substring]
    private let isExact: Bool

    /// Takes a valid filter.
    package init(_ filter: String) {
        self.filter = filter
        self.levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        self.isExact = !self.levels.contains { $0 == "+" || $0 == "#" }
    }

    /// Whether `topic` matches by MQTT's rules (4.7): `+` one level, `#` the rest, neither for a leading `$`.
    package func matches(_ topic: String) -> Bool {
        if self.isExact { return self.filter == topic }
        if topic.utf8.first == UInt8(ascii: "$"), self.levels.first == "+" || self.levels.first == "#" { return false }
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
        for (index, level) in self.levels.enumerated() {
            if level == "#" { return true }
            guard index < parts.count, level == "+" || level == parts[index] else { return false }
        }
        return parts.count == self.levels.count
    }
}

/// Finds all filters that match a topic: exact ones by a look-up, those with wildcards along a tree.
package struct TopicMatcher: Sendable {
    private var exact: [String: [Int]] = [:]
    private var tree = Node()
    private var hasWildcards = false

    private struct Node: Sendable {
        var children: [String: Node] = [:]
        var any: [Node] = []
        var here: [Int] = []
        var rest: [Int] = []
    }

    /// Takes filters with the value that each stands for.
    package init(filters: [(filter: String, value: Int)]) {
        for (filter, value) in filters {
            let levels = filter.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if levels.contains(where: { $0 == "+" || $0 == "#" }) {
                self.hasWildcards = true
                Self.insert(levels[...], value, into: &self.tree)
            } else {
                self.exact[filter, default: []].append(value)
            }
        }
    }

    private static func insert(_ levels: ArraySlice<String>, _ value: Int, into node: inout Node) {
        guard let level = levels.first else {
            node.here.append(value)
            return
        }
        if level == "#" {
            node.rest.append(value)
        } else if level == "+" {
            if node.any.isEmpty { node.any.append(Node()) }
            self.insert(levels.dropFirst(), value, into: &node.any[0])
        } else {
            self.insert(levels.dropFirst(), value, into: &node.children[level, default: Node()])
        }
    }

    /// Adds the values of all filters that match `topic`, each once, in ascending order.
    package func match(_ topic: String, into matches: inout [Int]) {
        let start = matches.count
        if let found = self.exact[topic] { matches.append(contentsOf: found) }
        if self.hasWildcards {
            let levels = topic.split(separator: "/", maxSplits: 255, omittingEmptySubsequences: false)
            let isReserved = topic.utf8.first == UInt8(ascii: "$")
            Self.walk(levels[...], self.tree, isReserved: isReserved, into: &matches)
        }
        guard matches.count - start > 1 else { return }
        let unique = Set(matches[start...]).sorted()
        matches.replaceSubrange(start..., with: unique)
    }

    private static func walk(
        _ levels: ArraySlice<Substring>,
        _ node: Node,
        isReserved: Bool,
        into matches: inout [Int]
    ) {
        if !isReserved { matches.append(contentsOf: node.rest) }
        guard let level = levels.first else {
            matches.append(contentsOf: node.here)
            return
        }
        if let child = node.children[String(level)] {
            self.walk(levels.dropFirst(), child, isReserved: false, into: &matches)
        }
        if !isReserved, let any = node.any.first {
            self.walk(levels.dropFirst(), any, isReserved: false, into: &matches)
        }
    }
}
