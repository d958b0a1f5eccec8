import Testing

@testable import DeviceProfile

/// JSON from strangers.
struct BoundedJSONTests {
    private func problem(_ text: String) -> BoundedJSON.Problem? { self.problem(Array(text.utf8)) }

    private func problem(_ bytes: [UInt8]) -> BoundedJSON.Problem? {
        var json = BoundedJSON()
        return bytes.withUnsafeBufferPointer { bytes in
            do throws(BoundedJSON.Problem) {
                try json.parse(bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test(arguments: [
        "{}", "[]", "0", "-0", "1e5", "1E-5", "-12.50", "true", "null", "\"\"", " { \"a\" : [ 1 , 2 ] } ",
        #"{"a":{"b":{"c":null}},"A":1}"#, #""\u00e9\ud83d\ude00\n""#, "\"học sinh\"", "1e400", "[[[[]]]]",
    ])
    func acceptsWhatRFC8259Allows(text: String) {
        #expect(self.problem(text) == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":}", "{\"a\"}", "{a:1}", "{'a':1}", "01", "+1", "1.", ".5", "1e", "--1",
        "NaN",
        "Infinity", "tru", "nulll", "[1 2]", "{\"a\":1,}", "{\"a\":1}x", "\"", "\"\\\"", "\"\\x\"", "\"\\u12G4\"",
        "\"\u{01}\"", #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "\u{FEFF}{}", "[1]]", "{\"a\":1}}", "/**/1",
    ])
    func refusesEverythingElse(text: String) {
        #expect(self.problem(text) == .syntax)
    }

    @Test func boundsAreErrorsNotCrashes() {
        #expect(self.problem(String(repeating: "[", count: 10_000)) == .tooDeep)
        #expect(self.problem(String(repeating: "[", count: 32) + String(repeating: "]", count: 32)) == nil)
        #expect(self.problem(String(repeating: "[", count: 33) + String(repeating: "]", count: 33)) == .tooDeep)
        #expect(self.problem("[" + String(repeating: "1,", count: 1_024) + "1]") == .tooMany)
        #expect(self.problem([UInt8](repeating: 0x20, count: (1 << 20) + 1)) == .tooLarge)
        let wide = (0..<1_000).map { "[\((0..<20).map(String.init).joined(separator: ","))]\($0 < 999 ? "," : "")" }
        #expect(self.problem("[" + wide.joined() + "]") == .tooMany)
    }

    @Test(arguments: [
        [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
    ])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        #expect(self.problem(bytes) == .notUTF8)
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"b":2,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"k":1,"k":1}}"#, #"{"":1,"":2}"#,
    ])
    func theSameKeyTwiceIsAnError(text: String) {
        #expect(self.problem(text) == .duplicateKey)
    }

    @Test func keysWithOneHashAreNotTheSameKey() {
        // A collision of the 32-bit hash, looked for here so that it cannot rot in a comment.
        var seen: [UInt32: String] = [:]
        for number in 0..<300_000 {
            let key = "k\(number)"
            let hash = BoundedJSON.hash(key.utf8)
            if let other = seen[hash] {
                #expect(self.problem(#"{"\#(other)":1,"\#(key)":2}"#) == nil)
                return
            }
            seen[hash] = key
        }
        Issue.record("no collision among 300,000 keys")
    }

    @Test(arguments: [
        ("0", 0.0), ("-0", -0.0), ("24.94", 24.94), ("0.769230769", 0.769230769),
        ("123456789012345", 123_456_789_012_345),
        ("1234567890123456789", 1_234_567_890_123_456_768), ("1e3", 1_000),
        ("1.7976931348623157e308", .greatestFiniteMagnitude),
        ("1e400", .infinity), ("-1e400", -.infinity), ("4.9e-324", .leastNonzeroMagnitude), ("1e-400", 0),
        ("0.1", 0.1), ("9007199254740993", 9_007_199_254_740_992),
    ])
    func numbersAreRoundedOnce(text: String, value: Double) {
        let parsed = Array(text.utf8).withUnsafeBufferPointer { BoundedJSON.double($0, 0, text.utf8.count) }
        #expect(parsed == value)
        #expect(parsed?.sign == value.sign)
    }

    @Test func randomDecimalsAgreeWithTheStandardLibrary() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let digits = Int.random(in: 1...18, using: &random)
            var text = Bool.random(using: &random) ? "-" : ""
            text += String(Int.random(in: 1...9, using: &random))
            for _ in 0..<digits { text += String(Int.random(in: 0...9, using: &random)) }
            if Bool.random(using: &random) {
                text += "."
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    text += String(Int.random(in: 0...9, using: &random))
                }
            }
            let parsed = Array(text.utf8).withUnsafeBufferPointer { BoundedJSON.double($0, 0, text.utf8.count) }
            #expect(parsed == Double(text), "\(text)")
        }
    }
}

/// One walk finds what one search for each pointer finds.
struct PointerTreeTests {
    /// A document with nested objects and arrays, keys sometimes written with escapes.
    private func document(_ depth: Int, _ random: inout SystemRandomNumberGenerator) -> String {
        let names = ["a", "b", "c", "0", "1", "~/", "é", "long-name"]
        switch depth == 0 ? 2 : Int.random(in: 0...2, using: &random) {
        case 0:
            let members = names.shuffled(using: &random).prefix(Int.random(in: 0...6, using: &random))
            let parts = members.map { name -> String in
                let isEscaped = Bool.random(using: &random)
                let key =
                    isEscaped
                    ? name.utf16
                        .map { unit in
                            let hex = String(unit, radix: 16)
                            return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                        }
                        .joined() : name
                return "\"\(key)\":\(self.document(depth - 1, &random))"
            }
            return "{" + parts.joined(separator: ",") + "}"
        case 1:
            let count = Int.random(in: 0...3, using: &random)
            return "[" + (0..<count).map { _ in self.document(depth - 1, &random) }.joined(separator: ",") + "]"
        default:
            return ["1", "-2.5", "\"x\"", "true", "null"].randomElement(using: &random) ?? "1"
        }
    }

    @Test func agreesWithOneSearchForEachPointer() throws {
        var random = SystemRandomNumberGenerator()
        let tokens = ["a", "b", "c", "0", "1", "01", "~0~1", "é", "long-name", "nowhere"]
        var found = 0
        for _ in 0..<2_000 {
            let pointers = try (0..<Int.random(in: 1...12, using: &random))
                .map { _ in
                    let count = Int.random(in: 0...3, using: &random)
                    let parts = (0..<count).map { _ in "/" + (tokens.randomElement(using: &random) ?? "a") }
                    return try #require(JSONPointer(parts.joined()))
                }
            let text = Array(self.document(3, &random).utf8)
            var json = BoundedJSON()
            var slots: [Int] = []
            try text.withUnsafeBufferPointer { bytes in
                try json.parse(bytes)
                PointerTree(pointers).locate(in: json, bytes, slots: &slots)
                for (slot, pointer) in pointers.enumerated() {
                    let expected = json.find(pointer, in: bytes) ?? PointerTree.absent
                    #expect(slots[slot] == expected, "\(pointer) in \(String(decoding: text, as: UTF8.self))")
                    if expected != PointerTree.absent { found += 1 }
                }
            }
        }
        #expect(found > 1_000, "the documents have what the pointers ask for")
    }
}
