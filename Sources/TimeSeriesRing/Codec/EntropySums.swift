/// Reads numbers of ``EntropyCoder`` that are differences, zig-zag, straight into their sums.
///
/// For values that lie within ``ValueForm/tableMax`` of each other, as most sensors' do: a sum fits 16 bits then, up to
/// eight differences come out of one look into the table, and their sums are stored at once. Each quarter begins at 0.
final class EntropySums: @unchecked Sendable {
    // @unchecked: belongs to the scratch of one thread.
    private static let quarterMax = (DecodeScratch.blockMax + 3) / 4
    /// What a step may write behind its last number.
    private static let slack = 16
    private static let lanes = 8
    /// Larger differences do not fit.
    private static let numberMax: UInt64 = 1 << 16

    /// The sums of the four quarters.
    private let sums = UnsafeMutablePointer<Int16>.allocate(capacity: 4 * (quarterMax + slack))
    /// For each 10 bits what the differences in them add up to, one after the other.
    private let totals = UnsafeMutablePointer<UInt64>.allocate(capacity: EntropyCoder.tableEntries)
    private let steps = UnsafeMutablePointer<Step>.allocate(capacity: EntropyCoder.tableEntries)
    /// Where each of the differences ends, while the table is made.
    private let ends = UnsafeMutablePointer<UInt64>.allocate(capacity: EntropyCoder.tableEntries)

    deinit {
        self.sums.deallocate()
        self.totals.deallocate()
        self.steps.deallocate()
        self.ends.deallocate()
    }

    /// What one look into the table says besides the totals.
    private struct Step: BitwiseCopyable {
        /// Lowest first: bits to go on by (8), where raw bits begin (8), their mask (16), numbers without them or the
        /// base of a large one (16), the last total (8, signed), 1 in the highest bit for a large one.
        var word: UInt64

        static let large: UInt64 = 1 << 63

        @inline(__always)
        var bits: Int { Int(truncatingIfNeeded: self.word & 0xFF) }
        @inline(__always)
        var isLarge: Bool { self.word & Self.large != 0 }
        @inline(__always)
        var last: Int16 { Int16(Int8(truncatingIfNeeded: self.word &>> 48)) }

        @inline(__always)
        func number(_ bits: UInt64) -> Int {
            let raw = (bits &>> ((self.word &>> 8) & 63)) & ((self.word &>> 16) & 0xFFFF)
            return Int(truncatingIfNeeded: ((self.word &>> 32) & 0xFFFF) &+ raw)
        }
    }

    /// The sums of one quarter, each counted from its begin, with the number of them.
    func quarter(_ index: Int, of count: Int) -> UnsafeBufferPointer<Int16> {
        let size = (count + 3) / 4
        let length = min(size, max(count - index * size, 0))
        return UnsafeBufferPointer(start: self.start(of: index), count: length)
    }

    private func start(of quarter: Int) -> UnsafeMutablePointer<Int16> {
        self.sums + quarter * (Self.quarterMax + Self.slack)
    }

    /// Reads `count` numbers; `false` when the bytes cannot be such numbers.
    func decode(_ reader: inout ByteReader, _ count: Int, _ table: UnsafeMutablePointer<UInt64>) -> Bool {
        guard count >= EntropyCoder.countMin, count <= DecodeScratch.blockMax,
            EntropyCoder.readTable(&reader, table), self.join(table)
        else { return false }
        let sizes = (0..<4).map { _ in Int(truncatingIfNeeded: reader.varint()) }
        let starts = sizes.map { reader.take($0) }
        guard let first = starts[0], !reader.isBroken else { return false }
        var start = 0
        func stream(_ index: Int) -> Stream {
            let quarter = self.quarter(index, of: count)
            defer { start += sizes[index] * 8 }
            return Stream(start, start + sizes[index] * 8, self.start(of: index), quarter.count)
        }
        var a = stream(0)
        var b = stream(1)
        var c = stream(2)
        var d = stream(3)
        // A step may read where a stream ends, not behind it; one that has all its numbers stands still.
        while a.isUnderWay, b.isUnderWay, c.isUnderWay, d.isUnderWay {
            a.step(first, self.steps, self.totals)
            b.step(first, self.steps, self.totals)
            c.step(first, self.steps, self.totals)
            d.step(first, self.steps, self.totals)
        }
        while a.isUnderWay, b.isUnderWay {
            a.step(first, self.steps, self.totals)
            b.step(first, self.steps, self.totals)
        }
        while c.isUnderWay, d.isUnderWay {
            c.step(first, self.steps, self.totals)
            d.step(first, self.steps, self.totals)
        }
        while a.isUnderWay { a.step(first, self.steps, self.totals) }
        while b.isUnderWay { b.step(first, self.steps, self.totals) }
        while c.isUnderWay { c.step(first, self.steps, self.totals) }
        while d.isUnderWay { d.step(first, self.steps, self.totals) }
        return a.isWhole && b.isWhole && c.isWhole && d.isWhole
    }

    /// One of the four streams, while it is read.
    private struct Stream {
        var bit: Int
        let end: Int
        var output: UnsafeMutablePointer<Int16>
        let outputEnd: UnsafeMutablePointer<Int16>
        var sum: Int16 = 0

        @inline(__always)
        init(_ bit: Int, _ end: Int, _ output: UnsafeMutablePointer<Int16>, _ count: Int) {
            self.bit = bit
            self.end = end
            self.output = output
            self.outputEnd = output + count
        }

        @inline(__always)
        var isUnderWay: Bool { self.output < self.outputEnd && self.bit <= self.end }

        /// All numbers were there, and the last ones inside; the last look may have gone on by a few codes more.
        var isWhole: Bool { self.output >= self.outputEnd && self.bit <= self.end + EntropyCoder.codeBitsMax }

        @inline(__always)
        mutating func step(
            _ source: UnsafeRawPointer,
            _ steps: UnsafePointer<Step>,
            _ totals: UnsafePointer<UInt64>
        ) {
            let word = PackedBits.load(source, self.bit)
            let place = Int(truncatingIfNeeded: word & UInt64(EntropyCoder.tableEntries &- 1))
            let step = steps[place]
            let number = step.number(word)
            self.bit &+= step.bits
            let target = UnsafeMutableRawPointer(self.output)
            let sums = SIMD8(repeating: self.sum)
            if step.isLarge {
                self.sum &+= Int16(truncatingIfNeeded: ZigZag.decode(UInt64(truncatingIfNeeded: number)))
                target.storeBytes(of: self.sum, as: Int16.self)
                self.output += 1
                return
            }
            // Rows of zeros have totals of zero; those of up to 16 are written without asking how long they are.
            let eight = SIMD8<Int16>(truncatingIfNeeded: unsafeBitCast(totals[place], to: SIMD8<Int8>.self))
            target.storeBytes(of: sums &+ eight, as: SIMD8<Int16>.self)
            (target + 16).storeBytes(of: sums, as: SIMD8<Int16>.self)
            self.sum &+= step.last
            if number > EntropySums.slack {
                let left = self.outputEnd - self.output
                self.output.update(repeating: self.sum, count: min(number, left))
            }
            self.output += number
        }
    }

    /// Makes the table of sums out of that of single numbers; `false` when one is too large for it.
    private func join(_ table: UnsafePointer<UInt64>) -> Bool {
        self.ends[0] = Self.noEnds
        self.totals[0] = 0
        // What follows a code is found at a lower place, which is done then; only nothing but zero bits follows itself.
        let first = EntropyCoder.TableEntry(word: table[0])
        for _ in 1..<(first.isSmall ? Self.lanes : 1) { self.join(0, first) }
        for place in 0..<EntropyCoder.tableEntries {
            let entry = EntropyCoder.TableEntry(word: table[place])
            if entry.isSmall {
                self.join(place, entry)
                continue
            }
            guard entry.number < Self.numberMax >> 1, entry.extraBits <= 16 else { return false }
            let mask: UInt64 = (1 &<< UInt64(entry.extraBits)) &- 1
            let bits = UInt64(entry.length + entry.extraBits) | UInt64(entry.length) << 8
            self.steps[place] = Step(word: bits | mask << 16 | entry.number << 32 | (entry.isRun ? 0 : Step.large))
            self.totals[place] = 0
            self.ends[place] = Self.noEnds
        }
        return true
    }

    /// Eight ends that no look reaches.
    private static let noEnds: UInt64 = 0x4040_4040_4040_4040
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Puts a small number before those that follow its code; eight bytes are added at once.
    @inline(__always)
    private func join(_ place: Int, _ entry: EntropyCoder.TableEntry) {
        let rest = place &>> entry.length
        let difference = UInt64(UInt8(truncatingIfNeeded: ZigZag.decode(entry.number))) &* Self.ones
        let following = self.totals[rest] &<< 8
        let low = (following & ~Self.highBits) &+ (difference & ~Self.highBits)
        let totals = low ^ ((following ^ difference) & Self.highBits)
        let ends = (self.ends[rest] &<< 8) &+ UInt64(truncatingIfNeeded: entry.length) &* Self.ones
        // Ends grow, so the first one that is out of reach tells how many are not.
        let outside = (ends &+ UInt64(0x7F - EntropyCoder.codeBitsMax) &* Self.ones) & Self.highBits
        let count = outside == 0 ? Self.lanes : outside.trailingZeroBitCount &>> 3
        let last = UInt64(truncatingIfNeeded: (count &- 1) &* 8)
        let bits = (ends &>> last) & 0xFF
        self.steps[place] = Step(
            word: bits | UInt64(truncatingIfNeeded: count) &<< 32 | ((totals &>> last) & 0xFF) &<< 48
        )
        self.totals[place] = totals
        self.ends[place] = ends
    }
}
