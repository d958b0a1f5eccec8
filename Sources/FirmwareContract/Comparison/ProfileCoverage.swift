package import CampusModel
package import DeviceProfile

/// Whether a profile reads what its contract promises.
package struct ProfileCoverage: Sendable {
    /// One thing that does not fit, or that is worth a look.
    package struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// Whether the profile cannot be right.
        package var isProblem: Bool
        /// `point temperature`, `event card-read, field uid`, `message telemetry`.
        package var place: String
        package var text: LocalizedText

        package var description: String { "\(self.place): \(self.text.en)" }
    }

    package private(set) var findings: [Finding] = []
    private let contract: FirmwareContract

    /// A promised message as one message of the profile reads it.
    struct Reading {
        var message: FirmwareContract.Message
        /// Where pointers start: the payload, or an element of the list that the profile takes apart.
        var root: PayloadSchema

        func resolve(_ pointer: JSONPointer) -> PayloadSchema.Place? {
            (pointer.isOfPayload ? self.message.schema : self.root).resolve(pointer)
        }
    }

    /// Compares every topic, pointer, type, unit and meaning of the profile with the contract, for the settings that
    /// it is configured with.
    package init(profile: DeviceProfile, contract: FirmwareContract) {
        self.contract = contract
        guard case .mqtt(let wire) = profile.wire else {
            self.note("profile", vi: "hồ sơ Modbus không có hợp đồng bản tin", en: "a Modbus profile has no contract")
            return
        }
        let messages = wire.messages.map { self.candidates(of: $0) }
        if let availability = wire.availability { self.check(availability) }
        for (index, message) in wire.messages.enumerated() {
            for candidate in messages[index] { self.check(message, candidate) }
        }
        for point in profile.points {
            guard case .payload(let sources) = point.source else { continue }
            self.check(point, sources, messages)
        }
        for event in profile.events {
            guard case .payload(let index, _, let fields) = event.capture else { continue }
            for field in fields { self.check(field, of: event, fields, messages[index]) }
        }
    }

    /// The same for every combination of the profile's settings, each finding once.
    package static func ofAllVariants(_ profile: DeviceProfile, contract: FirmwareContract) -> ProfileCoverage {
        var coverage = ProfileCoverage(profile: profile, contract: contract)
        for variant in profile.variants {
            for finding in ProfileCoverage(profile: variant, contract: contract).findings { coverage.add(finding) }
        }
        return coverage
    }

    /// The findings that must be put right.
    package var problems: [Finding] { self.findings.filter(\.isProblem) }

    private mutating func add(_ finding: Finding) {
        if !self.findings.contains(finding) { self.findings.append(finding) }
    }

    mutating func note(_ place: String, isProblem: Bool = true, vi: String, en: String) {
        self.add(Finding(isProblem: isProblem, place: place, text: LocalizedText(vi: vi, en: en)))
    }

    /// The channel whose address has the shape of a profile's topic.
    private func channel(of topic: TopicTemplate) -> FirmwareContract.Channel? {
        self.contract.channels.first { channel in
            let levels = channel.address.levels
            guard channel.direction == .send, levels.count == topic.levels.count else { return false }
            return zip(levels, topic.levels)
                .allSatisfy { promised, read in
                    switch (promised, read) {
                    case (.literal(let one), .literal(let other)): one == other
                    // A name must be the same on both sides: its value in site.yaml stands for both.
                    case (.parameter(let one), .parameter(let other)): one == other
                    case (.mixed, .mixed): promised == read
                    case (.parameter, .any), (.mixed, .any): true
                    // No address has a wildcard, and nothing else reads all that was promised under the same names.
                    case (.literal, _), (.parameter, _), (.mixed, _), (.any, _), (.rest, _): false
                    }
                }
        }
    }

    private mutating func candidates(of message: MQTTWire.Message) -> [Reading] {
        let place = "message \(message.name)"
        guard let channel = self.channel(of: message.topic) else {
            let known = self.contract.channels.map(\.address.description).joined(separator: ", ")
            self.note(
                place,
                vi: "chủ đề '\(message.topic)' không có trong hợp đồng; có: \(known)",
                en: "the topic '\(message.topic)' is in no channel of the contract; there are: \(known)"
            )
            return []
        }
        let all = channel.messages.map { self.contract.messages[$0] }
        let chosen = all.filter { candidate in message.when.map { Self.canFulfil($0, candidate.schema) } ?? true }
        if chosen.isEmpty, let when = message.when {
            self.note(
                place,
                vi: "điều kiện tại \(when.pointer) không hợp bản tin nào của kênh '\(channel.name)'",
                en: "the condition on \(when.pointer) fits no message of the channel '\(channel.name)'"
            )
        }
        guard let list = message.each else { return chosen.map { Reading(message: $0, root: $0.schema) } }
        let readings = chosen.compactMap { candidate in
            candidate.schema.resolve(list)?.schema.items.first.map { Reading(message: candidate, root: $0) }
        }
        if readings.isEmpty, !chosen.isEmpty {
            let names = chosen.map(\.name).joined(separator: ", ")
            self.note(
                place,
                vi: "không có danh sách tại \(list) trong bản tin \(names)",
                en: "there is no list at \(list) in the message \(names)"
            )
        }
        return readings
    }

    /// Whether a valid payload can fulfil a condition.
    private static func canFulfil(_ condition: MQTTWire.Condition, _ schema: PayloadSchema) -> Bool {
        let place = schema.resolve(condition.pointer)
        switch condition.test {
        case .oneOf(let accepted):
            guard let place else { return false }
            guard let allowed = place.schema.allowed else { return true }
            return accepted.contains { text in allowed.contains { $0.plainText == text } }
        case .present(true):
            return place.map { !$0.schema.isAlwaysNull } ?? false
        case .present(false):
            return place.map { !$0.isAlwaysThere || $0.schema.canBeNull } ?? true
        }
    }

    private mutating func check(_ availability: MQTTWire.Availability) {
        guard let channel = self.channel(of: availability.topic) else {
            self.note(
                "availability",
                vi: "chủ đề '\(availability.topic)' không có trong hợp đồng",
                en: "the topic '\(availability.topic)' is in no channel of the contract"
            )
            return
        }
        for index in channel.messages {
            let message = self.contract.messages[index]
            let place = availability.pointer.map { message.schema.resolve($0) }
            if let pointer = availability.pointer, place == .some(nil) {
                self.note(
                    "availability",
                    vi: "\(pointer) không có trong bản tin \(message.name)",
                    en: "\(pointer) is not in the message \(message.name)"
                )
                continue
            }
            let schema = place.flatMap { $0 }?.schema ?? message.schema
            for text in [availability.online, availability.offline] {
                if let allowed = schema.allowed, !allowed.contains(where: { $0.plainText == text }) {
                    self.note(
                        "availability",
                        vi: "hợp đồng không có chữ '\(text)'",
                        en: "the contract does not have the text '\(text)'"
                    )
                }
            }
        }
    }

    private mutating func check(
        _ point: PointDefinition,
        _ sources: [PayloadSource],
        _ messages: [[Reading]]
    ) {
        let place = "point \(point.name)"
        var isFound = false
        var missing: [PayloadSource] = []
        for source in sources {
            let readings = messages[source.messageIndex]
            let places = readings.map { reading -> PayloadSchema.Place? in
                guard let pointer = source.pointer else {
                    return PayloadSchema.Place(schema: reading.root, isAlwaysThere: true)
                }
                return reading.resolve(pointer)
            }
            if places.contains(where: { $0 != nil }) {
                isFound = true
            } else if !readings.isEmpty {
                missing.append(source)
            }
            // Of several places in one message the first that is there counts: one that always is stands in for all.
            let others = sources.filter { $0.messageIndex == source.messageIndex }.compactMap(\.pointer)
            for (reading, found) in zip(readings, places) {
                guard let found else { continue }
                self.checkType(point, found.schema, place)
                guard source.pointer != nil else { continue }
                self.checkUnit(point, found.schema, place)
                self.checkPrivacy(point.privacy, found.schema, place)
                let isAlwaysThere = others.contains { reading.resolve($0)?.isAlwaysThere == true }
                if !isAlwaysThere, source.absent != reading.message.semantics.absent {
                    self.note(
                        place,
                        vi: "hợp đồng nói vắng nghĩa là \(reading.message.semantics.absent.rawValue)",
                        en: "the contract says that absent means \(reading.message.semantics.absent.rawValue)"
                    )
                }
            }
        }
        for source in missing {
            guard let pointer = source.pointer else { continue }
            // A place for other firmware does no harm beside one that is promised.
            self.isNot(in: messages[source.messageIndex], pointer, place, isProblem: !isFound)
        }
    }

    private mutating func isNot(
        in messages: [Reading],
        _ pointer: JSONPointer,
        _ place: String,
        isProblem: Bool
    ) {
        let names = messages.map(\.message.name).joined(separator: ", ")
        self.note(
            place,
            isProblem: isProblem,
            vi: "\(pointer) không có trong bản tin \(names)",
            en: "\(pointer) is not in the message \(names)"
        )
    }

    private mutating func checkType(_ point: PointDefinition, _ schema: PayloadSchema, _ place: String) {
        let kinds = Set(schema.kinds).subtracting([.null])
        let isNumber = !kinds.isEmpty && kinds.isSubset(of: [.number, .integer])
        let fits: Bool
        switch point.kind {
        case .number: fits = kinds.isSubset(of: [.number, .integer, .string]) && (isNumber || schema.encodesNumber)
        case .boolean: fits = kinds == [.boolean] || (isNumber && schema.allowed != nil) || kinds == [.string]
        case .text: fits = kinds.isSubset(of: [.string, .number, .integer])
        case .enumeration: fits = kinds == [.string] || isNumber || kinds == [.boolean]
        }
        if !fits {
            let text = schema.kinds.map(\.rawValue).joined(separator: " or ")
            self.note(
                place,
                vi: "kiểu \(point.kind.rawValue) nhưng hợp đồng nói \(text)",
                en: "is a \(point.kind.rawValue), the contract says \(text)"
            )
        }
        guard point.kind == .enumeration, !point.keepsUnknown, let allowed = schema.allowed else { return }
        let unread = allowed.filter { value in
            switch value {
            case .text(let text): !point.enumeration.contains { $0.text == text }
            case .number(let number): !point.enumeration.contains { $0.value == number.value }
            case .boolean, .null: false
            }
        }
        if !unread.isEmpty {
            let list = unread.map(\.description).joined(separator: ", ")
            self.note(place, vi: "thiếu giá trị \(list) trong enumeration", en: "its enumeration lacks \(list)")
        }
    }

    private mutating func checkUnit(_ point: PointDefinition, _ schema: PayloadSchema, _ place: String) {
        guard point.kind == .number else { return }
        switch schema.unit {
        case nil:
            if !["1", "{count}", "{people}", "{index}"].contains(point.unit) {
                self.note(
                    place,
                    vi: "đơn vị \(point.unit) nhưng hợp đồng không nói đơn vị",
                    en: "has the unit \(point.unit), the contract does not say one"
                )
            }
        case .fixed(let unit):
            if point.scale == .identity, unit != point.unit {
                self.note(
                    place,
                    vi: "đơn vị \(point.unit) nhưng hợp đồng nói \(unit)",
                    en: "has the unit \(point.unit), the contract says \(unit)"
                )
            }
        case .bySetting(let name, let choices):
            guard let choice = choices.first(where: { $0.unit == point.unit }) else {
                self.note(
                    place,
                    vi: "đơn vị \(point.unit) không thuộc \(choices.map(\.unit).joined(separator: ", "))",
                    en: "has the unit \(point.unit), the contract has \(choices.map(\.unit).joined(separator: ", "))"
                )
                return
            }
            self.note(
                place,
                isProblem: false,
                vi: "chỉ đúng khi thiết bị đặt \(name) = \(choice.value)",
                en: "holds only while the device's setting \(name) is \(choice.value)"
            )
        }
    }

    private mutating func checkPrivacy(_ privacy: PrivacyClass, _ schema: PayloadSchema, _ place: String) {
        guard privacy.strictness < schema.privacy.strictness else { return }
        self.note(
            place,
            vi: "hợp đồng nói privacy \(schema.privacy.rawValue), hồ sơ nói \(privacy.rawValue)",
            en: "the contract says privacy \(schema.privacy.rawValue), the profile \(privacy.rawValue)"
        )
    }

    private mutating func check(
        _ field: EventDefinition.PayloadField,
        of event: EventDefinition,
        _ fields: [EventDefinition.PayloadField],
        _ messages: [Reading]
    ) {
        guard let pointer = field.pointer, !messages.isEmpty else { return }
        let place = "event \(event.name), field \(field.name)"
        // Of several fields of one name the first that is there counts.
        let pointers = fields.filter { $0.name == field.name }.compactMap(\.pointer)
        let found = messages.compactMap { $0.resolve(pointer) }
        if found.isEmpty {
            let isFoundElsewhere = pointers.contains { other in messages.contains { $0.resolve(other) != nil } }
            self.isNot(in: messages, pointer, place, isProblem: !isFoundElsewhere)
        }
        for found in found { self.checkPrivacy(field.privacy, found.schema, place) }
        let mayBeAbsent = messages.contains { message in
            let places = pointers.compactMap { message.resolve($0) }
            return !places.isEmpty && !places.contains(where: \.isAlwaysThere)
        }
        if field.isRequired, mayBeAbsent {
            self.note(
                place,
                vi: "hồ sơ bắt buộc nhưng hợp đồng thì không",
                en: "is required by the profile and optional in the contract"
            )
        }
    }
}

extension PayloadSchema {
    /// Whether a valid value can be `null`.
    var canBeNull: Bool { self.kinds.contains(.null) && self.allowed?.contains(.null) ?? true }

    /// Whether `null` is the only valid value.
    var isAlwaysNull: Bool { self.kinds == [.null] || self.allowed == [.null] }
}

extension PayloadSchema.Scalar {
    /// As profiles write it: without quotes.
    var plainText: String { if case .text(let text) = self { text } else { self.description } }
}
