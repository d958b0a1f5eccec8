/// A device as it, or the program that speaks for it, described itself.
package struct DescribedDevice: Sendable, Hashable {
    /// Who describes in the same way.
    package enum Family: String, Sendable, CaseIterable {
        case zigbee2mqtt
        case homeAssistant = "home-assistant"
        case esphome
        case tasmota
        case shelly
        case sunspec
        case sparkplug

        /// As its makers write it.
        package var title: String {
            switch self {
            case .zigbee2mqtt: "Zigbee2MQTT"
            case .homeAssistant: "Home Assistant MQTT"
            case .esphome: "ESPHome"
            case .tasmota: "Tasmota"
            case .shelly: "Shelly"
            case .sunspec: "SunSpec"
            case .sparkplug: "Sparkplug B"
            }
        }
    }

    /// Where it is reached.
    package enum Address: Sendable, Hashable {
        case mqtt(parameters: [String: String])
        case modbus(bus: String, unit: UInt8)
    }

    /// What stays when the device is renamed or described anew: `tasmota-a4cf12345678`; fit for an address of a page.
    package let key: String
    package let family: Family
    /// As its family calls it.
    package var name: String
    /// What is printed on it or burnt into it; empty when it was not told.
    package var hardware = ""
    package var vendor = ""
    package var model = ""
    /// The version of its firmware; empty when it was not told.
    package var firmware = ""
    package var address: Address
    /// What can be read of it; `nil`: nothing that is of use.
    package var draft: ProfileDraft?
    /// What it told and what cannot be used, each with the reason.
    package var leftOut: [DescribedDevices.LeftOut] = []
    /// How often it is expected to say something; `nil`: it is asked.
    package var reportMilliseconds: Int64?
    /// Of families that tell changes only: a door that stays shut is silent, and a sleeping sensor wakes twice a day.
    ///
    /// Three of them are a day, after which Zigbee2MQTT itself gives a battery device up.
    static let quietMilliseconds: Int64 = 28_800_000

    package init(family: Family, identity: String, name: String, address: Address) {
        self.key = Self.key(family, identity)
        self.family = family
        self.name = DescriptionText.cleaned(name, charactersMax: 80)
        self.address = address
        switch family {
        case .sunspec: self.reportMilliseconds = nil
        case .tasmota: self.reportMilliseconds = TasmotaDescription.reportMilliseconds
        case .zigbee2mqtt, .homeAssistant, .esphome, .shelly, .sparkplug:
            self.reportMilliseconds = Self.quietMilliseconds
        }
    }

    /// The most characters of ``key``.
    package static let keyCharactersMax = 64

    /// The identity itself where it is plain, else made plain, with its hash behind, so that two are never one.
    static func key(_ family: Family, _ identity: String) -> String {
        let plain = DescriptionText.identifier(identity, charactersMax: 32)
        guard plain != identity else { return "\(family.rawValue)-\(plain)" }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in identity.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return "\(family.rawValue)-\(plain.isEmpty ? "" : plain + "-")\(digits)"
    }

    mutating func leave(_ name: String, vi: String, en: String) {
        guard self.leftOut.count < Self.leftOutMax else { return }
        self.leftOut.append(DescribedDevices.LeftOut(name, vi: vi, en: en))
    }

    /// The most things that are told as left out.
    static let leftOutMax = 256

    /// The topics that its values come on; empty when it has none.
    package var topics: [String] {
        guard let draft, case .mqtt(let parameters) = self.address else { return [] }
        var topics: [String] = []
        for message in draft.messages {
            guard let topic = TopicTemplate(message.topic)?.filter(parameters: parameters) else { continue }
            if !topics.contains(topic) { topics.append(topic) }
        }
        return topics
    }
}

/// Names for points that no other point of a device has.
struct PointNames {
    private var taken: Set<String> = []

    /// An identifier made of a text.
    mutating func name(for text: String) -> String {
        let made = DescriptionText.identifier(text, charactersMax: 56)
        let base = made.isEmpty ? "value" : made
        var name = base
        var number = 2
        while !self.taken.insert(name).inserted {
            name = "\(base)-\(number)"
            number += 1
        }
        return name
    }
}
