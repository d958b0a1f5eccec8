/// Bytes as people write them: `01 04 02 01 31`.
package enum HexText {
    /// Reads hexadecimal digits, pairs of which may be separated by blanks, colons or dashes; `nil` for anything else.
    package static func bytes(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            case UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "\n"), UInt8(ascii: "\t"):
                if high != nil { return nil }
                continue
            default: return nil
            }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? result : nil
    }

    /// Writes bytes in upper case, two digits each.
    package static func digits(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("0123456789ABCDEF".utf8)
        return String(decoding: bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Writes bytes in upper case, separated by blanks.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }
        .joined(separator: " ")
    }
}

/// The checksum of Modbus RTU frames: CRC-16 with polynomial 0xA001 (reflected), start 0xFFFF; sent low byte first.
package enum ModbusCRC {
    /// The checksum of `bytes`.
    ///
    /// Source: MODBUS over Serial Line V1.02, 6.2.2.
    package static func value(of bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        }
        return crc
    }
}
