/// Which alert: a rule and what it watches.
package struct AlertKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The rule's identifier, unique among all files.
    package var rule: String
    /// What is watched: `device/point`, a device, or a node of the site tree.
    package var instance: String

    package init(rule: String, instance: String) {
        self.rule = rule
        self.instance = instance
    }

    /// Reads `rule:instance`; `nil` when either is missing.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rule = text[..<colon]
        let instance = text[text.index(after: colon)...]
        guard !rule.isEmpty, !instance.isEmpty else { return nil }
        self.init(rule: String(rule), instance: String(instance))
    }

    /// `rule:instance`; rules have no colon.
    package var description: String { "\(self.rule):\(self.instance)" }

    package static func < (left: AlertKey, right: AlertKey) -> Bool {
        (left.rule, left.instance) < (right.rule, right.instance)
    }
}
