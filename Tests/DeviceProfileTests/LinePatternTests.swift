import DeviceProfile
import Testing

struct LinePatternTests {
    private func match(_ pattern: String, _ frame: String, unit: UInt8 = 1) throws -> [String: LinePattern.Value]? {
        try LinePattern(pattern, form: .text).match(Array(frame.utf8)[...], unit: unit)
    }

    @Test(
        arguments: [
            ("%1POWR={power:digits 1}", "%1POWR=1", ["power": LinePattern.Value.number("1")]),
            ("S S{ }{weight:number 1-12} g", "S S     100.00 g", ["weight": .number("100.00")]),
            ("S S{ }{weight:number 1-12} g", "S S      -0.57 g", ["weight": .number("-0.57")]),
            ("I4 A \"{serial:any 1-32}\"", "I4 A \"B02 10\"", ["serial": .text("B02 10")]),
            ("8{unit:2}r7{value:digits 3}", "801r7050", ["value": .number("50")]),
            ("{a:any 2}{b:any 0-9}", "31", ["a": .text("31"), "b": .text("")]),
            ("x{_skipped:digits}y", "x123y", [:]), ("{{{a:letters}}", "{abc}", ["a": .text("abc")]),
        ]
    )
    func fieldsAreTakenFromAFrame(pattern: String, frame: String, fields: [String: LinePattern.Value]) throws {
        #expect(try self.match(pattern, frame) == fields)
    }

    @Test(
        arguments: [
            ("%1POWR={power:digits 1}", "%1POWR=12"), ("%1POWR={power:digits 1}", "%1POWR="),
            ("%1POWR={power:digits 1}", "%1POWR=a"), ("8{unit:2}r7{value:digits 3}", "802r7050"),
            ("S{ }{w:number} g", "S- g"), ("S{ }{w:number} g", "S 1.2.3 g"), ("{a:any 1-4}", "ab\u{0}"),
            ("{a:any 1-4}", "abcde"), ("{w:number}", "- -1"), ("{w:number}", "."),
        ]
    )
    func anythingElseIsNoMatch(pattern: String, frame: String) throws {
        #expect(try self.match(pattern, frame) == nil)
    }

    @Test func bytesThatAreNoTextAreNoMatch() throws {
        #expect(try LinePattern("{a:any}", form: .text).match([0xC3, 0x28][...], unit: 1) == nil)
    }

    @Test(
        arguments: [
            ("", "1 to 512"), ("{a", "without '}'"), ("{a}{a}", "twice"), ("{a:nonsense}", "none of any"),
            ("{a:digits 5-2}", "no count"), ("{a:digits 999}", "no count"), ("{a}{b}", "literal"),
            ("{unit:9}", "1 to 3"), ("{checksum}", "for hex"), ("{a b}", "letters, digits"),
        ]
    )
    func aWrongPatternSaysWhy(pattern: String, text: String) {
        do throws(LinePatternError) {
            _ = try LinePattern(pattern, form: .text)
            Issue.record("'\(pattern)' is wrong")
        } catch {
            #expect(error.description.contains(text), "\(error)")
        }
    }

    @Test func numbersOfBytesAreReadInTheirOrder() throws {
        let pattern = try LinePattern(
            "AA {unit} {a} {b:int8} {c:uint16} {d:int16-low-first} {e:ascii 4} {_x:skip 2} {checksum}",
            form: .hex
        )
        let frame: [UInt8] = [0xAA, 3, 0xFF, 0xFF, 1, 2, 0xFE, 0xFF, 0x41, 0x42, 0, 0, 9, 9, 0x55]
        #expect(
            pattern.match(frame[...], unit: 3)
                == [
                    "a": .number("255"), "b": .number("-1"), "c": .number("258"), "d": .number("-2"),
                    "e": .text("AB"),
                ]
        )
        #expect(pattern.match(frame[...], unit: 4) == nil)
        #expect(pattern.match(frame.dropLast(), unit: 3) == nil)
    }

    @Test func aLongFrameTakesOnePass() throws {
        let pattern = try LinePattern("{a:any 0-255}b{c:any 0-255}b{d:any 0-255}b{e:any 0-255}z", form: .text)
        let frame = Array(repeating: UInt8(ascii: "b"), count: 1_000)
        let start = ContinuousClock.now
        for _ in 0..<1_000 { #expect(pattern.match(frame[...], unit: 1) == nil) }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(pattern.match(Array(repeating: UInt8(ascii: "b"), count: 5_000)[...], unit: 1) == nil)
    }

    @Test func whatIsPlayedIsRead() throws {
        let pattern = try LinePattern("S S{ }{weight:number 1-12} g", form: .text)
        let bytes = pattern.bytes(unit: 1, fields: ["weight": "12.5"])
        #expect(pattern.match(bytes[...], unit: 1) == ["weight": .number("12.5")])
    }
}
