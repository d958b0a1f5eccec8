/// Unsigned numbers by how often their sizes occur: Huffman codes for tokens, raw bits below them.
///
/// A number under 16 is its own token; a larger one has a token for its bit length and its next two bits, the rest
/// follows raw. Codes are canonical, at most 10 bits long. Four streams, each over a quarter of the numbers, let the
/// processor decode four at once.
///
/// ```
/// tokens u8 (highest + 1, 0 = 256) | code lengths, 4 bits each, low nibble first | 4 stream lengths as varint | streams
/// ```
enum EntropyCoder {
    static let codeBitsMax = 10
    static let tableEntries = 1 << codeBitsMax
    /// Fewer are not worth a table.
    static let countMin = 256
    /// Numbers of more bits would not fit one load with their code.
    static let numberMax: UInt64 = 1 << 40

    @inline(__always)
    static func token(_ number: UInt64) -> (token: Int, extraBits: Int) {
        if number < 16 { return (Int(truncatingIfNeeded: number), 0) }
        let bits = 64 &- number.leadingZeroBitCount
        let next = Int(truncatingIfNeeded: number &>> UInt64(truncatingIfNeeded: bits &- 3)) & 3
        return (16 &+ (bits &- 5) &* 4 &+ next, bits &- 3)
    }

    /// The smallest number of a token, and how many raw bits follow.
    static func base(_ token: Int) -> (number: UInt64, extraBits: Int) {
        if token < 16 { return (UInt64(token), 0) }
        let bits = 5 + (token - 16) / 4
        return (UInt64(4 | (token - 16) % 4) << UInt64(bits - 3), bits - 3)
    }

    /// A code for each token.
    struct Plan {
        var lengths = [UInt8](repeating: 0, count: 256)
        var tokens = 0
        /// Bits of codes, raw bits and table together.
        var bits = 0
    }

    /// The best code for these numbers; `nil` when they cannot or should not be coded so.
    static func plan(_ numbers: UnsafePointer<UInt64>, _ count: Int) -> Plan? {
        guard count >= self.countMin else { return nil }
        var counts = [Int](repeating: 0, count: 256)
        var extra = 0
        for index in 0..<count {
            guard numbers[index] < self.numberMax else { return nil }
            let (token, bits) = self.token(numbers[index])
            counts[token] += 1
            extra += bits
        }
        var plan = Plan()
        plan.lengths = HuffmanLengths.lengths(counts, longest: self.codeBitsMax)
        plan.tokens = (counts.lastIndex { $0 > 0 } ?? 0) + 1
        plan.bits = extra + 8 + plan.tokens * 4 + 9 * 8
        for token in 0..<plan.tokens { plan.bits += counts[token] * Int(plan.lengths[token]) }
        return plan
    }

    static func encode(
        _ numbers: UnsafePointer<UInt64>,
        _ count: Int,
        _ plan: Plan,
        into writer: inout ByteWriter
    ) {
        writer.put8(UInt8(truncatingIfNeeded: plan.tokens))
        for token in stride(from: 0, to: plan.tokens, by: 2) {
            let high = token + 1 < plan.tokens ? plan.lengths[token + 1] : 0
            writer.put8(plan.lengths[token] | high << 4)
        }
        let codes = HuffmanLengths.codes(plan.lengths)
        var sizes: [Int] = []
        for quarter in self.quarters(count) {
            var bits = 0
            for index in quarter {
                let (token, extra) = self.token(numbers[index])
                bits += Int(plan.lengths[token]) + extra
            }
            sizes.append((bits + 7) / 8)
        }
        for size in sizes { writer.varint(UInt64(size)) }
        for (quarter, size) in zip(self.quarters(count), sizes) {
            guard let target = writer.reserve(size) else { return }
            self.write(numbers, quarter, plan.lengths, codes, target)
        }
    }

    private static func write(
        _ numbers: UnsafePointer<UInt64>,
        _ range: Range<Int>,
        _ lengths: [UInt8],
        _ codes: [UInt16],
        _ target: UnsafeMutableRawPointer
    ) {
        var target = target
        var word: UInt64 = 0
        var filled: UInt64 = 0
        for index in range {
            let (token, extra) = self.token(numbers[index])
            let length = UInt64(lengths[token])
            let raw = numbers[index] & ((1 &<< UInt64(extra)) &- 1)
            let bits = UInt64(codes[token]) | raw &<< length
            let size = length + UInt64(extra)
            word |= bits &<< filled
            filled += size
            // At most 48 bits come at once, so 16 are always free after this.
            while filled >= 8, filled + 48 > 64 || index == range.upperBound - 1 {
                target.storeBytes(of: UInt8(truncatingIfNeeded: word), as: UInt8.self)
                target += 1
                word >>= 8
                filled -= 8
            }
        }
        if filled > 0 { target.storeBytes(of: UInt8(truncatingIfNeeded: word), as: UInt8.self) }
    }

    static func quarters(_ count: Int) -> [Range<Int>] {
        let size = (count + 3) / 4
        return (0..<4).map { min($0 * size, count)..<min(($0 + 1) * size, count) }
    }
}
