import CampusModel
import DeviceProfile
import StrictYAML
import Testing

@testable import ProfileExchange

/// EdgeX profiles of device-modbus become profiles that read the same values.
struct EdgeXImportTests {
    /// An excerpt of `cmd/res/profiles/modbus.test.device.profile.yml` of device-modbus-go (Apache-2.0), with
    /// resources for what that has not.
    private static let bridge = """
        name: "Test-Device-Modbus-Profile"
        manufacturer: "Cool Automation"
        model: "CoolMasterNet"
        deviceResources:
        - name: "SwitchA"
          description: "On/Off , 0-OFF 1-ON"
          attributes: { primaryTable: "COILS", startingAddress: 0 }
          properties: { valueType: "Bool", readWrite: "RW" }
        - name: "OperationMode"
          attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: 1 }
          properties: { valueType: "Int16", readWrite: "RW", scale: 1, minimum: 0, maximum: 11 }
        - name: "CommunicationFailure"
          attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: 10.10 }
          properties: { valueType: "Bool", readWrite: "R" }
        - name: "RoomTemperature"
          attributes: { primaryTable: "INPUT_REGISTERS", startingAddress: 3, rawType: "Int16" }
          properties: { valueType: "Float32", readWrite: "R", scale: 0.1, units: "C" }
        - name: "Energy"
          attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: "20", isByteSwap: "false", isWordSwap: "true" }
          properties: { valueType: "Uint32", readWrite: "R", scale: "0.01", offset: 5, units: "kWh" }
        - name: "Label"
          attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: 30, stringRegisterSize: 4 }
          properties: { valueType: "String", readWrite: "R" }
        - name: "Reset"
          attributes: { primaryTable: "COILS", startingAddress: 5 }
          properties: { valueType: "Bool", readWrite: "W" }
        deviceCommands:
        - name: "Values"
          resourceOperations:
            - { deviceResource: "OperationMode", mappings: { "0":"Cool","1":"Heat","10":"VAM Heat" } }
        """

    @Test func resourcesBecomePoints() throws {
        let imported = try ImportedProfile.edgex(Self.bridge, file: "coolmaster.yml")
        let profile = try DeviceProfile.read(yaml: imported.yaml(), file: "test-device-modbus-profile.yaml")
        #expect(profile.vendor == "Cool Automation")
        #expect(GoldenRunner.run(profile).isEmpty)
        #expect(
            profile.points.map(\.name)
                == ["switch-a", "operation-mode", "communication-failure", "room-temperature", "energy", "label"]
        )
        #expect(profile.points.map(\.kind) == [.boolean, .enumeration, .boolean, .number, .number, .text])
        #expect(profile.points.map(\.unit) == ["1", "1", "1", "Cel", "kW.h", "1"])
        let sources = profile.points.compactMap { point in
            if case .register(let source) = point.source { source } else { nil }
        }
        #expect(sources.map(\.table) == [.coil, .holding, .holding, .input, .holding, .holding])
        #expect(sources.map(\.address) == [0, 1, 10, 3, 20, 30])
        #expect(sources[2].bits?.from == 10)
        #expect(sources[2].bits?.count == 1)
        #expect(sources[3].type == .int16)
        #expect(sources[4].wordOrder == .lowFirst)
        #expect(sources[4].byteOrder == .highFirst)
        #expect(sources[5].length == 4)
        #expect(profile.points[1].enumeration.map(\.label.en) == ["Cool", "Heat", "VAM Heat"])
        #expect(profile.points[4].scale.multiply == 0.01)
        #expect(profile.points[4].scale.add == 5)
        #expect(imported.remarks.map(\.name) == ["SwitchA", "OperationMode", "Reset"])
        #expect(imported.remarks.map(\.line) == [5, 9, 24])
    }

    /// EdgeX prints a number with two decimals before it takes the bit, and a text as it stands.
    @Test(arguments: [("10.1", 10), ("10.05", 5), ("\"10.1\"", 1), ("10", 0)])
    func aBitIsTheOneThatEdgeXReads(_ written: String, _ bit: Int) throws {
        let text = Self.bridge.replacing("10.10", with: written)
        let imported = try ImportedProfile.edgex(text, file: "a.yml")
        #expect(imported.points[2].bit == bit)
    }

    @Test(arguments: [
        ("10.10", "10.5", 13, "a register has bits 00 to 15"),
        ("startingAddress: 3,", "startingAddress: 65536,", 16, "is not an address from 0 to 65535"),
        ("\"COILS\", startingAddress: 0", "\"COIL\", startingAddress: 0", 7, "'COIL' is none of COILS"),
        ("stringRegisterSize: 4", "stringRegisterSize: 124", 22, "must be a whole number from 1 to 123"),
        ("scale: \"0.01\"", "scale: \"x\"", 20, "'x' is not a number"),
        ("scale: 0.1", "scale: 0", 17, "must not be 0"),
    ])
    func whatIsWrongIsToldWithItsLine(_ good: String, _ bad: String, _ line: Int, _ words: String) throws {
        let problems = #expect(throws: YAMLProblems.self) {
            try ImportedProfile.edgex(Self.bridge.replacing(good, with: bad), file: "a.yml")
        }
        let problem = try #require(problems?.problems.first)
        #expect(problem.line == line)
        #expect(problem.message.contains(words))
    }

    @Test func aProfileOfEdgeX1IsRefused() throws {
        let text = Self.bridge.replacing(
            #"{ valueType: "String", readWrite: "R" }"#,
            with: #"{ value: { type: "String" } }"#
        )
        let problems = #expect(throws: YAMLProblems.self) { try ImportedProfile.edgex(text, file: "a.yml") }
        #expect(problems?.description.contains("profile of EdgeX 1") == true)
    }

    @Test func textsOfTheFileCannotBreakTheProfile() throws {
        let hostile = #"quote \" back \\ {a: b} # no comment \n next: line"#
        let text = Self.bridge.replacing("On/Off , 0-OFF 1-ON", with: hostile)
        let yaml = try ImportedProfile.edgex(text, file: "a.yml").yaml()
        let profile = try DeviceProfile.read(yaml: yaml, file: "test-device-modbus-profile.yaml")
        #expect(profile.points[0].title.en == #"quote " back \ {a: b} # no comment next: line"#)
    }
}
