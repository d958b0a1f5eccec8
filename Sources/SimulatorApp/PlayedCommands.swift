internal import DeviceProfile
internal import MQTTTransport
internal import Synchronization

/// Takes commands for the played publishers, as the devices would: their points then tell what was set.
final class PlayedCommands: Sendable {
    private struct Order: Sendable {
        var device: String
        var control: ControlDefinition
        var parameters: [String: String]
    }

    private struct State: Sendable {
        /// What was set, by device and point.
        var values: [String: [Int: Double]] = [:]
        /// Devices that have news to tell.
        var due: Set<String> = []
    }

    private let orders: [String: [Order]]
    private let state = Mutex(State())

    init(_ devices: [(id: String, profile: DeviceProfile, parameters: [String: String])]) {
        var orders: [String: [Order]] = [:]
        for (id, profile, parameters) in devices {
            for control in profile.controls {
                guard case .message(let topic, _) = control.target, let name = topic.filter(parameters: parameters)
                else { continue }
                orders[name, default: []].append(Order(device: id, control: control, parameters: parameters))
            }
        }
        self.orders = orders
    }

    /// What has to be subscribed.
    var topics: [String] { self.orders.keys.filter { !$0.contains("+") && !$0.contains("#") }.sorted() }

    /// What was set on a device, by point.
    func values(of device: String) -> [Int: Double] { self.state.withLock { $0.values[device] ?? [:] } }

    /// The devices that were told something since this was asked last.
    func takeDue() -> Set<String> {
        self.state.withLock { state in
            defer { state.due = [] }
            return state.due
        }
    }

    func receive(_ batch: [MQTTMessage]) {
        for message in batch where !message.isRetained {
            let payload = String(decoding: message.payload, as: UTF8.self)
            for order in self.orders[message.topic] ?? [] {
                guard let value = order.control.value(ofPayload: payload, parameters: order.parameters) else {
                    continue
                }
                self.state.withLock { state in
                    state.due.insert(order.device)
                    guard case .point(let index, _, _) = order.control.readback else { return }
                    state.values[order.device, default: [:]][index] = value
                }
            }
        }
    }

}

/// Hands the messages of the simulator's one connection to whoever plays their receiver.
struct PlayedReceiver: MQTTBatchReceiver {
    let commands: PlayedCommands
    let edgeNode: PlayedEdgeNode?

    func receive(_ batch: [MQTTMessage]) {
        self.commands.receive(batch)
        self.edgeNode?.receive(batch)
    }

    func connectionChanged(_ state: MQTTConnectionState) {}
}
