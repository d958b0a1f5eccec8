internal import DeviceProfile
internal import StrictYAML

/// Reads `components.messages` of a contract.
struct MessageReader {
    let schemas: SchemaReader

    func read(_ map: YAMLMap?) -> [FirmwareContract.Message] {
        guard let map else { return [] }
        if map.keys.count > 64 { map.problem("more than 64 messages") }
        return map.keys.prefix(64)
            .compactMap { name in map.required(name).flatMap { self.message(name, $0.map()) } }
    }

    private func message(_ name: String, _ map: YAMLMap) -> FirmwareContract.Message? {
        let isName = name.utf8.count <= 64 && name.utf8.allSatisfy(Self.isNameByte) && !name.isEmpty
        if !isName { map.problem("a message's name has the letters a-z A-Z, digits and -, at most 64") }
        let title = map.optionalString("title", limit: 200)
        for key in ["name", "summary", "description"] { _ = map.optionalString(key) }
        if let examples = map.optional("examples") {
            examples.problem("payloads belong into the folder samples, where they are checked")
        }
        let content = map.choice("contentType", of: FirmwareContract.Content.self, default: .json)
        let schema = map.required("payload").flatMap { self.schemas.schema($0.map(), depth: 0) }
        let campus = map.required("x-campus")?.map()
        let bounds = campus.map { self.bounds($0) }
        let semantics = campus.map { self.semantics($0) }
        campus?.finish()
        map.finish()
        guard let schema, let bounds, let semantics else { return nil }
        self.check(schema, content, bounds, semantics, map)
        return FirmwareContract.Message(
            name: name,
            title: title,
            content: content,
            schema: schema,
            bounds: bounds,
            semantics: semantics,
            line: map.line
        )
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "-")
    }

    private func bounds(_ map: YAMLMap) -> FirmwareContract.Bounds {
        FirmwareContract.Bounds(
            bytesMax: map.int("bytesMax", in: 1...FirmwareContract.payloadBytesMax) ?? 1,
            depthMax: map.int("depthMax", in: 1...32, default: 8),
            perMinuteMax: map.optional("perMinuteMax").flatMap { $0.int(in: 1...100_000) }
        )
    }

    private func semantics(_ map: YAMLMap) -> FirmwareContract.Semantics {
        var result = FirmwareContract.Semantics()
        if let clock = map.optionalMap("clock") {
            let pointer = ContractReader.pointer("pointer", in: clock)
            let format = clock.choice("format", of: MQTTWire.Clock.Format.self)
            clock.finish()
            if pointer == nil { clock.problem("needs 'pointer'") }
            if let pointer, let format { result.clock = FirmwareContract.Clock(pointer: pointer, format: format) }
        }
        result.sequence = ContractReader.pointer("sequence", in: map)
        result.deduplicate = ContractReader.pointer("deduplicate", in: map)
        if let replay = map.optionalMap("replay") {
            let pointer = ContractReader.pointer("pointer", in: replay)
            let accepted = replay.optional("equals")?.scalarText
            replay.finish()
            if let pointer, let accepted {
                result.replay = FirmwareContract.Replay(pointer: pointer, accepted: [accepted])
            } else {
                replay.problem("needs 'pointer' and 'equals'")
            }
        }
        result.retained = map.choice("retained", of: FirmwareContract.Retained.self, default: .never)
        result.absent = map.choice("absent", of: PayloadSource.Absent.self, default: .unchanged)
        result.heartbeatMilliseconds = map.optional("heartbeat").flatMap { $0.milliseconds(in: 1_000...604_800_000) }
        result.offlineAfter = map.int("offlineAfter", in: 1...100, default: 3)
        result.version = ContractReader.pointer("version", in: map)
        return result
    }

    private func check(
        _ schema: PayloadSchema,
        _ content: FirmwareContract.Content,
        _ bounds: FirmwareContract.Bounds,
        _ semantics: FirmwareContract.Semantics,
        _ map: YAMLMap
    ) {
        switch content {
        case .json:
            if schema.kinds != [.object], schema.kinds != [.array] {
                map.problem(
                    at: "payload",
                    "a JSON payload is an object or an array; bare text has contentType text/plain"
                )
            }
            if schema.depth > bounds.depthMax {
                map.problem("the payload nests \(schema.depth) deep, x-campus.depthMax allows \(bounds.depthMax)")
            }
        case .text:
            if schema.kinds != [.string] { map.problem(at: "payload", "bare text has type string") }
            let pointers = [
                semantics.clock?.pointer, semantics.sequence, semantics.deduplicate, semantics.replay?.pointer,
                semantics.version,
            ]
            if pointers.contains(where: { $0 != nil }) {
                map.problem("bare text has no members to point to")
            }
            return
        }
        let named: [(String, JSONPointer?)] = [
            ("clock", semantics.clock?.pointer), ("sequence", semantics.sequence),
            ("deduplicate", semantics.deduplicate), ("replay", semantics.replay?.pointer),
            ("version", semantics.version),
        ]
        for (key, pointer) in named {
            guard let pointer else { continue }
            guard let place = schema.resolve(pointer) else {
                map.problem(at: "x-campus", "\(key): the payload has nothing at \(pointer)")
                continue
            }
            if key == "version", !place.isAlwaysThere || place.schema.kinds != [.string] {
                map.problem(at: "x-campus", "version: \(pointer) must be a required text")
            }
            if key == "clock", !place.isAlwaysThere {
                map.problem(at: "x-campus", "clock: \(pointer) must be required, otherwise some values have no time")
            }
        }
    }
}
