internal import StrictYAML

/// Reads the `modbus` and `mqtt` blocks of a profile.
enum WireReader {
    static func modbus(_ map: YAMLMap) -> ModbusWire? {
        let wire = ModbusWire(
            unit: UInt8(clamping: map.int("unit", in: 0...255, default: 1)),
            serial: self.serial(map.optionalMap("serial")),
            timeoutMilliseconds: map.int("timeoutMilliseconds", in: 50...10_000, default: 1_000),
            pauseMilliseconds: map.int("pauseMilliseconds", in: 0...5_000, default: 0),
            connectPauseMilliseconds: map.int("connectPauseMilliseconds", in: 0...10_000, default: 0),
            registersMax: map.int("registersMax", in: 1...125, default: 125),
            bitsMax: map.int("bitsMax", in: 1...2_000, default: 2_000),
            gapMax: map.int("gapMax", in: 0...124, default: 8),
            forbidden: map.list("forbidden", limit: 256).compactMap { self.forbidden($0.map()) },
            byteOrder: map.choice("byteOrder", of: ModbusWire.Order.self, default: .highFirst),
            wordOrder: map.choice("wordOrder", of: ModbusWire.Order.self, default: .highFirst)
        )
        map.finish()
        return wire
    }

    static func serial(_ map: YAMLMap?) -> ModbusWire.Serial? {
        guard let map else { return nil }
        let serial = ModbusWire.Serial(
            baud: map.int("baud", in: 300...921_600) ?? 9_600,
            parity: map.choice("parity", of: ModbusWire.Serial.Parity.self, default: .none),
            dataBits: map.int("dataBits", in: 7...8, default: 8),
            stopBits: map.int("stopBits", in: 1...2, default: 1)
        )
        map.finish()
        return serial
    }

    private static func forbidden(_ map: YAMLMap) -> ModbusWire.Forbidden? {
        let table = map.choice("table", of: ModbusWire.Table.self)
        let from = map.int("from", in: 0...65_535)
        let to = map.int("to", in: 0...65_535)
        map.finish()
        guard let table, let from, let to else { return nil }
        guard from <= to else {
            map.problem("'from' is greater than 'to'")
            return nil
        }
        return ModbusWire.Forbidden(table: table, from: UInt16(clamping: from), to: UInt16(clamping: to))
    }

    /// The MQTT wire, and under which settings each of its messages holds.
    static func mqtt(_ map: YAMLMap, _ settings: SettingReader) -> (wire: MQTTWire, conditions: [SettingCondition])? {
        let values = map.required("messages")?.list(limit: 64) ?? []
        var conditions: [SettingCondition] = []
        let messages = values.compactMap { value -> MQTTWire.Message? in
            let inner = value.map()
            conditions.append(settings.only(in: inner))
            return self.message(inner)
        }
        if values.isEmpty { map.problem("at least one message is needed") }
        ProfileParts.checkUnique(messages.map(\.name), what: "message", in: map, key: "messages")
        let availability = self.availability(map.optionalMap("availability"))
        map.finish()
        guard messages.count == values.count, !messages.isEmpty else { return nil }
        return (MQTTWire(messages: messages, availability: availability), conditions)
    }

    private static func message(_ map: YAMLMap) -> MQTTWire.Message? {
        let name = map.string("name", limit: 64)
        let topic = ProfileParts.topic("topic", in: map)
        let payload = map.choice("payload", of: MQTTWire.Payload.self, default: .json)
        let when = ProfileParts.condition("when", in: map)
        let each = map.optional("each") == nil ? nil : ProfileParts.pointer("each", in: map)
        let replay = self.replay(map)
        let sequence = map.optional("sequence") == nil ? nil : ProfileParts.pointer("sequence", in: map)
        let clock = self.clock(map)
        let retained = map.choice("retained", of: MQTTWire.Retained.self, default: .state)
        let sent = map.choice("sent", of: MQTTWire.Sent.self, default: .regularly)
        if payload == .text, when != nil || each != nil || clock != nil || replay != nil || sequence != nil {
            map.problem(
                "'when', 'each', 'clock', 'replay' and 'sequence' need payload json: a bare text has no members"
            )
        }
        map.finish()
        guard let name, let topic else { return nil }
        return MQTTWire.Message(
            name: name,
            topic: topic,
            payload: payload,
            when: when,
            each: each,
            clock: clock,
            replay: replay,
            sequence: sequence,
            retained: retained,
            sent: sent
        )
    }

    /// The message that a request of an HTTP device is, with the keys that messages have beside their place.
    static func pushed(_ map: YAMLMap, name: String, topic: TopicTemplate?, isEmpty: Bool) -> MQTTWire.Message? {
        let when = ProfileParts.condition("when", in: map)
        let each = map.optional("each") == nil ? nil : ProfileParts.pointer("each", in: map)
        let replay = self.replay(map)
        let sequence = map.optional("sequence") == nil ? nil : ProfileParts.pointer("sequence", in: map)
        let clock = self.clock(map)
        let sent = map.choice("sent", of: MQTTWire.Sent.self, default: .onChange)
        if isEmpty, when != nil || each != nil || clock != nil || replay != nil || sequence != nil {
            map.problem("a body that is thrown away has no members")
        }
        return topic.map { topic in
            MQTTWire.Message(
                name: name,
                topic: topic,
                payload: .json,
                when: when,
                each: each,
                clock: clock,
                replay: replay,
                sequence: sequence,
                retained: .state,
                sent: sent
            )
        }
    }

    private static func clock(_ map: YAMLMap) -> MQTTWire.Clock? {
        guard let inner = map.optionalMap("clock") else { return nil }
        let pointer = ProfileParts.pointer("pointer", in: inner)
        let format = inner.choice("format", of: MQTTWire.Clock.Format.self)
        inner.finish()
        guard let pointer, let format else { return nil }
        return MQTTWire.Clock(pointer: pointer, format: format)
    }

    private static func replay(_ map: YAMLMap) -> MQTTWire.Replay? {
        guard let value = map.optional("replay") else { return nil }
        if value.isMap { return ProfileParts.condition("replay", in: map).map { .when($0) } }
        if value.plainText != "true" { value.problem("must be true, or {pointer, equals}") }
        return .always
    }

    private static func availability(_ map: YAMLMap?) -> MQTTWire.Availability? {
        guard let map else { return nil }
        let topic = ProfileParts.topic("topic", in: map)
        let pointer = map.optional("pointer") == nil ? nil : ProfileParts.pointer("pointer", in: map)
        let online = map.string("online", limit: 256)
        let offline = map.string("offline", limit: 256)
        map.finish()
        guard let topic, let online, let offline else { return nil }
        return MQTTWire.Availability(topic: topic, pointer: pointer, online: online, offline: offline)
    }
}
