internal import StrictYAML

/// Reads what a device does when the gateway is gone.
struct FailsafeReader {
    let wire: DeviceProfile.Wire
    let pointNames: Set<String>

    func read(_ root: YAMLMap) -> FailsafeDefinition? {
        guard let map = root.optionalMap("failsafe") else { return nil }
        let title = ProfileParts.localized("title", in: map)
        let patience = map.optionalMap("after").flatMap { self.patience($0) }
        let feed = map.optionalMap("feed").flatMap { self.feed($0) }
        map.finish()
        return title.map { FailsafeDefinition(title: $0, patience: patience, feed: feed) }
    }

    private func patience(_ map: YAMLMap) -> FailsafeDefinition.Patience? {
        let seconds = map.optional("seconds")?.double(in: 0.1...86_400)
        let point = map.optionalString("point", limit: 64)
        map.finish()
        switch (seconds, point) {
        case (.some(let seconds), nil): return .seconds(seconds)
        case (nil, .some(let name)):
            if !self.pointNames.contains(name) {
                let hint =
                    NearestWord.suggestion(for: name, among: self.pointNames.sorted())
                    .map { "; did you mean '\($0)'?" } ?? ""
                map.problem(at: "point", "there is no point called '\(name)'\(hint)")
            }
            return .point(name)
        default:
            map.problem("exactly one of the keys 'seconds' and 'point' is needed")
            return nil
        }
    }

    private func feed(_ map: YAMLMap) -> FailsafeDefinition.Feed? {
        let every = map.required("everySeconds")?.double(in: 0.5...3_600)
        let list = map.required("values")
        let values = list?.list(limit: 16).compactMap { $0.double() } ?? []
        if values.isEmpty { list?.problem("names no value") }
        guard case .modbus(let wire) = self.wire else {
            for key in ["table", "address", "type"] { _ = map.optional(key) }
            map.finish()
            map.problem("only registers are fed")
            return nil
        }
        let source = RegisterSourceReader(wire: wire).readOpen(map)
        map.finish()
        guard let every, let source else { return nil }
        if source.table != .coil, source.table != .holding {
            map.problem(at: "table", "only coils and holding registers are written")
        }
        if source.bits != nil {
            map.problem(at: "bits", "a slice is not written: the rest of the register would be lost")
        }
        if source.type.isText { map.problem(at: "type", "texts are not written") }
        for value in values where source.table.isBits ? value != 0 && value != 1 : source.words(for: value) == nil {
            map.problem(at: "values", "\(NumberText.text(value)) does not fit into the register")
        }
        return FailsafeDefinition.Feed(
            source: source,
            values: values,
            everyMilliseconds: Int64(exactly: (every * 1_000).rounded()) ?? 1_000
        )
    }
}
