import Acquisition
import CampusModel
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
    ])
    func personalMembersAreMaskedEvenInBrokenJSON(payload: String, expected: String) {
        #expect(PayloadRedaction.text(Array(payload.utf8), personal: ["secret"], limit: 500) == expected)
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
        #expect(PayloadRedaction.text(Array(repeating: 65, count: 100), limit: 5) == "AAAAA…")
    }
}
