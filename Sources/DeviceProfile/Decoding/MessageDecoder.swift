package import CampusModel
internal import Synchronization

/// Why a device's topics cannot be made.
package struct MessageDecoderError: Error, Hashable, CustomStringConvertible {
    package var description: String
}

/// Decodes the messages of one device.
package final class MessageDecoder: Sendable {
    /// The topic filters of the device.
    package let subscriptions: [String]
    private let profile: DeviceProfile
    private let device: DeviceID
    private let zonelessOffsetSeconds: Int64
    private let messages: [Message]
    /// Whether any point holds only while another one says so.
    private let hasValidity: Bool
    private let availability: (filter: TopicFilter, online: String, offline: String)?
    private let scratch = Mutex(Scratch())

    /// Reused from message to message.
    private struct Scratch {
        var json = BoundedJSON()
        /// The token of each point's value.
        var slots: [Int] = []
    }

    /// One kind of message.
    ///
    /// A class, like its points: decoding borrows them and copies nothing.
    private final class Message: Sendable {
        /// Its index in the profile, alone in a list that outcomes share.
        let index: [Int]
        let filter: TopicFilter
        let wire: MQTTWire.Message
        /// Points of this message, helpers of others included; those of a JSON payload have a pointer.
        let points: [Point]
        // Of each point what every number needs, apart from the rest: reading these arrays retains almost nothing.
        let rules: [ValueRule]
        let indices: [Int]
        /// Whether a JSON number is always the raw value.
        let takesNumbers: [Bool]
        /// Where the points are in a JSON payload; its slots are `points`.
        let tree: PointerTree
        let events: [Int]

        init(index: Int, filter: TopicFilter, wire: MQTTWire.Message, points: [Point], events: [Int]) {
            self.index = [index]
            self.filter = filter
            self.wire = wire
            self.points = points
            self.rules = points.map { ValueRule($0.definition) }
            self.indices = points.map(\.index)
            self.takesNumbers = points.map { $0.definition.kind != .text && $0.definition.kind != .boolean }
            self.tree = PointerTree(points.compactMap(\.pointer))
            self.events = events
        }
    }

    private final class Point: Sendable {
        let index: Int
        let pointer: JSONPointer?
        let absent: PayloadSource.Absent
        let definition: PointDefinition

        init(index: Int, source: PayloadSource, definition: PointDefinition) {
            self.index = index
            self.pointer = source.pointer
            self.absent = source.absent
            self.definition = definition
        }
    }

    /// A device's clock may be this far ahead of its message's arrival.
    package static let clockAheadMaxMilliseconds: Int64 = 86_400_000

    /// Binds a profile to a device.
    ///
    /// - Parameters:
    ///   - profile: A profile whose wire is MQTT.
    ///   - device: Goes into events.
    ///   - parameters: Values for the placeholders of the topics.
    ///   - zonelessOffsetSeconds: East of UTC, for clocks without a zone.
    package init(
        profile: DeviceProfile,
        device: DeviceID,
        parameters: [String: String],
        zonelessOffsetSeconds: Int64
    ) throws(MessageDecoderError) {
        guard case .mqtt(let wire) = profile.wire else {
            throw MessageDecoderError(description: "profile '\(profile.id)' is for Modbus; give the device a bus")
        }
        self.profile = profile
        self.device = device
        self.zonelessOffsetSeconds = zonelessOffsetSeconds
        var filters: [String] = []
        var messages: [Message] = []
        for (index, message) in wire.messages.enumerated() {
            let filter = try Self.filter(message.topic, parameters)
            filters.append(filter)
            let points = profile.points.enumerated()
                .compactMap { offset, point in
                    if case .payload(let source) = point.source, source.messageIndex == index,
                        source.pointer != nil || message.payload == .text
                    {
                        Point(index: offset, source: source, definition: point)
                    } else {
                        nil
                    }
                }
            let events = profile.events.indices.filter { offset in
                if case .payload(index, _, _) = profile.events[offset].capture { true } else { false }
            }
            messages.append(
                Message(
                    index: index,
                    filter: TopicFilter(filter),
                    wire: message,
                    points: points,
                    events: events
                )
            )
        }
        if let availability = wire.availability {
            let filter = try Self.filter(availability.topic, parameters)
            filters.append(filter)
            self.availability = (TopicFilter(filter), availability.online, availability.offline)
        } else {
            self.availability = nil
        }
        self.messages = messages
        self.hasValidity = profile.points.contains { $0.validity != nil }
        var seen: Set<String> = []
        self.subscriptions = filters.filter { seen.insert($0).inserted }
    }

    private static func filter(
        _ topic: TopicTemplate,
        _ parameters: [String: String]
    ) throws(MessageDecoderError) -> String {
        guard let filter = topic.filter(parameters: parameters) else {
            let missing = topic.parameterNames.filter { (parameters[$0] ?? "").isEmpty }
            throw MessageDecoderError(
                description: missing.isEmpty
                    ? "a parameter of the topic '\(topic)' has a wildcard; give plain text"
                    : "the topic '\(topic)' needs the parameter '\(missing.joined(separator: "', '"))'"
            )
        }
        return filter
    }

    /// Whether every message on this topic is one whose retained copies mean nothing.
    package func ignoresRetained(_ topic: String) -> Bool {
        let messages = self.messages.filter { $0.filter.matches(topic) }
        return !messages.isEmpty && messages.allSatisfy { $0.wire.retained == .ignore }
    }

    /// Decodes one message.
    package func decode(topic: String, payload: [UInt8], isRetained: Bool, arrival: Tick) -> MessageOutcome {
        if let availability, availability.filter.matches(topic) {
            let text = String(decoding: payload.prefix(256), as: UTF8.self)
            if text == availability.online { return MessageOutcome(.availability(isOnline: true)) }
            if text == availability.offline { return MessageOutcome(.availability(isOnline: false)) }
        }
        var result = MessageOutcome(.notMine)
        for message in self.messages where message.filter.matches(topic) {
            if isRetained, message.wire.retained == .ignore {
                if case .notMine = result.status { result.status = .ignored }
                continue
            }
            let outcome =
                message.wire.payload == .text
                ? self.decodeText(message, payload: payload, isRetained: isRetained, arrival: arrival)
                : self.decodeJSON(message, payload: payload, isRetained: isRetained, arrival: arrival)
            if case .notMine = outcome.status { continue }
            if case .violation = outcome.status { return outcome }
            if case .decoded = result.status { result.merge(outcome) } else { result = outcome }
        }
        if self.hasValidity { self.applyValidity(&result) }
        return result
    }

    private func decodeText(
        _ message: Message,
        payload: [UInt8],
        isRetained: Bool,
        arrival: Tick
    ) -> MessageOutcome {
        guard payload.count <= 4_096 else {
            return MessageOutcome(.violation(.payloadTooLarge, detail: "\(payload.count) bytes"))
        }
        guard let text = String(validating: payload, as: UTF8.self) else {
            return MessageOutcome(.violation(.notUTF8, detail: "the payload is not UTF-8 text"))
        }
        var outcome = MessageOutcome(.decoded)
        outcome.messages = message.index
        outcome.isReplay = isRetained
        for slot in message.points.indices {
            self.take(.text(text), slot: slot, of: message, isRetained: isRetained, into: &outcome)
        }
        for index in message.events where !isRetained {
            guard case .payload(_, _, let fields) = self.profile.events[index].capture, let field = fields.first else {
                continue
            }
            if field.isRequired, text.isEmpty {
                return MessageOutcome(.violation(.missingField, detail: "the field '\(field.name)' is empty"))
            }
            let found =
                field.privacy == .drop ? [] : [Event.Field(name: field.name, text: text, privacy: field.privacy)]
            outcome.events.append(self.event(index, sequence: nil, tick: arrival, isReplay: false, fields: found))
        }
        return self.checked(outcome, message)
    }

    private func decodeJSON(
        _ message: Message,
        payload: [UInt8],
        isRetained: Bool,
        arrival: Tick
    ) -> MessageOutcome {
        self.scratch.withLock { scratch in
            payload.withUnsafeBufferPointer { bytes in
                do throws(BoundedJSON.Problem) {
                    try scratch.json.parse(bytes)
                } catch {
                    let reason = DecodeReason(rawValue: error.rawValue) ?? .jsonSyntax
                    return MessageOutcome(.violation(reason, detail: "the payload is no acceptable JSON: \(reason)"))
                }
                let view = PayloadView(json: scratch.json, bytes: bytes)
                if let when = message.wire.when, !view.fulfils(when) { return MessageOutcome(.notMine) }
                var outcome = MessageOutcome(.decoded)
                outcome.messages = message.index
                if let violation = self.readClock(message, view, arrival: arrival, into: &outcome) { return violation }
                outcome.isReplay = isRetained || (message.wire.replay.map { view.fulfils($0) } ?? false)
                outcome.sequence = message.wire.sequence.flatMap { view.text($0) }
                outcome.values.reserveCapacity(message.points.count)
                message.tree.locate(in: scratch.json, bytes, slots: &scratch.slots)
                for (slot, token) in scratch.slots.enumerated() {
                    if message.takesNumbers[slot], let number = view.number(at: token) {
                        let verdict = message.rules[slot].judged(raw: number)
                        let quality = isRetained ? verdict.quality.retained : verdict.quality
                        outcome.put(message.indices[slot], verdict.value, quality)
                        continue
                    }
                    let point = message.points[slot]
                    switch view.scalar(at: token) {
                    case .absent:
                        if point.absent == .missing { outcome.put(point.index, 0, .bad(.malformed)) }
                    case .null: outcome.put(point.index, 0, .bad(.sentinel))
                    case .container: outcome.put(point.index, 0, .bad(.malformed))
                    case let scalar: self.take(scalar, slot: slot, of: message, isRetained: isRetained, into: &outcome)
                    }
                }
                if let violation = self.readEvents(message, view, arrival: arrival, into: &outcome) { return violation }
                return self.checked(outcome, message)
            }
        }
    }

    private func readClock(
        _ message: Message,
        _ view: PayloadView,
        arrival: Tick,
        into outcome: inout MessageOutcome
    ) -> MessageOutcome? {
        guard let clock = message.wire.clock else { return nil }
        guard let tick = view.tick(clock, zonelessOffsetSeconds: self.zonelessOffsetSeconds) else {
            return MessageOutcome(
                .violation(.clockMalformed, detail: "no \(clock.format.rawValue) time at \(clock.pointer)")
            )
        }
        guard Tick.storable.contains(tick) else {
            return MessageOutcome(.violation(.clockOutOfRange, detail: "the device's clock is outside 1970 to 2100"))
        }
        guard tick.rawValue <= arrival.rawValue + Self.clockAheadMaxMilliseconds else {
            return MessageOutcome(
                .violation(
                    .clockInFuture,
                    detail: "the device's clock says \(UTCText.rfc3339(tick)), a day or more ahead"
                )
            )
        }
        outcome.time = tick
        return nil
    }

    private func readEvents(
        _ message: Message,
        _ view: PayloadView,
        arrival: Tick,
        into outcome: inout MessageOutcome
    ) -> MessageOutcome? {
        for index in message.events {
            guard case .payload(_, let sequence, let definitions) = self.profile.events[index].capture else { continue }
            var fields: [Event.Field] = []
            for field in definitions {
                let text = field.pointer.flatMap { view.text($0) }
                if field.isRequired, (text ?? "").isEmpty {
                    return MessageOutcome(.violation(.missingField, detail: "the field '\(field.name)' is not there"))
                }
                guard let text, field.privacy != .drop else { continue }
                fields.append(Event.Field(name: field.name, text: text, privacy: field.privacy))
            }
            guard !fields.isEmpty else { continue }
            outcome.events.append(
                self.event(
                    index,
                    sequence: sequence.flatMap { view.text($0) },
                    tick: outcome.time ?? arrival,
                    isReplay: outcome.isReplay,
                    fields: fields
                )
            )
        }
        return nil
    }

    private func event(
        _ index: Int,
        sequence: String?,
        tick: Tick,
        isReplay: Bool,
        fields: [Event.Field]
    ) -> Event {
        let definition = self.profile.events[index]
        return Event(
            device: self.device,
            name: definition.name,
            kind: definition.kind,
            tick: tick,
            sequence: sequence,
            windowMilliseconds: definition.windowMilliseconds,
            isReplay: isReplay,
            fields: fields
        )
    }

    /// A message of which not one point has a usable type and that is no event breaks the profile.
    private func checked(_ outcome: MessageOutcome, _ message: Message) -> MessageOutcome {
        let isUseless =
            outcome.events.isEmpty && outcome.texts.isEmpty && !outcome.values.isEmpty
            && outcome.values.allSatisfy { $0.quality == .bad(.malformed) }
        let isEmpty = outcome.values.isEmpty && outcome.texts.isEmpty && outcome.events.isEmpty
        let saysNothing = isEmpty && message.wire.when == nil && !(message.points.isEmpty && message.events.isEmpty)
        guard isUseless || saysNothing else { return outcome }
        return MessageOutcome(
            .violation(.nothingDecoded, detail: "message '\(message.wire.name)': none of its points could be read")
        )
    }

    private func take(
        _ scalar: PayloadView.Scalar,
        slot: Int,
        of message: Message,
        isRetained: Bool,
        into outcome: inout MessageOutcome
    ) {
        let point = message.points[slot]
        if point.definition.kind == .text {
            guard point.definition.privacy != .drop else { return }
            if let text = scalar.text { outcome.texts.append(DecodedText(point: point.index, text: text)) }
            return
        }
        let verdict: (value: Double, quality: Quality)
        switch scalar.raw(for: point.definition) {
        case .some(let raw): verdict = message.rules[slot].judged(raw: raw)
        case nil:
            verdict = (
                0, point.definition.kind == .enumeration && scalar.isText ? .bad(.unknownValue) : .bad(.malformed)
            )
        }
        outcome.put(point.index, verdict.value, isRetained ? verdict.quality.retained : verdict.quality)
    }

    /// Conditions on points of the same message; one whose point came earlier is for whoever remembers its value.
    private func applyValidity(_ outcome: inout MessageOutcome) {
        for offset in outcome.values.indices {
            let point = self.profile.points[outcome.values[offset].point]
            guard let validity = point.validity, outcome.values[offset].quality.level != .bad,
                let other = outcome.values.first(where: { $0.point == validity.point })
            else { continue }
            if other.quality.level == .bad || validity.values.contains(other.value) != validity.mustEqual {
                outcome.values[offset].value = 0
                outcome.values[offset].quality = .bad(.notReady)
            }
        }
    }
}

extension MessageOutcome {
    fileprivate mutating func put(_ point: Int, _ value: Double, _ quality: Quality) {
        self.values.append(DecodedValue(point: point, value: value, quality: quality))
    }

    fileprivate mutating func merge(_ other: MessageOutcome) {
        self.status = other.status
        self.values.append(contentsOf: other.values)
        self.texts.append(contentsOf: other.texts)
        self.events.append(contentsOf: other.events)
        self.messages.append(contentsOf: other.messages)
        self.time = self.time ?? other.time
        self.isReplay = self.isReplay || other.isReplay
        self.sequence = self.sequence ?? other.sequence
    }
}

extension Quality {
    /// What the quality of a retained message is: nobody knows how old it was.
    fileprivate var retained: Quality { self.isGood ? .uncertain(.stale) : self }
}
