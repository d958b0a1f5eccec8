import Foundation
import Testing

/// Devices that announce themselves at a real broker, adopted with the built programs, and then read.
@Suite(.serialized)
struct SelfDescribingTests {
    private let folder: String

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("self-describing-\(UUID())").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    private struct Item: Decodable {
        struct Words: Decodable {
            var vi: String
            var en: String
        }

        struct Point: Decodable {
            var name: String
            var unit: String
        }

        var key: String
        var state: String
        var device: String?
        var pointCount: Int
        var points: [Point]?
        var differences: [Words]
        var isKept: Bool
    }

    private struct Latest: Decodable {
        var id: String
        var unit: String
        var value: Double?
        var quality: String?
    }

    /// A device of each family that speaks over MQTT.
    private struct Family: Sendable {
        var name: String
        var key: String
        var announcements: [(topic: String, payload: String)]
        /// A message, and what it must become.
        var message: (topic: String, payload: String)
        var point: String
        var value: Double
        var unit: String
    }

    private static let bridge = """
        [{"ieee_address":"0x00158d00018255df","type":"Router","friendly_name":"my_plug","definition":{
        "model":"ZNCZ02LM","vendor":"Xiaomi","description":"Mi power plug ZigBee","exposes":[
        {"type":"numeric","name":"power","property":"power","unit":"W","access":5}]}}]
        """
    private static let tasmota = """
        {"dn":"Lab plug","hn":"tasmota-1","mac":"A4CF123F1B2C","md":"Sonoff POW","ofln":"Offline","onln":"Online",
        "state":["OFF","ON"],"sw":"14.2.0","t":"plug1","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0]}
        """
    private static let families: [Family] = [
        Family(
            name: "zigbee",
            key: "zigbee2mqtt-0x00158d00018255df",
            announcements: [("zigbee2mqtt/bridge/devices", bridge)],
            message: ("zigbee2mqtt/my_plug", #"{"power":12.5}"#),
            point: "power",
            value: 12.5,
            unit: "W"
        ),
        Family(
            name: "tasmota",
            key: "tasmota-a4cf123f1b2c",
            announcements: [
                ("tasmota/discovery/A4CF123F1B2C/config", tasmota),
                ("tasmota/discovery/A4CF123F1B2C/sensors", #"{"sn":{"Time":"x","ENERGY":{"Power":0}},"ver":1}"#),
            ],
            message: ("tele/plug1/SENSOR", #"{"Time":"2024-01-01T00:00:00","ENERGY":{"Power":41}}"#),
            point: "energy-power",
            value: 41,
            unit: "W"
        ),
        Family(
            name: "shelly",
            key: "shelly-shellyplus1pm-a8032ab12345",
            announcements: [
                ("shellies/announce", #"{"id":"shellyplus1pm-a8032ab12345","gen":2,"app":"Plus1PM","ver":"1.4.4"}"#),
                (
                    "shellyplus1pm-a8032ab12345/events/rpc",
                    #"{"src":"shellyplus1pm-a8032ab12345","method":"NotifyFullStatus","params":{"switch:0":{"output":true,"apower":3}}}"#
                ),
            ],
            message: (
                "shellyplus1pm-a8032ab12345/events/rpc",
                #"{"src":"shellyplus1pm-a8032ab12345","method":"NotifyStatus","params":{"switch:0":{"apower":9.5}}}"#
            ),
            point: "switch0-power",
            value: 9.5,
            unit: "W"
        ),
        Family(
            name: "ha",
            key: "home-assistant-ea33",
            announcements: [
                (
                    "homeassistant/device/ea33/config",
                    """
                    {"dev":{"ids":"ea33","name":"Kitchen"},"cmps":{"t":{"p":"sensor","unit_of_measurement":"°C",
                    "name":"Temperature","value_template":"{{ value_json.t | float / 10 }}"}},"state_topic":"k/state"}
                    """
                )
            ],
            message: ("k/state", #"{"t":215}"#),
            point: "temperature",
            value: 21.5,
            unit: "Cel"
        ),
        Family(
            name: "esphome",
            key: "esphome-a0b1c2d3e4f5",
            announcements: [
                (
                    "homeassistant/sensor/lab/co2/config",
                    """
                    {"dev_cla":"carbon_dioxide","unit_of_meas":"ppm","stat_cla":"measurement","name":"CO2",
                    "stat_t":"lab/sensor/co2/state","avty_t":"lab/status","uniq_id":"c",
                    "dev":{"ids":"a0b1c2d3e4f5","name":"Lab","sw":"esphome v2024.10.0","mf":"espressif"}}
                    """
                )
            ],
            message: ("lab/sensor/co2/state", "612"),
            point: "co2",
            value: 612,
            unit: "[ppm]"
        ),
    ]

    private func campusctl(_ gateway: RunningGateway, _ arguments: String...) async throws
        -> (code: Int32, output: String)
    {
        let output = "\(self.folder)/\(UUID())"
        let all = ["described"] + arguments + ["--state", gateway.state]
        let code = try await Child("\(Checkout.programs)/campusctl", all, output: output).wait()
        return (code, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    private func item(_ gateway: RunningGateway, _ key: String) async throws -> Item {
        try await gateway.json(Item.self, "/api/v1/described/\(key)")
    }

    private func latest(_ gateway: RunningGateway, _ device: String, _ point: String) async throws -> Latest? {
        try await gateway.json(RunningGateway.Page<Latest>.self, "/api/v1/latest?device=\(device)").items
            .first { $0.id == "\(device)/\(point)" }
    }

    @Test func everyFamilyWaitsIsAdoptedIsReadAndSurvivesARestart() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        for family in Self.families {
            for (topic, payload) in family.announcements {
                try await gateway.publish(topic, payload, isRetained: !family.key.hasPrefix("shelly"))
            }
        }
        for family in Self.families {
            try await eventually("\(family.name) waits") {
                guard let item = try? await self.item(gateway, family.key) else { return false }
                return item.state == "waiting" && item.pointCount > 0
            }
            let item = try await self.item(gateway, family.key)
            #expect(item.points?.contains { $0.name == family.point && $0.unit == family.unit } == true)
            let adopted = try await self.campusctl(
                gateway,
                "adopt",
                family.key,
                "--device",
                family.name,
                "--room",
                "r1"
            )
            #expect(adopted.code == 0, "\(adopted.output)")
            #expect(try await self.item(gateway, family.key).state == "adopted")
            // Nothing that was kept or announced is a live value.
            let before = try await self.latest(gateway, family.name, family.point)
            #expect(before?.quality != "good")
            try await gateway.publish(family.message.topic, family.message.payload)
            try await eventually("\(family.name) is read") {
                (try? await gateway.latest("\(family.name)/\(family.point)")) == family.value
            }
            let now = try await self.latest(gateway, family.name, family.point)
            #expect(now?.quality == "good" && now?.unit == family.unit)
        }
        let list = try await self.campusctl(gateway, "list", "--only", "adopted")
        #expect(list.output.split(separator: "\n").count == 1 + Self.families.count, "\(list.output)")
        struct Audit: Decodable { var action: String }
        let audit = try await gateway.json(RunningGateway.Page<Audit>.self, "/api/v1/audit").items
        #expect(audit.count { $0.action == "adopt" } == Self.families.count)

        gateway.kill9()
        try await gateway.start()
        for family in Self.families {
            try await gateway.publish(family.message.topic, family.message.payload)
            try await eventually("\(family.name) is read again") {
                (try? await self.latest(gateway, family.name, family.point)?.quality) == "good"
            }
        }
        // What was retained is known again without anybody's doing.
        let kept = try await self.item(gateway, "tasmota-a4cf123f1b2c")
        #expect(kept.state == "adopted" && kept.device == "tasmota")
    }

    @Test func aChangedDescriptionIsADifferenceUntilSomebodyAcceptsIt() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let key = "zigbee2mqtt-0x00158d00018255df"
        try await gateway.publish("zigbee2mqtt/bridge/devices", Self.bridge, isRetained: true)
        try await eventually("it waits") { (try? await self.item(gateway, key).state) == "waiting" }
        let adopted = try await self.campusctl(gateway, "adopt", key, "--device", "plug", "--room", "r1")
        #expect(adopted.code == 0, "\(adopted.output)")
        let first = try await self.campusctl(gateway, "export", key)
        #expect(first.code == 0 && first.output.contains(#"unit: "W""#), "\(first.output)")

        let changed = Self.bridge.replacingOccurrences(of: #""unit":"W""#, with: #""unit":"kW""#)
        try await gateway.publish("zigbee2mqtt/bridge/devices", changed, isRetained: true)
        try await eventually("it is different") { (try? await self.item(gateway, key).state) == "changed" }
        #expect(try await self.item(gateway, key).differences.map(\.en) == ["'power': its unit was W and is kW"])
        // It is read as before.
        try await gateway.publish("zigbee2mqtt/my_plug", #"{"power":12.5}"#)
        try await eventually("it is read") { (try? await gateway.latest("plug/power")) == 12.5 }
        #expect(try await self.latest(gateway, "plug", "power")?.unit == "W")

        let accepted = try await self.campusctl(gateway, "accept", key)
        #expect(accepted.code == 0, "\(accepted.output)")
        #expect(try await self.item(gateway, key).state == "adopted")
        #expect(try await self.latest(gateway, "plug", "power")?.unit == "kW")
        let again = try await self.campusctl(gateway, "accept", key)
        #expect(again.code == 1 && again.output.contains("no difference"), "\(again.output)")
    }

    @Test func refusingForgettingAndWrongArgumentsAreAnsweredInWords() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let key = "tasmota-a4cf123f1b2c"
        try await gateway.publish("tasmota/discovery/A4CF123F1B2C/config", Self.tasmota, isRetained: true)
        try await gateway.publish("tasmota/discovery/BAD/config", #"{"t":"+"}"#)
        try await eventually("it waits") { (try? await self.item(gateway, key).state) == "waiting" }
        #expect(try await self.campusctl(gateway, "refuse", key).code == 0)
        #expect(try await self.item(gateway, key).state == "refused")
        gateway.kill9()
        try await gateway.start()
        try await eventually("it is refused still") { (try? await self.item(gateway, key).state) == "refused" }
        #expect(try await self.campusctl(gateway, "refuse", key, "--undo").code == 0)
        #expect(try await self.item(gateway, key).state == "waiting")
        for (device, room, word) in [
            ("room", "r1", "already"), ("new", "nowhere", "no room"), ("Not An Id", "r1", "device"),
        ] {
            let answer = try await self.campusctl(gateway, "adopt", key, "--device", device, "--room", room)
            #expect(answer.code == 1 && answer.output.contains(word), "\(answer.output)")
        }
        let none = try await self.campusctl(gateway, "adopt", "tasmota-none", "--device", "x", "--room", "r1")
        #expect(none.code == 1, "\(none.output)")
        let odd = try await self.campusctl(gateway, "show", "../status")
        #expect(odd.code == 64 && odd.output.contains("no key"), "\(odd.output)")
        let state = try await self.campusctl(gateway, "list", "--only", "nonsense")
        #expect(state.code == 1 && state.output.contains("waiting"), "\(state.output)")
        #expect(try await self.campusctl(gateway, "forget", key).code == 0)
        #expect(try await self.campusctl(gateway, "show", key).code == 1)
        // An announcement is no message of a stranger, and one that is broken is counted.
        struct Entry: Decodable { var topic: String }
        #expect(try await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items.isEmpty)
        try await gateway.publish("tasmota/discovery/BAD/config", #"{"t":"+"}"#)
        try await eventually("broken ones are counted") {
            (try? await gateway.metric("campus_described_broken_total")) ?? 0 > 0
        }
    }
}
