import DeviceProfile
import StrictYAML

/// Profiles for tests, of which only the interesting part is written.
enum ProfileText {
    private static let head = """
        profile: t
        vendor: V
        model: M
        category: environment
        title: {vi: T, en: T}
        sources:
          - {title: "by hand", url: "https://example.org", trust: C}
        verified: false

        """

    /// A case that every profile needs and no test looks at.
    private static let modbusTest = """
        tests:
          - name: none
            modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
            expectEvents: []

        """

    private static let mqttTest = """
        tests:
          - {name: none, mqtt: {topic: t, payload: "{}"}, expectEvents: []}

        """

    /// A Modbus profile; `rest` begins with `points:`, or with what is to stand before it.
    static func modbus(_ rest: String, wire: String = "{unit: 1, gapMax: 0}") -> String {
        self.head + "modbus: \(wire)\n" + rest + "\n" + (rest.contains("tests:") ? "" : self.modbusTest)
    }

    /// An MQTT profile; `rest` begins with `mqtt:`.
    static func mqtt(_ rest: String) -> String {
        self.head + rest + "\n" + (rest.contains("tests:") ? "" : self.mqttTest)
    }

    static func read(_ text: String) throws -> DeviceProfile { try DeviceProfile.read(yaml: text, file: "t.yaml") }

    /// Every problem of a profile, as people see it.
    static func problems(_ text: String) -> [String] {
        do throws(YAMLProblems) {
            _ = try DeviceProfile.read(yaml: text, file: "t.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
