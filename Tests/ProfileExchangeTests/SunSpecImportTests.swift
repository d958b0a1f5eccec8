import DeviceProfile
import StrictYAML
import Testing

@testable import ProfileExchange

/// SunSpec models become profiles, with their scale factors, sentinels and named bits.
struct SunSpecImportTests {
    /// An excerpt of `json/model_103.json` of sunspec/models (Apache-2.0).
    private static let inverter = """
        {
            "group": {
                "label": "Inverter (Three Phase)", "name": "inverter", "type": "group",
                "points": [
                    {"name": "ID", "size": 1, "static": "S", "type": "uint16", "value": 103},
                    {"name": "L", "size": 1, "static": "S", "type": "uint16"},
                    {"label": "Amps", "name": "A", "sf": "A_SF", "size": 1, "type": "uint16", "units": "A"},
                    {"name": "A_SF", "size": 1, "type": "sunssf"},
                    {"label": "WattHours", "name": "WH", "sf": "A_SF", "size": 2, "type": "acc32", "units": "Wh"},
                    {"label": "PF", "name": "PF", "sf": -2, "size": 1, "type": "int16", "units": "Furlong"},
                    {"label": "Operating State", "name": "St", "size": 1, "type": "enum16", "symbols": [
                        {"name": "OFF", "value": 1}, {"name": "MPPT", "value": 4}]},
                    {"label": "Event1", "name": "Evt1", "size": 2, "type": "bitfield32", "symbols": [
                        {"name": "GROUND_FAULT", "value": 0}, {"name": "OVER_TEMP", "value": 7}]},
                    {"name": "Evt2", "size": 2, "type": "bitfield32"},
                    {"name": "Pad", "size": 1, "type": "pad"},
                    {"label": "Limit", "name": "Lim", "size": 1, "type": "uint16", "access": "RW"},
                    {"name": "Addr", "size": 4, "type": "eui48"},
                    {"label": "Serial", "name": "SN", "size": 8, "type": "string", "static": "S"}
                ],
                "groups": [
                    {"name": "phase", "count": 2, "points": [{"name": "V", "size": 1, "type": "float32"}]}
                ]
            },
            "id": 103
        }
        """

    private static func profile(_ yaml: String, _ id: String) throws -> DeviceProfile {
        try DeviceProfile.read(yaml: yaml, file: "\(id).yaml")
    }

    @Test func pointsHaveAddressesScalesAndSentinelsOfTheModel() throws {
        let text = Self.inverter.replacing(#""size": 1, "type": "float32""#, with: #""size": 2, "type": "float32""#)
        let imported = try ImportedProfile.sunspec(text, file: "model_103.json")
        let profile = try Self.profile(imported.yaml(), imported.id)
        #expect(profile.id == "sunspec-inverter-three-phase-103")
        #expect(profile.verification == nil)
        #expect(profile.sources.map(\.trust) == [.community])
        #expect(GoldenRunner.run(profile).isEmpty)
        func source(_ name: String) throws -> RegisterSource? {
            let point = try #require(profile.points.first { $0.name == name })
            guard case .register(let source) = point.source else { return nil }
            return source
        }
        // Counted by hand in the model: ID 0, L 1, A 2, A_SF 3, WH 4–5, PF 6, St 7, Evt1 8–9, Evt2 10–11, Pad 12,
        // Lim 13, Addr 14–17, SN 18–25, phase 26–29.
        #expect(try source("a")?.address == 2)
        #expect(try source("wh")?.address == 4)
        #expect(try source("wh")?.type == .uint32)
        #expect(try source("lim")?.address == 13)
        #expect(try source("sn")?.address == 18)
        #expect(try source("sn")?.length == 8)
        #expect(try source("phase-2-v")?.address == 28)
        #expect(try source("evt1-over-temp")?.bits?.from == 7)
        let current = try #require(profile.points.first { $0.name == "a" })
        #expect(current.scale.exponentFrom.map { profile.points[$0].name } == "a-sf")
        #expect(current.invalid == [.value(65_535)])
        #expect(profile.points.first { $0.name == "pf" }?.scale.multiply == 0.01)
        #expect(profile.points.first { $0.name == "st" }?.enumeration.map(\.value) == [1, 4])
        #expect(imported.remarks.map(\.name) == ["PF", "Evt2", "Lim", "Addr"])
        #expect(imported.remarks.map(\.line) == [10, 15, 17, 18])
    }

    @Test func framesOfAnInverterDecodeWithTheImportedProfile() throws {
        let text = Self.inverter.replacing(#""size": 1, "type": "float32""#, with: #""size": 2, "type": "float32""#)
        let imported = try ImportedProfile.sunspec(text, file: "model_103.json")
        // Registers 2 to 9: 1234, exponent −2, 70000, power factor −98, state 4, bits 7; then highest bit set.
        for (bits, temperature) in [("00 00 00 80", "1"), ("80 00 00 80", #"{quality: "bad:notReady"}"#)] {
            let data = "04 D2 FF FE 00 01 11 70 FF 9E 00 04 \(bits)"
            let yaml = Self.withCase(
                try imported.yaml(),
                response: "01 03 10 \(data)",
                expect: "{a: 12.34, wh: 700, pf: -0.98, st: 4, evt1-over-temp: \(temperature)}"
            )
            #expect(try GoldenRunner.run(Self.profile(yaml, imported.id)).map(\.description) == [])
        }
    }

    private static func withCase(_ yaml: String, response: String, expect: String) -> String {
        func closed(_ frame: String) -> String {
            let bytes = HexText.bytes(frame) ?? []
            let crc = ModbusCRC.value(of: bytes)
            return HexText.text(bytes + [UInt8(crc & 0xFF), UInt8(crc >> 8)])
        }
        let request = closed("01 03 00 02 00 08")
        return yaml
            + "  - {name: more, modbus: [{request: \"\(request)\", response: \"\(closed(response))\"}], expect: \(expect)}\n"
    }

    @Test func aWrongSizeIsToldWithItsLine() throws {
        let problems = #expect(throws: YAMLProblems.self) {
            try ImportedProfile.sunspec(Self.inverter, file: "model_103.json")
        }
        let first = try #require(problems?.problems.first)
        #expect(first.description.hasPrefix("model_103.json:22:"))
        #expect(first.message == "a point of type float32 has 2 registers, not 1")
    }

    @Test func nothingBehindARepeatedGroupIsTaken() throws {
        let text = Self.inverter.replacing(#""count": 2"#, with: #""count": "N""#)
        let imported = try ImportedProfile.sunspec(text, file: "model_103.json")
        #expect(imported.points.allSatisfy { !$0.name.hasPrefix("phase") })
        #expect(imported.remarks.last?.name == "phase")
        #expect(
            try imported.yaml().contains("#   line 22: phase: how often the group is repeated only the device tells")
        )
    }

    @Test(arguments: ["", "[]", "{}", "{\"id\": 0}", "{\"id\": 1, \"group\": {\"points\": []}}", "{\"id\": 1", "\0"])
    func whatIsNoModelIsRefusedWithAPlace(_ text: String) {
        let problems = #expect(throws: YAMLProblems.self) { try ImportedProfile.sunspec(text, file: "x.json") }
        #expect(problems?.description.hasPrefix("x.json") == true)
    }
}
