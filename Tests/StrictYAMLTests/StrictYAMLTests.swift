import StrictYAML
import Testing

struct StrictYAMLTests {
    private enum Colour: String, CaseIterable {
        case red
        case green
    }

    private func problems(_ text: String, _ read: (YAMLMap) -> Void) -> [String] {
        do {
            let document = try YAMLDocument(text, file: "f.yaml")
            read(document.root)
            document.root.finish()
            try document.check()
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func readsEveryKindOfValue() {
        let text = """
            name: "off"
            count: 0x1F
            ratio: -2.5e3
            flag: true
            colour: green
            wait: 10 min
            list: [1, 2, 3]
            map: {a: 1}
            nothing:
            """
        let found = self.problems(text) { map in
            #expect(map.string("name") == "off")
            #expect(map.int("count", in: 0...100) == 31)
            #expect(map.double("ratio", default: 0) == -2_500)
            #expect(map.bool("flag", default: false) == true)
            #expect(map.choice("colour", of: Colour.self) == .green)
            #expect(map.milliseconds("wait", in: 0...1_000_000, default: 1) == 600_000)
            #expect(map.list("list").compactMap { $0.int(in: 0...9) } == [1, 2, 3])
            let inner = map.optionalMap("map")
            #expect(inner?.int("a", in: 0...9) == 1)
            inner?.finish()
            #expect(map.optionalString("nothing") == nil)
            #expect(map.optionalString("absent") == nil)
        }
        #expect(found == [])
    }

    @Test func aKeyThatStandsTwiceIsRefusedHoweverItIsQuoted() {
        #expect(self.problems("1: a\n\"1\": b\n") { _ in }.first?.contains("the key '1' stands here twice") == true)
        #expect(self.problems("on: a\nyes: b\n") { _ = ($0.string("on"), $0.string("yes")) } == [])
    }

    @Test func anUnknownKeyIsToldWithItsPlaceAndTheNearestKnownOne() {
        let found = self.problems("name: a\nnmae: b\n") { _ = $0.string("name") }
        #expect(found == ["f.yaml:2:7: nmae: unknown key 'nmae'; did you mean 'name'?"])
    }

    @Test func allProblemsAreToldAtOnceInTheOrderOfLines() {
        let found = self.problems("a: x\nb: 300\nc: yes\n") { map in
            _ = map.bool("c", default: false)
            _ = map.int("b", in: 0...255)
            _ = map.int("a", in: 0...255)
            _ = map.string("d")
        }
        #expect(found.count == 4)
        #expect(found[0].contains("missing"))
        #expect(found[1].hasPrefix("f.yaml:1:4: a: must be a whole number"))
        #expect(found[2] == "f.yaml:2:4: b: 300 is outside 0 to 255")
        #expect(found[3] == "f.yaml:3:4: c: must be true or false")
    }

    @Test(arguments: [
        ("a: 012", "without the leading 0"), ("a: '12'", "whole number"), ("a: 1.5", "whole number"),
        ("a: 99999999999999999999", "whole number"), ("a: 0x", "whole number"), ("a: [1]", "whole number"),
    ])
    func numbersAreNotGuessed(text: String, message: String) {
        let found = self.problems(text) { _ = $0.int("a", in: 0...255) }
        #expect(found.count == 1)
        #expect(found.first?.contains(message) == true)
    }

    @Test(arguments: [".nan", ".inf", "1e400", "1_000", "0b11", "012.5", "--1", "1e", "NaN"])
    func numbersThatYAMLWouldBendAreRefused(text: String) {
        let found = self.problems("a: \(text)") { _ = $0.optionalDouble("a") }
        #expect(found.count == 1)
    }

    @Test(arguments: ["5", "5 sec", "s", "-1 s", "999999999999999 d", "1.5 h"])
    func timeSpansNeedTheirUnit(text: String) {
        let found = self.problems("a: \(text)") { _ = $0.milliseconds("a", in: 0...1_000, default: 0) }
        #expect(found.count == 1)
    }

    @Test(arguments: [
        "", "- a\n- b\n", "a: 1\na: 2\n", "a: &x 1\nb: *x\n", "a: [", "a: \"\\x\"", "a: b: c", "\t: 1",
        "a: 1\n---\nb: 2\n",
        String(repeating: "[", count: 5_000), "a: " + String(repeating: "{b: ", count: 2_000),
        String(repeating: "- ", count: 5_000) + "x", "a: \u{0}",
        "a: !!binary x\n? [k]\n: v\n",
    ])
    func whatIsNotPlainYAMLIsRefusedAndNeverTraps(text: String) {
        let found = self.problems(text) { _ = $0.string("zzz") }
        #expect(!found.isEmpty)
    }

    @Test func aFileLargerThanTheLimitIsRefused() {
        let found = self.problems("a: " + String(repeating: "x", count: YAMLDocument.bytesMax)) { _ = $0.optional("a") }
        #expect(found.count == 1)
        #expect(found.first?.contains("larger than") == true)
    }

    @Test func mutatedFilesNeverTrap() {
        let valid = Array("name: \"x\"\nlist:\n  - {a: 1, b: [2, 3]}\n  - a: 0x10\nmap:\n  key: 'v'\n  t: 5 s\n".utf8)
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<3_000 {
            var bytes = valid
            for _ in 0...random(6) {
                let index = random(bytes.count)
                switch random(3) {
                case 0: bytes[index] = UInt8(random(256))
                case 1: bytes.remove(at: index)
                default: bytes.insert(Array("{}[]:-&*\"'\n |>%@".utf8)[random(16)], at: index)
                }
                if bytes.isEmpty { bytes = valid }
            }
            _ = self.problems(String(decoding: bytes, as: UTF8.self)) { map in
                _ = map.string("name")
                for value in map.list("list") {
                    let inner = value.map()
                    _ = inner.int("a", in: 0...20)
                    inner.finish()
                }
            }
        }
    }
}
