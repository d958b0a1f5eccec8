internal import CampusModel

/// What one discovery topic of Home Assistant told: the device, and its components.
///
/// Facts: home-assistant.io, "MQTT", "MQTT discovery" and "Device discovery payload".
struct HomeAssistantDescription: Hashable, Sendable {
    /// The most components of one payload, and of one device.
    static let componentsMax = 256

    /// Who it is; the same for all topics of one device.
    struct Identity: Hashable, Sendable {
        var isESPHome = false
        /// `identifiers`, else a connection, else the topic.
        var text: String
        var name = ""
        var vendor = ""
        var model = ""
        var firmware = ""

        /// What makes two of them one device.
        struct Key: Hashable, Sendable {
            var isESPHome: Bool
            var text: String

            /// ``DescribedDevice/key`` of the device.
            var deviceKey: String { DescribedDevice.key(self.isESPHome ? .esphome : .homeAssistant, self.text) }
        }

        var key: Key { Key(isESPHome: self.isESPHome, text: self.text) }

        init(text: String) { self.text = text }

        /// ESPHome itself, known by its MAC address.
        init(esphome mac: String) {
            self.isESPHome = true
            self.text = mac.lowercased().replacing(":", with: "")
        }
    }

    var identity: Identity
    var components: [HomeAssistantComponent] = []
    /// Zigbee2MQTT describes its devices better itself.
    var isOfZigbee2MQTT = false

    /// A device of which only that is known.
    init(_ identity: Identity) { self.identity = identity }

    /// Reads a payload.
    ///
    /// - Parameters:
    ///   - platform: The topic's second level; `device` for a payload with several components.
    ///   - object: The topic between the second level and `config`.
    init(platform: String, object: String, payload: DescriptionValue) throws(DescriptionError) {
        guard payload.isMap else { throw DescriptionError(description: "the payload must be a JSON object") }
        let root = HomeAssistantWords.writtenOut(payload)
        self.identity = Self.identity(root, object: "\(platform)/\(object)")
        let origin = root["origin"]?["name"]?.text ?? ""
        self.isOfZigbee2MQTT = origin == "Zigbee2MQTT" || self.identity.text.hasPrefix("zigbee2mqtt_")
        guard platform == "device" else {
            self.components = [HomeAssistantComponent(platform: platform, config: root, fallback: object)]
            return
        }
        guard case .map(let members)? = root["components"] else {
            throw DescriptionError(description: "a payload on homeassistant/device needs 'components' (cmps)")
        }
        guard members.count <= Self.componentsMax else {
            throw DescriptionError(description: "it has more than \(Self.componentsMax) components")
        }
        guard case .map(let shared) = root else { return }
        let base = payload["~"]?.text
        for name in members.keys.sorted() {
            let config = HomeAssistantWords.writtenOut(members[name] ?? .null, base: base)
            guard case .map(let own) = config else { continue }
            // A component without anything but its platform is taken away.
            guard own.count > 1, let platform = own["platform"]?.text else { continue }
            // What the payload says holds for components that do not say it themselves.
            let kept = shared.filter { !["device", "origin", "components", "name"].contains($0.key) }
            let merged = kept.merging(own) { _, own in own }
            self.components.append(
                HomeAssistantComponent(platform: platform, config: .map(merged), fallback: name)
            )
        }
    }

    private static func identity(_ root: DescriptionValue, object: String) -> Identity {
        let device = root["device"]
        let identifiers = device?["identifiers"]?.list?.compactMap(\.text).first ?? device?["identifiers"]?.text
        let connection = device?["connections"]?.list?.first?.list?.compactMap(\.text).last
        var identity = Identity(text: identifiers ?? connection ?? object)
        func text(_ key: String, _ max: Int) -> String {
            DescriptionText.cleaned(device?[key]?.text ?? "", charactersMax: max)
        }
        identity.name = text("name", 80)
        identity.vendor = text("manufacturer", 60)
        identity.model = text("model", 80)
        identity.firmware = text("sw_version", 60)
        identity.isESPHome = identity.firmware.lowercased().contains("esphome")
        if identity.isESPHome {
            identity.text = identity.text.lowercased().replacing(":", with: "")
        }
        return identity
    }

    /// A device of everything that its topics told.
    ///
    /// - Parameter descriptions: At least one, in the order of their topics.
    static func device(_ descriptions: [HomeAssistantDescription], hint: LocalizedText? = nil) -> DescribedDevice {
        let identity = descriptions.last?.identity ?? Identity(text: "")
        let components = Array(descriptions.lazy.flatMap(\.components).prefix(self.componentsMax))
        var device = DescribedDevice(
            family: identity.isESPHome ? .esphome : .homeAssistant,
            identity: identity.text,
            name: identity.name.isEmpty ? identity.text : identity.name,
            address: .mqtt(parameters: [:])
        )
        device.hardware = DescriptionText.cleaned(identity.text, charactersMax: 60)
        device.vendor = identity.vendor.isEmpty ? (identity.isESPHome ? "ESPHome" : "?") : identity.vendor
        device.model = identity.model.isEmpty ? "?" : identity.model
        device.firmware = identity.firmware
        device.leftOut = Array(components.flatMap(\.leftOut).prefix(DescribedDevice.leftOutMax))
        if let hint { device.leave(device.name, vi: hint.vi, en: hint.en) }
        let values = components.flatMap(\.values)
        guard !values.isEmpty else { return device }
        self.fill(&device, Array(values.prefix(self.componentsMax)), components.lazy.compactMap(\.will).first)
        let expiries = components.compactMap(\.expiresSeconds).filter { $0 >= 3 && $0 <= 604_800 }
        if let shortest = expiries.min(), let report = Int64(exactly: (shortest * 1_000 / 3).rounded()) {
            device.reportMilliseconds = max(1_000, report)
        }
        return device
    }

    private static func fill(
        _ device: inout DescribedDevice,
        _ values: [HomeAssistantComponent.Value],
        _ will: HomeAssistantComponent.Will?
    ) {
        let base = self.commonLevels(values.map(\.topic))
        func template(_ topic: String) -> String {
            guard !base.isEmpty, topic == base || topic.hasPrefix(base + "/") else { return topic }
            return "{base}" + topic.dropFirst(base.count)
        }
        var messages: [ProfileDraft.Message] = []
        var points: [ProfileDraft.Point] = []
        var names = PointNames()
        for value in values {
            let topic = template(value.topic)
            let isText = value.pointer == nil
            let known = messages.first { $0.topic == topic && $0.isText == isText }
            let message =
                known ?? ProfileDraft.Message(name: "m\(messages.count + 1)", topic: topic, isText: isText)
            if known == nil { messages.append(message) }
            points.append(
                ProfileDraft.Point(
                    name: names.name(for: value.word),
                    title: value.title,
                    places: [ProfileDraft.Place(message: message.name, pointer: value.pointer ?? [])],
                    kind: value.kind,
                    scale: value.scale
                )
            )
        }
        if !base.isEmpty { device.address = .mqtt(parameters: ["base": base]) }
        var draft = ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: device.family == .esphome ? "esphome" : "ha",
                comment: "Made of what a device told in Home Assistant's MQTT discovery.",
                source: "MQTT discovery: what the device itself told",
                url: "https://www.home-assistant.io/integrations/mqtt/"
            ),
            vendor: device.vendor,
            model: device.model,
            title: device.model == "?" ? device.name : "\(device.vendor) \(device.model)",
            category: DescribedWords.category(properties: Set(points.map(\.name)), types: []),
            messages: messages,
            points: points
        )
        if let will {
            draft.availability = ProfileDraft.Availability(
                topic: template(will.topic),
                pointer: will.pointer,
                online: will.online,
                offline: will.offline
            )
        }
        device.draft = draft
    }

    /// The levels that all topics begin with.
    static func commonLevels(_ topics: [String]) -> String {
        guard var common = topics.first?.split(separator: "/", omittingEmptySubsequences: false) else { return "" }
        for topic in topics.dropFirst() {
            let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
            let same = zip(common, levels).prefix { $0 == $1 }.count
            common = Array(common.prefix(same))
        }
        return common.joined(separator: "/")
    }
}
