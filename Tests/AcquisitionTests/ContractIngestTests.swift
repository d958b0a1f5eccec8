import Acquisition
import CampusModel
import DeviceProfile
import FirmwareContract
import Foundation
import Testing

/// Devices whose profile names a contract: what breaks it is kept out, told in words, counted and seen.
struct ContractIngestTests {
    /// An engine with one device of a shipped profile and its shipped contract.
    final class Gateway {
        static let root: String = {
            var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            for _ in 0..<3 { url.deleteLastPathComponent() }
            return url.path
        }()
        static let contracts = ContractLibrary(folders: ["\(root)/Firmware-Contracts"])
        static let profiles = ProfileLibrary(folders: ["\(root)/DeviceProfiles"])

        let store = MemoryStore()
        let time = ManualTime()
        let engine: AcquisitionEngine
        let id = DeviceID(rawValue: "d")

        init(_ profile: String, _ parameters: [String: String], contract: ContractLibrary.Entry? = nil) throws {
            self.engine = Made.engine(self.store, self.time)
            let found = try #require(Self.profiles[profile]?.profile)
            var device = Made.device("d", found, .mqtt(parameters: parameters), report: 10_000)
            device.contract = contract ?? found.contract.flatMap { ContractName($0) }.flatMap { Self.contracts[$0] }
            try #require(device.contract != nil)
            let problems = self.engine.apply(
                AcquisitionConfiguration(devices: [device], buses: [], profiles: Self.profiles.profiles)
            )
            #expect(problems == [])
        }

        func receive(_ topic: String, _ payload: String, isRetained: Bool = false) throws {
            try self.engine.ingest.receive([
                InboundMessage(
                    topic: topic,
                    payload: Array(payload.utf8),
                    isRetained: isRetained,
                    receivedNanoseconds: self.time.nowNanoseconds
                )
            ])
        }

        var health: DeviceHealth? { self.engine.device(self.id)?.health }
        var entries: [Quarantine.Entry] { self.engine.quarantine.entries }
        func differences(_ language: Language = .en) -> [String] {
            self.entries.first?.differences.map { $0.text(in: language) } ?? []
        }

        /// Everything that people or disks could get to see.
        var everythingShown: String {
            let entries = self.entries.map { "\($0.topic) \($0.detail) \($0.payload) \($0.differences)" }
            let snapshot = self.engine.device(self.id)?.snapshot()
            let fault = snapshot?.fault.map { "\($0.message) \($0.frame) \($0.differences)" } ?? ""
            let events = self.store.events.map { "\($0)" }
            return (entries + [fault, "\(snapshot?.points ?? [])"] + events).joined(separator: "\n")
        }

        func waited(milliseconds: UInt64) {
            self.time.advance(milliseconds: milliseconds)
            var batch: [SeriesSample] = []
            self.engine.device(self.id)?
                .waited(until: self.time.now(), periodMilliseconds: 10_000, missedMax: 3, into: &batch)
        }
    }

    static let topic = "campus/p101/telemetry"

    static func payload(_ rest: String, version: String = "1.1") -> String {
        #"{"contract":"\#(version)","time":"1970-01-01T00:00:01Z","seq":1,\#(rest)}"#
    }

    private func room() throws -> Gateway { try Gateway("campus-classroom-node", ["device": "p101"]) }

    @Test func aGoodPayloadIsDecoded() throws {
        let gateway = try self.room()
        try gateway.receive(Self.topic, Self.payload(#""temperature":21.5,"humidity":60"#))
        #expect(gateway.store.samples(of: "d/temperature").map(\.value) == [21.5])
        #expect(gateway.health?.state == .online)
        #expect(gateway.entries == [])
    }

    @Test func aViolationIsQuarantinedWithItsDifferencesAndSeenAtOnce() throws {
        let gateway = try self.room()
        try gateway.receive(Self.topic, Self.payload(#""temperature":21.5,"humidity":60"#))
        try gateway.receive(Self.topic, Self.payload(#""temperature":"22.5","humidity":60"#))
        #expect(gateway.store.samples(of: "d/temperature").map(\.value) == [21.5], "nothing of it is decoded")
        let entry = try #require(gateway.entries.first)
        #expect(entry.reason == "contractViolation")
        #expect(entry.device == gateway.id)
        #expect(gateway.differences(.vi) == [#"/temperature: cần số hoặc null, nhận được chữ "22.5""#])
        #expect(gateway.differences(.en) == [#"/temperature: expected number or null, got text "22.5""#])
        #expect(gateway.health?.state == .late)
        #expect(gateway.health?.reason == .contract)
        let counters = gateway.engine.ingest.statistics
        #expect(counters.contractViolations == ["campus-classroom-node/v1": 1])
        #expect(counters.violations == 1)
        #expect(gateway.engine.quarantine.statistics.counts == ["contractViolation": 1])
        let fault = try #require(gateway.engine.device(gateway.id)?.snapshot().fault)
        #expect(fault.differences == entry.differences)
    }

    @Test func theLastGoodValuesStayAndBecomeStaleAsUsual() throws {
        let gateway = try self.room()
        try gateway.receive(Self.topic, Self.payload(#""temperature":21.5,"humidity":60"#))
        for _ in 0..<5 { try gateway.receive(Self.topic, Self.payload(#""temperature":99,"humidity":60"#)) }
        #expect(gateway.health?.state == .quarantined)
        #expect(gateway.engine.device(gateway.id)?.point(at: 0)?.latest?.quality == .good)
        gateway.waited(milliseconds: 31_000)
        #expect(gateway.engine.device(gateway.id)?.point(at: 0)?.latest?.quality == .bad(.stale))
        #expect(gateway.health?.state == .quarantined)
        // The decoder is the one it was: the next good payload is read.
        try gateway.receive(Self.topic, Self.payload(#""temperature":22,"humidity":60"#))
        #expect(gateway.store.samples(of: "d/temperature").last?.value == 22)
    }

    @Test func oneViolationAmongGoodPayloadsIsToldForAWhile() throws {
        let gateway = try self.room()
        try gateway.receive(Self.topic, Self.payload(#""temperature":"x","humidity":60"#))
        try gateway.receive(Self.topic, Self.payload(#""temperature":21,"humidity":60"#))
        #expect(gateway.health?.state == .late)
        #expect(gateway.health?.reason == .contract)
        gateway.time.advance(milliseconds: UInt64(DeviceHealth.contractMemoryMilliseconds))
        try gateway.receive(Self.topic, Self.payload(#""temperature":21,"humidity":60"#))
        #expect(gateway.health?.state == .online)
    }

    @Test func anUnknownVersionIsKeptOut() throws {
        let gateway = try self.room()
        try gateway.receive(Self.topic, Self.payload(#""temperature":21.5,"humidity":60"#, version: "1.7"))
        #expect(gateway.store.samples.isEmpty)
        #expect(gateway.entries.first?.reason == "contractUnknownVersion")
        #expect(gateway.differences() == [#"/contract: version "1.7" is not known here; known: 1.0, 1.1"#])
    }

    @Test func theLastWillIsValidatedAndUnderstood() throws {
        let gateway = try self.room()
        try gateway.receive("campus/p101/status", "online", isRetained: true)
        #expect(gateway.health?.state == .online)
        try gateway.receive("campus/p101/status", "maybe")
        #expect(gateway.differences() == [#"payload: "maybe" is none of "online", "offline""#])
    }

    @Test func aPromisedMessageThatNobodyReadsIsNotUnclaimed() throws {
        let gateway = try Gateway("shelly-plus-1pm", ["prefix": "plug"])
        let payload = #"{"src":"x","dst":"y","method":"NotifyEvent","params":{"ts":1.5,"events":[]}}"#
        try gateway.receive("plug/events/rpc", payload)
        #expect(gateway.entries == [])
        #expect(gateway.engine.ingest.statistics.unclaimed == 0)
    }

    @Test func aContractThatChangesIsTakenUpByARunningDevice() throws {
        let gateway = try self.room()
        let profile = try #require(Gateway.profiles["campus-classroom-node"]?.profile)
        var device = Made.device("d", profile, .mqtt(parameters: ["device": "p101"]))
        device.contract = Gateway.contracts[ContractName(family: "campus-classroom-node", major: 1)]
        let before = try #require(gateway.engine.device(gateway.id))
        _ = gateway.engine.apply(AcquisitionConfiguration(devices: [device], buses: []))
        #expect(gateway.engine.device(gateway.id) === before)
        device.contract?.revision += "# changed"
        _ = gateway.engine.apply(AcquisitionConfiguration(devices: [device], buses: []))
        #expect(gateway.engine.device(gateway.id) !== before)
    }
}
