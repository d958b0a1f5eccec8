import CampusModel
import Testing

@testable import DeviceProfile

/// What the simulator sends is what the gateway reads: encoding and decoding are each other's inverse.
struct ProfileEncoderTests {
    private static let profiles = ProfileLibrary(folders: [ShippedProfilesTests.folder]).profiles

    private func isClose(_ one: Double, _ other: Double) -> Bool {
        one == other || abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    }

    @Test func everyRegisterPointOfEveryShippedProfileComesBack() throws {
        var random = SystemRandomNumberGenerator()
        var compared = 0
        for profile in Self.profiles {
            let encoder = ProfileEncoder(profile: profile)
            for (index, point) in profile.points.enumerated() {
                guard case .register(let source) = point.source, source.type != .string else { continue }
                let rule = ValueRule(point)
                for _ in 0..<40 {
                    // Any bits that mean a good value: what they mean must come back from what is made of it.
                    let words = (0..<source.addressCount)
                        .map { _ in
                            source.table.isBits
                                ? UInt16.random(in: 0...1, using: &random) : .random(in: 0...9_999, using: &random)
                        }
                    guard let raw = words.withUnsafeBufferPointer({ source.raw(in: $0, at: 0) }) else { continue }
                    let value = rule.judged(raw: raw)
                    guard value.quality.isGood else { continue }
                    let made = try #require(
                        encoder.words(for: value.value, point: index),
                        "\(profile.id)/\(point.name): \(value.value)"
                    )
                    let again = made.withUnsafeBufferPointer { source.raw(in: $0, at: 0) }
                    let back = try #require(again.map { rule.judged(raw: $0) })
                    #expect(self.isClose(back.value, value.value), "\(profile.id)/\(point.name)")
                    compared += 1
                }
            }
        }
        #expect(compared > 2_000)
    }

    @Test func everyPublishedPointOfEveryShippedProfileComesBack() throws {
        var random = SystemRandomNumberGenerator()
        let tick = Tick(milliseconds: 1_790_000_000_000)
        var compared = 0
        for profile in Self.profiles {
            guard case .mqtt(let wire) = profile.wire else { continue }
            let names = wire.messages.flatMap(\.topic.parameterNames) + (wire.availability?.topic.parameterNames ?? [])
            let parameters = Dictionary(names.map { ($0, $0) }, uniquingKeysWith: { first, _ in first })
            let decoder = try MessageDecoder(
                profile: profile,
                device: DeviceID(rawValue: "d"),
                parameters: parameters,
                zonelessOffsetSeconds: 25_200
            )
            for _ in 0..<20 {
                var values: [Int: Double] = [:]
                for (index, point) in profile.points.enumerated() where point.kind != .text {
                    guard case .payload = point.source else { continue }
                    let range = point.range ?? -1_000...1_000
                    values[index] =
                        switch point.kind {
                        case .boolean: Double(Int.random(in: 0...1, using: &random))
                        case .enumeration: point.enumeration.randomElement(using: &random)?.value
                        default: (Double.random(in: range, using: &random) * 100).rounded(.towardZero) / 100
                        }
                }
                // A point that holds only under a condition, and its sentinels, have tests of their own.
                for (index, point) in profile.points.enumerated() {
                    guard let value = values[index] else { continue }
                    let raw = ValueRule(point).judged(raw: point.scale == .identity ? value : 0)
                    if !point.validities.isEmpty || (point.scale == .identity && !raw.quality.isGood) {
                        values[index] = nil
                    }
                }
                let messages = ProfileEncoder(profile: profile)
                    .messages(
                        values: values,
                        parameters: parameters,
                        tick: tick,
                        zonelessOffsetSeconds: 25_200
                    )
                #expect(!messages.isEmpty || values.isEmpty, "\(profile.id)")
                for message in messages {
                    let outcome = decoder.decode(
                        topic: message.topic,
                        payload: message.payload,
                        isRetained: false,
                        arrival: tick
                    )
                    for decoded in outcome.values where values[decoded.point] != nil {
                        #expect(decoded.quality == .good, "\(profile.id)/\(profile.points[decoded.point].name)")
                        #expect(
                            self.isClose(decoded.value, values[decoded.point] ?? .nan),
                            "\(profile.id)/\(profile.points[decoded.point].name)"
                        )
                        compared += 1
                    }
                    if let time = outcome.time { #expect(time.rawValue / 1_000 == tick.rawValue / 1_000) }
                }
            }
        }
        #expect(compared > 1_000)
    }
}

struct HalfTests {
    @Test func everyPatternOfSixteenBitsComesBack() {
        for bits in UInt16.min...UInt16.max {
            let value = RegisterSource.half(bits)
            let again = RegisterSource.half(value)
            if value.isNaN { #expect(again == 0x7E00) } else { #expect(again == bits, "\(bits) is \(value)") }
        }
    }

    @Test(
        arguments: [
            (1.0009765625 + 0.00048828125, 0x3C02), (1 + 0.00048828125, 0x3C00), (0.1, 0x2E66), (65_519, 0x7BFF),
            (2_049, 0x6800), (0x1p-25, 0x0000), (0x1.8p-25, 0x0001), (-2, 0xC000), (0x1.FFFp-15, 0x0400),
        ] as [(Double, UInt16)]
    )
    func valuesBetweenTwoPatternsGoToTheNearestAndTiesToTheEvenOne(value: Double, bits: UInt16) {
        #expect(RegisterSource.half(value) == bits)
    }

    @Test(arguments: [65_520.0, -65_520, 1e300]) func whatIsTooLargeIsNotEncoded(value: Double) {
        #expect(RegisterSource.half(value) == nil)
    }
}
