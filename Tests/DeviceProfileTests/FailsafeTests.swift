import CampusModel
import DeviceProfile
import Testing

/// What a device does when the gateway is gone.
struct FailsafeTests {
    private static let text = ProfileText.modbus(
        """
        points:
          - {name: timeout, title: {vi: T, en: T}, unit: s, wire: {table: holding, address: 8, type: uint16}}
        failsafe:
          title: {vi: Tắt hết, en: All off}
          after: {point: timeout}
          feed: {table: holding, address: 60, type: uint16, values: [1, 2], everySeconds: 5}
        """
    )

    @Test func itIsReadAndFedInTurn() throws {
        let failsafe = try #require(try ProfileText.read(Self.text).failsafe)
        #expect(failsafe.title.vi == "Tắt hết" && failsafe.patience == .point("timeout"))
        let feed = try #require(failsafe.feed)
        #expect(feed.everyMilliseconds == 5_000)
        #expect(
            (0..<3).map { feed.write($0) } == [1, 2, 1].map { .registers(function: 6, address: 60, words: [$0]) }
        )
        let coil = try ProfileText.read(
            Self.text.replacing(
                "table: holding, address: 60, type: uint16, values: [1, 2]",
                with: "table: coil, address: 3, values: [1, 0]"
            )
        )
        #expect(coil.failsafe?.feed?.write(0) == .registers(function: 5, address: 3, words: [0xFF00]))
        #expect(coil.failsafe?.feed?.write(1) == .registers(function: 5, address: 3, words: [0]))
        let moved = try ProfileText.read(Self.text).configured(settings: [:], addressOffset: 100)
        #expect(moved.failsafe?.feed?.write(0) == .registers(function: 6, address: 160, words: [1]))
    }

    @Test(arguments: [
        ("point: timeout}\n  feed", "point: timeot}\n  feed", "did you mean 'timeout'"),
        ("after: {point: timeout}", "after: {}", "exactly one"),
        ("after: {point: timeout}", "after: {seconds: 0}", "0.1"),
        ("values: [1, 2]", "values: []", "no value"), ("values: [1, 2]", "values: [1, 70000]", "70000 does not fit"),
        ("everySeconds: 5", "everySeconds: 0.1", "0.5"),
        ("holding, address: 60", "input, address: 60", "coils and holding"),
        ("values:", "bits: {from: 0, count: 4}, values:", "slice"),
        ("title: {vi: Tắt hết, en: All off}\n", "\n", "title"),
        ("everySeconds: 5", "everySeconds: 5, often: true", "often"),
        ("category: environment", "category: life-safety", "read-only"),
    ])
    func aMistakeIsNamed(old: String, new: String, word: String) {
        let changed = Self.text.replacing(old, with: new)
        #expect(changed != Self.text, "\(old)")
        let found = ProfileText.problems(changed)
        #expect(found.contains { $0.contains(word) }, "\(found)")
    }

    @Test func nothingIsFedOverMQTT() {
        let text = ProfileText.mqtt(
            """
            mqtt: {messages: [{name: m, topic: "t/{device}"}]}
            points:
              - {name: a, title: {vi: A, en: A}, unit: "1", wire: {pointer: /a}}
            failsafe: {title: {vi: T, en: T}, feed: {table: holding, address: 1, type: uint16, values: [1], everySeconds: 1}}
            """
        )
        #expect(ProfileText.problems(text).contains { $0.contains("only registers are fed") })
    }
}
