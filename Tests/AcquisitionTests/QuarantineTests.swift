import Acquisition
import CampusModel
import DeviceProfile
import Testing

struct QuarantineTests {
    private func add(_ quarantine: Quarantine, topic: String, reason: String = "unclaimed", at seconds: Int64)
        -> UInt64?
    {
        quarantine.add(
            topic: topic,
            reason: reason,
            detail: "detail",
            device: nil,
            payload: "payload \(seconds)",
            payloadBytes: 9,
            at: Tick(milliseconds: seconds * 1_000)
        )
    }

    @Test func theSameFaultAgainRaisesACount() throws {
        let quarantine = Quarantine(capacity: 10)
        let id = self.add(quarantine, topic: "a/b", at: 1)
        #expect(id != nil)
        #expect(self.add(quarantine, topic: "a/b", at: 2) == nil)
        #expect(self.add(quarantine, topic: "a/b", reason: "wrongType", at: 3) != nil)
        let entry = try #require(id.flatMap { quarantine.entry(id: $0) })
        #expect(entry.count == 2)
        #expect(entry.firstSeen == Tick(milliseconds: 1_000))
        #expect(entry.lastSeen == Tick(milliseconds: 2_000))
        #expect(quarantine.statistics.counts == ["unclaimed": 2, "wrongType": 1])
    }

    @Test func theLongestUnseenMakesRoom() {
        let quarantine = Quarantine(capacity: 3)
        for second in 1...5 { _ = self.add(quarantine, topic: "t\(second)", at: Int64(second)) }
        #expect(quarantine.entries.map(\.topic) == ["t5", "t4", "t3"])
        #expect(quarantine.statistics.evicted == 2)
    }

    @Test func anEntryCanBeDismissed() throws {
        let quarantine = Quarantine(capacity: 3)
        let id = try #require(self.add(quarantine, topic: "t", at: 1))
        quarantine.suggest([.init(profile: "p", parameters: [:], pointCount: 2)], for: id)
        #expect(quarantine.entry(id: id)?.suggestions.count == 1)
        #expect(quarantine.remove(id: id))
        #expect(!quarantine.remove(id: id))
        #expect(quarantine.entries.isEmpty)
    }
}

struct PayloadRedactionTests {
    @Test(arguments: [
        (#"{"uid":"04A2B3C4","co2":400}"#, #"{"uid":"•••","co2":400}"#),
        (#"{"username" : "Nguyễn Văn A","t":1}"#, #"{"username" : "•••","t":1}"#),
        (#"{"cardNo":123456789}"#, #"{"cardNo":"•••"}"#),
        (#"{"face":{"jpeg":"AAAA","n":[1,"}"]},"ok":true}"#, #"{"face":"•••","ok":true}"#),
        (#"{"uid":"04A2"#, #"{"uid":"•••""#),
        (#"{"secret":"x"}"#, #"{"secret":"•••"}"#),
        (#"{"co2":"uid"}"#, #"{"co2":"uid"}"#),
        ("{\"uid\":\n  \"04A2B3C4\",\n\"t\":1}", "{\"uid\":·  \"•••\",·\"t\":1}"),
        ("{\"uid\"\r\n: 123456789}", "{\"uid\"··: \"•••\"}"),
        (#"{"\u0075id":"04A2B3C4"}"#, #"{"\u0075id":"•••"}"#),
        (#"[{"card_no":"04A2B3C4"}]"#, #"[{"card_no":"•••"}]"#),
    ])
    func personalMembersAreMaskedEvenInBrokenJSON(payload: String, expected: String) {
        #expect(
            PayloadRedaction.text(Array(payload.utf8), personal: PersonalParts(memberNames: ["secret"]), limit: 500)
                == expected
        )
    }

    @Test(arguments: [
        ("04A2B3C4", "•••"), ("0012345678\r\n", "•••··"), ("04:a2:b3:c4", "•••"), ("04 A2 B3 C4 D5", "•••"),
        ("uid=04A2B3C4;door=2", "uid=•••;door=2"), (#""04A2B3C4""#, #""•••""#), (#"["04A2B3C4",7]"#, #"["•••",7]"#),
        ("card:\n123456789", "card:·•••"), ("21.5", "21.5"), ("23.456789", "23.456789"), ("1234567.25", "1234567.25"),
        ("1204", "1204"), ("21.5 22.5 23.5", "21.5 22.5 23.5"), ("offline", "offline"), ("open", "open"),
        ("12 34", "12 34"), ("restarted", "restarted"),
    ])
    func cardNumbersInBareTextAreMaskedAndMeasurementsAreNot(payload: String, expected: String) {
        #expect(PayloadRedaction.text(Array(payload.utf8), limit: 500) == expected)
    }

    @Test(arguments: [
        ("reader/door1/04A2B3C4", "reader/door1/•••"), ("cards/0012345678/seen", "cards/•••/seen"),
        ("rfid/04A2B3C4D5E6F7", "rfid/•••"), ("tele/tasmota_ABC123/SENSOR", "tele/tasmota_ABC123/SENSOR"),
        ("application/7/device/24e1247130000001/event/up", "application/7/device/24e1247130000001/event/up"),
        ("shellyplus1pm-a8032abe54dc/events/rpc", "shellyplus1pm-a8032abe54dc/events/rpc"),
        ("zigbee2mqtt/0x00158d0001a2b3c4", "zigbee2mqtt/0x00158d0001a2b3c4"),
    ])
    func topicsShowDevicesAndNoCards(topic: String, expected: String) {
        #expect(PayloadRedaction.topic(topic) == expected)
    }

    @Test func bareTextThatIsAPersonalFieldIsMaskedWhole() throws {
        let profile = try DeviceProfile.read(
            yaml: """
                profile: reader
                \(Made.head)
                mqtt: {messages: [{name: card, topic: "r/{device}/card", payload: text}]}
                points: []
                events:
                  - {name: card, title: {vi: T, en: C}, kind: card, message: card, fields: [{name: card, privacy: hash}]}
                tests:
                  - {name: none, mqtt: {topic: r/x/card, payload: "A"}, parameters: {device: x}, expectEvents: [{name: card}]}
                """,
            file: "reader.yaml"
        )
        let parts = PersonalParts(of: profile)
        #expect(PayloadRedaction.text(Array("Ng. A".utf8), personal: parts, limit: 100) == "•••")
        #expect(PayloadRedaction.text([], personal: parts, limit: 100) == "")
    }

    @Test func noCardNumberReachesTheQuarantineOrAProposal() throws {
        let store = MemoryStore()
        let time = ManualTime()
        let engine = Made.engine(store, time)
        _ = engine.apply(AcquisitionConfiguration(devices: [], buses: [], profiles: [try Made.publisher()]))
        let payload = Array(#"{"at": 1790000000000, "a": 20, "b": 1}"#.utf8)
        for topic in ["t/04A2B3C4/state", "t/05A2B3C4/state", "t/room7/state"] {
            try engine.ingest.receive([
                InboundMessage(topic: topic, payload: payload, isRetained: false, receivedNanoseconds: 1)
            ])
        }
        let entries = engine.quarantine.entries.sorted { $0.topic < $1.topic }
        #expect(entries.map(\.topic) == ["t/room7/state", "t/•••/state"])
        #expect(entries.map(\.count) == [1, 2])
        #expect(entries.map { $0.suggestions.map(\.parameters) } == [[["device": "room7"]], []])
    }

    @Test func bytesThatAreNotTextDoNoHarm() {
        for seed in 0..<2_000 {
            var state = UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1
            let bytes = (0..<(seed % 90))
                .map { _ -> UInt8 in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Array(#"{}[]":\, uidname0"#.utf8)[Int(state >> 33) % 17]
                }
            #expect(PayloadRedaction.text(bytes, limit: 64).unicodeScalars.count <= 65)
        }
    }

    @Test func controlCharactersAndLengthAreBounded() {
        #expect(PayloadRedaction.text([0, 10, 65, 0x7F], limit: 10) == "··A·")
        #expect(PayloadRedaction.text(Array(repeating: 46, count: 100), limit: 5) == ".....…")
    }
}
