internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Logging
internal import MQTTTransport
internal import SparkplugB
internal import Synchronization

/// Turns what edge nodes of Sparkplug B publish into messages that profiles read, and asks for births where they are
/// missing; on the connection's thread.
final class SparkplugListener: Sendable {
    /// Publishes a message; it may be lost, the request comes again.
    typealias Publishing = @Sendable (_ topic: String, _ payload: [UInt8]) -> Void

    /// Values of one message.
    private static let valuesMax = 128

    private struct State: Sendable {
        var host = SparkplugHost()
        var publish: Publishing?
        var isConnected = false
        /// Groups and nodes of devices that were adopted.
        var wanted: Set<SparkplugHost.Place> = []
        /// What this gateway publishes itself.
        var own: Set<SparkplugHost.Place> = []
    }

    private let clock: any TickClock
    private let described: DescribedRegistry
    private let state = Mutex(State())

    init(clock: any TickClock, described: DescribedRegistry) {
        self.clock = clock
        self.described = described
    }

    var statistics: (counters: SparkplugHost.Counters, nodes: Int) {
        self.state.withLock { ($0.host.counters, $0.host.size.nodes) }
    }

    /// How requests are sent.
    func publish(_ publish: @escaping Publishing) { self.state.withLock { $0.publish = publish } }

    /// Takes a new set of devices, and the nodes that the gateway's own exporters are.
    func update(devices: [ConfiguredDevice], own: [(group: String, node: String)]) {
        let wanted = devices.compactMap { device -> SparkplugHost.Place? in
            guard case .mqtt(let parameters) = device.address, case .mqtt(let wire) = device.profile.wire,
                wire.messages.contains(where: { $0.topic.description.hasPrefix(SparkplugTopic.prefix) }),
                let group = parameters["group"], let node = parameters["node"]
            else { return nil }
            return SparkplugHost.Place(group: group, node: node)
        }
        let now = self.clock.now()
        let actions = self.state.withLock { state -> [SparkplugHost.Action] in
            let new = Set(wanted).subtracting(state.wanted)
            state.wanted = Set(wanted)
            state.own = Set(own.map { SparkplugHost.Place(group: $0.group, node: $0.node) })
            guard state.isConnected else { return [] }
            return new.flatMap { state.host.ask(group: $0.group, node: $0.node, now: now.rawValue) }
        }
        // Whoever was just adopted tells everything once.
        for action in actions { _ = self.carryOut(action, at: now, receivedNanoseconds: 0) }
    }

    /// The connection came or went: what was missed is not known.
    func connectionChanged(isConnected: Bool) {
        let now = self.clock.now().rawValue
        let actions = self.state.withLock { state -> [SparkplugHost.Action] in
            state.host.lostTouch()
            state.isConnected = isConnected
            guard isConnected else { return [] }
            return state.wanted.sorted { ($0.group, $0.node) < ($1.group, $1.node) }
                .flatMap { state.host.ask(group: $0.group, node: $0.node, now: now) }
        }
        for action in actions { _ = self.carryOut(action, at: self.clock.now(), receivedNanoseconds: 0) }
    }

    /// What a batch could not be taken in of is told again by the births.
    func batchRefused() { self.state.withLock { $0.host.lostTouch() } }

    /// The messages that one of Sparkplug becomes; `nil` when it is none.
    func messages(of message: MQTTMessage) -> [InboundMessage]? {
        guard message.topic.hasPrefix(SparkplugTopic.prefix) else { return nil }
        guard let topic = SparkplugTopic(message.topic) else { return [] }
        let tick = self.clock.tick(boottimeNanoseconds: message.receivedNanoseconds)
        let actions = self.state.withLock { state -> [SparkplugHost.Action] in
            guard !state.own.contains(SparkplugHost.Place(group: topic.group, node: topic.node)) else { return [] }
            return state.host.take(
                topic,
                payload: message.payload,
                isRetained: message.isRetained,
                now: tick.rawValue
            )
        }
        return actions.flatMap { self.carryOut($0, at: tick, receivedNanoseconds: message.receivedNanoseconds) }
    }

    private func carryOut(
        _ action: SparkplugHost.Action,
        at tick: Tick,
        receivedNanoseconds: UInt64
    ) -> [InboundMessage] {
        func message(_ kind: String, _ place: SparkplugHost.Place, _ payload: String) -> InboundMessage {
            let letter = place.device == nil ? "N" : "D"
            let device = place.device.map { "/\($0)" } ?? ""
            return InboundMessage(
                topic: "\(SparkplugTopic.prefix)\(place.group)/\(letter)\(kind)/\(place.node)\(device)",
                payload: Array(payload.utf8),
                isRetained: false,
                receivedNanoseconds: receivedNanoseconds
            )
        }
        switch action {
        case .born(let place, let metrics):
            let device = SparkplugDescription.device(
                group: place.group,
                node: place.node,
                device: place.device,
                metrics: metrics.map { SparkplugDescription.Metric(name: $0.name, kind: $0.kind, unit: $0.unit) }
            )
            // A node that only speaks for its devices is no device.
            if place.device != nil || device.draft != nil { self.described.offer(device, at: tick) }
            return self.isAwaited(place) ? [message("STATE", place, "online")] : []
        case .values(let place, let values):
            // A birth may have more than a message may.
            return stride(from: 0, to: values.count, by: Self.valuesMax)
                .map { start in
                    let part = values[start..<min(start + Self.valuesMax, values.count)]
                    return message("DATA", place, SparkplugJSON.text(part, arrival: tick))
                }
        case .died(let place): return self.isAwaited(place) ? [message("STATE", place, "offline")] : []
        case .requestRebirth(let place):
            let topic = SparkplugTopic(group: place.group, kind: .nodeCommand, node: place.node)
            let publish = self.state.withLock { $0.publish }
            publish?(topic.text, SparkplugHost.rebirthCommand(milliseconds: UInt64(clamping: tick.rawValue)))
            return []
        }
    }

    /// Whether a device of this node was adopted; the states of others would only fill the quarantine.
    private func isAwaited(_ place: SparkplugHost.Place) -> Bool {
        self.state.withLock { $0.wanted.contains(SparkplugHost.Place(group: place.group, node: place.node)) }
    }
}

extension SparkplugHost.Metric {
    fileprivate var kind: SparkplugDescription.Kind {
        switch self.type {
        case .boolean: .boolean
        case .string, .text, .uuid: .text
        case .dateTime, .dataSet, .bytes, .file, .template: .other(self.type.map { "\($0)" } ?? "")
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .double: .number
        case nil: .other("?")
        }
    }
}

/// Values of Sparkplug as the JSON that profiles made of births read.
enum SparkplugJSON {
    /// One element for each instant, in the order of the values.
    ///
    /// - Parameter arrival: The time of values that have none.
    static func text(_ values: ArraySlice<SparkplugHost.Value>, arrival: Tick) -> String {
        var elements: [(time: Int64, isHistorical: Bool, members: [String], names: Set<String>)] = []
        for value in values {
            let time = value.milliseconds.flatMap { Int64(exactly: $0) } ?? arrival.rawValue
            let member = "\(JSONText.quoted(value.name)):\(self.text(value))"
            if let index = elements.lastIndex(where: { $0.time == time && $0.isHistorical == value.isHistorical }),
                elements[index].names.insert(value.name).inserted
            {
                elements[index].members.append(member)
            } else {
                elements.append((time, value.isHistorical, [member], [value.name]))
            }
        }
        let texts = elements.map { element in
            "{\"t\":\(element.time),\"h\":\(element.isHistorical),\"m\":{\(element.members.joined(separator: ","))}}"
        }
        return "{\"values\":[\(texts.joined(separator: ","))]}"
    }

    private static func text(_ value: SparkplugHost.Value) -> String {
        guard !value.isBad else { return "null" }
        return switch value.content {
        case .none: "null"
        case .number(let number): NumberText.text(number)
        case .whole(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .text(let text): JSONText.quoted(text)
        }
    }
}
