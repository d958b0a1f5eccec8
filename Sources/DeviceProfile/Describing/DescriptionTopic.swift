/// What a topic announces, told by its form alone.
package enum DescriptionTopic: Sendable, Hashable {
    case zigbee2mqtt(base: String)
    case tasmotaConfig(mac: String)
    case tasmotaSensors(mac: String)
    /// `object` is what stands between the platform and `config`.
    case homeAssistant(platform: String, object: String)
    case esphome(name: String)
    case shellyAnnounce
    /// Also has values.
    case shellyNotification(prefix: String)

    /// `nil` for all other topics, quickly.
    package init?(_ topic: String) {
        guard topic.utf8.count <= 512 else { return nil }
        switch topic.utf8.last {
        case UInt8(ascii: "g"), UInt8(ascii: "s"), UInt8(ascii: "e"), UInt8(ascii: "c"): break
        default: guard topic.hasPrefix("esphome/discover/") else { return nil }
        }
        if topic == "shellies/announce" {
            self = .shellyAnnounce
            return
        }
        for (suffix, make) in Self.suffixes where topic.hasSuffix(suffix) {
            self = make(String(topic.dropLast(suffix.count)))
            return
        }
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !levels.contains("") else { return nil }
        switch (levels[0], levels.count) {
        case ("tasmota", 4) where levels[1] == "discovery" && levels[3] == "config":
            self = .tasmotaConfig(mac: levels[2])
        case ("tasmota", 4) where levels[1] == "discovery" && levels[3] == "sensors":
            self = .tasmotaSensors(mac: levels[2])
        case ("homeassistant", 4), ("homeassistant", 5):
            guard levels.last == "config" else { return nil }
            self = .homeAssistant(platform: levels[1], object: levels[2..<levels.count - 1].joined(separator: "/"))
        case ("esphome", 3) where levels[1] == "discover": self = .esphome(name: levels[2])
        default: return nil
        }
    }

    private static let suffixes: [(String, @Sendable (String) -> DescriptionTopic)] = [
        ("/bridge/devices", { .zigbee2mqtt(base: $0) }), ("/events/rpc", { .shellyNotification(prefix: $0) }),
    ]

    /// Whether messages on it tell values too, so that they are for acquisition as well.
    package var hasValues: Bool { if case .shellyNotification = self { true } else { false } }

    /// The most bytes of an announcement of this kind.
    package var payloadBytesMax: Int {
        if case .zigbee2mqtt = self { DescriptionValue.bytesMax } else { 256 << 10 }
    }
}
