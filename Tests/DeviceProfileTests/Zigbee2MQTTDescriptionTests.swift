import CampusModel
import Testing

@testable import DeviceProfile

/// Payloads as "MQTT Topics and Messages" and "Exposes" of zigbee2mqtt.io show them.
struct Zigbee2MQTTDescriptionTests {
    private static let plug = """
        {"ieee_address":"0x00158d00018255df","type":"Router","network_address":29159,"supported":true,
        "friendly_name":"my_plug","endpoints":{"1":{"bindings":[],"clusters":{"input":["genOnOff"],"output":[]}}},
        "definition":{"model":"ZNCZ02LM","vendor":"Xiaomi","description":"Mi power plug ZigBee","options":[],"exposes":[
        {"type":"switch","features":[{"type":"binary","name":"state","property":"state","value_on":"ON",
        "value_off":"OFF","value_toggle":"TOGGLE","access":7}]},
        {"type":"numeric","name":"power","label":"Power","property":"power","unit":"W","access":5},
        {"type":"numeric","name":"energy","property":"energy","unit":"kWh","access":1},
        {"type":"enum","name":"identify","property":"identify","values":["blink","okay"],"access":2},
        {"type":"list","name":"no_occupancy_since","property":"no_occupancy_since","access":1,
        "item_type":{"access":3,"name":"temperature","type":"numeric"}},
        {"type":"numeric","name":"color_temp","property":"color_temp","unit":"mired","access":1},
        {"type":"numeric","name":"linkquality","property":"linkquality","unit":"lqi","value_min":0,"value_max":255,
        "access":1}]},"power_source":"Mains (single phase)","interview_completed":true}
        """
    private static let coordinator = """
        {"ieee_address":"0x00124b00120144ae","type":"Coordinator","friendly_name":"Coordinator","definition":null}
        """
    private static let unknown = """
        {"ieee_address":"0x00169a00022256da","type":"Router","supported":false,"friendly_name":"my_sensor",
        "definition":null,"model_id":null}
        """

    private static func device(_ name: String, model: String = "M1", exposes: String) -> String {
        """
        {"ieee_address":"0x1","type":"EndDevice","friendly_name":"\(name)","definition":{"model":"\(model)",
        "vendor":"Vendor","description":"A thing","exposes":[\(exposes)]}}
        """
    }

    private func read(_ devices: String..., base: String = "zigbee2mqtt") throws -> DescribedDevices {
        try Zigbee2MQTTDescription(baseTopic: base).read(Array("[\(devices.joined(separator: ","))]".utf8))
    }

    private func outcome(_ profile: DeviceProfile, _ topic: String, _ payload: String, device: String) throws
        -> MessageOutcome
    {
        let decoder = try MessageDecoder(
            profile: profile,
            device: DeviceID(rawValue: "d"),
            parameters: ["device": device],
            zonelessOffsetSeconds: 0
        )
        return decoder.decode(
            topic: topic,
            payload: Array(payload.utf8),
            isRetained: false,
            arrival: Tick(milliseconds: 1)
        )
    }

    @Test func theDocumentedPlugBecomesAProfileThatDecodesItsState() throws {
        let found = try self.read(Self.plug, Self.coordinator, Self.unknown)
        #expect(
            found.devices == [
                DescribedDevices.Device(
                    name: "my_plug",
                    hardware: "0x00158d00018255df",
                    profile: "z2m-xiaomi-zncz02lm",
                    parameters: ["device": "my_plug"]
                )
            ]
        )
        #expect(found.leftOut.map(\.name) == ["Coordinator", "my_sensor"])
        let model = try #require(found.profiles.first)
        let profile = model.profile
        #expect(profile.vendor == "Xiaomi" && profile.model == "ZNCZ02LM" && profile.category == .energy)
        #expect(profile.points.map(\.name) == ["state", "power", "energy", "linkquality"])
        #expect(profile.points.map(\.unit) == ["1", "W", "kW.h", "{index}"])
        #expect(profile.points[1].title == LocalizedText(vi: "Công suất", en: "Power"))
        #expect(profile.points[3].range == 0...255)
        #expect(profile.controls.isEmpty && profile.verification == nil)
        #expect(model.leftOut.map(\.name) == ["identify", "no_occupancy_since", "color_temp"])
        #expect(model.leftOut[2].reason.en.contains("'mired'"))
        let state = #"{"state":"ON","power":12.5,"energy":3.25,"linkquality":87,"update":{"state":"idle"}}"#
        let outcome = try self.outcome(profile, "zigbee2mqtt/my_plug", state, device: "my_plug")
        #expect(outcome.values.map(\.value) == [1, 12.5, 3.25, 87])
        #expect(outcome.values.allSatisfy { $0.quality == .good })
    }

    @Test func devicesOfOneModelShareAProfileAndOthersOfThatModelHaveTheirOwn() throws {
        let one = #"{"type":"numeric","name":"temperature","property":"temperature","unit":"°C","access":1}"#
        let two = one + #",{"type":"numeric","name":"humidity","property":"humidity","unit":"%","access":1}"#
        let found = try self.read(
            Self.device("a", exposes: one),
            Self.device("b", exposes: two),
            Self.device("hall/c", exposes: one)
        )
        #expect(found.devices.map(\.profile) == ["z2m-vendor-m1", "z2m-vendor-m1-2", "z2m-vendor-m1"])
        #expect(found.profiles.map(\.profile.id) == ["z2m-vendor-m1", "z2m-vendor-m1-2"])
        // A friendly name with a slash is two levels of the topic.
        let outcome = try self.outcome(
            found.profiles[0].profile,
            "zigbee2mqtt/hall/c",
            #"{"temperature":21.5}"#,
            device: "hall/c"
        )
        #expect(outcome.values.map(\.value) == [21.5])
    }

    @Test func aButtonIsAnEventEvenWhenNothingElseIsInItsMessage() throws {
        let exposes = """
            {"type":"enum","name":"action","property":"action","values":["single","double"],"access":1},
            {"type":"numeric","name":"battery","property":"battery","unit":"%","value_min":0,"value_max":100,"access":1}
            """
        let found = try self.read(Self.device("button", exposes: exposes))
        let profile = try #require(found.profiles.first).profile
        let press = try self.outcome(profile, "zigbee2mqtt/button", #"{"action":"double"}"#, device: "button")
        #expect(press.events.map { $0.fields.map(\.text) } == [["double"]])
        let both = #"{"action":"single","battery":50}"#
        let second = try self.outcome(profile, "zigbee2mqtt/button", both, device: "button")
        #expect(second.events.count == 1 && second.values.map(\.value) == [50])
        let state = try self.outcome(profile, "zigbee2mqtt/button", #"{"battery":49}"#, device: "button")
        #expect(state.events.isEmpty && state.values.map(\.value) == [49])
        let release = try self.outcome(profile, "zigbee2mqtt/button", #"{"action":"","battery":48}"#, device: "button")
        #expect(release.events.isEmpty && release.values.map(\.value) == [48])
    }

    @Test func nestedAndNamedValuesKeepTheirMeaning() throws {
        let exposes = """
            {"type":"light","features":[{"type":"numeric","name":"color_temp_startup","property":"color_temp_startup",
            "value_min":150,"value_max":500,"access":7,"presets":[{"name":"previous","value":65535},
            {"name":"coolest","value":150}]},
            {"type":"composite","name":"color_xy","property":"color","features":[
            {"type":"numeric","name":"x","property":"x","access":7},{"type":"numeric","name":"y","property":"y","access":7}]}]},
            {"type":"cover","features":[{"type":"binary","name":"state","property":"state","value_on":"OPEN",
            "value_off":"CLOSE","access":7}]},
            {"type":"binary","name":"contact","property":"contact","value_on":false,"value_off":true,"access":1},
            {"type":"enum","name":"system_mode","property":"system_mode","values":["off","auto","heat"],"access":7},
            {"type":"numeric","name":"pm25","property":"pm25","unit":"\u{3BC}g/m³","access":1},
            {"type":"text","name":"inserted","property":"inserted","access":1}
            """
        let profile = try #require(try self.read(Self.device("x", exposes: exposes)).profiles.first).profile
        #expect(
            profile.points.map(\.name) == [
                "color_temp_startup", "color-x", "color-y", "state", "contact", "system_mode", "pm25", "inserted",
            ]
        )
        let payload = """
            {"color_temp_startup":65535,"color":{"x":0.3,"y":0.4},"state":"CLOSE","contact":true,"system_mode":"heat",
            "pm25":7,"inserted":"yes"}
            """
        let outcome = try self.outcome(profile, "zigbee2mqtt/x", payload, device: "x")
        #expect(outcome.values.first?.quality == .bad(.sentinel))
        #expect(outcome.values.dropFirst().map(\.value) == [0.3, 0.4, 0, 1, 2, 7])
        #expect(profile.points[4].enumeration.first { $0.value == 1 }?.label == LocalizedText(vi: "đóng", en: "closed"))
        #expect(profile.points[6].unit == "ug/m3")
    }

    @Test(arguments: [
        ("", "not JSON"), ("{}", "list of devices"), ("[", "not JSON"), (#"[{"a":1,"a":2}]"#, "twice"),
        (String(repeating: "[", count: 40), "deep"), ("[\"\u{0}\"]", "not JSON"),
        ("[" + String(repeating: "0,", count: 2_000) + "0]", "more than"),
    ])
    func aPayloadThatIsNoDescriptionIsRefusedWithItsReason(payload: String, reason: String) {
        let error = #expect(throws: DescriptionError.self) {
            try Zigbee2MQTTDescription().read(Array(payload.utf8))
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["", "a/+", "#", "a{b}", "a/", "a\u{0}b"])
    func aBaseTopicThatCannotBeOneIsRefused(base: String) {
        #expect(throws: DescriptionError.self) { try Zigbee2MQTTDescription(baseTopic: base) }
    }

    @Test(arguments: [
        "7", "null", #"{"friendly_name":"a/#","definition":{}}"#, #"{"friendly_name":"","definition":{}}"#,
        #"{"friendly_name":"a","definition":7}"#, #"{"friendly_name":"a","definition":{"exposes":{}}}"#,
        #"{"friendly_name":"a","disabled":true,"definition":{"exposes":[]}}"#,
        #"{"friendly_name":"a","definition":{"exposes":[7,null,{"type":"numeric","access":1}]}}"#,
        #"{"friendly_name":"a","definition":{"exposes":[{"type":"numeric","property":"p","access":1.5}]}}"#,
        #"{"friendly_name":"a","definition":{"exposes":[{"type":"numeric","property":"p","unit":"furlong","access":1}]}}"#,
        #"{"friendly_name":"a","definition":{"exposes":[{"type":"enum","property":"p","values":[1],"access":1}]}}"#,
        #"{"friendly_name":"a","definition":{"exposes":[{"type":"binary","property":"p","access":1}]}}"#,
    ])
    func aDeviceThatCannotBeTakenIsToldAndTheOthersStay(device: String) throws {
        let found = try self.read(device, Self.plug)
        #expect(found.leftOut.count == 1)
        #expect(found.leftOut.first.map { !$0.reason.vi.isEmpty && !$0.reason.en.isEmpty } == true)
        #expect(found.devices.map(\.name) == ["my_plug"])
    }

    @Test(arguments: [
        "\\\" } ] & *x '", "- - -\\n!!x", "\\u0000\\u2028\\uFEFF", "{a: b}", "%TAG", "~/", "tên tiếng Việt",
        "\u{1F600}",
    ])
    func hostileWordsStayWordsOfTheProfile(word: String) throws {
        let exposes = """
            {"type":"enum","name":"m","label":"\(word)","property":"m","values":["\(word)","b"],"access":1},
            {"type":"numeric","name":"\(word)","property":"\(word)","access":1},
            {"type":"numeric","name":"t","label":"\(word)","property":"t","unit":"\(word)","access":1},
            {"type":"numeric","name":"u","label":"\(word)","property":"u","access":1}
            """
        let found = try self.read(Self.device("ok", model: word, exposes: exposes))
        let model = try #require(found.profiles.first)
        #expect(found.leftOut.isEmpty && found.devices.count == 1)
        #expect(model.profile.points.contains { $0.name == "u" })
        #expect(!model.profile.points.contains { $0.name == "t" })
        #expect(!model.yaml.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    }

    @Test func changedBytesOfADescriptionNeverTrapAndNeverGiveAProfileThatFails() throws {
        let original = Array("[\(Self.plug),\(Self.coordinator)]".utf8)
        var random = SystemRandomNumberGenerator()
        let description = try Zigbee2MQTTDescription()
        var taken = 0
        for _ in 0..<2_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0xFF, using: &random)
            }
            guard let found = try? description.read(bytes) else { continue }
            taken += found.profiles.count
            for model in found.profiles { #expect(GoldenRunner.run(model.profile).isEmpty) }
        }
        #expect(taken > 0)
    }
}
