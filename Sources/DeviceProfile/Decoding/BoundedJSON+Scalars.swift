extension BoundedJSON {
    static func skipBlanks(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    static func word(
        _ word: StaticString,
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ position: inout Int
    ) throws(Problem) {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw .syntax }
        for offset in 0..<count where bytes[position + offset] != word.utf8Start[offset] { throw .syntax }
        position += count
    }

    /// Passes a number by the grammar of RFC 8259, 6.
    static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) throws(Problem) {
        func digits() throws(Problem) {
            let start = position
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
            if position == start { throw .syntax }
        }
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard position < bytes.count else { throw .syntax }
        if bytes[position] == 0x30 { position += 1 } else { try digits() }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
    }

    /// Passes a string; returns whether it has escapes.
    static func string(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) throws(Problem) -> Bool {
        position += 1
        var hasEscapes = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try self.escape(bytes, &position)
            case 0..<0x20: throw .syntax
            default: position += 1
            }
        }
        throw .syntax
    }

    private static func escape(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) throws(Problem) {
        guard position + 1 < bytes.count else { throw .syntax }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = self.hex4(bytes, position + 2) else { throw .syntax }
            position += 6
            if (0xD800...0xDBFF).contains(unit) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u"), let low = self.hex4(bytes, position + 2),
                    (0xDC00...0xDFFF).contains(low)
                else { throw .syntax }
                position += 6
            } else if (0xDC00...0xDFFF).contains(unit) {
                throw .syntax
            }
        default: throw .syntax
        }
    }

    private static func hex4(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt16 = 0
        for byte in bytes[start..<(start + 4)] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// The meaning of a string's bytes; `nil` only for bytes that ``string(_:_:)`` would not have passed.
    static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> String? {
        guard start <= end, end <= bytes.count else { return nil }
        guard bytes[start..<end].contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
        var units: [UInt8] = []
        var index = start
        while index < end {
            guard bytes[index] == UInt8(ascii: "\\") else {
                units.append(bytes[index])
                index += 1
                continue
            }
            guard index + 1 < end else { return nil }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): units.append(8)
            case UInt8(ascii: "f"): units.append(12)
            case UInt8(ascii: "n"): units.append(10)
            case UInt8(ascii: "r"): units.append(13)
            case UInt8(ascii: "t"): units.append(9)
            case UInt8(ascii: "u"):
                guard let high = self.hex4(bytes, index + 2) else { return nil }
                index += 4
                var scalar = UInt32(high)
                if (0xD800...0xDBFF).contains(high), let low = self.hex4(bytes, index + 4) {
                    scalar = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) &- 0xDC00)
                    index += 6
                }
                guard let character = Unicode.Scalar(scalar) else { return nil }
                units.append(contentsOf: String(Character(character)).utf8)
            default: units.append(bytes[index + 1])
            }
            index += 2
        }
        return String(decoding: units, as: UTF8.self)
    }

    /// Eight bytes at a time.
    static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var position = 0
        var seen: UInt64 = 0
        while position + 8 <= raw.count {
            seen |= raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < raw.count {
            seen |= UInt64(raw[position])
            position += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    static func hash(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash
    }

    /// The text of a scalar token: strings unescaped, everything else as written; `nil` for containers.
    package func text(_ index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> String? {
        let token = self.tokens[index]
        switch token.kind {
        case .object, .array: return nil
        default: return Self.unescaped(bytes, Int(token.start), Int(token.end))
        }
    }

    /// The number in `bytes[start..<end]`, correctly rounded; `nil` when it is not a JSON number, infinite when it
    /// does not fit a `Double`.
    static func double(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Double? {
        var position = start
        guard start < end, (try? self.number(bytes, &position)) != nil, position == end else { return nil }
        return self.value(bytes, start, end)
    }

    /// The same of bytes that are known to be a JSON number.
    static func value(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Double? {
        if let exact = self.shortDecimal(bytes, start, end) { return exact }
        return Double(String(decoding: bytes[start..<end], as: UTF8.self))
    }

    /// Up to 15 digits and no exponent: both the digits and the power of ten are exact, so one division rounds once.
    private static func shortDecimal(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Double? {
        var mantissa: Int64 = 0
        var digits = 0
        var decimals = -1
        var index = start
        let isNegative = bytes[start] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") {
                decimals = 0
            } else if (0x30...0x39).contains(byte) {
                mantissa = mantissa * 10 + Int64(byte - 0x30)
                digits += 1
                if decimals >= 0 { decimals += 1 }
                if digits > 15 { return nil }
            } else {
                return nil
            }
            index += 1
        }
        let value = decimals > 0 ? Double(mantissa) / PowersOfTen.value(Double(decimals)) : Double(mantissa)
        return isNegative ? -value : value
    }
}
