internal import CampusModel
internal import StrictYAML

/// Reads the controls of a profile: what may be written, and within which bounds.
struct ControlReader {
    let wire: DeviceProfile.Wire
    let points: [ProfileTemplate.Part<PointDefinition>]
    let settings: SettingReader

    /// The controls, each with its place for messages.
    func read(_ values: [YAMLValue]) -> [(part: ProfileTemplate.Part<ControlDefinition>, map: YAMLMap)] {
        values.compactMap { value in
            let map = value.map()
            let only = self.settings.only(in: map)
            guard let control = self.control(map) else { return nil }
            return (ProfileTemplate.Part(content: control, only: only), map)
        }
    }

    private func control(_ map: YAMLMap) -> ControlDefinition? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "control", in: map) }
        let title = ProfileParts.localized("title", in: map)
        let kind = map.choice("kind", of: ControlDefinition.Kind.self, default: .number)
        let unit = ProfileParts.unit(in: map, isNumber: kind == .number)
        let target = map.required("wire").flatMap { self.target($0.map(), kind: kind) }
        let scale = ProfileParts.fixedScale("scale", in: map)
        if kind != .number, scale != .identity { map.problem(at: "scale", "only numbers have a scale") }
        let range = ProfileParts.range("range", in: map)
        if kind == .number, range == nil, map.optional("range") == nil {
            map.problem("needs 'range': the values that may be written")
        }
        if kind != .number, range != nil { map.problem(at: "range", "only numbers have a range") }
        let step = map.optionalDouble("step")
        if let step, step <= 0 || kind != .number { map.problem(at: "step", "must be above 0, and of a number") }
        let enumeration = ProfileParts.enumeration(in: map)
        if kind == .enumeration, enumeration.isEmpty {
            map.problem("needs 'enumeration': the values that may be written")
        }
        if kind == .number || kind == .command, !enumeration.isEmpty {
            map.problem(at: "enumeration", "needs kind enumeration or boolean")
        }
        var fixed = 0.0
        if kind == .command {
            fixed = map.required("value")?.double() ?? 0
        } else if map.optional("value") != nil {
            map.problem(at: "value", "only a command has a value of its own")
        }
        let roles = map.optional("roles").map { self.roles($0) } ?? [.facility]
        let interval = map.optional("minimumIntervalSeconds")?.double(in: 0...86_400) ?? 1
        let readback = self.readback(map)
        let safe = map.optionalDouble("safe")
        if kind == .command, safe != nil { map.problem(at: "safe", "a command has no safe value") }
        let confirmation = map.optional("confirm") == nil ? nil : ProfileParts.localized("confirm", in: map)
        map.finish()
        guard let name, let title, let target, let readback else { return nil }
        let control = ControlDefinition(
            name: name,
            title: title,
            kind: kind,
            unit: unit,
            target: target,
            scale: scale,
            range: range,
            step: step,
            enumeration: enumeration,
            fixed: fixed,
            roles: roles,
            minimumIntervalMilliseconds: Int64(exactly: (interval * 1_000).rounded()) ?? 1_000,
            readback: readback,
            safe: safe,
            confirmation: confirmation
        )
        self.checkValues(of: control, map)
        return control
    }

    /// The safe value and both ends of the range must be ones that the control itself takes.
    private func checkValues(of control: ControlDefinition, _ map: YAMLMap) {
        let values: [(key: String, value: Double?)] = [
            ("safe", control.safe), ("range", control.range?.lowerBound),
            ("enumeration", control.enumeration.first?.value),
        ]
        let names = self.parameterNames(of: control)
        let parameters = Dictionary(names.map { ($0, "x") }, uniquingKeysWith: { first, _ in first })
        for (key, value) in values {
            guard let value else { continue }
            do throws(ControlRefusal) {
                _ = try control.write(value, parameters: parameters)
            } catch {
                map.problem(at: key, "\(NumberText.text(value)) cannot be written: \(error.en)")
            }
        }
        if control.kind == .command {
            do throws(ControlRefusal) {
                _ = try control.write(nil, parameters: parameters)
            } catch {
                map.problem(at: "value", "cannot be written: \(error.en)")
            }
        }
    }

    private func parameterNames(of control: ControlDefinition) -> [String] {
        if case .message(let topic, _) = control.target { topic.parameterNames } else { [] }
    }

    private func target(_ map: YAMLMap, kind: ControlDefinition.Kind) -> ControlDefinition.Target? {
        switch self.wire {
        case .modbus(let wire): return self.register(map, kind: kind, wire)
        case .line, .http:
            map.problem("nothing is written to such a device: controls are for Modbus and MQTT")
            return nil
        case .mqtt:
            let topic = ProfileParts.topic("topic", in: map)
            let payload = map.string("payload", limit: 2_000)
            map.finish()
            guard let topic, let payload else { return nil }
            if topic.levels.contains(where: { $0 == .any || $0 == .rest }) {
                map.problem(at: "topic", "nothing can be sent to a wildcard")
            }
            let count = payload.ranges(of: "{value}").count
            if count != (kind == .command ? 0 : 1), !(kind == .command && count == 1) {
                map.problem(at: "payload", "must have {value} once, where the value goes")
            }
            return .message(topic: topic, payload: payload)
        }
    }

    private enum Function: String, CaseIterable {
        case single
        case multiple
    }

    private func register(
        _ map: YAMLMap,
        kind: ControlDefinition.Kind,
        _ wire: ModbusWire
    ) -> ControlDefinition.Target? {
        let isMultiple = map.choice("function", of: Function.self, default: .single) == .multiple
        // A command may send what is no bit to a coil: some relays take a time there.
        let isTimedCoil = kind == .command && map.optional("type")?.scalarText == "uint16"
        let source = RegisterSourceReader(wire: wire).readOpen(map, allowsWordsInCoils: isTimedCoil)
        map.finish()
        guard let source else { return nil }
        if source.table != .coil && source.table != .holding {
            map.problem(at: "table", "only coils and holding registers are written")
        }
        if source.bits != nil {
            map.problem(at: "bits", "a slice is not written: the rest of the register would be lost")
        }
        if source.type.isText { map.problem(at: "type", "texts are not written") }
        return .register(source, isMultiple: isMultiple)
    }

    private func roles(_ value: YAMLValue) -> Set<ControlDefinition.Role> {
        Set(value.list(limit: 8).compactMap { $0.choice(of: ControlDefinition.Role.self) })
    }

    private func readback(_ map: YAMLMap) -> ControlDefinition.Readback? {
        guard let value = map.required("readback") else { return nil }
        guard value.isMap else {
            if value.scalarText != "none" { value.problem("must be none, or {point, withinSeconds, tolerance}") }
            return ControlDefinition.Readback.none
        }
        let inner = value.map()
        let name = inner.string("point", limit: 64)
        let within = inner.optional("withinSeconds")?.double(in: 0.1...3_600) ?? 30
        let tolerance = inner.optional("tolerance")?.double(in: 0...1e9) ?? 0
        inner.finish()
        guard let name else { return nil }
        guard let index = self.points.firstIndex(where: { $0.content.name == name }) else {
            let hint =
                NearestWord.suggestion(for: name, among: self.points.map(\.content.name))
                .map { "; did you mean '\($0)'?" } ?? ""
            inner.problem(at: "point", "there is no point called '\(name)'\(hint)")
            return nil
        }
        return .point(
            index,
            withinMilliseconds: Int64(exactly: (within * 1_000).rounded()) ?? 30_000,
            tolerance: tolerance
        )
    }
}
