extension RegisterSource {
    /// The registers for a raw value, in wire order; `nil` when the type cannot hold it.
    ///
    /// Bits outside ``bits`` are 0.
    func words(for raw: Double) -> [UInt16]? {
        if self.table.isBits { return [raw == 0 ? 0 : 1] }
        switch self.type {
        case .float32: return self.ordered(UInt64(Float(raw).bitPattern), count: 2)
        case .float64: return self.ordered(raw.bitPattern, count: 4)
        case .float16: return Self.half(raw).map { self.ordered(UInt64($0), count: 1) }
        case .bool: return self.ordered(raw == 0 ? 0 : UInt64(1) << UInt64(self.bits?.from ?? 0), count: 1)
        case .int8: return self.signed(raw, bits: 8, count: 1)
        case .int16: return self.signed(raw, bits: 16, count: 1)
        case .int24: return self.signed(raw, bits: 24, count: 2)
        case .int32: return self.signed(raw, bits: 32, count: 2)
        case .int64: return self.signed(raw, bits: 64, count: 4)
        case .uint8: return self.unsigned(raw, bits: 8, count: 1)
        case .uint16: return self.unsigned(raw, bits: 16, count: 1)
        case .uint24: return self.unsigned(raw, bits: 24, count: 2)
        case .uint32: return self.unsigned(raw, bits: 32, count: 2)
        case .uint64: return self.unsigned(raw, bits: 64, count: 4)
        case .bcd16: return self.decimal(raw, digits: 4, count: 1)
        case .bcd32: return self.decimal(raw, digits: 8, count: 2)
        case .bcd64: return self.decimal(raw, digits: 16, count: 4)
        case .string, .hex: return nil
        }
    }

    /// The registers for a text, cut to ``length`` registers and filled with NUL; of binary data from its hexadecimal
    /// digits.
    func words(for text: String) -> [UInt16] {
        let all = self.type == .hex ? HexText.bytes(text) ?? [] : Array(text.utf8)
        var bytes = Array(all.prefix(self.length * 2))
        while bytes.count < self.length * 2 { bytes.append(0) }
        return (0..<self.length)
            .map { place in
                let index = self.wordOrder == .highFirst ? place : self.length - 1 - place
                let first = UInt16(bytes[index * 2])
                let second = UInt16(bytes[index * 2 + 1])
                return self.byteOrder == .highFirst ? first << 8 | second : second << 8 | first
            }
    }

    /// IEEE 754 binary16, rounded to the nearest, ties to even; `nil` for finite values that are too large.
    ///
    /// By hand because `Float16` is not on every platform.
    static func half(_ value: Double) -> UInt16? {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isNaN { return 0x7E00 }
        let magnitude = abs(value)
        if magnitude.isInfinite { return sign | 0x7C00 }
        guard magnitude < 65_520 else { return nil }
        // Steps of 2⁻²⁴ below 2⁻¹⁴; above, 1024 steps from one power of two to the next.
        let exponent = magnitude < 0x1p-14 ? -14 : Int(magnitude.exponent)
        let steps = (magnitude * Double(sign: .plus, exponent: 10 - exponent, significand: 1)).rounded(.toNearestOrEven)
        guard let count = UInt16(exactly: steps) else { return nil }
        // A count of 2048 carries into the exponent; one below 1024 has none.
        return sign | (UInt16(exponent + 14) << 10 &+ count)
    }

    private func signed(_ raw: Double, bits width: Int, count: Int) -> [UInt16]? {
        guard let value = Int64(exactly: raw.rounded()) else { return nil }
        let used = self.bits?.count ?? width
        let mask = used >= 64 ? UInt64.max : (UInt64(1) << UInt64(used)) - 1
        if used < 64 {
            let limit = Int64(1) << Int64(used - 1)
            guard value >= -limit, value < limit else { return nil }
        }
        return self.ordered((UInt64(bitPattern: value) & mask) << UInt64(self.bits?.from ?? 0), count: count)
    }

    private func unsigned(_ raw: Double, bits width: Int, count: Int) -> [UInt16]? {
        guard let value = UInt64(exactly: raw.rounded()) else { return nil }
        let used = self.bits?.count ?? width
        guard used >= 64 || value < UInt64(1) << UInt64(used) else { return nil }
        return self.ordered(value << UInt64(self.bits?.from ?? 0), count: count)
    }

    private func decimal(_ raw: Double, digits: Int, count: Int) -> [UInt16]? {
        guard var value = UInt64(exactly: raw.rounded()) else { return nil }
        var packed: UInt64 = 0
        for digit in 0..<digits {
            packed |= value % 10 << UInt64(digit * 4)
            value /= 10
        }
        return value == 0 ? self.ordered(packed, count: count) : nil
    }

    private func ordered(_ value: UInt64, count: Int) -> [UInt16] {
        (0..<count)
            .map { index in
                let position = self.wordOrder == .highFirst ? count - 1 - index : index
                let word = UInt16(truncatingIfNeeded: value >> UInt64(position * 16))
                return self.byteOrder == .highFirst ? word : word.byteSwapped
            }
    }
}
