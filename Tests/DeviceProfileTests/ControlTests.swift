import CampusModel
import DeviceProfile
import Testing

/// Only what the profile allows is ever sent.
struct ControlTests {
    private static let text = ProfileText.modbus(
        """
        points:
          - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: input, address: 4, type: int16}, scale: {divide: 10}}
        controls:
          - name: setpoint
            title: {vi: Nhiệt độ đặt, en: Set-point}
            unit: Cel
            wire: {table: holding, address: 4, type: int16}
            scale: {divide: 10}
            range: {min: 16, max: 30}
            step: 0.5
            roles: [facility, lab]
            minimumIntervalSeconds: 2.5
            readback: {point: setpoint, withinSeconds: 10, tolerance: 0.05}
            safe: 26
            confirm: {vi: "Đổi nhiệt độ?", en: "Change it?"}
          - {name: power, title: {vi: P, en: P}, kind: boolean, wire: {table: coil, address: 0}, readback: none}
          - {name: relays, title: {vi: R, en: R}, kind: boolean, wire: {table: coil, address: 3, function: multiple}, readback: none}
          - name: mode
            title: {vi: M, en: M}
            kind: enumeration
            wire: {table: holding, address: 1, type: uint16}
            enumeration: [{value: 0, vi: Lạnh, en: Cool}, {value: 2, vi: Khô, en: Dry}]
            readback: none
          - {name: level, title: {vi: L, en: L}, unit: "%", wire: {table: holding, address: 7, type: float32, wordOrder: low-first}, range: {min: 0, max: 100}, readback: none}
          - {name: flash, title: {vi: F, en: F}, kind: command, wire: {table: coil, address: 0x0200, type: uint16}, value: 7, readback: none}
        tests:
          - name: "set-point of 25.5"
            write: {control: setpoint, value: 25.5}
            modbus: [{request: "01 06 00 04 00 FF 88 4B", response: "01 06 00 04 00 FF 88 4B"}]
          - name: "0.7 s of relay 1"
            write: {control: flash}
            modbus: [{request: "01 05 02 00 00 07 8D B0", response: "01 05 02 00 00 07 8D B0"}]
        """
    )

    private func control(_ name: String) throws -> ControlDefinition {
        let profile = try ProfileText.read(Self.text)
        return try #require(profile.controls.first { $0.name == name })
    }

    @Test func goldenCasesAreTheBytesThatAreSent() throws {
        let profile = try ProfileText.read(Self.text)
        #expect(GoldenRunner.run(profile).map(\.description) == [])
        let wrong = try ProfileText.read(Self.text.replacing("value: 25.5}", with: "value: 25}"))
        #expect(GoldenRunner.run(wrong).contains { $0.message.contains("06 00 04 00 FA") })
    }

    @Test(
        arguments: [
            ("setpoint", 25.5, 6, 4, [255]), ("setpoint", 16, 6, 4, [160]), ("power", 1, 5, 0, [0xFF00]),
            ("power", 0, 5, 0, [0]), ("relays", 1, 15, 3, [1]), ("mode", 2, 6, 1, [2]),
            ("level", 21.5, 16, 7, [0x0000, 0x41AC]),
        ] as [(String, Double, UInt8, UInt16, [UInt16])]
    )
    func anAllowedValueBecomesItsRequest(
        name: String,
        value: Double,
        function: UInt8,
        address: UInt16,
        words: [UInt16]
    ) throws {
        #expect(
            try self.control(name).write(value) == .registers(function: function, address: address, words: words)
        )
    }

    @Test(
        arguments: [
            ("setpoint", 15.5, "16"), ("setpoint", 30.1, "30"), ("setpoint", 25.25, "0.5"), ("setpoint", .nan, "value"),
            ("setpoint", .infinity, "value"), ("power", 2, "0 or 1"), ("mode", 1, "0, 2"), ("level", -0.001, "0"),
            ("setpoint", nil, "value"), ("flash", 1, "no value"),
        ] as [(String, Double?, String)]
    )
    func anythingElseIsRefusedWithTheReason(name: String, value: Double?, word: String) throws {
        let control = try self.control(name)
        let refusal = #expect(throws: ControlRefusal.self) { try control.write(value) }
        #expect(refusal?.en.contains(word) == true, "\(refusal?.en ?? "")")
    }

    @Test func theDeclarationIsReadWhole() throws {
        let control = try self.control("setpoint")
        #expect(control.roles == [.facility, .lab])
        #expect(control.minimumIntervalMilliseconds == 2_500)
        #expect(control.readback == .point(0, withinMilliseconds: 10_000, tolerance: 0.05))
        #expect(control.safe == 26)
        #expect(control.confirmation?.vi == "Đổi nhiệt độ?")
        let power = try self.control("power")
        #expect(power.roles == [.facility] && power.minimumIntervalMilliseconds == 1_000 && power.readback == .none)
    }

    @Test(arguments: [
        ("table: holding, address: 4", "table: input, address: 4", "only coils and holding"),
        ("    range: {min: 16, max: 30}\n", "", "needs 'range'"),
        ("safe: 26", "safe: 31", "31 cannot be written"),
        ("{point: setpoint, withinSeconds", "{point: setpont, withinSeconds", "did you mean 'setpoint'"),
        ("roles: [facility, lab]", "roles: [teacher]", "facility, lab"),
        ("readback: none}\n  - {name: relays", "}\n  - {name: relays", "readback"),
        ("type: int16}\n    scale", "type: int16, bits: {from: 0, count: 4}}\n    scale", "slice"),
        ("value: 7,", "", "'value' is missing"),
        ("step: 0.5", "step: 0", "step"),
        ("write: {control: setpoint,", "write: {control: setpont,", "setpont"),
    ])
    func aMistakeInAControlIsNamed(old: String, new: String, word: String) {
        let changed = Self.text.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.text, "\(old)")
        let found = ProfileText.problems(changed)
        #expect(found.contains { $0.contains(word) }, "\(found)")
    }

    private static let published = ProfileText.mqtt(
        """
        mqtt:
          messages:
            - {name: power, topic: "stat/{device}/POWER", payload: text}
        points:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {}}
        controls:
          - name: relay
            title: {vi: R, en: R}
            kind: boolean
            wire: {topic: "cmnd/{device}/POWER", payload: "{value}"}
            enumeration: [{value: 0, text: "OFF", vi: Tắt, en: "Off"}, {value: 1, text: "ON", vi: Bật, en: "On"}]
            readback: {point: relay}
          - {name: dim, title: {vi: D, en: D}, unit: "%", wire: {topic: "x/{device}", payload: '{"d":"{device}","v":{value},"n":{"k":1}}'}, range: {min: 0, max: 100}, readback: none}
          - {name: toggle, title: {vi: T, en: T}, kind: command, wire: {topic: "cmnd/{device}/POWER", payload: TOGGLE}, value: 0, readback: none}
        tests:
          - name: on
            write: {control: relay, value: 1}
            mqtt: {topic: cmnd/lamp/POWER, payload: "ON"}
            parameters: {device: lamp}
          - name: dimmed
            write: {control: dim, value: 42.5}
            mqtt: {topic: x/lamp, payload: '{"d":"lamp","v":42.5,"n":{"k":1}}'}
            parameters: {device: lamp}
          - name: toggled
            write: {control: toggle}
            mqtt: {topic: cmnd/lamp/POWER, payload: TOGGLE}
            parameters: {device: lamp}
        """
    )

    @Test func aMessageHasTheValueAndTheParametersInTheirPlaces() throws {
        let profile = try ProfileText.read(Self.published)
        #expect(GoldenRunner.run(profile).map(\.description) == [])
        // What a parameter brings is text, not another placeholder.
        let written = try profile.controls[1].write(1, parameters: ["device": "{value}"])
        #expect(written == .message(topic: "x/{value}", payload: #"{"d":"{value}","v":1,"n":{"k":1}}"#))
        #expect(throws: ControlRefusal.self) { try profile.controls[0].write(1, parameters: [:]) }
        #expect(throws: ControlRefusal.self) { try profile.controls[0].write(1, parameters: ["device": "#"]) }
    }

    @Test func aDeviceReadsThePayloadAsItWasMeant() throws {
        let profile = try ProfileText.read(Self.published)
        let parameters = ["device": "lamp"]
        for (control, values) in zip(profile.controls, [[0, 1], [0, 42.5, 100], [nil]] as [[Double?]]) {
            for value in values {
                guard case .message(_, let payload) = try control.write(value, parameters: parameters) else { continue }
                #expect(control.value(ofPayload: payload, parameters: parameters) == value ?? control.fixed)
            }
            for other in ["", "on", "{", "{value}", #"{"d":"lamp","v":,"n":{"k":1}}"#] {
                #expect(control.value(ofPayload: other, parameters: parameters) == nil, "\(control.name) \(other)")
            }
        }
    }

    @Test func aPayloadWithoutItsValueIsAMistake() {
        let found = ProfileText.problems(Self.published.replacing("payload: \"{value}\"", with: "payload: \"ON\""))
        #expect(found.contains { $0.contains("{value}") })
    }
}
