extension Quality {
    /// Reads ``description``: `good`, `uncertain:stale`, `bad:sentinel`; `nil` for anything else.
    package init?(_ text: String) {
        if text == "good" {
            self = .good
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let level = Level.allCases.first(where: { "\($0)" == parts[0] }), level != .good,
            let reason = Reason.allCases.first(where: { "\($0)" == parts[1] })
        else { return nil }
        self = level == .bad ? .bad(reason) : .uncertain(reason)
    }
}
