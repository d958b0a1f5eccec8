import CampusModel
import DeviceProfile
import StrictYAML
import Testing

/// Bytes in, values out; every expectation is worked out by hand.
struct RegisterDecodingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var wire: String
        var words: [UInt16]
        var value: Double
        var quality: Quality = .good
        var more = ""

        var testDescription: String { "\(self.wire) \(self.more)" }
    }

    private func profile(_ points: String) throws -> DeviceProfile {
        try DeviceProfile.read(
            yaml: """
                profile: t
                vendor: V
                model: M
                category: environment
                title: {vi: T, en: T}
                sources:
                  - {title: "by hand", url: "https://example.org", trust: C}
                verified: false
                modbus: {unit: 1, gapMax: 0}
                points:
                \(points)
                tests:
                  - name: none
                    modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
                    expect: {\(points.contains("name: p,") ? "p" : "a"): 0}
                """,
            file: "t.yaml"
        )
    }

    private func decode(_ points: String, _ words: [UInt16]) throws -> [DecodedValue] {
        let plan = RegisterPlan(profile: try self.profile(points), poll: .normal)
        #expect(plan.reads.count == 1)
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        plan.decode(replies: [.words(words)], into: &values, texts: &texts)
        return values
    }

    private static let signAndMagnitude =
        ", scale: [{from: 0, to: 10000, divide: 10}, {from: 10001, to: 65534, multiply: -1, divide: 10, add: 1000}]"

    static let cases: [Case] = [
        Case(wire: "type: uint16", words: [0xFFFE], value: 65_534),
        Case(wire: "type: int16", words: [0xFFFE], value: -2),
        Case(wire: "type: uint16, byteOrder: low-first", words: [0x3412], value: 0x1234),
        Case(wire: "type: uint8", words: [0xAB80], value: 128),
        Case(wire: "type: int8", words: [0xAB80], value: -128),
        Case(wire: "type: uint32", words: [0x0001, 0x0002], value: 65_538),
        Case(wire: "type: uint32, wordOrder: low-first", words: [0x0001, 0x0002], value: 131_073),
        Case(wire: "type: uint32, byteOrder: low-first", words: [0x0100, 0x0200], value: 65_538),
        Case(
            wire: "type: uint32, byteOrder: low-first, wordOrder: low-first",
            words: [0x0200, 0x0100],
            value: 65_538
        ),
        Case(wire: "type: int32", words: [0xFFFF, 0xFFFF], value: -1),
        Case(wire: "type: int24", words: [0x00FF, 0xFFFE], value: -2),
        Case(wire: "type: int24", words: [0x5A7F, 0xFFFF], value: 8_388_607),
        Case(wire: "type: uint24", words: [0x5A80, 0x0001], value: 8_388_609),
        Case(wire: "type: uint24, wordOrder: low-first", words: [0x0001, 0x5A80], value: 8_388_609),
        Case(wire: "type: int16, bits: {from: 8, count: 8}", words: [0xFE01], value: -2),
        Case(wire: "type: int16, bits: {from: 0, count: 4}", words: [0x0007], value: 7),
        Case(wire: "type: int32, bits: {from: 16, count: 12}", words: [0x0800, 0xFFFF], value: -2_048),
        Case(wire: "type: int64", words: [0x8000, 0, 0, 0], value: -9_223_372_036_854_775_808),
        Case(wire: "type: uint64", words: [0, 0, 1, 0], value: 65_536),
        Case(wire: "type: uint64, wordOrder: low-first", words: [0, 1, 0, 0], value: 65_536),
        Case(wire: "type: float16", words: [0x3E00], value: 1.5),
        Case(wire: "type: float16", words: [0x7C00], value: 0, quality: .bad(.malformed)),
        Case(wire: "type: float32", words: [0x41AC, 0x0000], value: 21.5),
        Case(wire: "type: float32, wordOrder: low-first", words: [0x0000, 0x41AC], value: 21.5),
        Case(wire: "type: float32, byteOrder: low-first", words: [0xAC41, 0x0000], value: 21.5),
        Case(wire: "type: float32", words: [0x7FC0, 0x0000], value: 0, quality: .bad(.malformed)),
        Case(wire: "type: float32", words: [0xFF80, 0x0000], value: 0, quality: .bad(.malformed)),
        Case(
            wire: "type: float32",
            words: [0x7FC0, 0x0000],
            value: 0,
            quality: .bad(.sentinel),
            more: ", invalid: [nan]"
        ),
        Case(wire: "type: float64", words: [0xBFF8, 0, 0, 0], value: -1.5),
        Case(wire: "type: bcd16", words: [0x1234], value: 1_234),
        Case(wire: "type: bcd16", words: [0x12A4], value: 0, quality: .bad(.malformed)),
        Case(wire: "type: bcd32", words: [0x0012, 0x3456], value: 123_456),
        Case(wire: "type: bcd32, wordOrder: low-first", words: [0x3456, 0x0012], value: 123_456),
        Case(wire: "type: uint16, bits: {from: 4, count: 3}", words: [0b0101_0000], value: 5),
        Case(wire: "type: uint16, bits: {from: 15, count: 1}", words: [0x8000], value: 1),
        Case(wire: "type: uint32, bits: {from: 16, count: 16}", words: [0x00FF, 0xFFFF], value: 255),
        Case(wire: "type: int16", words: [250], value: 25, more: ", scale: {divide: 10}"),
        Case(wire: "type: int16", words: [7], value: 0.7, more: ", scale: {divide: 10}"),
        Case(wire: "type: int16", words: [10], value: 52.5, more: ", scale: {multiply: 5, divide: 4, add: 40}"),
        Case(wire: "type: int16", words: [3], value: 0.375, more: ", scale: {power2: -3}"),
        Case(wire: "type: int16", words: [0x8000], value: 0, quality: .bad(.sentinel), more: ", invalid: [-32768]"),
        Case(wire: "type: uint16", words: [253], value: 25.3, more: signAndMagnitude),
        Case(wire: "type: uint16", words: [10_050], value: -5, more: signAndMagnitude),
        Case(wire: "type: uint16", words: [10_000], value: 1_000, more: signAndMagnitude),
        Case(wire: "type: uint16", words: [65_535], value: 0, quality: .bad(.range), more: signAndMagnitude),
        Case(
            wire: "type: uint16",
            words: [0xFFF3],
            value: 0,
            quality: .bad(.sentinel),
            more: ", invalid: [{from: 65520, to: 65535}]"
        ),
        Case(wire: "type: int16", words: [101], value: 0, quality: .bad(.range), more: ", range: {min: 0, max: 100}"),
        Case(wire: "type: int16", words: [100], value: 100, more: ", range: {min: 0, max: 100}"),
    ]

    @Test(arguments: cases)
    func aTypeInAnOrderGivesTheValue(item: Case) throws {
        let point =
            "  - {name: p, title: {vi: P, en: P}, unit: \"1\", wire: {table: holding, address: 0, \(item.wire)}"
            + "\(item.more)}"
        let values = try self.decode(point, item.words)
        #expect(values.map(\.value) == [item.value])
        #expect(values.map(\.quality) == [item.quality])
    }

    private func pair(_ second: String) -> String {
        """
          - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 0, type: int16}}
          - {name: b, title: {vi: B, en: B}, unit: "1", wire: {table: holding, address: 1, type: int16}, \(second)}
        """
    }

    @Test(arguments: [(UInt16(bitPattern: -2), 1.23), (0, 123.0), (2, 12_300.0)])
    func aScaleFactorRegisterSetsTheExponent(factor: UInt16, expected: Double) throws {
        let values = try self.decode(self.pair("scale: {exponentFrom: a}"), [factor, 123])
        #expect(values.first { $0.point == 1 }?.value == expected)
    }

    @Test func aScaleFactorThatIsNoneLeavesTheValueNotReady() throws {
        // SunSpec's "not implemented" is far outside its range of ±10.
        let values = try self.decode(self.pair("scale: {exponentFrom: a}"), [0x8000, 123])
        #expect(values.first { $0.point == 1 }?.quality == .bad(.notReady))
    }

    @Test(
        arguments: [
            (0, 500, .good), (1, 50, .good), (3, 0.5, .good), (11, 0, .bad(.notReady)),
        ] as [(UInt16, Double, Quality)]
    )
    func decimalsAreAnExponentWithTheOtherSign(decimals: UInt16, value: Double, quality: Quality) throws {
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 0, type: uint16}, scale: {multiply: -1}, hidden: true}
              - {name: b, title: {vi: B, en: B}, unit: "[ppm]", wire: {table: holding, address: 1, type: int16}, scale: {exponentFrom: a}}
            """
        #expect(try self.decode(points, [decimals, 500]) == [DecodedValue(point: 1, value: value, quality: quality)])
    }

    @Test(
        arguments: [
            (40, 9_240, .good), (0, 0, .bad(.notReady)), (0xFFFF, 0, .bad(.notReady)),
        ] as [(UInt16, Double, Quality)]
    )
    func aRatioRegisterIsAFactor(ratio: UInt16, value: Double, quality: Quality) throws {
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 0, type: uint16}, invalid: [0xFFFF], poll: slow}
              - {name: b, title: {vi: B, en: B}, unit: W, wire: {table: holding, address: 1, type: uint16}, scale: {divide: 10, multiplyFrom: a}}
            """
        #expect(
            try self.decode(points, [ratio, 2_310]) == [DecodedValue(point: 1, value: value, quality: quality)],
            "the ratio is read with it, whatever its own class"
        )
    }

    @Test(arguments: [(0, 0, .good), (1, 1, .good), (5, 0, .bad(.unknownValue))] as [(UInt16, Double, Quality)])
    func aWholeRegisterIsABooleanOnlyWhenItIsZeroOrOne(word: UInt16, value: Double, quality: Quality) throws {
        let point =
            "  - {name: p, title: {vi: P, en: P}, kind: boolean, wire: {table: holding, address: 0, type: uint16}}"
        #expect(try self.decode(point, [word]) == [DecodedValue(point: 0, value: value, quality: quality)])
    }

    @Test func aHeartbeatComesOutEvenWhenHidden() throws {
        let points = """
              - {name: a, title: {vi: A, en: A}, kind: boolean, wire: {table: holding, address: 0, type: bool, bits: {from: 15}}, hidden: true, poll: fast}
              - {name: b, title: {vi: B, en: B}, unit: W, wire: {table: holding, address: 1, type: uint16}, validWhen: {point: a, changesWithinSeconds: 10}}
            """
        #expect(try self.decode(points, [0x8000, 5]).map(\.value) == [1, 5])
    }

    @Test(arguments: [(UInt16(1), Quality.good), (0, .bad(.notReady))])
    func aValueCountsOnlyWhileTheOtherPointSaysSo(flag: UInt16, quality: Quality) throws {
        let values = try self.decode(self.pair("validWhen: {point: a, equals: [1]}"), [flag, 55])
        #expect(values.first { $0.point == 1 }?.quality == quality)
    }

    @Test(
        arguments: [
            ([0x4142, 0x4344], "", "ABCD"), ([0x4142, 0x4300], "", "ABC"), ([0x4120, 0x2020], "", "A"),
            ([0x4241, 0x4443], ", byteOrder: low-first", "ABCD"), ([0x0000, 0x4142], "", ""),
            ([0xC3A9, 0x2020], "", "é"),
            ([0x41FF, 0xFFFF], "", "A"), ([0x4344, 0x4142], ", wordOrder: low-first", "ABCD"),
        ] as [([UInt16], String, String)]
    )
    func aTextEndsAtNULAndBlanks(words: [UInt16], order: String, expected: String) throws {
        let profile = try self.profile(
            """
              - {name: p, title: {vi: P, en: P}, unit: "1", wire: {table: input, address: 0, type: uint16}}
              - {name: s, title: {vi: S, en: S}, kind: text, wire: {table: holding, address: 0, type: string, length: 2\(order)}}
            """
        )
        let plan = RegisterPlan(profile: profile, poll: .normal)
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        let replies = plan.reads.map { RegisterReply.words($0.table == .holding ? words : [7]) }
        plan.decode(replies: replies, into: &values, texts: &texts)
        #expect(texts.map(\.text) == [expected])
        #expect(values.map(\.point) == [0], "a text that was read is no value")
    }

    @Test func aFailedReadMarksItsPointsAndNoOthers() throws {
        let profile = try self.profile(
            """
              - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 0, type: int16}}
              - {name: b, title: {vi: B, en: B}, unit: "1", wire: {table: input, address: 0, type: int16}}
            """
        )
        let plan = RegisterPlan(profile: profile, poll: .normal)
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        let replies = plan.reads.map {
            $0.table == .holding ? RegisterReply.words([7]) : .failed(.bad(.communication))
        }
        plan.decode(replies: replies, into: &values, texts: &texts)
        #expect(values.first { $0.point == 0 }?.quality == .good)
        #expect(values.first { $0.point == 0 }?.value == 7)
        #expect(values.first { $0.point == 1 }?.quality == .bad(.communication))
    }
}
