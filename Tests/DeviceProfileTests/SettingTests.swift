import CampusModel
import DeviceProfile
import Testing

/// One file for a device with switches: what holds is what whoever installed it says.
struct SettingTests {
    private static let text = ProfileText.modbus(
        """
        settings:
          - name: format
            title: {vi: Đơn vị, en: Format}
            default: celsius
            options:
              - {value: celsius, vi: "°C", en: "°C"}
              - {value: tenths, vi: "°C × 10", en: "°C × 10"}
              - {value: fahrenheit, vi: "°F", en: "°F"}
          - name: gas
            title: {vi: Khí, en: Gas}
            options:
              - {value: co, vi: CO, en: CO}
              - {value: o2, vi: O2, en: O2}
        points:
          - {name: status, title: {vi: S, en: S}, unit: "1", wire: {table: holding, address: 9, type: uint16}}
          - {name: t, only: {format: celsius}, title: {vi: T, en: T}, unit: Cel, wire: {table: holding, address: 0, type: int16}}
          - {name: t, only: {format: tenths}, title: {vi: T, en: T}, unit: Cel, wire: {table: holding, address: 0, type: int16}, scale: {divide: 10}}
          - {name: t, only: {format: [fahrenheit]}, title: {vi: T, en: T}, unit: "[degF]", wire: {table: holding, address: 0, type: int16}}
          - {name: co, only: {gas: co, format: [celsius, tenths]}, title: {vi: C, en: C}, unit: "[ppm]", wire: {table: holding, address: 1, type: uint16}, validWhen: {point: t, notEquals: -1}}
        tests:
          - name: tenths
            settings: {format: tenths, gas: o2}
            modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 FA 38 07"}]
            expect: {t: 25}
          - name: "the default"
            settings: {gas: co}
            modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 FA 38 07"}]
            expect: {t: 250}
        """
    )

    @Test func eachChoiceHasItsPointsAndUnits() throws {
        let profile = try ProfileText.read(Self.text)
        #expect(GoldenRunner.run(profile).map(\.description) == [])
        #expect(profile.points.map(\.name) == ["status", "t", "co"], "as read: defaults, and the first option")
        let tenths = try profile.configured(settings: ["format": "tenths", "gas": "co"])
        #expect(tenths.points.map(\.unit) == ["1", "Cel", "[ppm]"])
        #expect(tenths.points[2].validities.map(\.point) == [1], "the reference means the point that holds")
        let fahrenheit = try tenths.configured(settings: ["format": "fahrenheit", "gas": "co"])
        #expect(fahrenheit.points.map(\.unit) == ["1", "[degF]"])
    }

    @Test(arguments: [
        (["format": "kelvin", "gas": "co"], "celsius, tenths, fahrenheit"),
        (["formt": "tenths", "gas": "co"], "formt"),
        ([:], "gas"), (["format": "celsius"], "co, o2"),
    ])
    func aChoiceThatIsNoneIsAnErrorThatNamesTheOptions(settings: [String: String], word: String) throws {
        let profile = try ProfileText.read(Self.text)
        let error = #expect(throws: ProfileSettingError.self) { try profile.configured(settings: settings) }
        #expect(error?.en.contains(word) == true && error?.vi.contains(word) == true)
    }

    @Test(arguments: [
        ("only: {format: tenths}", "only: {format: [celsius, tenths]}", "two points are called 't'"),
        ("only: {format: tenths}", "only: {frmat: tenths}", "did you mean 'format'"),
        ("only: {format: tenths}", "only: {format: tens}", "celsius, tenths, fahrenheit"),
        ("only: {format: [fahrenheit]}, ", "only: {format: [fahrenheit], gas: co}, ", ""),
        ("only: {gas: co, format: [celsius, tenths]}, ", "only: {gas: co}, ", ""),
        ("validWhen: {point: t, notEquals: -1}", "validWhen: {point: tt, notEquals: -1}", "did you mean 't'"),
        ("default: celsius", "default: kelvin", "kelvin"),
        ("settings: {gas: co}", "settings: {gas: n2}", "co, o2"),
        ("settings: {gas: co}", "settings: {gaz: co}", "gaz"),
    ])
    func whatDoesNotFitTogetherIsNamed(old: String, new: String, word: String) {
        let changed = Self.text.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.text)
        let found = ProfileText.problems(changed)
        if word.isEmpty {
            #expect(found == [])
        } else {
            #expect(found.contains { $0.contains(word) && !$0.contains(":0:") }, "\(found)")
        }
    }

    @Test func aReferenceToWhatIsNotThereInOneCombinationNamesIt() {
        let narrow = "only: {format: fahrenheit, gas: o2}, title"
        let changed = Self.text.replacing("only: {format: [fahrenheit]}, title", with: narrow)
            .replacing("only: {gas: co, format: [celsius, tenths]}, ", with: "only: {gas: co}, ")
        let found = ProfileText.problems(changed)
        #expect(found.contains { $0.contains("'t'") && $0.contains("format: fahrenheit, gas: co") }, "\(found)")
    }

    @Test func anOffsetMovesEveryAddress() throws {
        let profile = try ProfileText.read(
            ProfileText.modbus(
                """
                points:
                  - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 1, type: uint16}}
                events:
                  - name: e
                    title: {vi: E, en: E}
                    capture: {newFlag: {table: coil, address: 2}, clear: {table: coil, address: 3, value: 0}}
                    fields: [{name: f, table: holding, address: 4, type: hex, length: 2, lengthFrom: {table: holding, address: 6}}]
                controls:
                  - {name: c, title: {vi: C, en: C}, kind: boolean, wire: {table: coil, address: 5}, readback: none}
                """,
                wire: "{gapMax: 0, forbidden: [{table: input, from: 10, to: 65535}]}"
            )
        )
        let moved = try profile.configured(settings: [:], addressOffset: 100)
        #expect(RegisterPlan(profile: moved, poll: .normal).reads.map(\.address) == [101])
        #expect(EventPlan.plans(of: moved).flatMap { $0.reads.map(\.address) } == [102, 106, 104])
        #expect(try moved.controls[0].write(1) == .registers(function: 5, address: 105, words: [0xFF00]))
        #expect(throws: ProfileSettingError.self) { try profile.configured(settings: [:], addressOffset: 65_534) }
        #expect(throws: ProfileSettingError.self) { try profile.configured(settings: [:], addressOffset: -2) }
    }
}
