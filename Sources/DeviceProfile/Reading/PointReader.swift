internal import CampusModel
internal import StrictYAML

/// Reads the points of a profile, and resolves their references to each other.
struct PointReader {
    let wire: DeviceProfile.Wire
    let settings: SettingReader

    /// A point with its place for messages.
    typealias Read = (part: ProfileTemplate.Part<PointDefinition>, map: YAMLMap)

    /// A point whose references are still names.
    private struct Draft {
        var point: PointDefinition
        var only: SettingCondition
        var map: YAMLMap
        var validities: [(point: String, test: PointDefinition.Validity.Test)]
        var exponentFrom: String?
        var multiplyFrom: String?

        var isScaledByOthers: Bool { self.exponentFrom != nil || self.multiplyFrom != nil }
    }

    /// The points; their references are indexes into the list, of the first point of the name.
    func read(_ values: [YAMLValue]) -> [Read] {
        let drafts = values.compactMap { self.draft($0.map()) }
        return drafts.enumerated()
            .map { index, draft in
                var point = draft.point
                for condition in draft.validities {
                    guard let other = self.index(of: condition.point, in: drafts, for: draft) else { continue }
                    if other == index || !drafts[other].validities.isEmpty {
                        draft.map.problem(
                            at: "validWhen",
                            "'\(condition.point)' must be another point that has no 'validWhen' itself"
                        )
                    }
                    point.validities.append(PointDefinition.Validity(point: other, test: condition.test))
                }
                point.scale.exponentFrom = draft.exponentFrom.flatMap { self.helper($0, index, drafts, draft) }
                point.scale.multiplyFrom = draft.multiplyFrom.flatMap { self.helper($0, index, drafts, draft) }
                return (ProfileTemplate.Part(content: point, only: draft.only), draft.map)
            }
    }

    private func helper(_ name: String, _ index: Int, _ drafts: [Draft], _ draft: Draft) -> Int? {
        guard let other = self.index(of: name, in: drafts, for: draft) else { return nil }
        if other == index || drafts[other].isScaledByOthers || drafts[other].point.kind == .text {
            draft.map.problem(
                at: "scale",
                "'\(name)' must be another point, a number that is not itself scaled by others"
            )
        }
        if case .modbus = self.wire {
        } else {
            draft.map.problem(at: "scale", "a scale from another point is for Modbus only")
        }
        return other
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
        let only = self.settings.only(in: map)
        let title = ProfileParts.localized("title", in: map)
        let kind = map.choice("kind", of: PointDefinition.Kind.self, default: .number)
        let unit = ProfileParts.unit(in: map, isNumber: kind == .number)
        let source = map.required("wire").flatMap { self.source($0, kind: kind) }
        var exponentFrom: String?
        var multiplyFrom: String?
        var scale = PointDefinition.Scale.identity
        var pieces: [PointDefinition.ScalePiece] = []
        if let value = map.optional("scale") {
            if kind != .number { value.problem("only numbers have a scale") }
            if value.isList {
                pieces = value.list(limit: 16).compactMap { self.piece($0.map()) }
                if pieces.isEmpty { value.problem("names no piece") }
            } else {
                let inner = value.map()
                exponentFrom = inner.optionalString("exponentFrom", limit: 64)
                multiplyFrom = inner.optionalString("multiplyFrom", limit: 64)
                scale = ProfileParts.scale(inner)
            }
        }
        let enumeration = ProfileParts.enumeration(in: map)
        if kind == .enumeration, enumeration.isEmpty {
            map.problem("an enumeration needs its values under 'enumeration'")
        }
        if kind == .number || kind == .text, !enumeration.isEmpty {
            map.problem(at: "enumeration", "needs kind enumeration or boolean")
        }
        let range = ProfileParts.range("range", in: map)
        let maximumChange = map.optionalDouble("maximumChangePerSecond")
        if let maximumChange, maximumChange <= 0 { map.problem(at: "maximumChangePerSecond", "must be above 0") }
        let deadband = map.double("deadband", default: 0)
        if deadband < 0 { map.problem(at: "deadband", "must not be negative") }
        let validities = self.validities(map)
        let invalid = map.list("invalid", limit: 32).compactMap { self.invalid($0) }
        let keepsUnknown = map.choice("unknown", of: UnknownPolicy.self, default: .bad) == .keep
        let poll = self.poll(map, source)
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
            pieces: pieces,
            invalid: invalid,
            validities: [],
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
        return Draft(
            point: point,
            only: only,
            map: map,
            validities: validities,
            exponentFrom: exponentFrom,
            multiplyFrom: multiplyFrom
        )
    }

    /// How often a point is read; of a line device its request says so.
    private func poll(_ map: YAMLMap, _ source: PointDefinition.Source?) -> PointDefinition.PollClass {
        guard case .line(let wire) = self.wire else {
            return map.choice("poll", of: PointDefinition.PollClass.self, default: .normal)
        }
        if map.optional("poll") != nil { map.problem(at: "poll", "its request says how often it is read") }
        guard case .payload(let places) = source, let index = places.first?.messageIndex else { return .normal }
        return wire.requests[index].poll
    }

    private func piece(_ map: YAMLMap) -> PointDefinition.ScalePiece? {
        let from = map.required("from")?.double()
        let to = map.required("to")?.double()
        let scale = ProfileParts.scale(map)
        guard let from, let to else { return nil }
        guard from <= to else {
            map.problem("'from' is greater than 'to'")
            return nil
        }
        return PointDefinition.ScalePiece(raw: from...to, scale: scale)
    }

    private enum UnknownPolicy: String, CaseIterable {
        case bad
        case keep
    }

    private func source(_ value: YAMLValue, kind: PointDefinition.Kind) -> PointDefinition.Source? {
        switch self.wire {
        case .modbus(let wire):
            let map = value.map()
            guard let source = RegisterSourceReader(wire: wire).read(map) else { return nil }
            if source.type.isText != (kind == .text) {
                map.problem(at: "type", "the types string and hex, and kind text, belong together")
            }
            return .register(source)
        case .line(let wire): return self.field(value.map(), wire).map { .payload([$0]) }
        case .http(let wire): return self.places(value, wire.messages)
        case .mqtt(let wire): return self.places(value, wire)
        }
    }

    private func places(_ value: YAMLValue, _ wire: MQTTWire) -> PointDefinition.Source? {
        let values = value.isList ? value.list(limit: 16) : [value]
        let places = values.compactMap { self.place($0.map(), wire, isAlone: values.count == 1) }
        if value.isList, values.count < 2 { value.problem("a list needs two places or more") }
        if Set(places).count < places.count { value.problem("names the same place twice") }
        return places.count == values.count && !places.isEmpty ? .payload(places) : nil
    }

    /// `{request, field}`: what a reply tells under that name.
    private func field(_ map: YAMLMap, _ wire: LineWire) -> PayloadSource? {
        let index = ProfileParts.messageIndex("request", in: map, of: wire.messages)
        let name = map.string("field", limit: 32)
        map.finish()
        guard let index, let name else { return nil }
        let known = wire.requests[index].fieldNames
        guard known.contains(name), let pointer = JSONPointer("/\(name)") else {
            let hint = NearestWord.suggestion(for: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
            map.problem(at: "field", "no reply to '\(wire.requests[index].name)' has a field '\(name)'\(hint)")
            return nil
        }
        return PayloadSource(messageIndex: index, pointer: pointer, absent: .unchanged)
    }

    private func place(_ map: YAMLMap, _ wire: MQTTWire, isAlone: Bool) -> PayloadSource? {
        let index = ProfileParts.messageIndex("message", in: map, of: wire)
        let isText = index.map { wire.messages[$0].payload == .text } ?? false
        var pointer: JSONPointer?
        if isText {
            if map.optional("pointer") != nil {
                map.problem(at: "pointer", "the message is a bare text: it has no members to point to")
            }
        } else {
            pointer = ProfileParts.pointer("pointer", in: map)
            if pointer?.isOfPayload == true { map.problem(at: "pointer", "'^' is for clocks and event fields only") }
        }
        let absent = map.choice("absent", of: PayloadSource.Absent.self, default: .unchanged)
        if absent == .missing, !isAlone {
            map.problem(at: "absent", "of several places any may be absent")
        }
        map.finish()
        guard let index, isText || pointer != nil else { return nil }
        return PayloadSource(messageIndex: index, pointer: pointer, absent: absent)
    }

    private func validities(_ map: YAMLMap) -> [(point: String, test: PointDefinition.Validity.Test)] {
        guard let value = map.optional("validWhen") else { return [] }
        let values = value.isList ? value.list(limit: 8) : [value]
        return values.compactMap { self.validity($0.map()) }
    }

    private func validity(_ map: YAMLMap) -> (point: String, test: PointDefinition.Validity.Test)? {
        let point = map.string("point", limit: 64)
        var tests: [PointDefinition.Validity.Test] = []
        if let value = map.optional("equals") { tests.append(.oneOf(self.numbers(value))) }
        if let value = map.optional("notEquals") { tests.append(.noneOf(self.numbers(value))) }
        if let value = map.optional("changesWithinSeconds"), let seconds = value.double(in: 1...86_400) {
            tests.append(.changesWithin(milliseconds: Int64(exactly: (seconds * 1_000).rounded()) ?? 1_000))
        }
        map.finish()
        guard let point, let test = tests.first, tests.count == 1 else {
            map.problem("needs 'point' and one of 'equals', 'notEquals' and 'changesWithinSeconds'")
            return nil
        }
        return (point, test)
    }

    private func numbers(_ value: YAMLValue) -> [Double] {
        value.isList ? value.list(limit: 256).compactMap { $0.double() } : [value.double()].compactMap { $0 }
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
        if value.plainText == nil, let text = value.scalarText {
            guard case .modbus = self.wire else { return .text(text) }
            value.problem("a register has no text; write the number without quotes")
            return nil
        }
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
        map.problem(at: key, "there is no \(key) called '\(name)'\(hint)")
        return nil
    }

    static func unit(in map: YAMLMap, isNumber: Bool) -> String {
        guard isNumber else {
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

    static func range(_ key: String, in map: YAMLMap) -> ClosedRange<Double>? {
        guard let map = map.optionalMap(key) else { return nil }
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

    /// A scale without what other points say.
    static func fixedScale(_ key: String, in map: YAMLMap) -> PointDefinition.Scale {
        map.optionalMap(key).map { self.scale($0) } ?? .identity
    }

    /// Reads `{multiply, divide, power2, add}` and finishes the map.
    static func scale(_ map: YAMLMap) -> PointDefinition.Scale {
        let scale = PointDefinition.Scale(
            multiply: map.double("multiply", default: 1),
            divide: map.double("divide", default: 1),
            power2: map.int("power2", in: -64...64, default: 0),
            add: map.double("add", default: 0),
            exponentFrom: nil,
            multiplyFrom: nil
        )
        if scale.multiply == 0 { map.problem(at: "multiply", "must not be 0") }
        if scale.divide == 0 { map.problem(at: "divide", "must not be 0") }
        map.finish()
        return scale
    }

    static func enumeration(in map: YAMLMap) -> [PointDefinition.EnumerationCase] {
        let cases = map.list("enumeration", limit: 512)
            .compactMap { value -> PointDefinition.EnumerationCase? in
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
                return PointDefinition.EnumerationCase(
                    value: number,
                    text: text,
                    label: LocalizedText(vi: vi, en: en)
                )
            }
        self.checkUnique(cases.compactMap(\.text), what: "enumeration value", in: map, key: "enumeration")
        return cases
    }

    static func topic(_ key: String, in map: YAMLMap) -> TopicTemplate? {
        guard let text = map.string(key, limit: 512) else { return nil }
        guard let topic = TopicTemplate(text) else {
            map.problem(
                at: key,
                "'\(text)' is not a topic: + stands for one whole level, # only for the last, {name} once in a level; "
                    + "names have letters and digits only"
            )
            return nil
        }
        return topic
    }
}
