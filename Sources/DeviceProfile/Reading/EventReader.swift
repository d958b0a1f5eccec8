internal import CampusModel
internal import StrictYAML

/// Reads the events of a profile.
struct EventReader {
    let wire: DeviceProfile.Wire

    func read(_ values: [YAMLValue]) -> [EventDefinition] { values.compactMap { self.event($0.map()) } }

    private func event(_ map: YAMLMap) -> EventDefinition? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "event", in: map) }
        let title = ProfileParts.localized("title", in: map)
        let kind = map.choice("kind", of: Event.Kind.self, default: .other)
        let window = map.int("windowMilliseconds", in: 0...3_600_000, default: 0)
        let capture: EventDefinition.Capture?
        switch self.wire {
        case .mqtt(let wire): capture = self.payloadCapture(map, wire)
        case .modbus(let wire): capture = self.registerCapture(map, wire)
        }
        map.finish()
        guard let name, let title, let capture else { return nil }
        return EventDefinition(
            name: name,
            title: title,
            kind: kind,
            windowMilliseconds: Int64(window),
            capture: capture
        )
    }

    private func payloadCapture(_ map: YAMLMap, _ wire: MQTTWire) -> EventDefinition.Capture? {
        let index = ProfileParts.messageIndex("message", in: map, of: wire)
        let sequence = map.optional("sequence") == nil ? nil : ProfileParts.pointer("sequence", in: map)
        let isText = index.map { wire.messages[$0].payload == .text } ?? false
        let values = map.required("fields")?.list(limit: 64) ?? []
        let fields = values.compactMap { value -> EventDefinition.PayloadField? in
            let inner = value.map()
            let name = inner.string("name", limit: 64)
            let pointer = isText ? nil : ProfileParts.pointer("pointer", in: inner)
            let privacy = inner.choice("privacy", of: PrivacyClass.self, default: .none)
            let isRequired = inner.bool("required", default: false)
            inner.finish()
            guard let name, isText || pointer != nil else { return nil }
            return EventDefinition.PayloadField(
                name: name,
                pointer: pointer,
                privacy: privacy,
                isRequired: isRequired
            )
        }
        if values.isEmpty { map.problem("an event needs at least one field") }
        if isText, values.count > 1 { map.problem(at: "fields", "a bare text is one field") }
        ProfileParts.checkUnique(fields.map(\.name), what: "field", in: map, key: "fields")
        guard let index else { return nil }
        return .payload(messageIndex: index, sequence: sequence, fields: fields)
    }

    private func registerCapture(_ map: YAMLMap, _ wire: ModbusWire) -> EventDefinition.Capture? {
        let reader = RegisterSourceReader(wire: wire)
        let sequence = map.optionalMap("sequence").flatMap { reader.read($0) }
        guard let capture = map.required("capture")?.map() else {
            _ = map.optional("fields")
            return nil
        }
        let flag = self.flag(capture.optionalMap("newFlag"))
        let clear = self.clear(capture.optionalMap("clear"))
        let poll = capture.choice("poll", of: PointDefinition.PollClass.self, default: .fast)
        capture.finish()
        if flag == nil, sequence == nil {
            map.problem("needs 'sequence' or 'capture.newFlag': otherwise nobody can tell a new event from the last")
        }
        if flag != nil, clear == nil, sequence == nil {
            map.problem("a 'newFlag' without 'clear' and without 'sequence' would give the same event at every poll")
        }
        let values = map.required("fields")?.list(limit: 64) ?? []
        let fields = values.compactMap { value -> EventDefinition.RegisterField? in
            let inner = value.map()
            let name = inner.string("name", limit: 64)
            let source = reader.readOpen(inner)
            let privacy = inner.choice("privacy", of: PrivacyClass.self, default: .none)
            inner.finish()
            guard let name, let source else { return nil }
            return EventDefinition.RegisterField(name: name, source: source, privacy: privacy)
        }
        if values.isEmpty { map.problem("an event needs at least one field") }
        return .registers(newFlag: flag, sequence: sequence, clear: clear, poll: poll, fields: fields)
    }

    private func flag(_ map: YAMLMap?) -> EventDefinition.Flag? {
        guard let map else { return nil }
        let table = map.choice("table", of: ModbusWire.Table.self)
        let address = map.int("address", in: 0...65_535)
        let bit = map.int("bit", in: 0...15, default: 0)
        map.finish()
        guard let table, let address else { return nil }
        return EventDefinition.Flag(table: table, address: UInt16(clamping: address), bit: bit)
    }

    private func clear(_ map: YAMLMap?) -> EventDefinition.Clear? {
        guard let map else { return nil }
        let table = map.choice("table", of: ModbusWire.Table.self)
        let address = map.int("address", in: 0...65_535)
        let value = map.int("value", in: 0...65_535) ?? 0
        map.finish()
        guard let table, let address else { return nil }
        if table != .coil && table != .holding {
            map.problem(at: "table", "only coils and holding registers are written")
        }
        return EventDefinition.Clear(
            table: table,
            address: UInt16(clamping: address),
            value: UInt16(clamping: value)
        )
    }
}
