import CampusModel
import Testing

@testable import DeviceProfile

/// Payloads as home-assistant.io and esphome.io show them.
struct HomeAssistantDescriptionTests {
    private static let device = #""dev":{"ids":["ea334450945afc"],"name":"Kitchen","mf":"Bla","mdl":"xya","sw":"1.0"}"#

    private static func sensor(_ more: String) -> String {
        #"{"name":"Temperature","uniq_id":"t1","stat_t":"~/state","~":"rooms/kitchen",\#(more),\#(device)}"#
    }

    @Test func componentsOfOneDeviceAreGatheredAndReadWithTheirUnits() throws {
        var listener = Listener()
        listener.hear(
            "homeassistant/sensor/kitchen/t/config",
            Self.sensor(#""unit_of_meas":"°C","dev_cla":"temperature","val_tpl":"{{ value_json.t | float / 10 }}""#)
        )
        listener.hear(
            "homeassistant/sensor/kitchen/h/config",
            #"{"name":"Humidity","stat_t":"rooms/kitchen/state","unit_of_meas":"%","dev_cla":"humidity","val_tpl":"{{ value_json['h'] }}",\#(Self.device)}"#
        )
        listener.hear(
            "homeassistant/binary_sensor/kitchen/door/config",
            #"{"name":"Door","stat_t":"rooms/kitchen/door","pl_on":"open","pl_off":"shut","avty_t":"rooms/kitchen/alive","pl_avail":"yes","pl_not_avail":"no",\#(Self.device)}"#
        )
        let device = try #require(listener.device("home-assistant-ea334450945afc"))
        #expect(device.name == "Kitchen" && device.vendor == "Bla" && listener.inventory.count == 1)
        #expect(device.reportMilliseconds == 28_800_000)
        #expect(device.address == .mqtt(parameters: ["base": "rooms/kitchen"]))
        let points = try #require(device.draft).points
        #expect(points.map { "\($0.name) \($0.unit)" } == ["door 1", "humidity %", "temperature Cel"])
        #expect(points[2].title == LocalizedText(vi: "Nhiệt độ", en: "Temperature"))
        let values = try listener.values(of: device, "rooms/kitchen/state", #"{"t":215,"h":"55"}"#)
        #expect(values == ["temperature": 21.5, "humidity": 55])
        #expect(try listener.values(of: device, "rooms/kitchen/door", "open") == ["door": 1])
        #expect(try listener.values(of: device, "rooms/kitchen/state", #"{"h":155}"#) == [:])
        guard case .availability(true) = try listener.outcome(of: device, "rooms/kitchen/alive", "yes").status else {
            Issue.record("the last will is not understood")
            return
        }
    }

    @Test func aDevicePayloadHasItsComponentsAndSharedMembers() throws {
        var listener = Listener()
        listener.hear(
            "homeassistant/device/ea33/config",
            """
            {"dev":{"ids":"ea33","name":"Kitchen"},"o":{"name":"bla2mqtt"},"cmps":{
            "t":{"p":"sensor","device_class":"temperature","unit_of_measurement":"°C",
            "value_template":"{{ value_json.temperature}}","unique_id":"t"},
            "gone":{"p":"sensor"},
            "mode":{"p":"select","options":["auto","off"],"value_template":"{{ value_json.mode }}"},
            "go":{"p":"button","command_topic":"x"}},"state_topic":"sensorBedroom/state"}
            """
        )
        let device = try #require(listener.device("home-assistant-ea33"))
        #expect(device.draft?.points.map(\.name) == ["mode", "temperature"])
        #expect(device.leftOut.map(\.name) == ["go"])
        let values = try listener.values(of: device, "sensorBedroom/state", #"{"temperature":20,"mode":"off"}"#)
        #expect(values == ["temperature": 20, "mode": 1])
    }

    @Test func espHomeIsReadByItsDiscoveryAndKnownByItsOwnTopic() throws {
        var listener = Listener()
        let own =
            #"{"ip":"10.0.0.5","name":"lab","friendly_name":"Lab","version":"2024.10.0","mac":"a0b1c2d3e4f5","board":"esp32dev"}"#
        listener.hear("esphome/discover/lab", own)
        let alone = try #require(listener.device("esphome-a0b1c2d3e4f5"))
        #expect(alone.draft == nil && alone.leftOut.first?.reason.en.contains("discovery: true") == true)
        listener.hear(
            "homeassistant/sensor/lab/co2/config",
            """
            {"dev_cla":"carbon_dioxide","unit_of_meas":"ppm","stat_cla":"measurement","name":"CO2",
            "stat_t":"lab/sensor/co2/state","avty_t":"lab/status","uniq_id":"ESPsensorco2",
            "dev":{"ids":"a0b1c2d3e4f5","name":"Lab","sw":"esphome v2024.10.0","mdl":"esp32dev","mf":"espressif"}}
            """
        )
        listener.hear("esphome/discover/lab", own)
        let device = try #require(listener.device("esphome-a0b1c2d3e4f5"))
        #expect(device.family == .esphome && listener.inventory.count == 1 && device.leftOut.isEmpty)
        #expect(device.address == .mqtt(parameters: ["base": "lab/sensor/co2/state"]))
        #expect(try listener.values(of: device, "lab/sensor/co2/state", "612") == ["co2": 612])
        // A value that the broker had kept is nothing of now; and `nan` is no value.
        let kept = try listener.outcome(of: device, "lab/sensor/co2/state", "612", isRetained: true)
        #expect(kept.values.map(\.quality) == [.uncertain(.stale)] && kept.isReplay)
        #expect(try listener.values(of: device, "lab/sensor/co2/state", "nan") == [:])
    }

    @Test func anEmptyPayloadTakesAComponentBackAndTheLastOneTheDevice() throws {
        var listener = Listener()
        listener.hear("homeassistant/sensor/a/config", Self.sensor(#""unit_of_meas":"°C""#))
        listener.hear("homeassistant/sensor/b/config", Self.sensor(#""unit_of_meas":"%""#))
        #expect(listener.inventory.all.first?.device.draft?.points.count == 2)
        listener.hear("homeassistant/sensor/b/config", "")
        #expect(listener.inventory.all.first?.device.draft?.points.count == 1)
        listener.hear("homeassistant/sensor/a/config", "")
        #expect(listener.inventory.count == 0)
    }

    @Test func aTemplateThatIsAProgramLeavesItsComponentOutWithTheReason() throws {
        var listener = Listener()
        listener.hear(
            "homeassistant/sensor/a/config",
            Self.sensor(#""unit_of_meas":"°C","val_tpl":"{% if value %}{{ states('x') }}{% endif %}""#)
        )
        let device = try #require(listener.inventory.all.first?.device)
        #expect(device.draft == nil && device.leftOut.map(\.name) == ["Temperature"])
        #expect(device.leftOut[0].reason.en.contains("is not run here"))
    }

    @Test func whatExpiresIsExpectedThreeTimesAsOften() throws {
        var listener = Listener()
        listener.hear("homeassistant/sensor/a/config", Self.sensor(#""unit_of_meas":"°C","exp_aft":90"#))
        #expect(listener.inventory.all.first?.device.reportMilliseconds == 30_000)
        listener.hear("homeassistant/sensor/a/config", Self.sensor(#""unit_of_meas":"°C","exp_aft":1e300"#))
        #expect(listener.inventory.all.first?.device.reportMilliseconds == 28_800_000)
    }

    @Test func whatZigbee2MQTTAnnouncesForOthersIsNotShownTwice() {
        var listener = Listener()
        listener.hear(
            "homeassistant/sensor/0x1/t/config",
            #"{"stat_t":"zigbee2mqtt/x","unit_of_meas":"°C","o":{"name":"Zigbee2MQTT"},"dev":{"ids":["zigbee2mqtt_0x1"]}}"#
        )
        #expect(listener.inventory.count == 0)
    }

    @Test func otherKindsOfComponentsAreRead() throws {
        var listener = Listener()
        listener.hear(
            "homeassistant/climate/ac/config",
            """
            {"name":"AC","curr_temp_t":"ac/now","temp_stat_t":"ac/set","mode_stat_t":"ac/mode","modes":["off","cool"]}
            """
        )
        listener.hear("homeassistant/cover/c/config", #"{"name":"Blind","stat_t":"c/s","pos_t":"c/p"}"#)
        listener.hear("homeassistant/lock/l/config", #"{"name":"Lock","stat_t":"l/s"}"#)
        listener.hear("homeassistant/light/j/config", #"{"name":"Lamp","schema":"json","stat_t":"j/s"}"#)
        listener.hear("homeassistant/number/n/config", #"{"name":"Level","stat_t":"n/s","min":1,"max":5}"#)
        let names = listener.inventory.all.compactMap { $0.device.draft?.points.map(\.name) }
        #expect(
            names == [
                ["ac-current_temperature", "ac-setpoint", "ac-mode"], ["blind", "blind-position"], ["lamp"], ["lock"],
                ["level"],
            ]
        )
        let climate = try #require(listener.inventory.all.first?.device)
        #expect(try listener.values(of: climate, "ac/mode", "cool") == ["ac-mode": 1])
    }
}
