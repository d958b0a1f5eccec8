import CampusModel
import Testing

@testable import TimeSeriesRing

struct CodecTests {
    private let scratch = EncodeScratch(capacity: SampleBlock.samplesMax)

    private func roundTrip(_ samples: [StoredSample], _ effort: IntegerLane.Effort, isLate: Bool = false)
        -> [StoredSample]?
    {
        let buffer = ByteBuffer(capacity: SampleBlock.bytesMax(samples.count) + 64)
        var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
        let first = samples.withUnsafeBufferPointer {
            SampleBlock.encode($0.baseAddress!, $0.count, isLate: isLate, effort, self.scratch, into: &writer)
        }
        guard !writer.isOverfull else { return nil }
        let columns = SampleColumns(capacity: 16)
        let isWell = SampleBlock.decode(
            ByteReader(buffer.base, count: writer.count),
            first: first,
            into: columns,
            DecodeScratch()
        )
        guard isWell else { return nil }
        return (0..<columns.count)
            .map { StoredSample(tick: columns.ticks[$0], value: columns.values[$0], quality: columns.qualities[$0]) }
    }

    private func expectSame(_ samples: [StoredSample], _ comment: String) {
        for effort in [IntegerLane.Effort.quick, .smallest] {
            let found = self.roundTrip(samples, effort)
            #expect(found?.count == samples.count, "\(comment)")
            let isSame = zip(found ?? [], samples).allSatisfy { $0.isSame(as: $1) }
            #expect(isSame, "\(comment), \(effort)")
        }
    }

    static let signals: [(name: String, value: @Sendable (Int, UInt64) -> Double)] = [
        ("constant", { _, _ in 21.5 }), ("counting", { index, _ in Double(index) }),
        ("two decimals", { index, word in Double(2_100 + index / 7 % 90 + Int(word % 3)) / 100 }),
        ("twelve decimals", { _, word in Double(word % 9_000) / 12 }),
        ("floats of decimals", { _, word in Double(Float(Double(2_300 + word % 40) / 10)) }),
        ("any floats", { _, word in Double(Float(bitPattern: UInt32(truncatingIfNeeded: word) & 0x7F7F_FFFF)) }),
        ("any doubles", { _, word in Double(bitPattern: word & 0x7FEF_FFFF_FFFF_FFFF) }),
        ("zero of both signs", { index, _ in index % 3 == 0 ? -0.0 : 0.0 }),
        ("rare jumps", { index, _ in index % 97 == 0 ? 4_000_000_000 : 3 }),
        ("large whole numbers", { _, word in Double(word % (1 << 53)) }),
        ("noise", { _, word in Double(word % 1_000) / 10 }),
        ("smallest and largest", { index, _ in index % 2 == 0 ? .leastNonzeroMagnitude : -.greatestFiniteMagnitude }),
    ]

    @Test(arguments: CodecTests.signals.indices, [1, 2, 3, 16, 127, 128, 129, 255, 256, 257, 258, 1_000, 8_192])
    func everySignalComesBackToTheBit(signal: Int, count: Int) {
        var lottery = Lottery(seed: UInt64(count))
        let (name, value) = Self.signals[signal]
        var tick: Int64 = 1_790_000_000_000
        let samples = (0..<count)
            .map { index in
                tick += index % 50 == 49 ? 61_000 : 1_000 + Int64(lottery.next() % 3)
                return StoredSample(tick: tick, value: value(index, lottery.next()), quality: 0)
            }
        self.expectSame(samples, name)
    }

    @Test func qualitiesComeBackAndBadSamplesHaveNoValue() {
        var lottery = Lottery(seed: 5)
        let qualities: [Quality] = [.good, .good, .good, .uncertain(.stale), .bad(.communication), .bad(.range)]
        let samples = (0..<2_000)
            .map { index in
                let quality = qualities[Int(lottery.next() % UInt64(qualities.count))]
                return StoredSample(sample(Int64(index) * 500, Double(lottery.next() % 100), quality))
            }
        self.expectSame(samples, "mixed quality")
        #expect(samples.allSatisfy { $0.quality < 128 || $0.value == 0 })
    }

    @Test func ticksMayBeAnything() {
        var lottery = Lottery(seed: 9)
        let ticks = (0..<500).map { _ in Int64(lottery.next() % 4_000_000_000_000) }.sorted()
        self.expectSame(ticks.map { StoredSample(tick: $0, value: 1, quality: 0) }, "scattered ticks")
        self.expectSame((0..<500).map { _ in StoredSample(tick: 7, value: 1, quality: 0) }, "one tick")
    }

    @Test(arguments: 0...64)
    func numbersOfEveryWidthComeBack(width: Int) {
        var lottery = Lottery(seed: UInt64(width))
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        for count in [1, 3, 7, 8, 9, 255, 256] {
            // One in twenty is wider: an exception.
            let numbers = (0..<count).map { $0 % 20 == 19 ? lottery.next() : lottery.next() & mask }
            let buffer = ByteBuffer(capacity: 8_192)
            var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
            PackedBits.encode(numbers, count, into: &writer)
            var found = [UInt64](repeating: 0, count: count)
            var reader = ByteReader(buffer.base, count: writer.count)
            #expect(PackedBits.decode(&reader, count, into: &found).isWell)
            #expect(found == numbers)
            #expect(reader.offset == writer.count)
        }
    }

    @Test(arguments: [256, 257, 258, 259, 1_000, 8_191], [1, 3, 9, 30])
    func entropyCodedNumbersComeBack(count: Int, spread: UInt64) throws {
        var lottery = Lottery(seed: spread)
        let numbers = (0..<count).map { _ in lottery.next() % (1 << (lottery.next() % spread + 1)) }
        let plan = try #require(EntropyCoder.plan(numbers, count))
        let buffer = ByteBuffer(capacity: count * 8 + 512)
        var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
        EntropyCoder.encode(numbers, count, plan, into: &writer)
        #expect(writer.count * 8 <= plan.bits + 64, "the plan knows how large it will be")
        let scratch = DecodeScratch()
        var reader = ByteReader(buffer.base, count: writer.count)
        #expect(EntropyCoder.decode(&reader, count, into: scratch.numbers, table: scratch.table))
        #expect((0..<count).allSatisfy { scratch.numbers[$0] == numbers[$0] })
    }

    /// Small steps, rows of nothing of every length, and now and then a large step.
    @Test(arguments: [256, 257, 1_000, 8_191, 20_480], [1, 3, 12, 40])
    func sumsOfEntropyCodedDifferencesAreTheSumsOfTheNumbers(count: Int, spread: Int) throws {
        var lottery = Lottery(seed: UInt64(count * 100 + spread))
        var numbers: [UInt64] = []
        while numbers.count < count {
            let kind = lottery.next() % 40
            if kind == 0 {
                numbers.append(ZigZag.encode(Int64(lottery.next() % 1_000) - 500))
            } else if kind < 5 {
                numbers.append(contentsOf: repeatElement(0, count: 1 << Int(lottery.next() % 8)))
            } else {
                numbers.append(ZigZag.encode(Int64(lottery.next() % UInt64(spread)) - Int64(spread / 2)))
            }
        }
        let plan = try #require(EntropyCoder.plan(numbers, count))
        let buffer = ByteBuffer(capacity: count * 8 + 512)
        var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
        EntropyCoder.encode(numbers, count, plan, into: &writer)
        let scratch = DecodeScratch()
        var reader = ByteReader(buffer.base, count: writer.count)
        #expect(scratch.sums.decode(&reader, count, scratch.table))
        var index = 0
        for quarter in 0..<4 {
            var sum: Int16 = 0
            for found in scratch.sums.quarter(quarter, of: count) {
                sum &+= Int16(truncatingIfNeeded: ZigZag.decode(numbers[index]))
                #expect(found == sum, "number \(index)")
                index += 1
            }
        }
        #expect(index == count)
    }

    @Test func rollupsComeBack() {
        var lottery = Lottery(seed: 3)
        var rollups = (0..<1_440)
            .map { index in
                var rollup = StoredRollup(start: Int64(index) * 60_000)
                for _ in 0..<(1 + lottery.next() % 60) {
                    rollup.add(Double(2_100 + lottery.next() % 200) / 100, isBad: lottery.next() % 9 == 0)
                }
                return rollup
            }
        rollups[7].sum = .pi
        for count in [1, 8, 1_440] {
            for effort in [IntegerLane.Effort.quick, .smallest] {
                let buffer = ByteBuffer(capacity: RollupBlock.bytesMax(count) + 64)
                var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
                let first = RollupBlock.encode(rollups, count, effort, self.scratch, into: &writer)
                var found: [StoredRollup] = []
                let reader = ByteReader(buffer.base, count: writer.count)
                #expect(RollupBlock.decode(reader, first: first, into: &found, DecodeScratch()))
                #expect(found.count == count)
                for (left, right) in zip(found, rollups) {
                    #expect(left.start == right.start && left.count == right.count && left.badCount == right.badCount)
                    #expect(left.minimum == right.minimum && left.maximum == right.maximum)
                    #expect(abs(left.sum - right.sum) <= 1e-9 * abs(right.sum))
                }
            }
        }
    }

    /// Whatever the bytes, decoding ends, stays in its memory and never traps.
    @Test func brokenBlocksAreRefusedOrReadAsSomethingElse() {
        var lottery = Lottery(seed: 11)
        let decode = DecodeScratch()
        let columns = SampleColumns()
        for (name, value) in Self.signals {
            let samples = (0..<600)
                .map { StoredSample(tick: Int64($0) * 1_000, value: value($0, lottery.next()), quality: 0) }
            let buffer = ByteBuffer(capacity: SampleBlock.bytesMax(600) + 64)
            var writer = ByteWriter(buffer.base, capacity: buffer.capacity)
            SampleBlock.encode(samples, 600, .smallest, self.scratch, into: &writer)
            for _ in 0..<400 {
                let copy = ByteBuffer(capacity: buffer.capacity)
                copy.base.copyMemory(from: buffer.base, byteCount: writer.count)
                for _ in 0...(lottery.next() % 4) {
                    let place = Int(lottery.next() % UInt64(writer.count))
                    copy.base.storeBytes(
                        of: UInt8(truncatingIfNeeded: lottery.next()),
                        toByteOffset: place,
                        as: UInt8.self
                    )
                }
                let length = lottery.next() % 3 == 0 ? Int(lottery.next() % UInt64(writer.count)) : writer.count
                columns.count = 0
                _ = SampleBlock.decode(ByteReader(copy.base, count: length), first: 0, into: columns, decode)
                #expect(columns.count <= SampleBlock.samplesMax, "\(name)")
                var rollups: [StoredRollup] = []
                _ = RollupBlock.decode(ByteReader(copy.base, count: length), first: 0, into: &rollups, decode)
            }
        }
    }
}
