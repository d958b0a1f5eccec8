internal import CampusModel
internal import MQTTTransport
internal import SparkplugB
internal import Synchronization

/// A Sparkplug B edge node with one device, as a solar inverter's logger is.
///
/// It sends births, data by alias and a last will, and is born again when a host asks.
final class PlayedEdgeNode: Sendable {
    static let group = "campus-sim"
    static let node = "logger-1"
    static let device = "inverter-1"
    static let commands = "spBv1.0/\(group)/NCMD/\(node)"

    private struct State: Sendable {
        var session: UInt64 = 0
        /// `nil`: the births come first.
        var sequence: UInt64?
    }

    private struct Quantity {
        var name: String
        var unit: String
        var low: Double
        var high: Double
    }

    private static let quantities = [
        Quantity(name: "AC/Power", unit: "W", low: 200, high: 4_800),
        Quantity(name: "DC/Voltage", unit: "V", low: 320, high: 410),
        Quantity(name: "Heatsink/Temperature", unit: "°C", low: 34, high: 58),
    ]

    private let model: SignalModel
    private let state = Mutex(State())

    init(model: SignalModel) { self.model = model }

    /// The last will of the next connection, which begins a new session.
    func nextWill() -> MQTTConfiguration.Announcement {
        let session = self.state.withLock { state in
            state.session += 1
            state.sequence = nil
            return state.session
        }
        return MQTTConfiguration.Announcement(
            topic: Self.topic(.nodeDeath),
            payload: SparkplugPayload(metrics: [Self.birthSequence(session)]).bytes,
            isRetained: false
        )
    }

    /// What is due: births where they are wanted, then data.
    func messages(at tick: Tick) -> [(topic: String, payload: [UInt8])] {
        self.state.withLock { state in
            if let sequence = state.sequence {
                state.sequence = (sequence + 1) % 256
                let data = SparkplugPayload(
                    timestamp: UInt64(clamping: tick.rawValue),
                    sequence: sequence,
                    metrics: self.metrics(at: tick, isBirth: false)
                )
                return [(Self.topic(.deviceData), data.bytes)]
            }
            state.sequence = 2
            let time = UInt64(clamping: tick.rawValue)
            var rebirth = SparkplugMetric(name: "Node Control/Rebirth", timestamp: time, type: .boolean)
            rebirth.value = .boolean(false)
            let births = [Self.birthSequence(state.session), rebirth]
            return [
                (Self.topic(.nodeBirth), SparkplugPayload(timestamp: time, sequence: 0, metrics: births).bytes),
                (
                    Self.topic(.deviceBirth),
                    SparkplugPayload(timestamp: time, sequence: 1, metrics: self.metrics(at: tick, isBirth: true)).bytes
                ),
            ]
        }
    }

    private func metrics(at tick: Tick, isBirth: Bool) -> [SparkplugMetric] {
        let share = (self.model.occupancy(at: tick) + Double(tick.rawValue / 1_000 % 60) / 60) / 2
        let time = UInt64(clamping: tick.rawValue)
        var metrics = Self.quantities.enumerated()
            .map { index, quantity in
                var metric = SparkplugMetric(
                    name: isBirth ? quantity.name : nil,
                    alias: UInt64(index + 10),
                    timestamp: time,
                    type: isBirth ? .float : nil
                )
                metric.unit = isBirth ? quantity.unit : nil
                metric.value = .double(quantity.low + (quantity.high - quantity.low) * share)
                return metric
            }
        guard isBirth else { return metrics }
        var model = SparkplugMetric(name: "Properties/Model", alias: 20, timestamp: time, type: .string)
        model.value = .string("SIM-5K")
        metrics.append(model)
        return metrics
    }

    private static func birthSequence(_ session: UInt64) -> SparkplugMetric {
        var metric = SparkplugMetric(name: "bdSeq", type: .int64)
        metric.value = .long(session % 256)
        return metric
    }

    private static func topic(_ kind: SparkplugTopic.Kind) -> String {
        let isNode = kind == .nodeBirth || kind == .nodeDeath
        return SparkplugTopic(group: self.group, kind: kind, node: self.node, device: isNode ? nil : self.device).text
    }

    func receive(_ batch: [MQTTMessage]) {
        if batch.contains(where: { $0.topic == Self.commands && !$0.isRetained }) { self.askForBirths() }
    }

    /// The births come next.
    func askForBirths() { self.state.withLock { $0.sequence = nil } }
}
