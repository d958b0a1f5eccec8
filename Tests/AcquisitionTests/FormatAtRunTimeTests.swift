import Acquisition
import CampusModel
import DeviceProfile
import Testing

/// What the profile format promises and only time can show: heartbeats that stop, history that is no news.
struct FormatAtRunTimeTests {
    private let store = MemoryStore()
    private let time = ManualTime()
    private let engine: AcquisitionEngine

    init() throws {
        self.engine = Made.engine(self.store, self.time)
        let profile = try DeviceProfile.read(
            yaml: """
                profile: monitor
                \(Made.head)
                mqtt:
                  messages:
                    - {name: state, topic: "t/{device}/state", when: {pointer: /a, present: true}}
                    - {name: history, topic: "t/{device}/state", each: /history, clock: {pointer: /at, format: unix-milliseconds}, replay: true}
                    - {name: beat, topic: "t/{device}/beat", payload: text}
                points:
                  - {name: gas, title: {vi: G, en: G}, unit: "[ppm]", wire: [{message: state, pointer: /a}, {message: history, pointer: /a}], validWhen: {point: beat, changesWithinSeconds: 10}}
                  - {name: beat, title: {vi: B, en: B}, kind: boolean, wire: {message: beat}, hidden: true}
                tests:
                  - {name: one, mqtt: {topic: t/x/beat, payload: "1"}, parameters: {device: x}, expect: {beat: 1}}
                """,
            file: "monitor.yaml"
        )
        let problems = self.engine.apply(
            AcquisitionConfiguration(
                devices: [Made.device("x", profile, .mqtt(parameters: ["device": "x"]))],
                buses: []
            )
        )
        #expect(problems.isEmpty)
    }

    private func receive(_ topic: String, _ payload: String) throws {
        try self.engine.ingest.receive([
            InboundMessage(
                topic: topic,
                payload: Array(payload.utf8),
                isRetained: false,
                receivedNanoseconds: self.time.nowNanoseconds
            )
        ])
    }

    @Test func aValueCountsOnlyWhileTheHeartbeatKeepsBeating() throws {
        try self.receive("t/x/state", #"{"a": 1}"#)
        try self.receive("t/x/beat", "0")
        try self.receive("t/x/state", #"{"a": 2}"#)
        self.time.pass(milliseconds: 6_000)
        try self.receive("t/x/beat", "1")
        self.time.pass(milliseconds: 10_000)
        try self.receive("t/x/state", #"{"a": 3}"#)
        try self.receive("t/x/beat", "1")
        self.time.pass(milliseconds: 1_000)
        try self.receive("t/x/state", #"{"a": 4}"#)
        try self.receive("t/x/beat", "0")
        try self.receive("t/x/state", #"{"a": 5}"#)
        #expect(
            self.store.samples(of: "x/gas").map(\.quality) == [.bad(.notReady), .good, .good, .bad(.notReady), .good],
            "not before the first beat, and not 11 s after the last"
        )
        #expect(self.store.samples(of: "x/gas").map(\.value) == [0, 2, 3, 0, 5])
    }

    @Test func historyIsStoredAtItsTimeAndIsNoNews() throws {
        try self.receive("t/x/beat", "0")
        let now = self.time.now().rawValue
        try self.receive(
            "t/x/state",
            #"{"a": 7, "history": [{"at": 1700000000000, "a": 5}, {"at": 1700000600000, "a": 6}]}"#
        )
        let samples = self.store.samples(of: "x/gas").sorted { $0.tick < $1.tick }
        #expect(samples.map(\.value) == [5, 6, 7])
        #expect(samples.map(\.tick.rawValue) == [1_700_000_000_000, 1_700_000_600_000, now])
        #expect(samples.allSatisfy { $0.quality == .good })
        let point = try #require(self.engine.device(DeviceID(rawValue: "x"))?.point(at: 0))
        #expect(point.latest?.value == 7)
        // Alone it does not become the newest value, but the device is there.
        try self.receive("t/x/state", #"{"history": [{"at": \#(now + 1), "a": 9}]}"#)
        let after = try #require(self.engine.device(DeviceID(rawValue: "x"))?.point(at: 0))
        #expect(after.latest?.value == 7)
        #expect(self.store.samples(of: "x/gas").map(\.value).contains(9))
    }
}
