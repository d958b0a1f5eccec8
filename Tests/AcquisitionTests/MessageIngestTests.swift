import Acquisition
import CampusModel
import Testing

/// Messages in, samples and events out, with nothing real around.
struct MessageIngestTests {
    private let store: MemoryStore
    private let time = ManualTime()
    private let engine: AcquisitionEngine
    private static let at: Int64 = 1_790_000_000_000

    init() throws { try self.init(store: MemoryStore()) }

    private init(store: MemoryStore) throws {
        self.store = store
        self.engine = Made.engine(store, self.time)
        let problems = self.engine.apply(
            AcquisitionConfiguration(
                devices: [Made.device("x", try Made.publisher(), .mqtt(parameters: ["device": "x"]))],
                buses: []
            )
        )
        #expect(problems.isEmpty)
    }

    private func message(_ topic: String, _ payload: String, isRetained: Bool = false) -> InboundMessage {
        InboundMessage(
            topic: topic,
            payload: Array(payload.utf8),
            isRetained: isRetained,
            receivedNanoseconds: self.time.nowNanoseconds
        )
    }

    private func receive(_ topic: String, _ payload: String, isRetained: Bool = false) throws {
        try self.engine.ingest.receive([self.message(topic, payload, isRetained: isRetained)])
    }

    private func state(_ offset: Int64, _ rest: String) -> String { #"{"at": \#(Self.at + offset), \#(rest)}"# }

    @Test func valuesCarryTheDevicesTimeAndArrivalIsKeptApart() throws {
        try self.receive("t/x/state", self.state(500, #""a": 21.5, "b": 3"#))
        let sample = try #require(self.store.samples(of: "x/a").first)
        #expect(sample == Sample(tick: Tick(milliseconds: Self.at + 500), value: 21.5, quality: .good))
        let point = try #require(self.engine.device(DeviceID(rawValue: "x"))?.point(at: 0))
        #expect(point.received == self.time.now())
    }

    @Test func criticalSamplesAreDurableBeforeTheirBatchCanBeAcknowledged() throws {
        try self.receive("t/x/state", self.state(0, #""a": 20"#))
        #expect(self.store.commits.isEmpty, "telemetry waits for the keeper")
        try self.receive("t/x/door", #"{"open": true}"#)
        #expect(self.store.commits == [2])
        try self.engine.ingest.receive([
            self.message("t/x/state", self.state(1, #""a": 21"#)), self.message("t/x/door", #"{"open": false}"#),
        ])
        #expect(self.store.commits == [2, 4], "one commit for the whole batch")
    }

    @Test func aRefusedCommitOfCriticalSamplesIsOwedByEveryBatchAfterIt() throws {
        self.store.refuseCommits(2)
        #expect(throws: MemoryStore.Refused.self) { try self.receive("t/x/door", #"{"open": true}"#) }
        // Delivered before the critical message comes again: it may not be acknowledged in its place.
        #expect(throws: MemoryStore.Refused.self) { try self.receive("t/x/state", self.state(0, #""a": 20"#)) }
        try self.receive("t/x/state", self.state(1, #""a": 21"#))
        #expect(self.store.commits == [3])
        try self.receive("t/x/state", self.state(2, #""a": 22"#))
        #expect(self.store.commits == [3])
    }

    @Test func valuesInsideTheirDeadbandAreNotStoredAgain() throws {
        for (offset, value) in [3, 3.2, 3.4, 3.6, 3.7].enumerated() {
            try self.receive("t/x/state", self.state(Int64(offset) * 1_000, #""a": 20, "b": \#(value)"#))
        }
        #expect(self.store.samples(of: "x/b").map(\.value) == [3, 3.6])
        #expect(self.store.samples(of: "x/a").count == 5)
        // After the heartbeat the same value is stored, so that silence is not mistaken for it.
        try self.receive("t/x/state", self.state(1_000_000, #""a": 20, "b": 3.6"#))
        #expect(self.store.samples(of: "x/b").map(\.value) == [3, 3.6, 3.6])
    }

    @Test func badValuesAreStoredOnceWithTheirReason() throws {
        for offset in 0..<3 { try self.receive("t/x/state", self.state(Int64(offset), #""a": 999, "b": null"#)) }
        #expect(self.store.samples(of: "x/a").map(\.quality) == [.bad(.range)])
        #expect(self.store.samples(of: "x/a").map(\.value) == [0])
        #expect(self.store.samples(of: "x/b").map(\.quality) == [.bad(.sentinel)])
        try self.receive("t/x/state", self.state(9, #""a": 20, "b": 1"#))
        #expect(self.store.samples(of: "x/a").map(\.quality) == [.bad(.range), .good])
    }

    @Test func anAbsentValueIsNotANullOne() throws {
        try self.receive("t/x/state", self.state(0, #""a": 20"#))
        #expect(self.store.samples(of: "x/b").isEmpty)
        #expect(self.store.samples(of: "x/a").count == 1)
    }

    @Test func aSpikeIsUncertainAndTheValueAfterItIsNot() throws {
        let values = [10.0, 11, 90, 11.5, 12]
        for (second, value) in values.enumerated() {
            try self.receive("t/x/state", self.state(Int64(second) * 1_000, #""speed": \#(value)"#))
        }
        #expect(
            self.store.samples(of: "x/speed").map(\.quality) == [
                .good, .good, .uncertain(.rateOfChange), .good, .good,
            ]
        )
        #expect(self.store.samples(of: "x/speed").map(\.value) == values, "it is kept, for people to judge")
    }

    @Test func aStepThatStaysIsBelievedWhenTheTimeItTakesHasPassed() throws {
        for (second, value) in [10.0, 16, 16, 16, 16].enumerated() {
            try self.receive("t/x/state", self.state(Int64(second) * 1_000, #""speed": \#(value)"#))
        }
        #expect(
            self.store.samples(of: "x/speed").map(\.quality) == [
                .good, .uncertain(.rateOfChange), .uncertain(.rateOfChange), .good, .good,
            ]
        )
    }

    @Test func aConditionHoldsFromTheMessageThatToldIt() throws {
        try self.receive("t/x/state", self.state(0, #""level": 5"#))
        #expect(self.store.samples(of: "x/level").map(\.quality) == [.bad(.notReady)], "nobody has said that it counts")
        try self.receive("t/x/door", #"{"open": true}"#)
        try self.receive("t/x/state", self.state(1_000, #""level": 6"#))
        try self.receive("t/x/door", #"{"open": false}"#)
        try self.receive("t/x/state", self.state(2_000, #""level": 7"#))
        #expect(self.store.samples(of: "x/level").map(\.quality) == [.bad(.notReady), .good, .bad(.notReady)])
        #expect(self.store.samples(of: "x/level").map(\.value) == [0, 6, 0])
    }

    @Test(arguments: [("21.5", 21.5, Quality.good), (" 7\n", 7, .good)])
    func aBarePayloadIsTheValue(payload: String, value: Double, quality: Quality) throws {
        try self.receive("t/x/mode", payload)
        #expect(self.store.samples(of: "x/mode").map(\.value) == [value])
        #expect(self.store.samples(of: "x/mode").map(\.quality) == [quality])
    }

    @Test(arguments: ["warm", "", "1e999", "{}", "21,5"]) func aBarePayloadThatIsNoNumberIsQuarantined(payload: String)
        throws
    {
        try self.receive("t/x/mode", payload)
        #expect(self.store.samples.isEmpty)
        #expect(self.engine.quarantine.entries.map(\.reason) == ["nothingDecoded"])
    }

    @Test func retainedValuesAreUncertainBecauseNobodyKnowsTheirAge() throws {
        try self.receive("t/x/state", self.state(0, #""a": 20, "b": 1"#), isRetained: true)
        #expect(self.store.samples.map(\.sample.quality) == [.uncertain(.stale), .uncertain(.stale)])
    }

    @Test func aPayloadThatBreaksItsProfileIsQuarantinedAndNothingOfItStored() throws {
        try self.receive("t/x/state", "{\"at\": 12")
        #expect(self.store.samples.isEmpty)
        #expect(self.engine.ingest.statistics.violations == 1)
        let entry = try #require(self.engine.quarantine.entries.first)
        #expect(entry.topic == "t/x/state")
        #expect(entry.reason == "jsonSyntax")
        #expect(entry.payload.contains("at"))
        let device = try #require(self.engine.device(DeviceID(rawValue: "x")))
        #expect(device.snapshot().fault?.reason == "jsonSyntax")
    }

    @Test func messagesOfNobodyAreCountedAndQuarantinedWithinBounds() throws {
        for number in 0..<50 { try self.receive("other/\(number)", "?") }
        #expect(self.engine.ingest.statistics.unclaimed == 50)
        #expect(self.engine.quarantine.entries.count <= 10)
    }

    @Test func eventsThatCannotBeCommittedRefuseTheWholeBatch() throws {
        let tests = try Self(store: MemoryStore(refusing: 1))
        let batch = [tests.message("t/x/card", #"{"n": 1, "uid": "04A1B2C3"}"#)]
        #expect(throws: MemoryStore.Refused.self) { try tests.engine.ingest.receive(batch) }
        #expect(tests.store.events.isEmpty)
        try tests.engine.ingest.receive(batch)
        let event = try #require(tests.store.events.first)
        #expect(event.sequence == "1")
        #expect(event.kind == .card)
        #expect(event.fields.first?.privacy == .mask)
    }

    @Test func aBatchThatComesAgainAfterARefusalLeavesEveryValueOnce() throws {
        let tests = try Self(store: MemoryStore(refusing: 1))
        // No clock of its own, a deadband, an event, a stranger and a broken payload.
        let batch = [
            tests.message("t/x/door", #"{"open": true}"#),
            tests.message("t/x/state", tests.state(0, #""a": 20, "b": 3"#)),
            tests.message("t/x/card", #"{"n": 1, "uid": "04A1B2C3"}"#), tests.message("other", "?"),
            tests.message("t/x/state", "{"),
        ]
        #expect(throws: MemoryStore.Refused.self) { try tests.engine.ingest.receive(batch) }
        #expect(tests.store.samples.isEmpty, "what is not acknowledged is not stored")
        #expect(tests.engine.quarantine.entries.isEmpty)
        #expect(tests.engine.ingest.statistics.messages == 0)
        tests.time.pass(milliseconds: 700)
        let again = batch.map { message in
            var copy = message
            copy.receivedNanoseconds = tests.time.nowNanoseconds
            return copy
        }
        try tests.engine.ingest.receive(again)
        #expect(tests.store.samples(of: "x/door").map(\.tick) == [tests.time.now()])
        #expect(tests.store.samples(of: "x/a").count == 1)
        #expect(tests.store.samples(of: "x/b").count == 1, "the deadband has not swallowed it")
        #expect(tests.store.events.count == 1)
        #expect(tests.engine.quarantine.entries.map(\.count) == [1, 1])
        let statistics = tests.engine.ingest.statistics
        #expect(statistics.messages == 5 && statistics.unclaimed == 1 && statistics.violations == 1)
    }

    @Test func personalFieldsAreMaskedInQuarantine() throws {
        try self.receive("t/x/card", #"{"n": 1, "uid": "04A1B2C3D4", "#)
        let entry = try #require(self.engine.quarantine.entries.first)
        #expect(!entry.payload.contains("04A1B2C3D4"))
    }

    @Test func theLastWillMarksTheDeviceAndItsPoints() throws {
        try self.receive("t/x/state", self.state(0, #""a": 20, "b": 1"#))
        try self.receive("t/x/lwt", "0")
        let device = try #require(self.engine.device(DeviceID(rawValue: "x")))
        #expect(device.health.state == .offline)
        #expect(self.store.samples(of: "x/a").last?.quality == .bad(.communication))
        try self.receive("t/x/lwt", "1")
        #expect(device.health.state == .online)
    }

    @Test func aSilentPublisherBecomesLateThenOfflineByTime() async throws {
        try self.receive("t/x/state", self.state(0, #""a": 20, "b": 1"#))
        let device = try #require(self.engine.device(DeviceID(rawValue: "x")))
        let engine = self.engine
        let run = Task { try await engine.run() }
        await self.time.whenAsleep()
        var seen: [DeviceHealth.State] = [device.health.state]
        for _ in 0..<60 {
            self.time.advance(milliseconds: 1_000)
            await self.time.whenAsleep()
            if seen.last != device.health.state { seen.append(device.health.state) }
        }
        run.cancel()
        _ = await run.result
        #expect(seen == [.online, .late, .offline])
        #expect(self.store.samples(of: "x/a").last?.quality == .bad(.stale))
    }

    @Test func whatAMessageToldIsStaleWhenOnlyOthersStillCome() async throws {
        try self.receive("t/x/state", self.state(0, #""a": 20, "b": 1"#))
        try self.receive("t/x/door", #"{"open": true}"#)
        let device = try #require(self.engine.device(DeviceID(rawValue: "x")))
        let engine = self.engine
        let run = Task { try await engine.run() }
        await self.time.whenAsleep()
        var states: [DeviceHealth.State] = []
        for second in 0..<120 {
            self.time.advance(milliseconds: 1_000)
            await self.time.whenAsleep()
            // A heartbeat goes on; the data does not.
            if second % 5 == 0 { try self.receive("t/x/lwt", "1") }
            if states.last != device.health.state { states.append(device.health.state) }
        }
        run.cancel()
        _ = await run.result
        #expect(states == [.online, .late], "it does not flap")
        #expect(self.store.samples(of: "x/a").map(\.quality) == [.good, .bad(.stale)])
        #expect(self.store.samples(of: "x/b").map(\.quality) == [.good, .bad(.stale)])
        #expect(self.store.samples(of: "x/door").map(\.quality) == [.good], "sent when it changes")
        try self.receive("t/x/state", self.state(200_000, #""a": 21, "b": 2"#))
        #expect(device.health.state == .online)
        #expect(self.store.samples(of: "x/a").last?.quality == .good)
    }

    @Test func aReloadKeepsWhatDidNotChange() throws {
        try self.receive("t/x/state", self.state(0, #""a": 20, "b": 1"#))
        let before = try #require(self.engine.device(DeviceID(rawValue: "x")))
        let same = Made.device("x", try Made.publisher(), .mqtt(parameters: ["device": "x"]))
        let other = Made.device("y", try Made.publisher(), .mqtt(parameters: ["device": "y"]))
        #expect(self.engine.apply(AcquisitionConfiguration(devices: [same, other], buses: [])).isEmpty)
        #expect(self.engine.device(DeviceID(rawValue: "x")) === before)
        #expect(
            self.engine.topicFilters == [
                "t/x/card", "t/x/door", "t/x/lwt", "t/x/mode", "t/x/state", "t/y/card", "t/y/door", "t/y/lwt",
                "t/y/mode",
                "t/y/state",
            ]
        )
        let changed = Made.device("x", try Made.publisher(), .mqtt(parameters: ["device": "x"]), revision: "2")
        #expect(self.engine.apply(AcquisitionConfiguration(devices: [changed], buses: [])).isEmpty)
        #expect(self.engine.device(DeviceID(rawValue: "x")) !== before)
        #expect(self.engine.device(DeviceID(rawValue: "y")) == nil)
    }

    @Test func aFullStoreIsAProblemOfTheDeviceThatFoundNoRoom() throws {
        let engine = Made.engine(MemoryStore(seriesMax: 10), self.time)
        let problems = engine.apply(
            AcquisitionConfiguration(
                devices: try ["x", "y"]
                    .map {
                        Made.device($0, try Made.publisher(), .mqtt(parameters: ["device": $0]))
                    },
                buses: []
            )
        )
        #expect(problems.count == 1)
        #expect(problems.first?.contains("device y") == true)
        #expect(engine.device(DeviceID(rawValue: "x")) != nil)
    }

    @Test func changedProfilesAreSuggestedAtTheNextMessage() throws {
        let engine = Made.engine(self.store, self.time)
        func receive() throws { try engine.ingest.receive([self.message("t/y/state", self.state(0, #""a": 1"#))]) }
        func suggested() -> [String]? { engine.quarantine.entries.first?.suggestions.map(\.profile) }
        #expect(engine.apply(AcquisitionConfiguration(devices: [], buses: [])).isEmpty)
        try receive()
        #expect(suggested() == [])
        let profile = try Made.publisher()
        _ = engine.apply(AcquisitionConfiguration(devices: [], buses: [], profiles: [profile]))
        try receive()
        #expect(suggested() == ["publisher"])
        #expect(engine.quarantine.entries.map(\.count) == [2])
        _ = engine.apply(AcquisitionConfiguration(devices: [], buses: []))
        #expect(suggested() == [], "a profile that is gone is suggested no more")
    }
}
