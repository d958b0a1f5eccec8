import CampusModel
import DeviceProfile
import SiteConfiguration
import SparkplugB
import Testing

@testable import SimulatorApp

/// What the simulator announces is what the gateway understands, and its values fit what it announced.
struct AnnouncedDevicesTests {
    private static let noon = Tick(milliseconds: 1_790_000_000_000)
    private let model = SignalModel(seed: 1, timetable: .standard, utcOffsetSeconds: 25_200)

    @Test func everyAnnouncedDeviceCanBeAdoptedAndItsValuesAreGood() throws {
        let played = AnnouncedDevices(model: self.model)
        var inventory = DescriptionInventory()
        let values = played.values(at: Self.noon, isWhole: true)
        for message in played.announcements + values {
            inventory.take(message.topic, payload: message.payload, isRetained: message.isRetained, at: Self.noon)
        }
        #expect(inventory.counters.broken == 0 && inventory.problems.isEmpty)
        #expect(
            inventory.all.map(\.device.family.rawValue) == ["esphome", "shelly", "tasmota", "zigbee2mqtt"]
        )
        for entry in inventory.all {
            let draft = try #require(entry.device.draft)
            guard case .mqtt(let parameters) = entry.device.address else { continue }
            let decoder = try MessageDecoder(
                profile: try draft.proven(id: "p").profile,
                device: DeviceID(rawValue: "d"),
                parameters: parameters,
                zonelessOffsetSeconds: 25_200
            )
            var good: Set<Int> = []
            for message in values {
                let outcome = decoder.decode(
                    topic: message.topic,
                    payload: message.payload,
                    isRetained: false,
                    arrival: Self.noon
                )
                for value in outcome.values where value.quality.isGood { good.insert(value.point) }
            }
            #expect(good.count == draft.points.count, "\(entry.device.key)")
        }
    }

    @Test func theEdgeNodeIsBornSpeaksInOrderAndIsBornAgainWhenAsked() {
        let node = PlayedEdgeNode(model: self.model)
        _ = node.nextWill()
        var host = SparkplugHost()
        func hear() -> [SparkplugHost.Action] {
            node.messages(at: Self.noon)
                .flatMap { message -> [SparkplugHost.Action] in
                    guard let topic = SparkplugTopic(message.topic) else { return [] }
                    return host.take(topic, payload: message.payload, isRetained: false, now: 0)
                }
        }
        let births = hear()
        #expect(births.count { if case .born = $0 { true } else { false } } == 2)
        for _ in 0..<300 { #expect(hear().count == 1) }
        #expect(host.counters.outOfOrder == 0)
        node.askForBirths()
        #expect(hear().count { if case .born = $0 { true } else { false } } == 2)
    }
}
