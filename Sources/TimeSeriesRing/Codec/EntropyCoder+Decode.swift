extension EntropyCoder {
    /// Reads numbers written by ``encode(_:_:_:into:)``; `false` when the bytes cannot be such numbers.
    ///
    /// - Parameter table: ``tableEntries`` words of scratch.
    static func decode(
        _ reader: inout ByteReader,
        _ count: Int,
        into numbers: UnsafeMutablePointer<UInt64>,
        table: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        guard count >= self.countMin, self.readTable(&reader, table) else { return false }
        self.join(table)
        let sizes = (
            Int(truncatingIfNeeded: reader.varint()), Int(truncatingIfNeeded: reader.varint()),
            Int(truncatingIfNeeded: reader.varint()), Int(truncatingIfNeeded: reader.varint())
        )
        guard let first = reader.take(sizes.0), let second = reader.take(sizes.1), let third = reader.take(sizes.2),
            let fourth = reader.take(sizes.3)
        else { return false }
        numbers.initialize(repeating: 0, count: count)
        let quarter = (count + 3) / 4
        let lastCount = count - 3 * quarter
        guard lastCount > 0 else { return false }
        var a = Stream(first, sizes.0, numbers, quarter)
        var b = Stream(second, sizes.1, numbers + quarter, quarter)
        var c = Stream(third, sizes.2, numbers + 2 * quarter, quarter)
        var d = Stream(fourth, sizes.3, numbers + 3 * quarter, lastCount)
        // Two at a time: the state of four does not fit the registers.
        while a.left >= 3, b.left >= 3 {
            a.step(table)
            b.step(table)
        }
        while c.left >= 3, d.left >= 3 {
            c.step(table)
            d.step(table)
        }
        a.finish(table)
        b.finish(table)
        c.finish(table)
        d.finish(table)
        // A stream that was left was none.
        return a.isInside && b.isInside && c.isInside && d.isInside
    }

    /// One of the four streams, while it is read.
    private struct Stream {
        let source: UnsafeRawPointer
        let end: Int
        var bit = 0
        var output: UnsafeMutablePointer<UInt64>
        var left: Int

        @inline(__always)
        init(_ source: UnsafeRawPointer, _ bytes: Int, _ output: UnsafeMutablePointer<UInt64>, _ count: Int) {
            self.source = source
            self.end = bytes * 8
            self.output = output
            self.left = count
        }

        /// The last entry may have held two numbers more than there are.
        var isInside: Bool { self.bit <= self.end + 2 * EntropyCoder.codeBitsMax }

        /// Reads one to three numbers, or a row of zeros, which are there already; there is room for three.
        @inline(__always)
        mutating func step(_ table: UnsafePointer<UInt64>) {
            let (entry, first) = self.next(table)
            let isRun = 0 &- (entry &>> 60)
            self.output[0] = first & ~isRun
            self.output[1] = (entry &>> 52) & 15
            self.output[2] = (entry &>> 56) & 15
            self.advance(entry, first & isRun)
        }

        /// Reads the last numbers, for which there is no room behind.
        @inline(__always)
        mutating func finish(_ table: UnsafePointer<UInt64>) {
            while self.left >= 3 { self.step(table) }
            while self.left > 0 {
                let (entry, first) = self.next(table)
                let isRun = 0 &- (entry &>> 60)
                self.output[0] = first & ~isRun
                if self.left > 1 { self.output[1] = (entry &>> 52) & 15 }
                self.advance(entry, first & isRun)
            }
        }

        @inline(__always)
        private mutating func advance(_ entry: UInt64, _ zeros: UInt64) {
            let count = Int(truncatingIfNeeded: ((entry &>> 10) & 3) &+ zeros)
            // Wrong bytes must not lead behind the stream's numbers.
            let step = count < self.left ? count : self.left
            self.output += step
            self.left &-= step
        }

        @inline(__always)
        private mutating func next(_ table: UnsafePointer<UInt64>) -> (entry: UInt64, first: UInt64) {
            // Held at the end, so that wrong bytes cannot lead behind the padding.
            let at = self.bit < self.end ? self.bit : self.end
            let word = PackedBits.load(self.source, at)
            let entry = table[Int(truncatingIfNeeded: word & UInt64(EntropyCoder.tableEntries &- 1))]
            let length = entry & 15
            let extra = (entry &>> 4) & 63
            self.bit &+= Int(truncatingIfNeeded: length &+ extra)
            let raw = (word &>> length) & ((1 &<< extra) &- 1)
            return (entry, ((entry &>> 12) & 0xFF_FFFF_FFFF) &+ raw)
        }
    }

    /// What the table has for each 10 bits: the code's length (4 bits), raw bits (6), how many numbers (2), the first
    /// number or its base (40), where all are small a second and a third (4 each), and whether it is a row of zeros.
    struct TableEntry {
        var word: UInt64

        @inline(__always)
        var length: Int { Int(truncatingIfNeeded: self.word & 15) }
        @inline(__always)
        var extraBits: Int { Int(truncatingIfNeeded: (self.word >> 4) & 63) }
        @inline(__always)
        var number: UInt64 { (self.word >> 12) & 0xFF_FFFF_FFFF }
        @inline(__always)
        var isRun: Bool { self.word >> 60 != 0 }
        /// One number under 16.
        @inline(__always)
        var isSmall: Bool { self.extraBits == 0 && self.number < 16 && !self.isRun }
    }

    /// Fills the table with single numbers, or their bases.
    static func readTable(_ reader: inout ByteReader, _ table: UnsafeMutablePointer<UInt64>) -> Bool {
        let stored = Int(reader.get8())
        let tokens = stored == 0 ? 256 : stored
        guard let packed = reader.take((tokens + 1) / 2) else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { lengths in
            var used = 0
            for token in 0..<tokens {
                let byte = packed.load(fromByteOffset: token / 2, as: UInt8.self)
                let length = token % 2 == 0 ? byte & 15 : byte >> 4
                guard Int(length) <= self.codeBitsMax else { return false }
                // What a length takes of all codes, in units of the shortest code's inverse.
                if length > 0 { used += 1 << (self.codeBitsMax - Int(length)) }
                lengths[token] = length
            }
            guard used <= self.tableEntries, used > 0 else { return false }
            table.initialize(repeating: 1 << 10 | 1, count: self.tableEntries)
            var next = 0
            for length in 1...self.codeBitsMax {
                next <<= 1
                for token in 0..<tokens where Int(lengths[token]) == length {
                    let (number, extra) = self.base(token)
                    guard number < self.numberMax else { return false }
                    let isRun = self.firstRun..<self.firstLarge ~= token
                    let kind: UInt64 = isRun ? 1 << 60 : 1 << 10
                    let entry = number << 12 | kind | UInt64(extra) << 4 | UInt64(length)
                    var place = self.reversed(next, length)
                    while place < self.tableEntries {
                        table[place] = entry
                        place += 1 << length
                    }
                    next += 1
                }
            }
            return true
        }
    }

    /// Puts up to three small numbers whose codes fit the 10 bits together into one entry.
    private static func join(_ table: UnsafeMutablePointer<UInt64>) {
        // From the highest on: what follows a code is found at a lower place, which still has one number.
        for place in stride(from: self.tableEntries - 1, through: 0, by: -1) {
            var entry = table[place]
            guard TableEntry(word: entry).isSmall else { continue }
            for slot in 1...2 {
                let length = entry & 15
                let next = table[place >> Int(length)]
                guard TableEntry(word: next).isSmall, length + (next & 15) <= UInt64(self.codeBitsMax)
                else { break }
                entry += 1 << 10
                entry += next & 15
                entry |= ((next >> 12) & 15) << UInt64(48 + 4 * slot)
            }
            table[place] = entry
        }
    }

    private static func reversed(_ code: Int, _ length: Int) -> Int {
        var result = 0
        for bit in 0..<length where code >> bit & 1 == 1 { result |= 1 << (length - 1 - bit) }
        return result
    }
}
