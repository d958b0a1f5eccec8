internal import CampusModel
internal import StrictYAML

/// Reads the points of a profile, and resolves their references to each other.
struct PointReader {
    let wire: DeviceProfile.Wire

    /// A point whose references are still names.
    private struct Draft {
        var point: PointDefinition
        var map: YAMLMap
        var validity: (point: String, values: [Double], mustEqual: Bool)?
        var exponentFrom: String?
    }

    func read(_ values: [YAMLValue]) -> [PointDefinition] {
        let drafts = values.compactMap { self.draft($0.map()) }
        var points = drafts.map(\.point)
        for (index, draft) in drafts.enumerated() {
            if let validity = draft.validity, let other = self.index(of: validity.point, in: drafts, for: draft) {
                if other == index || drafts[other].validity != nil {
                    draft.map.problem(
                        at: "validWhen",
                        "'\(validity.point)' must be another point that has no 'validWhen' itself"
                    )
                }
                points[index].validity = PointDefinition.Validity(
                    point: other,
                    values: validity.values,
                    mustEqual: validity.mustEqual
                )
            }
            if let name = draft.exponentFrom, let other = self.index(of: name, in: drafts, for: draft) {
                if other == index || points[other].scale != .identity || drafts[other].exponentFrom != nil {
                    draft.map.problem(at: "scale", "'\(name)' must be another point, itself without a scale")
                }
                points[index].scale.exponentFrom = other
            }
        }
        return points
    }

    private func index(of name: String, in drafts: [Draft], for draft: Draft) -> Int? {
        if let index = drafts.firstIndex(where: { $0.point.name == name }) { return index }
        let hint =
            NearestWord.suggestion(for: name, among: drafts.map(\.point.name))
            .map { "; did you mean '\($0)'?" } ?? ""
        draft.map.problem("there is no point called '\(name)'\(hint)")
        return nil
    }

    private func draft(_ map: YAMLMap) -> Draft? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "point", in: map) }
        let title = ProfileParts.localized("title", in: map)
        let kind = map.choice("kind", of: PointDefinition.Kind.self, default: .number)
        let unit = self.unit(map, kind: kind)
        let source = map.required("wire").flatMap { self.source($0.map(), kind: kind) }
        var exponentFrom: String?
        let scale = self.scale(map.optionalMap("scale"), exponentFrom: &exponentFrom)
        if kind != .number, scale != .identity || exponentFrom != nil {
            map.problem(at: "scale", "only numbers have a scale")
        }
        let enumeration = self.enumeration(map, kind: kind)
        let range = self.range(map.optionalMap("range"))
        let maximumChange = map.optionalDouble("maximumChangePerSecond")
        if let maximumChange, maximumChange <= 0 { map.problem(at: "maximumChangePerSecond", "must be above 0") }
        let deadband = map.double("deadband", default: 0)
        if deadband < 0 { map.problem(at: "deadband", "must not be negative") }
        var validity: (point: String, values: [Double], mustEqual: Bool)?
        if let inner = map.optionalMap("validWhen") { validity = self.validity(inner) }
        let invalid = map.list("invalid", limit: 32).compactMap { self.invalid($0) }
        let keepsUnknown = map.choice("unknown", of: UnknownPolicy.self, default: .bad) == .keep
        let poll = map.choice("poll", of: PointDefinition.PollClass.self, default: .normal)
        let isHidden = map.bool("hidden", default: false)
        let privacy = map.choice("privacy", of: PrivacyClass.self, default: .none)
        let durability = map.choice("durability", of: Durability.self, default: .telemetry)
        if durability != .telemetry, isHidden || kind == .text || privacy != .none {
            map.problem(at: "durability", "a point without a history (hidden, text or personal) has no durability")
        }
        map.finish()
        guard let name, let title, let source else { return nil }
        let point = PointDefinition(
            name: name,
            title: title,
            unit: unit,
            kind: kind,
            source: source,
            scale: scale,
            invalid: invalid,
            validity: nil,
            enumeration: enumeration,
            keepsUnknown: keepsUnknown,
            range: range,
            maximumChangePerSecond: maximumChange,
            poll: poll,
            deadband: deadband,
            isHidden: isHidden,
            privacy: privacy,
            durability: durability
        )
        return Draft(point: point, map: map, validity: validity, exponentFrom: exponentFrom)
    }

    private enum UnknownPolicy: String, CaseIterable {
        case bad
        case keep
    }

    private func unit(_ map: YAMLMap, kind: PointDefinition.Kind) -> String {
        guard kind == .number else {
            if map.optional("unit") != nil { map.problem(at: "unit", "only numbers have a unit") }
            return "1"
        }
        guard let unit = map.required("unit")?.scalarText else { return "1" }
        if Units.display[unit] == nil {
            let hint =
                NearestWord.suggestion(for: unit, among: Units.display.keys.sorted())
                .map { "; did you mean '\($0)'?" } ?? ""
            map.problem(at: "unit", "'\(unit)' is not a UCUM code that is known here\(hint)")
        }
        return unit
    }

    private func source(_ map: YAMLMap, kind: PointDefinition.Kind) -> PointDefinition.Source? {
        switch self.wire {
        case .modbus(let wire):
            let reader = RegisterSourceReader(wire: wire)
            guard let source = reader.read(map) else { return nil }
            if (source.type == .string) != (kind == .text) {
                map.problem(at: "type", "type string and kind text belong together")
            }
            return .register(source)
        case .mqtt(let wire):
            let index = ProfileParts.messageIndex("message", in: map, of: wire)
            let isText = index.map { wire.messages[$0].payload == .text } ?? false
            var pointer: JSONPointer?
            if isText {
                if map.optional("pointer") != nil {
                    map.problem(at: "pointer", "the message is a bare text: it has no members to point to")
                }
            } else {
                pointer = ProfileParts.pointer("pointer", in: map)
            }
            let absent = map.choice("absent", of: PayloadSource.Absent.self, default: .unchanged)
            map.finish()
            guard let index, isText || pointer != nil else { return nil }
            return .payload(PayloadSource(messageIndex: index, pointer: pointer, absent: absent))
        }
    }

    private func scale(_ map: YAMLMap?, exponentFrom: inout String?) -> PointDefinition.Scale {
        guard let map else { return .identity }
        let scale = PointDefinition.Scale(
            multiply: map.double("multiply", default: 1),
            divide: map.double("divide", default: 1),
            power2: map.int("power2", in: -64...64, default: 0),
            add: map.double("add", default: 0),
            exponentFrom: nil
        )
        exponentFrom = map.optionalString("exponentFrom", limit: 64)
        if scale.multiply == 0 { map.problem(at: "multiply", "must not be 0") }
        if scale.divide == 0 { map.problem(at: "divide", "must not be 0") }
        map.finish()
        return scale
    }

    private func enumeration(_ map: YAMLMap, kind: PointDefinition.Kind) -> [PointDefinition.EnumerationCase] {
        let list = map.list("enumeration", limit: 512)
        if kind == .enumeration, list.isEmpty { map.problem("an enumeration needs its values under 'enumeration'") }
        if kind == .number || kind == .text, !list.isEmpty {
            map.problem(at: "enumeration", "needs kind enumeration or boolean")
        }
        let cases = list.compactMap { value -> PointDefinition.EnumerationCase? in
            let inner = value.map()
            let number = inner.required("value")?.double()
            let text = inner.optional("text")
                .flatMap { value -> String? in
                    if value.scalarText == nil { value.problem("must be a text") }
                    return value.scalarText
                }
            let vi = inner.string("vi", limit: 200)
            let en = inner.string("en", limit: 200)
            inner.finish()
            guard let number, let vi, let en else { return nil }
            return PointDefinition.EnumerationCase(value: number, text: text, label: LocalizedText(vi: vi, en: en))
        }
        ProfileParts.checkUnique(cases.compactMap(\.text), what: "enumeration value", in: map, key: "enumeration")
        return cases
    }

    private func range(_ map: YAMLMap?) -> ClosedRange<Double>? {
        guard let map else { return nil }
        let minimum = map.required("min")?.double()
        let maximum = map.required("max")?.double()
        map.finish()
        guard let minimum, let maximum else { return nil }
        guard minimum < maximum else {
            map.problem("'min' must be below 'max'")
            return nil
        }
        return minimum...maximum
    }

    private func validity(_ map: YAMLMap) -> (point: String, values: [Double], mustEqual: Bool)? {
        let point = map.string("point", limit: 64)
        let equals = map.optional("equals")
        let notEquals = map.optional("notEquals")
        map.finish()
        guard let point, let value = equals ?? notEquals, equals == nil || notEquals == nil else {
            map.problem("needs 'point' and one of 'equals' and 'notEquals'")
            return nil
        }
        let values =
            value.isList ? value.list(limit: 256).compactMap { $0.double() } : [value.double()].compactMap { $0 }
        return (point, values, equals != nil)
    }

    private func invalid(_ value: YAMLValue) -> PointDefinition.Invalid? {
        if value.isMap {
            let map = value.map()
            let from = map.required("from")?.double()
            let to = map.required("to")?.double()
            map.finish()
            guard let from, let to else { return nil }
            if from > to { map.problem("'from' is greater than 'to'") }
            return .range(from, to)
        }
        if value.plainText == "nan" { return .nan }
        return value.double().map { .value($0) }
    }
}

extension ProfileParts {
    /// The index of the message that a point or event names; a wire with one message needs no name.
    static func messageIndex(_ key: String, in map: YAMLMap, of wire: MQTTWire) -> Int? {
        if wire.messages.count == 1, map.optional(key) == nil { return 0 }
        guard let name = map.string(key, limit: 64) else { return nil }
        if let index = wire.messages.firstIndex(where: { $0.name == name }) { return index }
        let hint =
            NearestWord.suggestion(for: name, among: wire.messages.map(\.name))
            .map { "; did you mean '\($0)'?" } ?? ""
        map.problem(at: key, "there is no message called '\(name)'\(hint)")
        return nil
    }
}
