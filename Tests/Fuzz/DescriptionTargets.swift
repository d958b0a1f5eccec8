internal import CampusModel
internal import DeviceProfile
internal import SparkplugB

/// Announcements of every family, one after the other to one inventory.
enum Announcements {
    private static let topics = [
        "zigbee2mqtt/bridge/devices", "tasmota/discovery/A4CF123F1B2C/config", "tasmota/discovery/A4CF123F1B2C/sensors",
        "homeassistant/sensor/a/config", "homeassistant/device/a/config", "homeassistant/climate/n/a/config",
        "homeassistant/light/a/config", "esphome/discover/a", "shellies/announce", "plug/events/rpc",
    ]

    /// The first byte chooses the topic, up to a 0 byte is one announcement, and so on.
    static func run(_ input: UnsafeRawBufferPointer) {
        var inventory = DescriptionInventory()
        for part in input.split(separator: 0, omittingEmptySubsequences: true).prefix(8) {
            guard let choice = part.first else { continue }
            let topic = self.topics[Int(choice) % self.topics.count]
            inventory.take(
                topic,
                payload: Array(part.dropFirst()),
                isRetained: choice > 200,
                at: Tick(milliseconds: 1_790_000_000_000)
            )
        }
        for entry in inventory.all {
            let device = entry.device
            precondition(device.key.utf8.count <= DescribedDevice.keyCharactersMax, "a key is bounded")
            guard let draft = device.draft else { continue }
            precondition(draft.points.count <= 512, "points are bounded")
            // Only what the strict reader takes may become a profile; the reader itself must not trap.
            guard let (profile, _) = try? draft.proven(id: "fuzz") else { continue }
            precondition(
                ProfileDifference.lines(inUse: .init(profile), described: .init(profile)).isEmpty,
                "nothing differs from itself"
            )
        }
    }
}

/// Messages of one edge node and its device, one after the other to one host.
enum EdgeNode {
    /// The first byte chooses what the message is, the second how long it is, and so on.
    static func run(_ input: UnsafeRawBufferPointer) {
        var host = SparkplugHost()
        var rest = input[...]
        let kinds = SparkplugTopic.Kind.allCases
        while rest.count > 2, let choice = rest.popFirst(), let length = rest.popFirst() {
            let payload = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(Int(length))
            let kind = kinds[Int(choice) % kinds.count]
            let device = kind.rawValue.hasPrefix("D") ? "d" : nil
            let topic = SparkplugTopic(group: "g", kind: kind, node: "n", device: device)
            for action in host.take(topic, payload: payload, isRetained: choice > 250, now: Int64(choice)) {
                guard case .values(_, let values) = action else { continue }
                for value in values {
                    if case .number(let number) = value.content { precondition(number.isFinite, "numbers are finite") }
                }
            }
            precondition(host.size.metrics <= 2 * SparkplugHost.metricsMax, "metrics are bounded")
        }
    }
}
