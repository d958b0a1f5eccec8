import CampusModel
import Foundation
import Testing

@testable import DeviceProfile

/// What a broken device or a bad line may send: the golden bytes of every shipped profile, cut, flipped and retyped.
///
/// Nothing traps, and nothing that comes out as good is outside what the profile says is possible.
struct MutatedProfilesTests {
    private static let profiles = ProfileLibrary(folders: [ShippedProfilesTests.folder]).profiles

    /// Every value that is called good must be one that the point can have.
    private func check(_ values: [DecodedValue], _ profile: DeviceProfile, _ what: @autoclosure () -> String) {
        for value in values where value.quality.level != .bad {
            let point = profile.points[value.point]
            let isPossible =
                value.value.isFinite && (point.range?.contains(value.value) ?? true)
                && (point.kind != .boolean || value.value == 0 || value.value == 1)
                && (point.kind != .enumeration || value.quality == .uncertain(.unknownValue)
                    || point.enumeration.contains { $0.value == value.value })
            #expect(isPossible, "\(profile.id)/\(point.name) is \(value.value), \(value.quality): \(what())")
        }
    }

    @Test func registersOfEveryGoldenCaseMayBeCutOrFlipped() throws {
        var mutations = 0
        var good = 0
        for (number, given) in Self.profiles.enumerated() {
            guard case .modbus = given.wire else { continue }
            var random = RegisterPlanTests.Seeded(state: 1_000 + UInt64(number))
            for test in given.tests where test.write == nil {
                let profile = try given.configured(settings: test.settings)
                let plans = PointDefinition.PollClass.allCases.map { RegisterPlan(profile: profile, poll: $0) }
                for round in 0..<150 {
                    var image = RegisterImage()
                    for exchange in test.exchanges {
                        let response = self.mutated(exchange.response, round: round, using: &random)
                        _ = image.take(request: exchange.request, response: response)
                    }
                    good += self.decode(image, plans, profile, "\(test.name), round \(round)")
                    mutations += 1
                }
            }
        }
        #expect(mutations > 4_000)
        #expect(good > 4_000, "what is not broken still comes out")
    }

    /// Round 0 is whole; then the frame is cut, and after that bits are flipped.
    private func mutated(
        _ frame: [UInt8],
        round: Int,
        using random: inout RegisterPlanTests.Seeded
    ) -> [UInt8] {
        var frame = frame
        if (1..<50).contains(round) {
            frame.removeLast(min(frame.count, Int.random(in: 0...frame.count, using: &random)))
        } else if round > 0 {
            for _ in 0..<Int.random(in: 1...6, using: &random) where !frame.isEmpty {
                frame[Int.random(in: 0..<frame.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return frame
    }

    private func decode(
        _ image: RegisterImage,
        _ plans: [RegisterPlan],
        _ profile: DeviceProfile,
        _ what: String
    ) -> Int {
        var good = 0
        for plan in plans {
            var values: [DecodedValue] = []
            var texts: [DecodedText] = []
            let replies = plan.reads.map { read in
                image.words(read.table, read.address, Int(read.count)).map { RegisterReply.words($0) }
                    ?? .failed(.bad(.communication))
            }
            plan.decode(replies: replies, into: &values, texts: &texts)
            self.check(values, profile, what)
            good += values.count { $0.quality.isGood } + texts.count
        }
        let explanation = ProfileExplanation(profile: profile, image: image)
        self.check(
            explanation.rows.map { DecodedValue(point: $0.point, value: $0.value, quality: $0.quality) },
            profile,
            what
        )
        return good + explanation.rows.count { $0.quality.isGood }
    }

    @Test func payloadsOfEveryGoldenCaseMayBeCutFlippedOrRetyped() throws {
        var mutations = 0
        var good = 0
        for (number, given) in Self.profiles.enumerated() {
            guard case .mqtt = given.wire else { continue }
            var random = RegisterPlanTests.Seeded(state: 2_000 + UInt64(number))
            for test in given.tests where test.write == nil {
                guard let (topic, payload) = test.message else { continue }
                let profile = try given.configured(settings: test.settings)
                let decoder = try MessageDecoder(
                    profile: profile,
                    device: DeviceID(rawValue: "mutated"),
                    parameters: test.parameters,
                    zonelessOffsetSeconds: 25_200
                )
                for (name, bytes) in self.mutations(of: payload, using: &random) {
                    for isRetained in [false, true] {
                        let outcome = decoder.decode(
                            topic: topic,
                            payload: bytes,
                            isRetained: isRetained,
                            arrival: Tick(milliseconds: 4_000_000_000_000)
                        )
                        let values = outcome.values + outcome.elements.flatMap(\.values)
                        self.check(values, profile, "\(test.name), \(name)")
                        if isRetained { #expect(!values.contains { $0.quality.isGood }, "\(profile.id): \(name)") }
                        self.checkPrivacy(outcome, profile)
                        good += values.count { $0.quality.isGood }
                        mutations += 1
                    }
                }
            }
        }
        #expect(mutations > 7_000)
        #expect(good > 7_000, "what is not broken still comes out")
    }

    private func checkPrivacy(_ outcome: MessageOutcome, _ profile: DeviceProfile) {
        for text in outcome.texts { #expect(profile.points[text.point].privacy != .drop, "\(profile.id)") }
        for field in outcome.events.flatMap(\.fields) { #expect(field.privacy != .drop, "\(profile.id)") }
    }

    private func mutations(
        of payload: [UInt8],
        using random: inout RegisterPlanTests.Seeded
    ) -> [(name: String, bytes: [UInt8])] {
        var found: [(name: String, bytes: [UInt8])] = [("whole", payload)]
        for _ in 0..<min(payload.count, 80) {
            let length = Int.random(in: 0..<payload.count, using: &random)
            found.append(("cut to \(length)", Array(payload.prefix(length))))
        }
        for round in 0..<80 where !payload.isEmpty {
            var bytes = payload
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            found.append(("flipped \(round)", bytes))
        }
        return found + self.retyped(payload)
    }

    /// Each scalar, one after the other, as everything that it should not be.
    private func retyped(_ payload: [UInt8]) -> [(name: String, bytes: [UInt8])] {
        var json = BoundedJSON()
        guard payload.withUnsafeBufferPointer({ bytes in (try? json.parse(bytes)) != nil }) else { return [] }
        let others = [
            "null", "true", "false", "\"\"", "\"x\"", "\"1e999\"", "1e308", "-1e308", "1e999", "-0.0", "[]", "{}",
            "[1,2]", "{\"value\":1}", "99999999999999999999", "\"\\u0000\"", "\"nan\"", "\"-32768\"",
        ]
        var found: [(name: String, bytes: [UInt8])] = []
        for token in json.tokens {
            var range = Int(token.start)..<Int(token.end)
            switch token.kind {
            case .object, .array, .key: continue
            case .string, .escapedString: range = (range.lowerBound - 1)..<(range.upperBound + 1)
            case .number: break
            case .yes, .no, .null: break
            }
            for other in others {
                var bytes = payload
                bytes.replaceSubrange(range, with: Array(other.utf8))
                found.append(("\(other) for \(String(decoding: payload[range], as: UTF8.self))", bytes))
            }
        }
        return found
    }
}
