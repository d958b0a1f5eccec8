/// Unsigned numbers by how often their sizes occur: Huffman codes for tokens, raw bits below them.
///
/// A number under 16 is its own token. Two zeros and more in a row have a token for the length of their row, since a
/// code cannot be shorter than a bit and a sensor that does not change tells less than that. A larger number has a
/// token for its bit length and its next two bits. Codes are canonical, at most 10 bits long. Four streams, each over a
/// quarter of the numbers, let the processor decode four at once.
///
/// ```
/// tokens u8 (highest + 1, 0 = 256) | code lengths, 4 bits each, low nibble first | 4 lengths as varint | 4 streams
/// token  0–15  the number itself
///       16–27  2^(t − 15) zeros and as many more as the next t − 15 bits say
///       28 …   number of (t − 28) ÷ 4 + 5 bits, the two below the highest are (t − 28) modulo 4, the rest follows
/// ```
enum EntropyCoder {
    static let codeBitsMax = 10
    static let tableEntries = 1 << codeBitsMax
    /// Fewer are not worth a table.
    static let countMin = 256
    /// Numbers of more bits would not fit one load with their code.
    static let numberMax: UInt64 = 1 << 40
    static let firstRun = 16
    static let firstLarge = 28

    /// What comes next, and how far it reaches.
    struct Symbol {
        var token: Int
        var extraBits: Int
        var raw: UInt64
        var count: Int
    }

    @inline(__always)
    static func symbol(_ numbers: UnsafePointer<UInt64>, _ index: Int, end: Int) -> Symbol {
        let number = numbers[index]
        if number == 0 {
            var last = index &+ 1
            while last < end, numbers[last] == 0 { last &+= 1 }
            let count = last &- index
            if count == 1 { return Symbol(token: 0, extraBits: 0, raw: 0, count: 1) }
            let bits = Int.bitWidth &- 1 &- count.leadingZeroBitCount
            let raw = UInt64(truncatingIfNeeded: count &- 1 &<< bits)
            return Symbol(token: self.firstRun &+ bits &- 1, extraBits: bits, raw: raw, count: count)
        }
        if number < 16 { return Symbol(token: Int(truncatingIfNeeded: number), extraBits: 0, raw: 0, count: 1) }
        let bits = 64 &- number.leadingZeroBitCount
        let next = Int(truncatingIfNeeded: number &>> UInt64(truncatingIfNeeded: bits &- 3)) & 3
        let raw = number & ((1 &<< UInt64(truncatingIfNeeded: bits &- 3)) &- 1)
        return Symbol(token: self.firstLarge &+ (bits &- 5) &* 4 &+ next, extraBits: bits &- 3, raw: raw, count: 1)
    }

    /// The smallest number, or row of zeros, of a token, and how many raw bits follow.
    static func base(_ token: Int) -> (number: UInt64, extraBits: Int) {
        if token < self.firstRun { return (UInt64(token), 0) }
        if token < self.firstLarge { return (1 << UInt64(token - self.firstRun + 1), token - self.firstRun + 1) }
        let bits = 5 + (token - self.firstLarge) / 4
        return (UInt64(4 | (token - self.firstLarge) % 4) << UInt64(bits - 3), bits - 3)
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
        for quarter in self.quarters(count) {
            var index = quarter.lowerBound
            while index < quarter.upperBound {
                guard numbers[index] < self.numberMax else { return nil }
                let symbol = self.symbol(numbers, index, end: quarter.upperBound)
                counts[symbol.token] += 1
                extra += symbol.extraBits
                index += symbol.count
            }
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
            var index = quarter.lowerBound
            while index < quarter.upperBound {
                let symbol = self.symbol(numbers, index, end: quarter.upperBound)
                bits += Int(plan.lengths[symbol.token]) + symbol.extraBits
                index += symbol.count
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
        var index = range.lowerBound
        while index < range.upperBound {
            let symbol = self.symbol(numbers, index, end: range.upperBound)
            index += symbol.count
            let length = UInt64(lengths[symbol.token])
            // At most 47 bits come at once, so there is room when fewer than 8 are left over.
            word |= (UInt64(codes[symbol.token]) | symbol.raw &<< length) &<< filled
            filled += length + UInt64(symbol.extraBits)
            while filled >= 8 {
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
