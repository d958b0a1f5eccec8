/// A row of signed numbers in as few bytes as they need.
///
/// ```
/// form u8
/// 0 stepped   first, step (zig-zag varints), then groups of ≤ 256 differences minus step, zig-zag, as PackedBits
/// 1 framed    lowest (zig-zag varint), then groups of ≤ 256 distances from it as PackedBits
/// 2 entropy   first, step, then all differences minus step, zig-zag, as EntropyCoder
/// 3 linear    first, step: every difference is the step
/// 4 distinct  how many different numbers there are (varint), these in order as a lane, the places in it as a lane
/// ```
enum IntegerLane {
    /// How much work to put into it.
    enum Effort {
        /// One form, for blocks that are written again soon.
        case quick
        /// The smallest of all forms.
        case smallest
    }

    enum Form {
        static let stepped: UInt8 = 0
        static let framed: UInt8 = 1
        static let entropy: UInt8 = 2
        static let linear: UInt8 = 3
        static let distinct: UInt8 = 4
    }

    /// More bits a number are worth looking whether it is always the same few ones.
    private static let wideBits = 6

    /// An entropy-coded lane takes about three times as long to read; it has to be worth that.
    private static let entropyGainPercent = 4

    /// - Parameters:
    ///   - count: at least 1.
    ///   - mayList: whether the numbers may be told by their places in a list; not so the places themselves.
    ///   - scratch: room for 2 × `count` numbers.
    static func encode(
        _ numbers: UnsafePointer<Int64>,
        _ count: Int,
        step: Int64,
        _ effort: Effort,
        mayList: Bool = true,
        scratch: UnsafeMutablePointer<UInt64>,
        into writer: inout ByteWriter
    ) {
        let differences = scratch
        var last = numbers[0]
        for index in 1..<max(count, 1) {
            differences[index - 1] = ZigZag.encode(numbers[index] &- last &- step)
            last = numbers[index]
        }
        guard (0..<(count - 1)).contains(where: { differences[$0] != 0 }) else {
            return self.head(Form.linear, numbers[0], step, into: &writer)
        }
        guard effort == .smallest, count > 8 else {
            self.head(Form.stepped, numbers[0], step, into: &writer)
            return self.groups(differences, count - 1, into: &writer)
        }
        let stepped = self.groupBits(differences, count - 1)
        let distances = scratch + count
        var lowest = numbers[0]
        for index in 1..<count { lowest = min(lowest, numbers[index]) }
        for index in 0..<count { distances[index] = UInt64(bitPattern: numbers[index] &- lowest) }
        let framed = self.groupBits(distances, count)
        let plan = EntropyCoder.plan(differences, count - 1)
        var smallest = min(stepped, framed)
        let isCoded = plan.map { $0.bits * 100 < smallest * (100 - self.entropyGainPercent) } ?? false
        if isCoded, let plan { smallest = plan.bits }
        if mayList, smallest > self.wideBits * count,
            self.encodeDistinct(numbers, count, below: smallest, into: &writer)
        {
            return
        }
        if isCoded, let plan {
            self.head(Form.entropy, numbers[0], step, into: &writer)
            EntropyCoder.encode(differences, count - 1, plan, into: &writer)
        } else if framed < stepped {
            writer.put8(Form.framed)
            writer.signed(lowest)
            self.groups(distances, count, into: &writer)
        } else {
            self.head(Form.stepped, numbers[0], step, into: &writer)
            self.groups(differences, count - 1, into: &writer)
        }
    }

    /// Numbers that are wide but few, as those of a converter behind a formula: a list of them, and places in it.
    ///
    /// - Returns: `false`, and nothing written, when that takes more than `limit` bits.
    private static func encodeDistinct(
        _ numbers: UnsafePointer<Int64>,
        _ count: Int,
        below limit: Int,
        into writer: inout ByteWriter
    ) -> Bool {
        let sorted = UnsafeBufferPointer(start: numbers, count: count).sorted()
        var different = [sorted[0]]
        for number in sorted where number != different[different.count - 1] { different.append(number) }
        guard different.count < count / 3 else { return false }
        var places: [Int64: Int64] = [:]
        for (place, number) in different.enumerated() { places[number] = Int64(place) }
        let indexes = (0..<count).map { places[numbers[$0]] ?? 0 }
        // The caller still needs what is in its scratch.
        var scratch = [UInt64](repeating: 0, count: 2 * count)
        let start = writer.count
        writer.put8(Form.distinct)
        writer.varint(UInt64(different.count))
        for (lane, size) in [(different, different.count), (indexes, count)] {
            self.encode(lane, size, step: 0, .smallest, mayList: false, scratch: &scratch, into: &writer)
        }
        guard !writer.isOverfull, (writer.count - start) * 8 < limit else {
            writer.rewind(to: start)
            return false
        }
        return true
    }

    private static func head(_ form: UInt8, _ first: Int64, _ step: Int64, into writer: inout ByteWriter) {
        writer.put8(form)
        writer.signed(first)
        writer.signed(step)
    }

    private static func groups(_ numbers: UnsafePointer<UInt64>, _ count: Int, into writer: inout ByteWriter) {
        var start = 0
        while start < count {
            let size = min(PackedBits.groupMax, count - start)
            PackedBits.encode(numbers + start, size, into: &writer)
            start += size
        }
    }

    private static func groupBits(_ numbers: UnsafePointer<UInt64>, _ count: Int) -> Int {
        var bits = 0
        var start = 0
        while start < count {
            let size = min(PackedBits.groupMax, count - start)
            bits += PackedBits.bestWidth(numbers + start, size).bits
            start += size
        }
        return bits
    }

    /// The difference that most neighbours have.
    static func commonStep(_ numbers: UnsafePointer<Int64>, _ count: Int) -> Int64 {
        var candidate: Int64 = 0
        var votes = 0
        for index in 1..<max(count, 1) {
            let step = numbers[index] &- numbers[index - 1]
            if votes == 0 {
                candidate = step
                votes = 1
            } else {
                votes += step == candidate ? 1 : -1
            }
        }
        return candidate
    }

    /// Reads `count` numbers and adds `offset` to each; `false` when the bytes cannot be such a lane.
    static func decode(
        _ reader: inout ByteReader,
        _ count: Int,
        offset: Int64 = 0,
        mayList: Bool = true,
        into numbers: UnsafeMutablePointer<Int64>,
        _ scratch: DecodeScratch
    ) -> Bool {
        switch reader.get8() {
        case Form.linear:
            numbers[0] = reader.signed() &+ offset
            let step = reader.signed()
            if count > 1 { self.fill(numbers + 1, count - 1, step) }
            return !reader.isBroken
        case Form.distinct where mayList:
            return self.decodeDistinct(&reader, count, offset, into: numbers, scratch)
        case Form.stepped:
            numbers[0] = reader.signed() &+ offset
            let step = reader.signed()
            return self.decodeStepped(&reader, count, step, into: numbers, scratch.numbers)
        case Form.framed:
            let lowest = reader.signed() &+ offset
            return self.decodeFramed(&reader, count, lowest, into: numbers, scratch.numbers)
        case Form.entropy:
            numbers[0] = reader.signed() &+ offset
            let step = reader.signed()
            let isWell = EntropyCoder.decode(&reader, count - 1, into: scratch.numbers, table: scratch.table)
            guard isWell else { return false }
            self.add(scratch.numbers, count - 1, step, after: numbers)
            return true
        default: return false
        }
    }

    private static func decodeDistinct(
        _ reader: inout ByteReader,
        _ count: Int,
        _ offset: Int64,
        into numbers: UnsafeMutablePointer<Int64>,
        _ scratch: DecodeScratch
    ) -> Bool {
        let size = reader.length(upTo: count)
        guard !reader.isBroken else { return false }
        return withUnsafeTemporaryAllocation(of: Int64.self, capacity: size) { list in
            guard let list = list.baseAddress,
                self.decode(&reader, size, offset: offset, mayList: false, into: list, scratch),
                self.decode(&reader, count, mayList: false, into: numbers, scratch)
            else { return false }
            for index in 0..<count {
                let place = numbers[index]
                guard place >= 0, place < size else { return false }
                numbers[index] = list[Int(truncatingIfNeeded: place)]
            }
            return true
        }
    }

    private static func decodeStepped(
        _ reader: inout ByteReader,
        _ count: Int,
        _ step: Int64,
        into numbers: UnsafeMutablePointer<Int64>,
        _ scratch: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        var start = 1
        while start < count {
            let size = min(PackedBits.groupMax, count &- start)
            let group = PackedBits.decode(&reader, size, into: scratch)
            guard group.isWell else { return false }
            if group.isZero {
                self.fill(numbers + start, size, step)
            } else {
                self.add(scratch, size, step, after: numbers + (start &- 1))
            }
            start &+= size
        }
        return !reader.isBroken
    }

    private static func decodeFramed(
        _ reader: inout ByteReader,
        _ count: Int,
        _ lowest: Int64,
        into numbers: UnsafeMutablePointer<Int64>,
        _ scratch: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        var start = 0
        while start < count {
            let size = min(PackedBits.groupMax, count &- start)
            let group = PackedBits.decode(&reader, size, into: scratch)
            guard group.isWell else { return false }
            for index in 0..<size {
                numbers[start &+ index] = group.isZero ? lowest : lowest &+ Int64(bitPattern: scratch[index])
            }
            start &+= size
        }
        return !reader.isBroken
    }

    /// Numbers that grow by `step` from the one before `numbers`.
    @inline(__always)
    private static func fill(_ numbers: UnsafeMutablePointer<Int64>, _ count: Int, _ step: Int64) {
        let last = (numbers - 1).pointee
        if step == 0 {
            numbers.initialize(repeating: last, count: count)
        } else {
            var index = 0
            var pair = SIMD2<Int64>(last &+ step, last &+ step &+ step)
            while index &+ 2 <= count {
                UnsafeMutableRawPointer(numbers + index).storeBytes(of: pair, as: SIMD2<Int64>.self)
                pair &+= SIMD2(repeating: step &+ step)
                index &+= 2
            }
            if index < count { numbers[index] = pair[0] }
        }
    }

    /// Adds differences up, from the number at `base` on; the sums follow it.
    @inline(__always)
    private static func add(
        _ differences: UnsafePointer<UInt64>,
        _ count: Int,
        _ step: Int64,
        after base: UnsafeMutablePointer<Int64>
    ) {
        var sum = base[0]
        for index in 0..<count {
            sum = sum &+ step &+ ZigZag.decode(differences[index])
            base[index &+ 1] = sum
        }
    }
}
