/// Up to 256 unsigned numbers, most of them in `width` bits and the few larger ones patched in.
///
/// ```
/// width u8 | exceptions u8 | numbers, `width` bits each, lowest bit first, filled up to a byte
/// then for each exception: position u8 | the bits above `width` as varint
/// ```
enum PackedBits {
    /// Most numbers of one group.
    static let groupMax = 256

    /// The width with the fewest bits in all, and about how many these are.
    static func bestWidth(_ numbers: UnsafePointer<UInt64>, _ count: Int) -> (width: Int, bits: Int) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 66) { histogram in
            guard let counts = histogram.baseAddress else { return (64, count * 64) }
            counts.initialize(repeating: 0, count: 66)
            for index in 0..<count { counts[64 &- numbers[index].leadingZeroBitCount] &+= 1 }
            var width = 64
            while width > 0, counts[width] == 0 { width -= 1 }
            var best = (width: width, bits: count * width + 16)
            var exceptions = 0
            var exceptionBits = 0
            while width > 0 {
                exceptions += Int(counts[width])
                exceptionBits += Int(counts[width]) * width
                guard exceptions < 256 else { break }
                width -= 1
                // A position, and seven of the bits above a byte.
                let bits = count * width + exceptions * 12 + (exceptionBits - exceptions * width) * 8 / 7 + 16
                if bits < best.bits { best = (width, bits) }
            }
            return best
        }
    }

    static func encode(_ numbers: UnsafePointer<UInt64>, _ count: Int, into writer: inout ByteWriter) {
        let width = self.bestWidth(numbers, count).width
        let mask = self.mask(width)
        var exceptions = 0
        for index in 0..<count where numbers[index] > mask { exceptions += 1 }
        writer.put8(UInt8(truncatingIfNeeded: width))
        writer.put8(UInt8(truncatingIfNeeded: exceptions))
        if width > 0, let target = writer.reserve((count * width + 7) / 8) {
            self.pack(numbers, count, width, mask, target)
        }
        guard exceptions > 0 else { return }
        for index in 0..<count where numbers[index] > mask {
            writer.put8(UInt8(truncatingIfNeeded: index))
            writer.varint(numbers[index] >> UInt64(width))
        }
    }

    @inline(__always)
    private static func mask(_ width: Int) -> UInt64 { width == 64 ? .max : (1 &<< UInt64(width)) &- 1 }

    @inline(__always)
    private static func pack(
        _ numbers: UnsafePointer<UInt64>,
        _ count: Int,
        _ width: Int,
        _ mask: UInt64,
        _ target: UnsafeMutableRawPointer
    ) {
        var target = target
        var word: UInt64 = 0
        var filled = 0
        for index in 0..<count {
            let number = numbers[index] & mask
            word |= number &<< UInt64(truncatingIfNeeded: filled)
            filled &+= width
            guard filled >= 64 else { continue }
            target.storeBytes(of: word.littleEndian, as: UInt64.self)
            target += 8
            filled &-= 64
            word = filled == 0 ? 0 : number &>> UInt64(truncatingIfNeeded: width &- filled)
        }
        // Behind the last byte there is slack.
        if filled > 0 { target.storeBytes(of: word.littleEndian, as: UInt64.self) }
    }

    /// Reads one group into `numbers`; `false` when the bytes cannot be such a group.
    ///
    /// - Returns: whether all is well, and whether every number is zero, in which case `numbers` is left alone.
    @inline(__always)
    static func decode(
        _ reader: inout ByteReader,
        _ count: Int,
        into numbers: UnsafeMutablePointer<UInt64>
    ) -> (isWell: Bool, isZero: Bool) {
        let width = Int(reader.get8())
        let exceptions = Int(reader.get8())
        guard width <= 64, let source = reader.take((count * width + 7) / 8) else { return (false, false) }
        if width == 0, exceptions == 0 { return (!reader.isBroken, true) }
        self.unpack(source, count, width, into: numbers)
        for _ in 0..<exceptions {
            let position = Int(reader.get8())
            let high = reader.varint()
            guard position < count, !reader.isBroken, width < 64 else { return (false, false) }
            numbers[position] |= high &<< UInt64(width)
        }
        return (!reader.isBroken, false)
    }

    private static func unpack(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ width: Int,
        into numbers: UnsafeMutablePointer<UInt64>
    ) {
        let mask = self.mask(width)
        let step = UInt64(width)
        var index = 0
        var bit = 0
        switch width {
        case 0: numbers.initialize(repeating: 0, count: count)
        case 1...7:
            // Eight numbers from one load: 7 bits of offset and 8 × 7 of numbers.
            while index &+ 8 <= count {
                var word = self.load(source, bit)
                for place in 0..<8 {
                    numbers[index &+ place] = word & mask
                    word &>>= step
                }
                index &+= 8
                bit &+= 8 &* width
            }
        case 8...14:
            while index &+ 4 <= count {
                let word = self.load(source, bit)
                numbers[index] = word & mask
                numbers[index &+ 1] = (word &>> step) & mask
                numbers[index &+ 2] = (word &>> (2 &* step)) & mask
                numbers[index &+ 3] = (word &>> (3 &* step)) & mask
                index &+= 4
                bit &+= 4 &* width
            }
        default: break
        }
        guard width > 0 else { return }
        if width <= 57 {
            while index < count {
                numbers[index] = self.load(source, bit) & mask
                index &+= 1
                bit &+= width
            }
            return
        }
        while index < count {
            let low = self.load(source, bit)
            let shift = UInt64(truncatingIfNeeded: bit & 7)
            let next = UInt64((source + (bit &>> 3) + 8).load(as: UInt8.self))
            numbers[index] = (shift == 0 ? low : low | next &<< (64 &- shift)) & mask
            index &+= 1
            bit &+= width
        }
    }

    /// The bits from `bit` on, at least 57 of them.
    @inline(__always)
    static func load(_ source: UnsafeRawPointer, _ bit: Int) -> UInt64 {
        UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
            &>> UInt64(truncatingIfNeeded: bit & 7)
    }
}
