import Foundation
import Testing

/// Devices of a family that describes itself: imported, suggested, adopted, read; the built programs all the way.
@Suite(.serialized)
struct DescribedDevicesTests {
    private let folder: String

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("described-\(UUID())").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    private static let description = """
        [{"ieee_address":"0x00124b00120144ae","type":"Coordinator","friendly_name":"Coordinator","definition":null},
        {"ieee_address":"0x00158d00018255df","type":"Router","friendly_name":"my_plug","definition":{
        "model":"ZNCZ02LM","vendor":"Xiaomi","description":"Mi power plug ZigBee","exposes":[
        {"type":"switch","features":[{"type":"binary","name":"state","property":"state","value_on":"ON",
        "value_off":"OFF","access":7}]},
        {"type":"numeric","name":"power","property":"power","unit":"W","access":5},
        {"type":"enum","name":"identify","property":"identify","values":["blink"],"access":2}]}}]
        """

    private func campusctl(_ arguments: String...) async throws -> (code: Int32, output: String) {
        let output = "\(self.folder)/\(UUID())"
        let code = try await Child("\(Checkout.programs)/campusctl", arguments, output: output).wait()
        return (code, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    @Test func aDescribedDeviceIsImportedSuggestedAdoptedAndRead() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let file = "\(self.folder)/devices.json"
        try Self.description.write(toFile: file, atomically: true, encoding: .utf8)
        let profiles = "\(self.folder)/zigbee"
        let written = "\(profiles)/z2m-xiaomi-zncz02lm.yaml"

        let dry = try await self.campusctl(
            "profile",
            "import-devices",
            "--zigbee2mqtt",
            file,
            "--folder",
            profiles,
            "--dry-run"
        )
        #expect(dry.code == 0 && dry.output.contains("would be written: 2 points, 0 events"), "\(dry.output)")
        #expect(!FileManager.default.fileExists(atPath: profiles))

        let first = try await self.campusctl("profile", "import-devices", "--zigbee2mqtt", file, "--folder", profiles)
        #expect(first.code == 0, "\(first.output)")
        #expect(first.output.contains("without identify: not in the published state"))
        #expect(first.output.contains("profile: z2m-xiaomi-zncz02lm, parameters: {device: 'my_plug'}"))
        #expect(first.output.contains("left out 'Coordinator'"))
        let checked = try await self.campusctl("profile", "check", written)
        #expect(checked.code == 0, "\(checked.output)")

        let gateway = try RunningGateway(site: RunningGateway.oneRoom, profiles: "\(Checkout.profiles), \(profiles)")
        defer { gateway.stop() }
        try await gateway.start()
        try await gateway.publish("zigbee2mqtt/my_plug", #"{"state":"ON","power":12.5}"#)
        struct Entry: Decodable { var id: UInt64 }
        try await eventually("it waits for adoption") {
            (try? await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items.count) == 1
        }
        let entry = try await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items[0].id
        let adopted = try await self.campusctl(
            "adopt",
            "\(entry)",
            "--device",
            "plug",
            "--room",
            "r1",
            "--state",
            gateway.state
        )
        #expect(adopted.code == 0, "\(adopted.output)")
        try await gateway.publish("zigbee2mqtt/my_plug", #"{"state":"OFF","power":13.5}"#)
        try await eventually("its power is read") { (try? await gateway.latest("plug/power")) == 13.5 }
        #expect(try await gateway.latest("plug/state") == 0)
    }

    @Test func aChangedDescriptionChangesNoProfileUnlessAsked() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let file = "\(self.folder)/devices.json"
        let profiles = "\(self.folder)/zigbee"
        let written = "\(profiles)/z2m-xiaomi-zncz02lm.yaml"
        try Self.description.write(toFile: file, atomically: true, encoding: .utf8)
        _ = try await self.campusctl("profile", "import-devices", "--zigbee2mqtt", file, "--folder", profiles)
        let before = try String(contentsOfFile: written, encoding: .utf8)
        let again = try await self.campusctl("profile", "import-devices", "--zigbee2mqtt", file, "--folder", profiles)
        #expect(again.code == 0 && again.output.contains("is there already"), "\(again.output)")

        try Self.description.replacingOccurrences(of: #""unit":"W""#, with: #""unit":"kW""#)
            .write(toFile: file, atomically: true, encoding: .utf8)
        let changed = try await self.campusctl("profile", "import-devices", "--zigbee2mqtt", file, "--folder", profiles)
        #expect(changed.code == 1 && changed.output.contains("differs"), "\(changed.output)")
        #expect(try String(contentsOfFile: written, encoding: .utf8) == before)
        let replaced = try await self.campusctl(
            "profile",
            "import-devices",
            "--zigbee2mqtt",
            file,
            "--folder",
            profiles,
            "--replace"
        )
        #expect(replaced.code == 0, "\(replaced.output)")
        #expect(try String(contentsOfFile: written, encoding: .utf8).contains(#"unit: "kW""#))

        try "{}".write(toFile: file, atomically: true, encoding: .utf8)
        let broken = try await self.campusctl("profile", "import-devices", "--zigbee2mqtt", file, "--folder", profiles)
        #expect(broken.code == 1 && broken.output.contains("list of devices"), "\(broken.output)")
    }
}
