/// What a host application knows of edge nodes: births with their aliases, the order of messages, deaths.
///
/// A value: every message gives actions, which the caller carries out. Facts: Eclipse Sparkplug 3.0, chapters 4 to 6.
package struct SparkplugHost: Sendable {
    /// A metric as a birth told it.
    package struct Metric: Sendable, Hashable {
        package var name: String
        package var type: SparkplugMetric.DataType?
        package var unit: String?

        package init(name: String, type: SparkplugMetric.DataType?, unit: String?) {
            self.name = name
            self.type = type
            self.unit = unit
        }
    }

    /// One value with its own time.
    package struct Value: Sendable, Equatable {
        package var name: String
        /// Milliseconds since 1970; `nil`: it did not say.
        package var milliseconds: UInt64?
        package var isHistorical: Bool
        package var isBad: Bool
        package var content: Content

        package init(name: String, milliseconds: UInt64?, isHistorical: Bool, isBad: Bool, content: Content) {
            self.name = name
            self.milliseconds = milliseconds
            self.isHistorical = isHistorical
            self.isBad = isBad
            self.content = content
        }
    }

    /// What a value is.
    package enum Content: Sendable, Equatable {
        case none
        case number(Double)
        case whole(Int64)
        case boolean(Bool)
        case text(String)
    }

    /// A device, or the node itself.
    package struct Place: Sendable, Hashable {
        package var group: String
        package var node: String
        /// `nil`: the node itself.
        package var device: String?

        package init(group: String, node: String, device: String? = nil) {
            self.group = group
            self.node = node
            self.device = device
        }
    }

    /// What is to be done.
    package enum Action: Sendable, Equatable {
        /// A place tells everything that it has.
        case born(Place, [Metric])
        case values(Place, [Value])
        case died(Place)
        /// Ask the node for its births.
        case requestRebirth(Place)
    }

    /// What was received since the start.
    package struct Counters: Sendable, Hashable {
        package internal(set) var messages: UInt64 = 0
        /// Payloads that are no protobuf of this form, or without a sequence number.
        package internal(set) var broken: UInt64 = 0
        /// Messages that came out of order, with an unknown alias or before the birth; their values are lost.
        package internal(set) var outOfOrder: UInt64 = 0
        /// Messages of nodes, devices or metrics that found no room.
        package internal(set) var refused: UInt64 = 0
        package internal(set) var rebirthRequests: UInt64 = 0
    }

    package static let payloadBytesMax = 256 << 10
    package static let nodesMax = 500
    package static let devicesMax = 256
    /// Of one place.
    package static let metricsMax = 512
    /// Of all places.
    package static let metricsOfAllMax = 60_000
    static let nameBytesMax = 200
    static let textCharactersMax = 200
    /// A node is asked for its births this often at most.
    package static let rebirthMilliseconds: Int64 = 60_000
    /// Of all nodes together, in one minute.
    package static let rebirthsMax = 20

    private struct Node: Sendable {
        var birthSequence: UInt64?
        /// What the next message must have; `nil`: nothing counts before the next birth.
        var next: UInt64?
        var aliases: [UInt64: (device: String?, index: Int)] = [:]
        /// Metrics by device; the node itself is the empty name, which no device can have.
        var metrics: [String: [Metric]] = [:]
        var indices: [String: [String: Int]] = [:]
        var askedAt: Int64?

        var count: Int { self.metrics.values.reduce(0) { $0 + $1.count } }
    }

    private struct Name: Hashable, Sendable {
        var group: String
        var node: String
    }

    private var nodes: [Name: Node] = [:]
    private var metricCount = 0
    /// When the last rebirths were asked for, the oldest first.
    private var asked: [Int64] = []
    package private(set) var counters = Counters()

    package init() {}

    /// How many nodes are known, and how many metrics.
    package var size: (nodes: Int, metrics: Int) { (self.nodes.count, self.metricCount) }

    /// Takes a message.
    ///
    /// - Parameters:
    ///   - isRetained: Nothing of Sparkplug is retained; what is, is history and passed over.
    ///   - now: Milliseconds of a clock that never steps back, for the rate of requests.
    package mutating func take(_ topic: SparkplugTopic, payload: [UInt8], isRetained: Bool, now: Int64) -> [Action] {
        guard topic.kind != .nodeCommand, topic.kind != .deviceCommand, !isRetained else { return [] }
        self.counters.messages &+= 1
        // A metric may have two bytes on the wire and takes a hundred times as many here.
        guard payload.count <= Self.payloadBytesMax, let message = SparkplugPayload(bytes: payload) else {
            self.counters.broken &+= 1
            return []
        }
        let name = Name(group: topic.group, node: topic.node)
        switch topic.kind {
        case .nodeBirth: return self.birth(of: name, message)
        case .nodeDeath: return self.death(of: name, message)
        case .deviceBirth, .deviceData, .deviceDeath, .nodeData: break
        case .nodeCommand, .deviceCommand: return []
        }
        guard let sequence = message.sequence, sequence <= 255 else {
            self.counters.broken &+= 1
            return []
        }
        guard self.nodes[name]?.next == sequence else {
            self.counters.outOfOrder &+= 1
            return self.lose(name, now: now)
        }
        self.nodes[name]?.next = (sequence + 1) % 256
        let place = Place(group: name.group, node: name.node, device: topic.device)
        switch topic.kind {
        case .deviceBirth: return self.birth(of: place, name, message)
        case .deviceDeath:
            self.drop(name, topic.device ?? "")
            return [.died(place)]
        default: return self.data(of: place, name, message, now: now)
        }
    }

    /// The connection was lost: what came meanwhile is not known, so nothing counts before the next births.
    package mutating func lostTouch() {
        for name in self.nodes.keys { self.nodes[name]?.next = nil }
    }

    /// Somebody wants to hear of this node, or to hear everything once more; what it sends meanwhile counts.
    package mutating func ask(group: String, node: String, now: Int64) -> [Action] {
        let name = Name(group: group, node: node)
        let next = self.nodes[name]?.next
        defer { if next != nil { self.nodes[name]?.next = next } }
        return self.lose(name, now: now)
    }

    private mutating func birth(of name: Name, _ message: SparkplugPayload) -> [Action] {
        guard let sequence = message.sequence, sequence <= 255 else {
            self.counters.broken &+= 1
            return []
        }
        guard self.nodes[name] != nil || self.nodes.count < Self.nodesMax else {
            self.counters.refused &+= 1
            return []
        }
        let old = self.nodes[name] ?? Node()
        self.metricCount -= old.count
        var node = Node()
        node.askedAt = old.askedAt
        node.next = (sequence + 1) % 256
        node.birthSequence = Self.birthSequence(message)
        self.nodes[name] = node
        let place = Place(group: name.group, node: name.node, device: nil)
        // A node that was asked is born again in the same session, and its devices are there all the time; in a new one
        // they are not before their own births.
        let isSameSession = node.birthSequence != nil && node.birthSequence == old.birthSequence
        let gone = (isSameSession ? [] : old.metrics.keys.filter { !$0.isEmpty }.sorted())
            .map { Action.died(Place(group: name.group, node: name.node, device: $0)) }
        return gone + self.birth(of: place, name, message)
    }

    private mutating func birth(of place: Place, _ name: Name, _ message: SparkplugPayload) -> [Action] {
        let device = place.device ?? ""
        self.drop(name, device)
        guard let node = self.nodes[name], device.isEmpty || node.metrics.count <= Self.devicesMax else {
            self.counters.refused &+= 1
            return []
        }
        var metrics: [Metric] = []
        var indices: [String: Int] = [:]
        for metric in message.metrics {
            guard let told = metric.name, (1...Self.nameBytesMax).contains(told.utf8.count), indices[told] == nil,
                metrics.count < Self.metricsMax, self.metricCount + metrics.count < Self.metricsOfAllMax
            else {
                self.counters.refused &+= 1
                continue
            }
            if let alias = metric.alias { self.nodes[name]?.aliases[alias] = (place.device, metrics.count) }
            indices[told] = metrics.count
            metrics.append(Metric(name: told, type: metric.type, unit: metric.unit))
        }
        self.nodes[name]?.metrics[device] = metrics
        self.nodes[name]?.indices[device] = indices
        self.metricCount += metrics.count
        let values = self.values(of: place, name, message).values
        return [.born(place, metrics)] + (values.isEmpty ? [] : [.values(place, values)])
    }

    private mutating func drop(_ name: Name, _ device: String) {
        guard let metrics = self.nodes[name]?.metrics.removeValue(forKey: device) else { return }
        self.metricCount -= metrics.count
        self.nodes[name]?.indices[device] = nil
        let aliases = self.nodes[name]?.aliases ?? [:]
        self.nodes[name]?.aliases = aliases.filter { ($0.value.device ?? "") != device }
    }

    private mutating func death(of name: Name, _ message: SparkplugPayload) -> [Action] {
        guard let node = self.nodes[name] else { return [] }
        // The will of a connection before the last birth says nothing of now.
        if let told = Self.birthSequence(message), let known = node.birthSequence, told != known { return [] }
        self.nodes[name]?.next = nil
        return node.metrics.keys.sorted()
            .map { .died(Place(group: name.group, node: name.node, device: $0.isEmpty ? nil : $0)) }
    }

    private mutating func data(of place: Place, _ name: Name, _ message: SparkplugPayload, now: Int64) -> [Action] {
        guard self.nodes[name]?.metrics[place.device ?? ""] != nil else {
            self.counters.outOfOrder &+= 1
            return self.lose(name, now: now)
        }
        let (values, isWhole) = self.values(of: place, name, message)
        var actions: [Action] = values.isEmpty ? [] : [.values(place, values)]
        if !isWhole {
            self.counters.outOfOrder &+= 1
            actions += self.lose(name, now: now)
        }
        return actions
    }

    /// The values of a message, and whether every metric is known.
    private func values(of place: Place, _ name: Name, _ message: SparkplugPayload) -> (values: [Value], isWhole: Bool)
    {
        guard let node = self.nodes[name] else { return ([], false) }
        let device = place.device ?? ""
        let metrics = node.metrics[device] ?? []
        var values: [Value] = []
        var isWhole = true
        for metric in message.metrics.prefix(Self.metricsMax) {
            var index: Int?
            if let told = metric.name {
                index = node.indices[device]?[told]
            } else if let alias = metric.alias, let known = node.aliases[alias], (known.device ?? "") == device {
                index = known.index
            }
            guard let index, metrics.indices.contains(index) else {
                isWhole = false
                continue
            }
            values.append(
                Value(
                    name: metrics[index].name,
                    milliseconds: metric.timestamp ?? message.timestamp,
                    isHistorical: metric.isHistorical,
                    isBad: metric.quality == .bad || metric.quality == .stale,
                    content: Self.content(metric.value, metric.type ?? metrics[index].type)
                )
            )
        }
        return (values, isWhole)
    }

    /// Whole numbers are sent without a sign, whatever they are.
    private static func content(_ value: SparkplugMetric.Value, _ type: SparkplugMetric.DataType?) -> Content {
        switch value {
        case .null: .none
        case .boolean(let flag): .boolean(flag)
        case .string(let text): .text(String(text.prefix(Self.textCharactersMax)))
        case .double(let number): number.isFinite ? .number(number) : .none
        case .int(let bits):
            switch type {
            case .int8: .whole(Int64(Int8(truncatingIfNeeded: bits)))
            case .int16: .whole(Int64(Int16(truncatingIfNeeded: bits)))
            case .int32: .whole(Int64(Int32(bitPattern: bits)))
            default: .whole(Int64(bits))
            }
        case .long(let bits):
            switch type {
            case .int64: .whole(Int64(bitPattern: bits))
            // Some send small signed numbers in the wide field.
            case .int8, .int16, .int32: .whole(Int64(Int32(truncatingIfNeeded: bits)))
            default: Int64(exactly: bits).map { .whole($0) } ?? .number(Double(bits))
            }
        }
    }

    private static func birthSequence(_ message: SparkplugPayload) -> UInt64? {
        switch message.metrics.first(where: { $0.name == "bdSeq" })?.value {
        case .long(let number): number
        case .int(let number): UInt64(number)
        default: nil
        }
    }

    /// Nothing of this node counts before its next birth, for which it is asked, but not too often.
    private mutating func lose(_ name: Name, now: Int64) -> [Action] {
        guard self.nodes[name] != nil || self.nodes.count < Self.nodesMax else {
            self.counters.refused &+= 1
            return []
        }
        var node = self.nodes[name] ?? Node()
        node.next = nil
        defer { self.nodes[name] = node }
        if let last = node.askedAt, now - last < Self.rebirthMilliseconds { return [] }
        self.asked.removeAll { now - $0 >= 60_000 }
        guard self.asked.count < Self.rebirthsMax else { return [] }
        self.asked.append(now)
        node.askedAt = now
        self.counters.rebirthRequests &+= 1
        return [.requestRebirth(Place(group: name.group, node: name.node, device: nil))]
    }

    /// The command that asks a node for its births.
    package static func rebirthCommand(milliseconds: UInt64) -> [UInt8] {
        var metric = SparkplugMetric(name: "Node Control/Rebirth", timestamp: milliseconds, type: .boolean)
        metric.value = .boolean(true)
        return SparkplugPayload(timestamp: milliseconds, metrics: [metric]).bytes
    }
}
