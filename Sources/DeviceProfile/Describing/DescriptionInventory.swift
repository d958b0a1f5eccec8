package import CampusModel

/// The devices that described themselves, gathered of their announcements.
///
/// Pure and bounded: what finds no room is counted and told. An announcement that the broker had kept is history and
/// says nothing of now; it only tells what a device is.
package struct DescriptionInventory: Sendable {
    /// A device and when it was heard.
    package struct Entry: Sendable {
        package var device: DescribedDevice
        package var firstHeard: Tick
        package var lastHeard: Tick
        /// Only heard from what the broker had kept.
        package var isKept: Bool
    }

    /// What was received.
    package struct Counters: Sendable, Hashable {
        package internal(set) var announcements: UInt64 = 0
        /// Announcements that could not be read.
        package internal(set) var broken: UInt64 = 0
        /// Announcements of devices that found no room.
        package internal(set) var refused: UInt64 = 0
    }

    /// An announcement that could not be read.
    package struct Problem: Sendable, Hashable {
        package var topic: String
        package var reason: String
        package var at: Tick
    }

    package static let devicesMax = 2_000
    /// Points of all devices together.
    package static let pointsMax = 60_000
    /// Bytes of all announcements that are kept.
    package static let keptBytesMax = 32 << 20
    /// Discovery topics of one device of Home Assistant.
    static let topicsMax = 256
    static let bridgesMax = 16
    static let problemsMax = 50

    private var entries: [String: Entry] = [:]
    private var pointCount = 0
    /// Bytes of the announcements that are kept, by topic.
    private var kept: [String: Int] = [:]
    private var keptBytes = 0
    var tasmota: [String: (config: DescriptionValue?, sensors: DescriptionValue?)] = [:]
    /// By topic.
    var discovery: [String: HomeAssistantDescription] = [:]
    /// Discovery topics of a device, by its identity.
    var topics: [HomeAssistantDescription.Identity.Key: Set<String>] = [:]
    var shellies: [String: ShellyDescription] = [:]
    /// Keys of the devices of a bridge.
    var bridges: [String: Set<String>] = [:]
    package internal(set) var counters = Counters()
    /// The newest last.
    package private(set) var problems: [Problem] = []

    package init() {}

    /// All devices, by key.
    package var all: [Entry] { self.entries.values.sorted { $0.device.key < $1.device.key } }

    /// How many devices there are.
    package var count: Int { self.entries.count }

    /// The device with this key.
    package subscript(key: String) -> Entry? { self.entries[key] }

    /// Takes an announcement.
    package mutating func take(_ topic: String, payload: [UInt8], isRetained: Bool, at tick: Tick) {
        guard let kind = DescriptionTopic(topic) else { return }
        self.counters.announcements &+= 1
        do throws(DescriptionError) {
            guard payload.count <= kind.payloadBytesMax else {
                throw DescriptionError(
                    description: "the announcement has \(payload.count) bytes; \(kind.payloadBytesMax) are read"
                )
            }
            if payload.isEmpty { return self.remove(kind, topic: topic) }
            guard self.hasRoom(for: topic, bytes: payload.count) else { return self.refuse() }
            try self.take(kind, topic, payload, Moment(tick: tick, isKept: isRetained))
        } catch {
            self.counters.broken &+= 1
            if self.problems.count >= Self.problemsMax { self.problems.removeFirst() }
            self.problems.append(
                Problem(
                    topic: DescriptionText.cleaned(topic, charactersMax: 120),
                    reason: String(error.description.prefix(300)),
                    at: tick
                )
            )
        }
    }

    /// When something was heard, and whether the broker had kept it.
    struct Moment {
        var tick: Tick
        var isKept: Bool
    }

    /// Whether there is room for the announcement of a topic; it takes the room of the one before.
    func hasRoom(for topic: String, bytes: Int) -> Bool {
        self.keptBytes - (self.kept[topic] ?? 0) + bytes <= Self.keptBytesMax
    }

    /// Notes what the announcement of a topic takes; 0 when it is kept no more.
    mutating func note(_ topic: String, bytes: Int) {
        self.keptBytes += bytes - (self.kept[topic] ?? 0)
        self.kept[topic] = bytes == 0 ? nil : bytes
    }

    /// Puts a device in; one that is there already is described anew.
    package mutating func put(_ device: DescribedDevice, at tick: Tick, isKept: Bool) {
        self.put(device, Moment(tick: tick, isKept: isKept))
    }

    mutating func put(_ device: DescribedDevice, _ moment: Moment) {
        let known = self.entries[device.key]
        let points = (device.draft?.points.count ?? 0) - (known?.device.draft?.points.count ?? 0)
        guard known != nil || self.entries.count < Self.devicesMax, self.pointCount + max(points, 0) <= Self.pointsMax
        else { return self.refuse() }
        self.pointCount += points
        self.entries[device.key] = Entry(
            device: device,
            firstHeard: known?.firstHeard ?? moment.tick,
            lastHeard: moment.tick,
            isKept: moment.isKept && (known?.isKept ?? true)
        )
    }

    mutating func drop(_ key: String) {
        guard let gone = self.entries.removeValue(forKey: key) else { return }
        self.pointCount -= gone.device.draft?.points.count ?? 0
    }

    mutating func refuse() { self.counters.refused &+= 1 }

    /// A device spoke and told nothing new.
    mutating func touch(_ key: String, _ moment: Moment) {
        self.entries[key]?.lastHeard = moment.tick
        if !moment.isKept { self.entries[key]?.isKept = false }
    }

    /// Forgets a device until it announces itself again.
    ///
    /// Returns whether it was there.
    package mutating func forget(key: String) -> Bool {
        guard let entry = self.entries[key] else { return false }
        switch entry.device.family {
        case .tasmota:
            for mac in self.tasmota.keys where DescribedDevice.key(.tasmota, mac.lowercased()) == key {
                self.forgetTasmota(mac)
            }
        case .shelly:
            for id in self.shellies.keys where DescribedDevice.key(.shelly, id.lowercased()) == key {
                self.shellies[id] = nil
            }
        case .homeAssistant, .esphome:
            for (identity, topics) in self.topics where identity.deviceKey == key {
                for topic in topics { self.forgetDiscovery(topic) }
                self.topics[identity] = nil
            }
        case .zigbee2mqtt, .sunspec, .sparkplug: break
        }
        self.drop(key)
        return true
    }
}
