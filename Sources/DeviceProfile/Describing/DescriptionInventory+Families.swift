internal import CampusModel

/// What the announcements of each family change.
extension DescriptionInventory {
    mutating func take(
        _ kind: DescriptionTopic,
        _ topic: String,
        _ payload: [UInt8],
        _ moment: Moment
    ) throws(DescriptionError) {
        switch kind {
        case .zigbee2mqtt(let base): try self.takeBridge(base, topic, payload, moment)
        case .tasmotaConfig(let mac), .tasmotaSensors(let mac):
            let value = try DescriptionValue(described: payload)
            guard value.isMap else { throw DescriptionError(description: "the payload must be a JSON object") }
            guard self.tasmota[mac] != nil || self.tasmota.count < Self.devicesMax else { return self.refuse() }
            var known = self.tasmota[mac] ?? (nil, nil)
            if case .tasmotaConfig = kind { known.config = value } else { known.sensors = value }
            // What cannot be read leaves what was there.
            let device = try known.config.map { config throws(DescriptionError) in
                try TasmotaDescription.device(mac: mac, config: config, sensors: known.sensors)
            }
            self.tasmota[mac] = known
            self.note(topic, bytes: payload.count)
            if let device { self.put(device, moment) }
        case .homeAssistant(let platform, let object):
            let description = try HomeAssistantDescription(
                platform: platform,
                object: object,
                payload: try DescriptionValue(described: payload)
            )
            self.takeDiscovery(description, topic, bytes: payload.count, moment)
        case .esphome(let name): try self.takeESPHome(name, try DescriptionValue(described: payload), moment)
        case .shellyAnnounce:
            let value = try DescriptionValue(described: payload)
            try self.takeShelly(value["id"]?.text ?? "", moment) { shelly in
                shelly.take(announcement: value)
                return true
            }
        case .shellyNotification(let prefix):
            let value = try DescriptionValue(described: payload)
            guard let method = value["method"]?.text, ["NotifyStatus", "NotifyFullStatus"].contains(method) else {
                return
            }
            guard HomeAssistantComponent.isTopic(prefix) else {
                throw DescriptionError(description: "its topic must be plain text without + # { }")
            }
            try self.takeShelly(value["src"]?.text ?? "", moment) { $0.take(notification: value, prefix: prefix) }
        }
    }

    private mutating func takeBridge(
        _ base: String,
        _ topic: String,
        _ payload: [UInt8],
        _ moment: Moment
    ) throws(DescriptionError) {
        guard self.bridges[base] != nil || self.bridges.count < Self.bridgesMax else { return self.refuse() }
        let found = try Zigbee2MQTTDescription(baseTopic: base).describe(payload).devices
        let keys = Set(found.map(\.key))
        for gone in self.bridges[base, default: []].subtracting(keys) { self.drop(gone) }
        self.bridges[base] = keys
        self.note(topic, bytes: payload.count)
        for device in found { self.put(device, moment) }
    }

    private mutating func takeDiscovery(
        _ description: HomeAssistantDescription,
        _ topic: String,
        bytes: Int,
        _ moment: Moment
    ) {
        // Zigbee2MQTT itself tells more of its devices.
        if description.isOfZigbee2MQTT { return }
        let identity = description.identity.key
        if let old = self.discovery[topic]?.identity.key, old != identity { self.takeBack(topic) }
        let topics = self.topics[identity, default: []]
        guard topics.contains(topic) || topics.count < Self.topicsMax else { return self.refuse() }
        self.discovery[topic] = description
        self.topics[identity, default: []].insert(topic)
        self.note(topic, bytes: bytes)
        self.putDiscovered(identity, moment)
    }

    private mutating func putDiscovered(_ identity: HomeAssistantDescription.Identity.Key, _ moment: Moment) {
        let all = self.topics[identity, default: []].sorted().compactMap { self.discovery[$0] }
        if !all.isEmpty { self.put(HomeAssistantDescription.device(all), moment) }
    }

    /// One topic tells nothing of its device any more.
    private mutating func takeBack(_ topic: String) {
        guard let identity = self.discovery[topic]?.identity.key else { return }
        self.forgetDiscovery(topic)
        self.topics[identity]?.remove(topic)
        guard self.topics[identity]?.isEmpty == false else {
            self.topics[identity] = nil
            self.drop(identity.deviceKey)
            return
        }
        guard let entry = self[identity.deviceKey] else { return }
        self.putDiscovered(identity, Moment(tick: entry.lastHeard, isKept: entry.isKept))
    }

    mutating func forgetDiscovery(_ topic: String) {
        self.discovery[topic] = nil
        self.note(topic, bytes: 0)
    }

    private mutating func takeESPHome(
        _ name: String,
        _ value: DescriptionValue,
        _ moment: Moment
    ) throws(DescriptionError) {
        guard let mac = value["mac"]?.text, (6...40).contains(mac.utf8.count) else {
            throw DescriptionError(description: "the payload must be a JSON object with 'mac'")
        }
        var identity = HomeAssistantDescription.Identity(esphome: mac)
        // What its discovery tells of it is more.
        guard self.topics[identity.key] == nil else { return }
        identity.name = DescriptionText.cleaned(value["friendly_name"]?.text ?? name, charactersMax: 80)
        identity.model = DescriptionText.cleaned(value["board"]?.text ?? "", charactersMax: 80)
        identity.firmware = DescriptionText.cleaned("ESPHome \(value["version"]?.text ?? "")", charactersMax: 60)
        let hint = LocalizedText(
            vi: "chưa mô tả giá trị nào; bật 'discovery: true' trong phần mqtt của ESPHome",
            en: "it describes no values; set 'discovery: true' under mqtt in ESPHome"
        )
        self.put(HomeAssistantDescription.device([HomeAssistantDescription(identity)], hint: hint), moment)
    }

    private mutating func takeShelly(
        _ id: String,
        _ moment: Moment,
        _ change: (inout ShellyDescription) -> Bool
    ) throws(DescriptionError) {
        guard ShellyDescription.isIdentifier(id) else {
            throw DescriptionError(description: "'id' or 'src' must be a Shelly's identifier")
        }
        let known = self.shellies[id]
        guard known != nil || self.shellies.count < Self.devicesMax else { return self.refuse() }
        var shelly = known ?? ShellyDescription(id: id)
        let isNew = change(&shelly)
        self.shellies[id] = shelly
        if isNew || known == nil {
            self.put(shelly.device, moment)
        } else {
            self.touch(DescribedDevice.key(.shelly, id.lowercased()), moment)
        }
    }

    /// An empty announcement takes back what was announced.
    mutating func remove(_ kind: DescriptionTopic, topic: String) {
        switch kind {
        case .zigbee2mqtt(let base):
            for key in self.bridges[base] ?? [] { self.drop(key) }
            self.bridges[base] = nil
            self.note(topic, bytes: 0)
        case .tasmotaConfig(let mac):
            self.forgetTasmota(mac)
            self.drop(DescribedDevice.key(.tasmota, mac.lowercased()))
        case .homeAssistant: self.takeBack(topic)
        case .tasmotaSensors, .esphome, .shellyAnnounce, .shellyNotification: break
        }
    }

    mutating func forgetTasmota(_ mac: String) {
        self.tasmota[mac] = nil
        for part in ["config", "sensors"] { self.note("tasmota/discovery/\(mac)/\(part)", bytes: 0) }
    }
}
