/// Collects the blocks of one segment in memory, in ascending order of their series, and finishes it for one write.
final class SegmentBuilder {
    let tier: Tier
    private let buffer = ByteBuffer(capacity: 262_144)
    private var entries: [IndexEntry] = []
    private let scratch: EncodeScratch
    private var samples: UInt64 = 0
    private var blocksEnd = SegmentHeader.bytes

    init(tier: Tier, scratch: EncodeScratch) {
        self.tier = tier
        self.scratch = scratch
        self.buffer.count = SegmentHeader.bytes
    }

    var isEmpty: Bool { self.entries.isEmpty }
    var byteCount: Int { self.buffer.count + self.entries.count * IndexEntry.bytes }

    /// Adds samples of a series, oldest first, in as many blocks as they need.
    func add(_ series: UInt32, _ samples: UnsafeBufferPointer<StoredSample>, isLate: Bool = false) {
        // Blocks of one size: a short last one would pay for a code of its own.
        let blocks = (samples.count + SampleBlock.samplesMax - 1) / SampleBlock.samplesMax
        var start = 0
        while start < samples.count, let base = samples.baseAddress {
            let count = min((samples.count + blocks - 1) / blocks, samples.count - start)
            let first = base + start
            var statistics = StoredRollup(start: 0)
            for index in 0..<count {
                statistics.add(first[index].value, isBad: first[index].quality >= StoredSample.badQuality)
            }
            let entry = IndexEntry(
                series: series,
                isLate: isLate,
                first: first[0].tick,
                last: first[count - 1].tick,
                statistics: statistics,
                count: count
            )
            self.block(entry, bytesMax: SampleBlock.bytesMax(count)) { writer in
                SampleBlock.encode(first, count, isLate: isLate, Self.effort(count), self.scratch, into: &writer)
            }
            self.samples += UInt64(count)
            start += count
        }
    }

    /// Adds roll-ups of a series, oldest first.
    func add(_ series: UInt32, _ rollups: UnsafeBufferPointer<StoredRollup>) {
        var start = 0
        while start < rollups.count, let base = rollups.baseAddress {
            let count = min(RollupBlock.rollupsMax, rollups.count - start)
            let first = base + start
            var statistics = StoredRollup(start: 0)
            for index in 0..<count { statistics.merge(first[index]) }
            let entry = IndexEntry(
                series: series,
                isLate: false,
                first: first[0].start,
                last: first[count - 1].start,
                statistics: statistics,
                count: count
            )
            self.block(entry, bytesMax: RollupBlock.bytesMax(count)) { writer in
                RollupBlock.encode(first, count, Self.effort(count), self.scratch, into: &writer)
            }
            self.samples += UInt64(count)
            start += count
        }
    }

    /// A short block gains little by a search for its best form.
    private static func effort(_ count: Int) -> IntegerLane.Effort { count < 64 ? .quick : .smallest }

    private func block(_ entry: IndexEntry, bytesMax: Int, _ body: (inout ByteWriter) -> Void) {
        self.buffer.makeRoom(for: bytesMax)
        let start = self.buffer.count
        var writer = ByteWriter(self.buffer.base + start, capacity: self.buffer.capacity - start)
        body(&writer)
        precondition(!writer.isOverfull, "a block fits the room made for it")
        var entry = entry
        entry.offset = UInt32(truncatingIfNeeded: start)
        entry.length = UInt32(truncatingIfNeeded: writer.count)
        self.buffer.count += writer.count
        entry.checksum = Checksum.of(UnsafeRawBufferPointer(rebasing: self.buffer.bytes[start...]))
        self.entries.append(entry)
        self.blocksEnd = self.buffer.count
    }

    /// Adds index and header and fills up to whole units; again for another place, where the first one failed.
    ///
    /// - Parameter position: where on the card it will be written.
    func finish(sequence: UInt64, position: Int, ring: UInt64, unitBytes: Int) -> (
        bytes: UnsafeRawBufferPointer, header: SegmentHeader
    ) {
        self.buffer.count = self.blocksEnd
        self.buffer.pad(to: 8)
        let indexOffset = self.buffer.count
        self.buffer.makeRoom(for: self.entries.count * IndexEntry.bytes)
        var writer = ByteWriter(self.buffer.base + indexOffset, capacity: self.buffer.capacity - indexOffset)
        for entry in self.entries { entry.encode(into: &writer) }
        self.buffer.count += writer.count
        var header = SegmentHeader(
            sequence: sequence,
            tier: self.tier,
            entries: self.entries.count,
            indexOffset: indexOffset,
            byteCount: self.buffer.count,
            first: self.entries.map(\.first).min() ?? 0,
            last: self.entries.map(\.last).max() ?? 0
        )
        header.samples = self.samples
        header.lowestSeries = self.entries.first?.series ?? 0
        header.highestSeries = self.entries.last?.series ?? 0
        let bytes = self.buffer.bytes
        header.indexChecksum = Checksum.of(
            UnsafeRawBufferPointer(rebasing: bytes[indexOffset...]),
            at: position,
            of: ring
        )
        header.bodyChecksum = Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[SegmentHeader.bytes...]))
        header.encode(to: self.buffer.base, at: position, ring: ring)
        // A write must not share what the card programs at once with another segment.
        self.buffer.pad(to: unitBytes)
        return (self.buffer.bytes, header)
    }
}
