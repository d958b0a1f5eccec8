extension RegisterSource {
    /// The raw value in `words`, before scaling; `nil` when the bits are no value of the type (a BCD digit above 9).
    ///
    /// - Parameters:
    ///   - words: Registers in wire order, or bits as 0 and 1.
    ///   - offset: Where the value starts; `offset + addressCount` must not be past the end.
    func raw(in words: UnsafeBufferPointer<UInt16>, at offset: Int) -> Double? {
        guard offset >= 0, offset + self.addressCount <= words.count else { return nil }
        if self.table.isBits { return words[offset] == 0 ? 0 : 1 }
        switch self.type {
        case .float32:
            return Double(Float(bitPattern: UInt32(truncatingIfNeeded: self.unsigned(words, offset, count: 2))))
        case .float64: return Double(bitPattern: self.unsigned(words, offset, count: 4))
        case .float16: return Self.half(UInt16(truncatingIfNeeded: self.unsigned(words, offset, count: 1)))
        case .int16: return self.signed(self.unsigned(words, offset, count: 1), width: 16)
        case .int8: return self.signed(self.unsigned(words, offset, count: 1), width: 8)
        case .int24: return self.signed(self.unsigned(words, offset, count: 2), width: 24)
        case .int32: return self.signed(self.unsigned(words, offset, count: 2), width: 32)
        case .int64: return self.signed(self.unsigned(words, offset, count: 4), width: 64)
        case .uint8: return Double(self.slice(self.unsigned(words, offset, count: 1) & 0xFF))
        case .uint16: return Double(self.slice(self.unsigned(words, offset, count: 1)))
        case .uint24: return Double(self.slice(self.unsigned(words, offset, count: 2) & 0xFF_FFFF))
        case .uint32: return Double(self.slice(self.unsigned(words, offset, count: 2)))
        case .uint64: return Double(self.slice(self.unsigned(words, offset, count: 4)))
        case .bool:
            let word = self.unsigned(words, offset, count: 1)
            return (self.bits == nil ? word : self.slice(word)) == 0 ? 0 : 1
        case .bcd16: return Self.decimal(self.unsigned(words, offset, count: 1), digits: 4)
        case .bcd32: return Self.decimal(self.unsigned(words, offset, count: 2), digits: 8)
        case .bcd64: return Self.decimal(self.unsigned(words, offset, count: 4), digits: 16)
        case .string, .hex: return nil
        }
    }

    /// The decimal digits of a whole value, all of them; `nil` for other types.
    func whole(in words: UnsafeBufferPointer<UInt16>, at offset: Int) -> String? {
        guard !self.table.isBits, offset >= 0, offset + self.addressCount <= words.count else { return nil }
        switch self.type {
        case .uint64: return String(self.slice(self.unsigned(words, offset, count: 4)))
        case .int64 where self.bits == nil: return String(Int64(bitPattern: self.unsigned(words, offset, count: 4)))
        default: return nil
        }
    }

    /// The text in `words`: characters cut at the first NUL, blanks at the end removed, or all bytes as hexadecimal
    /// digits.
    ///
    /// - Parameter bytesMax: How many bytes count; `nil` for all.
    func text(in words: UnsafeBufferPointer<UInt16>, at offset: Int, bytesMax: Int? = nil) -> String? {
        guard self.type.isText, offset >= 0, offset + self.length <= words.count else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<self.length {
            let word = words[offset + (self.wordOrder == .highFirst ? index : self.length - 1 - index)]
            let high = UInt8(truncatingIfNeeded: word >> 8)
            let low = UInt8(truncatingIfNeeded: word)
            bytes.append(contentsOf: self.byteOrder == .highFirst ? [high, low] : [low, high])
        }
        if let bytesMax, bytesMax < bytes.count { bytes.removeLast(bytes.count - max(bytesMax, 0)) }
        if self.type == .hex { return HexText.digits(bytes) }
        if let end = bytes.firstIndex(of: 0) { bytes.removeSubrange(end...) }
        while let last = bytes.last, last == 0x20 || last == 0xFF { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The registers of the value as one number, the first register the highest after ordering.
    private func unsigned(_ words: UnsafeBufferPointer<UInt16>, _ offset: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count {
            let position = self.wordOrder == .highFirst ? index : count - 1 - index
            let word = words[offset + position]
            value = value << 16 | UInt64(self.byteOrder == .highFirst ? word : word.byteSwapped)
        }
        return value
    }

    /// Two's complement of the lowest `width` bits, or of the slice of them.
    private func signed(_ value: UInt64, width: Int) -> Double {
        let used = self.bits?.count ?? width
        let shift = UInt64(64 - min(max(used, 1), 64))
        return Double(Int64(bitPattern: self.slice(value) << shift) >> Int64(shift))
    }

    private func slice(_ value: UInt64) -> UInt64 {
        guard let bits = self.bits else { return value }
        let mask = bits.count >= 64 ? UInt64.max : (UInt64(1) << UInt64(bits.count)) - 1
        return (value >> UInt64(bits.from)) & mask
    }

    private static func decimal(_ value: UInt64, digits: Int) -> Double? {
        var result: UInt64 = 0
        for index in (0..<digits).reversed() {
            let digit = (value >> UInt64(index * 4)) & 0xF
            guard digit <= 9 else { return nil }
            result = result * 10 + digit
        }
        return Double(result)
    }

    /// IEEE 754 binary16; done by hand because `Float16` is not on every platform.
    static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction / 16_777_216
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1_024)
        }
    }
}
