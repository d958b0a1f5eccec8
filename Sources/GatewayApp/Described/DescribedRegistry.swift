internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import MQTTTransport
internal import Synchronization

/// The devices that described themselves, and what people decided about them.
///
/// Announcements are read on a queue of their own: a bridge's description may have megabytes, and neither the broker's
/// connection nor the pages wait for it.
final class DescribedRegistry: Sendable {
    /// Announcements that wait to be read: so many, of so many bytes; more are counted and lost until they come again.
    static let waitingMax = 4_096
    static let waitingBytesMax = 16 << 20
    /// Devices that nobody wants.
    static let refusedMax = 4_096

    private enum News: Sendable {
        case announcement(topic: String, payload: [UInt8], isRetained: Bool, Tick)
        /// A device that was understood elsewhere.
        case device(DescribedDevice, Tick)
    }

    private struct Waiting: Sendable {
        var news: [News] = []
        var bytes = 0
        var isDraining = false
        var lost: UInt64 = 0
    }

    private struct Known: Sendable {
        var inventory = DescriptionInventory()
        var refused: Set<String> = []
        /// Configured devices by the topics that they read.
        var topicsInUse: [String: DeviceID] = [:]
        /// What differs, as long as neither side changed.
        var compared: [String: Comparison] = [:]
    }

    /// A comparison that was made.
    struct Comparison: Sendable {
        var draft: ProfileDraft
        var address: DescribedDevice.Address
        var revision: String
        var lines: [LocalizedText]
    }

    private let clock: any TickClock
    private let refusedFile: String
    private let waiting = Mutex(Waiting())
    private let known: Mutex<Known>
    private let queue = DispatchQueue(label: "described", qos: .utility)

    init(clock: any TickClock, refusedFile: String) {
        self.clock = clock
        self.refusedFile = refusedFile
        let text = (try? String(contentsOfFile: refusedFile, encoding: .utf8)) ?? ""
        let keys = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.prefix(Self.refusedMax).map(String.init)
        self.known = Mutex(Known(refused: Set(keys)))
    }

    /// Takes a message if it is an announcement; on the connection's thread.
    ///
    /// Returns whether that is all it is, so that acquisition need not see it.
    func offer(_ message: MQTTMessage) -> Bool {
        guard let kind = DescriptionTopic(message.topic) else { return false }
        let tick = self.clock.tick(boottimeNanoseconds: message.receivedNanoseconds)
        self.wait(
            .announcement(topic: message.topic, payload: message.payload, isRetained: message.isRetained, tick),
            bytes: message.payload.count
        )
        return !kind.hasValues
    }

    /// Takes a device that was understood elsewhere; on any thread.
    func offer(_ device: DescribedDevice, at tick: Tick) { self.wait(.device(device, tick), bytes: 0) }

    private func wait(_ news: News, bytes: Int) {
        let startsDraining = self.waiting.withLock { waiting -> Bool in
            guard waiting.news.count < Self.waitingMax, waiting.bytes + bytes <= Self.waitingBytesMax else {
                waiting.lost &+= 1
                return false
            }
            waiting.news.append(news)
            waiting.bytes += bytes
            defer { waiting.isDraining = true }
            return !waiting.isDraining
        }
        if startsDraining { self.queue.async { self.drain() } }
    }

    /// Reads what waits; on the queue, where alone the inventory is changed.
    ///
    /// A copy is changed, so that nobody who looks waits for a description to be read.
    private func drain() {
        while true {
            let batch = self.waiting.withLock { waiting -> [News] in
                let batch = waiting.news
                waiting.news = []
                waiting.bytes = 0
                if batch.isEmpty { waiting.isDraining = false }
                return batch
            }
            guard !batch.isEmpty else { return }
            self.change { inventory in
                for news in batch {
                    switch news {
                    case .announcement(let topic, let payload, let isRetained, let tick):
                        inventory.take(topic, payload: payload, isRetained: isRetained, at: tick)
                    case .device(let device, let tick): inventory.put(device, at: tick, isKept: false)
                    }
                }
            }
        }
    }

    private func change<Result>(_ work: (inout DescriptionInventory) -> Result) -> Result {
        var inventory = self.known.withLock { $0.inventory }
        let result = work(&inventory)
        self.known.withLock { $0.inventory = inventory }
        return result
    }

    /// Takes a new set of devices.
    func update(devices: [ConfiguredDevice]) {
        var topics: [String: DeviceID] = [:]
        for device in devices {
            guard case .mqtt(let parameters) = device.address, case .mqtt(let wire) = device.profile.wire else {
                continue
            }
            for message in wire.messages {
                if let topic = message.topic.filter(parameters: parameters) { topics[topic] = device.id }
            }
        }
        self.known.withLock { $0.topicsInUse = topics }
    }

    /// All devices, by key.
    var entries: [DescriptionInventory.Entry] { self.known.withLock { $0.inventory.all } }

    func entry(key: String) -> DescriptionInventory.Entry? { self.known.withLock { $0.inventory[key] } }

    /// Announcements that could not be read, the newest last.
    var problems: [DescriptionInventory.Problem] { self.known.withLock { $0.inventory.problems } }

    /// What was received, and what was lost because too much waited.
    var statistics: (counters: DescriptionInventory.Counters, lost: UInt64, devices: Int) {
        let (counters, count) = self.known.withLock { ($0.inventory.counters, $0.inventory.count) }
        return (counters, self.waiting.withLock { $0.lost }, count)
    }

    func isRefused(_ key: String) -> Bool { self.known.withLock { $0.refused.contains(key) } }

    /// A configured device that reads one of these topics.
    func device(reading topics: [String]) -> DeviceID? {
        let inUse = self.known.withLock { $0.topicsInUse }
        return topics.lazy.compactMap { inUse[$0] }.first
    }

    /// Puts a device in that was asked; blocks until it is there.
    func put(_ device: DescribedDevice) {
        let now = self.clock.now()
        self.queue.sync { self.change { $0.put(device, at: now, isKept: false) } }
    }

    /// Forgets a device until it announces itself again; blocks, and returns whether it was there.
    func forget(_ key: String) -> Bool { self.queue.sync { self.change { $0.forget(key: key) } } }

    /// Refuses a device, or takes that back; the text of the file to write.
    func refuse(_ key: String, _ isRefused: Bool) throws(GatewayError) -> String {
        let keys = self.known.withLock { known -> Set<String>? in
            if isRefused {
                guard known.refused.count < Self.refusedMax || known.refused.contains(key) else { return nil }
                known.refused.insert(key)
            } else {
                known.refused.remove(key)
            }
            return known.refused
        }
        guard let keys else {
            throw GatewayError(
                vi: "Đã từ chối \(Self.refusedMax) thiết bị; hãy xóa bớt dòng trong \(self.refusedFile).",
                en: "\(Self.refusedMax) devices are refused already; take lines out of \(self.refusedFile)"
            )
        }
        return "# Described devices that nobody wants, one a line.\n" + keys.sorted().map { "\($0)\n" }.joined()
    }

    func comparison(of key: String) -> Comparison? { self.known.withLock { $0.compared[key] } }

    func keep(_ comparison: Comparison, of key: String) { self.known.withLock { $0.compared[key] = comparison } }
}
