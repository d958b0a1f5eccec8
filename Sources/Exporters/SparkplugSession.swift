package import CampusModel
internal import SparkplugB

/// A device as a Sparkplug host sees it.
package struct SparkplugDevice: Sendable, Hashable {
    /// One metric of its birth.
    package struct Point: Sendable, Hashable {
        package var name: String
        package var latest: Sample?

        package init(name: String, latest: Sample?) {
            self.name = name
            self.latest = latest
        }
    }

    package var id: String
    /// Whether it answers.
    package var isAlive: Bool
    package var points: [Point]

    package init(id: String, isAlive: Bool, points: [Point]) {
        self.id = id
        self.isAlive = isAlive
        self.points = points
    }
}

/// A message to publish.
package struct ExportMessage: Sendable, Equatable {
    package var topic: String
    package var payload: [UInt8]

    package init(topic: String, payload: [UInt8]) {
        self.topic = topic
        self.payload = payload
    }
}

/// The state of an edge node: births, aliases and sequence numbers.
///
/// A value that is told what happens and returns the messages that follow, in the order of their sequence numbers.
struct SparkplugSession: Sendable {
    static let rebirth = "Node Control/Rebirth"

    let group: String
    let node: String
    private var sequence: UInt64 = 0
    /// Devices whose birth was sent, with the points that it named.
    private var born: [String: Set<String>] = [:]
    /// By `device/point`; the same until the process ends.
    private var aliases: [String: UInt64] = [:]

    init(group: String, node: String) {
        self.group = group
        self.node = node
    }

    static func topic(_ group: String, _ type: String, _ node: String, device: String? = nil) -> String {
        "spBv1.0/\(group)/\(type)/\(node)" + (device.map { "/\($0)" } ?? "")
    }

    /// The last will, or the goodbye: it has no sequence number.
    static func death(group: String, node: String, birthSequence: UInt8, now: Tick) -> ExportMessage {
        let payload = SparkplugPayload(timestamp: now.unsigned, metrics: [self.birthSequence(birthSequence, nil)])
        return ExportMessage(topic: self.topic(group, "NDEATH", node), payload: payload.bytes)
    }

    private static func birthSequence(_ number: UInt8, _ now: Tick?) -> SparkplugMetric {
        var metric = SparkplugMetric(name: "bdSeq", timestamp: now?.unsigned, type: .int64)
        metric.value = .long(UInt64(number))
        return metric
    }

    /// A connection is new, or the host asks for it: the node and all its devices are born again.
    mutating func births(_ devices: [SparkplugDevice], birthSequence: UInt8, now: Tick) -> [ExportMessage] {
        self.sequence = 0
        self.born = [:]
        var control = SparkplugMetric(name: Self.rebirth, timestamp: now.unsigned, type: .boolean)
        control.value = .boolean(false)
        let metrics = [Self.birthSequence(birthSequence, now), control]
        return [self.message("NBIRTH", nil, metrics, now)]
            + devices.filter(\.isAlive).map { self.birth($0, now: now) }
    }

    /// Devices that came, went, or have other points now.
    mutating func changes(_ devices: [SparkplugDevice], now: Tick) -> [ExportMessage] {
        var messages: [ExportMessage] = []
        for device in devices where device.isAlive && self.born[device.id] != Set(device.points.map(\.name)) {
            messages.append(self.birth(device, now: now))
        }
        let alive = Set(devices.filter(\.isAlive).map(\.id))
        for id in self.born.keys.sorted() where !alive.contains(id) {
            self.born[id] = nil
            messages.append(self.message("DDEATH", id, [], now))
        }
        return messages
    }

    private mutating func birth(_ device: SparkplugDevice, now: Tick) -> ExportMessage {
        self.born[device.id] = Set(device.points.map(\.name))
        let metrics = device.points.map { point in
            var metric = SparkplugMetric(
                name: point.name,
                alias: self.alias(device.id, point.name),
                timestamp: point.latest?.tick.unsigned ?? now.unsigned,
                type: .double
            )
            if let latest = point.latest { metric.take(latest) }
            return metric
        }
        return self.message("DBIRTH", device.id, metrics, now)
    }

    /// The samples of runs, a message a device; a device that is not born, or not with this point, is born first.
    ///
    /// - Parameter known: The devices as they are now.
    mutating func data(_ runs: [SeriesRun], known: [SparkplugDevice], now: Tick) -> [ExportMessage] {
        var messages: [ExportMessage] = []
        for (device, runs) in Dictionary(grouping: runs, by: \.identity.device).sorted(by: { $0.key < $1.key }) {
            let names = Set(runs.map(\.identity.point))
            if !(self.born[device]?.isSuperset(of: names) ?? false) {
                var description =
                    known.first { $0.id == device } ?? SparkplugDevice(id: device, isAlive: true, points: [])
                let missing = names.subtracting(description.points.map(\.name)).sorted()
                description.points += missing.map { .init(name: $0, latest: nil) }
                messages.append(self.birth(description, now: now))
            }
            let metrics = runs.flatMap { run in
                let alias = self.alias(device, run.identity.point)
                return run.samples.map { sample in
                    var metric = SparkplugMetric(alias: alias, timestamp: sample.tick.unsigned, type: .double)
                    metric.isHistorical = run.isReplay
                    metric.take(sample)
                    return metric
                }
            }
            messages.append(self.message("DDATA", device, metrics, now))
        }
        return messages
    }

    private mutating func alias(_ device: String, _ point: String) -> UInt64 {
        let name = "\(device)/\(point)"
        if let known = self.aliases[name] { return known }
        let alias = UInt64(self.aliases.count)
        self.aliases[name] = alias
        return alias
    }

    private mutating func message(
        _ type: String,
        _ device: String?,
        _ metrics: [SparkplugMetric],
        _ now: Tick
    ) -> ExportMessage {
        let payload = SparkplugPayload(timestamp: now.unsigned, sequence: self.sequence, metrics: metrics)
        self.sequence = (self.sequence + 1) % 256
        return ExportMessage(
            topic: Self.topic(self.group, type, self.node, device: device),
            payload: payload.bytes
        )
    }

    /// Whether a command to the node asks for a rebirth.
    static func asksForRebirth(_ payload: [UInt8]) -> Bool {
        SparkplugPayload(bytes: payload)?.metrics.contains { $0.name == self.rebirth && $0.value == .boolean(true) }
            ?? false
    }
}

extension SparkplugMetric {
    /// Takes value and quality; a bad sample has no value.
    fileprivate mutating func take(_ sample: Sample) {
        switch sample.quality.level {
        case .good: self.quality = .good
        case .uncertain: self.quality = .stale
        case .bad: self.quality = .bad
        }
        let hasValue = sample.quality.level != .bad && sample.value.isFinite
        self.value = hasValue ? .double(sample.value) : .null
    }
}

extension Tick {
    /// Ticks are never negative where they are stored.
    fileprivate var unsigned: UInt64 { UInt64(clamping: self.rawValue) }
}
