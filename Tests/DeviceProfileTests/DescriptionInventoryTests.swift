import CampusModel
import Testing

@testable import DeviceProfile

/// What strangers may send: bounded, counted, and never more than one announcement's harm.
struct DescriptionInventoryTests {
    @Test func tenThousandAnnouncementsFillTheListAndNoMore() {
        var listener = Listener()
        for number in 0..<10_000 {
            let mac = String(number, radix: 16)
            listener.hear("tasmota/discovery/\(mac)/config", #"{"t":"t\#(number)","md":"M","rl":[1]}"#)
        }
        #expect(listener.inventory.count == DescriptionInventory.devicesMax)
        #expect(listener.inventory.counters.refused == 8_000 && listener.inventory.counters.announcements == 10_000)
        // Those that are in can still change.
        listener.hear("tasmota/discovery/0/config", #"{"t":"other","md":"M","rl":[1]}"#)
        #expect(listener.device("tasmota-0")?.address == .mqtt(parameters: ["device": "other"]))
    }

    @Test func devicesOfOneTopicEachAreBoundedToo() {
        var listener = Listener()
        for number in 0..<2_100 {
            listener.hear(
                "homeassistant/sensor/a\(number)/config",
                #"{"name":"n","stat_t":"a/\#(number)","unit_of_meas":"V","dev":{"ids":"d\#(number)"}}"#
            )
        }
        #expect(listener.inventory.count == DescriptionInventory.devicesMax)
        #expect(listener.inventory.counters.refused == 100)
    }

    @Test func oneDeviceOfAThousandTopicsIsBounded() {
        var listener = Listener()
        for number in 0..<1_000 {
            listener.hear(
                "homeassistant/sensor/a\(number)/config",
                #"{"name":"n\#(number)","stat_t":"a/\#(number)","unit_of_meas":"V","dev":{"ids":"one"}}"#
            )
        }
        #expect(listener.inventory.count == 1 && listener.inventory.counters.refused == 744)
        #expect(listener.inventory.all.first?.device.draft?.points.count == 256)
    }

    @Test(arguments: [
        String(repeating: "[", count: 100), #"{"a":1,"a":2}"#, #"{"t":"x""#, "\u{FEFF}{}", #"{"t":["x"]}"#,
        #"{"dev":{"ids":{}},"stat_t":5}"#, String(repeating: "x", count: 300_000),
    ])
    func brokenAnnouncementsOfEveryFamilyAreCountedAndTold(_ payload: String) {
        var listener = Listener()
        let topics = [
            "zigbee2mqtt/bridge/devices", "tasmota/discovery/A/config", "homeassistant/device/a/config",
            "esphome/discover/a", "shellies/announce",
        ]
        for topic in topics { listener.hear(topic, payload) }
        #expect(listener.inventory.count == 0 && listener.inventory.counters.broken == 5)
        #expect(listener.inventory.problems.map(\.topic) == topics)
    }

    @Test func problemsAreBounded() {
        var listener = Listener()
        for number in 0..<500 { listener.hear("esphome/discover/\(number)", "x") }
        #expect(listener.inventory.problems.count == DescriptionInventory.problemsMax)
        #expect(listener.inventory.problems.last?.topic == "esphome/discover/499")
    }

    @Test func keysOfStrangeIdentitiesAreNeverOne() {
        let keys = ["Ab", "ab", "a b", "a-b", "a/b", "ä", "", String(repeating: "x", count: 999)]
            .map { DescribedDevice.key(.homeAssistant, $0) }
        #expect(Set(keys).count == keys.count)
        for key in keys {
            #expect(key.utf8.count <= DescribedDevice.keyCharactersMax)
            #expect(key.utf8.allSatisfy { $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        }
    }

    @Test func aBridgeThatNamesADeviceNoMoreLosesIt() throws {
        var listener = Listener()
        func device(_ name: String) -> String {
            """
            {"ieee_address":"0x\(name)","type":"EndDevice","friendly_name":"\(name)","definition":{"model":"M",
            "vendor":"V","exposes":[{"type":"numeric","property":"temperature","unit":"°C","access":1}]}}
            """
        }
        listener.hear("zigbee2mqtt/bridge/devices", "[\(device("a")),\(device("b"))]")
        #expect(listener.inventory.all.map(\.device.name) == ["a", "b"])
        listener.hear("zigbee2mqtt/bridge/devices", "[\(device("b"))]", isRetained: false)
        #expect(listener.inventory.all.map(\.device.name) == ["b"])
        let entry = try #require(listener.inventory.all.first)
        #expect(!entry.isKept && entry.firstHeard < entry.lastHeard)
        #expect(
            try listener.values(of: entry.device, "zigbee2mqtt/b", #"{"temperature":21.5}"#) == ["temperature": 21.5]
        )
    }

    @Test func aForgottenDeviceComesBackWithItsNextAnnouncement() {
        var listener = Listener()
        let topic = "homeassistant/sensor/a/config"
        let payload = #"{"name":"n","stat_t":"a/x","unit_of_meas":"V","dev":{"ids":"one"}}"#
        listener.hear(topic, payload)
        listener.hear("shellies/announce", #"{"id":"shellyplus-1","gen":2}"#)
        for entry in listener.inventory.all {
            let wasThere = listener.inventory.forget(key: entry.device.key)
            let isThere = listener.inventory.forget(key: entry.device.key)
            #expect(wasThere && !isThere)
        }
        #expect(listener.inventory.count == 0)
        listener.hear(topic, payload)
        #expect(listener.inventory.count == 1)
    }

    @Test(arguments: [
        "", "/", "homeassistant", "homeassistant/config", "homeassistant//x/config", "a/b/state",
        "tasmota/discovery//config",
        "homeassistant/sensor/a/b/c/config", "esphome/discover/", "zigbee2mqtt/bridge/device",
    ])
    func otherTopicsAnnounceNothing(_ topic: String) {
        #expect(DescriptionTopic(topic) == nil)
    }

    @Test func differencesAreTold() throws {
        var listener = Listener()
        func hear(_ unit: String, _ more: String = "") {
            listener.hear(
                "zigbee2mqtt/bridge/devices",
                """
                [{"ieee_address":"0x1","friendly_name":"a","definition":{"model":"M","vendor":"V","exposes":[
                {"type":"numeric","property":"power","unit":"\(unit)","access":1}\(more)]}}]
                """
            )
        }
        hear("W")
        let old = try #require(listener.inventory.all.first?.device.draft).proven(id: "p").profile
        #expect(ProfileDifference.lines(inUse: .init(old), described: .init(old)).isEmpty)
        hear("kW", #",{"type":"numeric","property":"voltage","unit":"V","access":1}"#)
        let new = try #require(listener.inventory.all.first?.device.draft).proven(id: "p").profile
        #expect(
            ProfileDifference.lines(inUse: .init(old), described: .init(new)).map(\.en) == [
                "'power': its unit was W and is kW", "it also tells 'voltage' (V)",
            ]
        )
        #expect(
            ProfileDifference.lines(inUse: .init(new), described: .init(old)).map(\.en)
                .contains(
                    "it does not tell 'voltage' any more"
                )
        )
    }

    @Test func aDeviceThatMovedIsOneDifference() throws {
        var listener = Listener()
        func hear(_ topic: String) {
            for (name, unit) in [("Temperature", "°C"), ("Humidity", "%")] {
                listener.hear(
                    "homeassistant/sensor/\(name)/config",
                    #"{"name":"\#(name)","stat_t":"\#(topic)/\#(name)","unit_of_meas":"\#(unit)","dev":{"ids":"one"}}"#
                )
            }
        }
        func side() throws -> ProfileDifference.Side {
            let device = try #require(listener.inventory.all.first?.device)
            guard case .mqtt(let parameters) = device.address else { throw DescriptionError(description: "MQTT") }
            return .init(try #require(device.draft).proven(id: "p").profile, parameters: parameters)
        }
        hear("room")
        let old = try side()
        hear("hall")
        let lines = ProfileDifference.lines(inUse: old, described: try side())
        #expect(
            lines.map(\.en) == ["every value is read elsewhere, such as hall/Humidity instead of room/Humidity"]
        )
        // Other words for the same topics are no difference.
        #expect(old.parameters == ["base": "room"])
    }
}
