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
    let profile: DeviceProfile
    let device: DeviceID
    private let zonelessOffsetSeconds: Int64
    private let messages: [Message]
    /// Whether any point holds only while another one says so.
    private let hasValidity: Bool
    private let availability: (filter: TopicFilter, wire: MQTTWire.Availability)?
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
    final class Message: Sendable {
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
        /// Whether the slot before is another place of the same point.
        let isAlternative: [Bool]
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
            self.isAlternative = points.indices.map { $0 > 0 && points[$0].index == points[$0 - 1].index }
            self.tree = PointerTree(points.compactMap(\.pointer))
            self.events = events
        }
    }

    final class Point: Sendable {
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
        guard let wire = profile.messageWire else {
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
                .flatMap { offset, point -> [Point] in
                    guard case .payload(let places) = point.source else { return [] }
                    return
                        places
                        .filter { $0.messageIndex == index && ($0.pointer != nil || message.payload == .text) }
                        .map { Point(index: offset, source: $0, definition: point) }
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
            self.availability = (TopicFilter(filter), availability)
        } else {
            self.availability = nil
        }
        self.messages = messages
        self.hasValidity = profile.points.contains { !$0.validities.isEmpty }
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
            let text = self.willText(availability.wire, payload)
            if text == availability.wire.online { return MessageOutcome(.availability(isOnline: true)) }
            if text == availability.wire.offline { return MessageOutcome(.availability(isOnline: false)) }
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

    /// The word of a last will; `nil` when the payload has none at its pointer.
    private func willText(_ wire: MQTTWire.Availability, _ payload: [UInt8]) -> String? {
        guard let pointer = wire.pointer else { return String(decoding: payload.prefix(256), as: UTF8.self) }
        return self.scratch.withLock { scratch in
            payload.withUnsafeBufferPointer { bytes in
                guard (try? scratch.json.parse(bytes)) != nil else { return nil }
                return PayloadView(json: scratch.json, bytes: bytes).text(pointer)
            }
        }
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
        if !isRetained, let violation = self.readEvents(message, text: text, arrival: arrival, into: &outcome) {
            return violation
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
                var view = PayloadView(json: scratch.json, bytes: bytes)
                if let when = message.wire.when, !view.fulfils(when) { return MessageOutcome(.notMine) }
                guard let list = message.wire.each else {
                    return self.decode(message, view, &scratch.slots, isRetained: isRetained, arrival: arrival)
                }
                let elements = view.elements(at: list)
                guard !elements.isEmpty else { return MessageOutcome(.notMine) }
                var whole = MessageOutcome(.decoded)
                whole.messages = message.index
                for element in elements {
                    view.root = element
                    var outcome = self.decode(message, view, &scratch.slots, isRetained: isRetained, arrival: arrival)
                    guard case .decoded = outcome.status else { return outcome }
                    whole.events += outcome.events
                    outcome.events = []
                    whole.elements.append(outcome)
                }
                return whole
            }
        }
    }

    /// Decodes one message: a whole payload, or one element of its list.
    private func decode(
        _ message: Message,
        _ view: PayloadView,
        _ slots: inout [Int],
        isRetained: Bool,
        arrival: Tick
    ) -> MessageOutcome {
        var outcome = MessageOutcome(.decoded)
        outcome.messages = message.index
        if let violation = self.readClock(message, view, arrival: arrival, into: &outcome) { return violation }
        outcome.isHistory = view.isReplay(message.wire)
        outcome.isReplay = isRetained || outcome.isHistory
        outcome.sequence = message.wire.sequence.flatMap { view.text($0) }
        outcome.values.reserveCapacity(message.points.count)
        message.tree.locate(in: view.json, view.bytes, root: view.root, slots: &slots)
        var told = -1
        for (slot, token) in slots.enumerated() {
            if message.isAlternative[slot], told == message.indices[slot] { continue }
            if token != PointerTree.absent { told = message.indices[slot] }
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
        if self.hasValidity { self.applyValidity(&outcome) }
        if let violation = self.readEvents(message, view, arrival: arrival, into: &outcome) { return violation }
        return self.checked(outcome, message)
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

    /// A message of which not one point has a usable type and that is no event breaks the profile.
    private func checked(_ outcome: MessageOutcome, _ message: Message) -> MessageOutcome {
        let isUseless =
            outcome.events.isEmpty && outcome.texts.isEmpty && !outcome.values.isEmpty
            && outcome.values.allSatisfy { $0.quality == .bad(.malformed) }
        let isEmpty = outcome.values.isEmpty && outcome.texts.isEmpty && outcome.events.isEmpty
        let saysNothing =
            isEmpty && !outcome.isOtherEvent && message.wire.when == nil
            && !(message.points.isEmpty && message.events.isEmpty)
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
            guard let text = scalar.text else { return }
            if message.rules[slot].isInvalid(text: text) {
                outcome.put(point.index, 0, .bad(.sentinel))
            } else {
                outcome.texts.append(DecodedText(point: point.index, text: text))
            }
            return
        }
        var verdict: (value: Double, quality: Quality) = (0, .bad(.sentinel))
        switch scalar.raw(for: point.definition) {
        case _ where scalar.isText && message.rules[slot].isInvalid(text: scalar.text ?? ""): break
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
            for validity in self.profile.points[outcome.values[offset].point].validities {
                guard outcome.values[offset].quality.level != .bad,
                    let other = outcome.values.first(where: { $0.point == validity.point })
                else { continue }
                if other.quality.level == .bad || !validity.accepts(other.value) {
                    outcome.values[offset].value = 0
                    outcome.values[offset].quality = .bad(.notReady)
                }
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
        self.isHistory = self.isHistory || other.isHistory
        self.sequence = self.sequence ?? other.sequence
        self.elements.append(contentsOf: other.elements)
    }
}

extension Quality {
    /// What the quality of a retained message is: nobody knows how old it was.
    fileprivate var retained: Quality { self.isGood ? .uncertain(.stale) : self }
}
