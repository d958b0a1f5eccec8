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

    /// Compares every topic, pointer, type, unit and meaning of the profile with the contract.
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
            guard case .payload(let source) = point.source else { continue }
            self.check(point, source, messages[source.messageIndex])
        }
        for event in profile.events {
            guard case .payload(let index, _, let fields) = event.capture else { continue }
            for field in fields { self.check(field, of: event, messages[index]) }
        }
    }

    /// The findings that must be put right.
    package var problems: [Finding] { self.findings.filter(\.isProblem) }

    private mutating func note(_ place: String, isProblem: Bool = true, vi: String, en: String) {
        self.findings.append(
            Finding(isProblem: isProblem, place: place, text: LocalizedText(vi: vi, en: en))
        )
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
                    case (.parameter, .any): true
                    default: false
                    }
                }
        }
    }

    private mutating func candidates(of message: MQTTWire.Message) -> [FirmwareContract.Message] {
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
        guard let when = message.when else { return all }
        let chosen = all.filter { candidate in
            guard let place = candidate.schema.resolve(when.pointer) else { return false }
            guard let allowed = place.schema.allowed else { return true }
            return when.accepted.contains { text in allowed.contains { $0.plainText == text } }
        }
        if chosen.isEmpty {
            self.note(
                place,
                vi: "điều kiện tại \(when.pointer) không hợp bản tin nào của kênh '\(channel.name)'",
                en: "the condition on \(when.pointer) fits no message of the channel '\(channel.name)'"
            )
        }
        return chosen
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
            for text in [availability.online, availability.offline] {
                if let allowed = message.schema.allowed, !allowed.contains(.text(text)) {
                    self.note(
                        "availability",
                        vi: "hợp đồng không có chữ '\(text)'",
                        en: "the contract does not have the text '\(text)'"
                    )
                }
            }
        }
    }

    private mutating func check(_ message: MQTTWire.Message, _ promised: FirmwareContract.Message) {
        let place = "message \(message.name)"
        if (message.payload == .text) != (promised.content == .text) {
            self.note(
                place,
                vi: "hợp đồng nói nội dung là \(promised.content.rawValue)",
                en: "the contract says that the content is \(promised.content.rawValue)"
            )
        }
        let semantics = promised.semantics
        if let clock = message.clock {
            if clock.pointer != semantics.clock?.pointer || clock.format != semantics.clock?.format {
                let text = semantics.clock.map { "\($0.format.rawValue), \($0.pointer)" } ?? "–"
                self.note(
                    place,
                    vi: "đồng hồ theo hợp đồng: \(text)",
                    en: "the clock of the contract is \(text)"
                )
            }
        } else if let clock = semantics.clock {
            self.note(
                place,
                isProblem: false,
                vi: "không dùng đồng hồ của thiết bị tại \(clock.pointer)",
                en: "the device's clock at \(clock.pointer) is not used"
            )
        }
        if let replay = semantics.replay, message.replay?.pointer != replay.pointer {
            self.note(
                place,
                vi: "thiếu 'replay' tại \(replay.pointer): bản tin phát lại sẽ bị tính là mới",
                en: "'replay' at \(replay.pointer) is missing: history would count as live"
            )
        }
        if semantics.retained == .ignore, message.retained != .ignore {
            self.note(
                place,
                vi: "hợp đồng nói bản tin giữ lại không có nghĩa: cần retained: ignore",
                en: "the contract says that a retained message means nothing: retained: ignore is needed"
            )
        }
    }

    private mutating func check(
        _ point: PointDefinition,
        _ source: PayloadSource,
        _ messages: [FirmwareContract.Message]
    ) {
        let place = "point \(point.name)"
        var isFound = false
        for message in messages {
            guard let pointer = source.pointer else {
                isFound = true
                self.checkType(point, message.schema, place)
                continue
            }
            guard let found = message.schema.resolve(pointer) else { continue }
            isFound = true
            self.checkType(point, found.schema, place)
            self.checkUnit(point, found.schema, place)
            self.checkPrivacy(point.privacy, found.schema, place)
            if !found.isAlwaysThere, source.absent != message.semantics.absent {
                self.note(
                    place,
                    vi: "hợp đồng nói vắng nghĩa là \(message.semantics.absent.rawValue)",
                    en: "the contract says that absent means \(message.semantics.absent.rawValue)"
                )
            }
        }
        if !isFound, let pointer = source.pointer, !messages.isEmpty {
            self.note(
                place,
                vi: "\(pointer) không có trong bản tin \(messages.map(\.name).joined(separator: ", "))",
                en: "\(pointer) is not in the message \(messages.map(\.name).joined(separator: ", "))"
            )
        }
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
        _ messages: [FirmwareContract.Message]
    ) {
        guard let pointer = field.pointer, !messages.isEmpty else { return }
        let place = "event \(event.name), field \(field.name)"
        let found = messages.compactMap { $0.schema.resolve(pointer) }
        if found.isEmpty {
            self.note(
                place,
                vi: "\(pointer) không có trong bản tin \(messages.map(\.name).joined(separator: ", "))",
                en: "\(pointer) is not in the message \(messages.map(\.name).joined(separator: ", "))"
            )
        }
        for found in found { self.checkPrivacy(field.privacy, found.schema, place) }
        if field.isRequired, found.contains(where: { !$0.isAlwaysThere }) {
            self.note(
                place,
                vi: "hồ sơ bắt buộc nhưng hợp đồng thì không",
                en: "is required by the profile and optional in the contract"
            )
        }
    }
}

extension PayloadSchema.Scalar {
    /// As profiles write it: without quotes.
    var plainText: String { if case .text(let text) = self { text } else { self.description } }
}
