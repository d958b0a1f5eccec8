/// Binary data as text, by RFC 4648: the alphabet of section 4 or of section 5, padded or not.
enum Base64Text {
    /// The bytes; `nil` for a letter of neither alphabet, bits that are left over, or padding in the wrong place.
    static func bytes(_ text: String) -> [UInt8]? {
        var letters = text.utf8[...]
        let isPadded = letters.last == UInt8(ascii: "=")
        if isPadded {
            guard letters.count % 4 == 0 else { return nil }
            letters.removeLast()
            if letters.last == UInt8(ascii: "=") { letters.removeLast() }
        }
        guard letters.count % 4 != 1 else { return nil }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for letter in letters {
            guard let value = self.value(of: letter) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // What is left over is no byte and must be 0, or two texts would mean the same.
        return bits & ((1 << UInt32(count)) - 1) == 0 ? result : nil
    }

    private static func value(of letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
