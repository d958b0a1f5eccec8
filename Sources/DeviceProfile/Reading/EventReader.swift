internal import CampusModel
internal import StrictYAML

/// Reads the events of a profile.
struct EventReader {
    let wire: DeviceProfile.Wire
    let settings: SettingReader

    /// The events, each with its place for messages.
    func read(_ values: [YAMLValue]) -> [(part: ProfileTemplate.Part<EventDefinition>, map: YAMLMap)] {
        values.compactMap { value in
            let map = value.map()
            let only = self.settings.only(in: map)
            return self.event(map).map { (ProfileTemplate.Part(content: $0, only: only), map) }
        }
    }

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
        case .http(let wire): capture = self.payloadCapture(map, wire.messages)
        case .line:
            map.problem("a device that is asked line by line has points only")
            return nil
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
            let decoding = inner.optional("decode")?.choice(of: EventDefinition.PayloadField.Decoding.self)
            let scale = ProfileParts.fixedScale("scale", in: inner)
            if decoding != nil, scale != .identity { inner.problem(at: "scale", "what is decoded is no number") }
            let invalid = inner.list("invalid", limit: 32)
                .compactMap { value in
                    if value.scalarText == nil { value.problem("must be a text") }
                    return value.scalarText
                }
            let privacy = inner.choice("privacy", of: PrivacyClass.self, default: .none)
            let isRequired = inner.bool("required", default: false)
            let isIdentity = inner.bool("identity", default: true)
            inner.finish()
            guard let name, isText || pointer != nil else { return nil }
            return EventDefinition.PayloadField(
                name: name,
                pointer: pointer,
                decoding: decoding,
                scale: scale,
                invalid: invalid,
                privacy: privacy,
                isRequired: isRequired,
                isIdentity: isIdentity
            )
        }
        if values.isEmpty { map.problem("an event needs at least one field") }
        if isText, values.count > 1 { map.problem(at: "fields", "a bare text is one field") }
        self.checkAlternatives(fields, map)
        guard let index else { return nil }
        return .payload(messageIndex: index, sequence: sequence, fields: fields)
    }

    /// Fields of one name are places of one thing: what may be done with it must not depend on the place.
    private func checkAlternatives(_ fields: [EventDefinition.PayloadField], _ map: YAMLMap) {
        for (name, places) in Dictionary(grouping: fields, by: \.name) where places.count > 1 {
            if Set(places.map(\.privacy)).count > 1 || Set(places.map(\.isRequired)).count > 1
                || Set(places.map(\.isIdentity)).count > 1
            {
                map.problem(at: "fields", "the places of '\(name)' differ in privacy, required or identity")
            }
            if Set(places.map(\.pointer)).count < places.count {
                map.problem(at: "fields", "two fields are called '\(name)' and have the same pointer")
            }
        }
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
        let isChange = capture.bool("changed", default: false)
        let poll = capture.choice("poll", of: PointDefinition.PollClass.self, default: .fast)
        capture.finish()
        if flag == nil, sequence == nil, !isChange {
            map.problem(
                "needs 'sequence', 'capture.newFlag' or 'capture.changed': otherwise nobody can tell a new event from "
                    + "the last"
            )
        }
        if isChange, flag != nil || sequence != nil {
            map.problem(at: "capture", "'changed' is for devices that have neither a flag nor a sequence")
        }
        if flag != nil, clear == nil, sequence == nil {
            map.problem("a 'newFlag' without 'clear' and without 'sequence' would give the same event at every poll")
        }
        let values = map.required("fields")?.list(limit: 64) ?? []
        let fields = values.compactMap { value -> EventDefinition.RegisterField? in
            let inner = value.map()
            let name = inner.string("name", limit: 64)
            let source = reader.readOpen(inner)
            let lengthFrom = inner.optionalMap("lengthFrom").flatMap { reader.readLength($0) }
            if lengthFrom != nil, source?.type.isText != true {
                inner.problem(at: "lengthFrom", "only string and hex have a length")
            }
            let scale = ProfileParts.fixedScale("scale", in: inner)
            if scale != .identity, source?.type.isText == true { inner.problem(at: "scale", "a text has no scale") }
            let privacy = inner.choice("privacy", of: PrivacyClass.self, default: .none)
            let isIdentity = inner.bool("identity", default: true)
            inner.finish()
            guard let name, let source else { return nil }
            return EventDefinition.RegisterField(
                name: name,
                source: source,
                lengthFrom: lengthFrom,
                scale: scale,
                privacy: privacy,
                isIdentity: isIdentity
            )
        }
        if values.isEmpty { map.problem("an event needs at least one field") }
        ProfileParts.checkUnique(fields.map(\.name), what: "field", in: map, key: "fields")
        return .registers(
            newFlag: flag,
            sequence: sequence,
            clear: clear,
            isChange: isChange,
            poll: poll,
            fields: fields
        )
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
