internal import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// One seal: what is in the half in use, and in all windows, becomes segments.
    ///
    /// The journal is committed first. Then each series moves to the other half; what it appends from there on goes
    /// into units behind the checkpoint. The segments are written and flushed, then the superblock that names them and
    /// the checkpoint is. Only after that the half and the older units are free.
    func sealLocked(_ keeper: inout Keeper) throws(RingError) {
        // One that failed half-way comes first; what was appended since is in the other half.
        if self.memory.head.pointee.sealing != 0 { try self.finishSeal(&keeper) }
        self.pullAll(&keeper)
        // The segments hold all of it too, should the journal not take it.
        try? self.writeJournal(&keeper)
        let half = Int(truncatingIfNeeded: self.memory.head.pointee.half)
        self.sealingSegment.store(keeper.superblock.nextSegment, ordering: .releasing)
        self.sealingHalf.store(half, ordering: .sequentiallyConsistent)
        let refused = self.journal.refused.load(ordering: .relaxed)
        // What was put into units between the two is of series that are not sealed yet: it is written as well.
        try? self.writeJournal(&keeper)
        let replayed = self.replayedUnit.load(ordering: .relaxed)
        self.memory.head.pointee.sealCheckpoint = replayed == 0 ? keeper.nextUnit : replayed
        self.memory.head.pointee.sealing = keeper.superblock.generation + 1
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        self.memory.head.pointee.half = UInt64(1 - half)
        try self.finishSeal(&keeper)
        keeper.owesSeal = false
        keeper.sealedRefusals = refused
    }

    /// The part of a seal that can be done again when the process or the card failed in it.
    func finishSeal(_ keeper: inout Keeper) throws(RingError) {
        let half = Int(truncatingIfNeeded: 1 - self.memory.head.pointee.half)
        self.sealingHalf.store(half, ordering: .sequentiallyConsistent)
        self.sealingSegment.store(keeper.superblock.nextSegment, ordering: .releasing)
        let hasRest = Atomic<Bool>(false)
        self.forEachGroup { group, range in
            for series in range where !self.flip(series, group, to: 1 - half) {
                hasRest.store(true, ordering: .relaxed)
            }
        }
        self.sealingHalf.store(2, ordering: .sequentiallyConsistent)
        self.isSealWanted.store(false, ordering: .relaxed)
        let before = keeper.superblock
        do throws(RingError) {
            // The journal need not have taken anything, but names there must be.
            try self.writeNames()
            // What found no room in the half is in none of the segments, and the units that have it are about to be
            // free: it goes into units behind the checkpoint first.
            if hasRest.load(ordering: .relaxed) {
                self.pullAll(&keeper)
                try self.writeJournal(&keeper)
            }
            let scratch = EncodeScratch(capacity: SampleBlock.samplesMax)
            for range in self.seriesOfSegments {
                try self.write(self.collectRaw(range, half, scratch), since: before.nextSegment, &keeper)
                try self.write(self.collectMinutes(range, half, scratch), since: before.nextSegment, &keeper)
            }
            try self.compactQuarters(&keeper, scratch)
            try self.device.flush()
            keeper.superblock.checkpoint = self.memory.head.pointee.sealCheckpoint
            try self.writeSuperblock(&keeper)
        } catch {
            self.segments.removeAll(from: before.nextSegment)
            keeper.superblock.checkpoint = before.checkpoint
            keeper.superblock.quarteredThrough = before.quarteredThrough
            throw error
        }
        self.counters.seals.add(1, ordering: .relaxed)
        self.release(half)
        self.rollupCache.removeAll()
    }

    /// Forgets the sealed half: its samples are read from segments now.
    func release(_ half: Int) {
        self.forEachGroup { _, range in
            for series in range { self.memory.slot(series).pointee.sealedChain = 0 }
        }
        self.sealingSegment.store(.max, ordering: .releasing)
        self.memory.free(half)
        self.memory.head.pointee.sealing = 0
    }

    /// Gives up what could not be sealed and counts it; what of it is in the journal comes back at the next start.
    func giveUpSealed(_ keeper: inout Keeper) {
        let half = Int(truncatingIfNeeded: 1 - self.memory.head.pointee.half)
        let lost = Mutex<UInt64>(0)
        self.forEachGroup { _, range in
            for series in range {
                var chain = self.memory.slot(series).pointee.sealedChain
                while chain != 0 {
                    let record = StagedRecord(self.memory.record(chain, half: half))
                    let bytes = self.memory.record(chain, half: half) + StagedRecord.headBytes
                    if record.kind != StagedRecord.Kind.rollup {
                        let count = SampleBlock.count(ByteReader(bytes, count: record.length)) ?? 0
                        lost.withLock { $0 += UInt64(count) }
                    }
                    chain = record.next
                }
            }
        }
        self.counters.dropped.add(lost.withLock { $0 }, ordering: .relaxed)
        self.release(half)
    }

    /// The series whose blocks share a segment: what a seal takes of memory at once is bounded by it.
    var seriesOfSegments: [Range<Int>] {
        let count = self.seriesCount
        return stride(from: 0, to: count, by: Self.segmentSeries).map { $0..<min($0 + Self.segmentSeries, count) }
    }

    func forEachGroup(_ body: (_ group: Int, _ range: Range<Int>) -> Void) {
        let count = self.seriesCount
        for group in 0..<((count + Self.groupSeries - 1) / Self.groupSeries) {
            let range = group * Self.groupSeries..<min((group + 1) * Self.groupSeries, count)
            self.locks.withLock(group) { body(group, range) }
        }
    }

    /// The records of a chain, oldest first.
    ///
    /// Nobody but the keeper changes a half that is being sealed.
    private func collect(_ series: Int, _ half: Int, isRollup: Bool, into found: inout [StagedRecord.Located]) {
        found.removeAll(keepingCapacity: true)
        var chain = self.memory.slot(series).pointee.sealedChain
        while chain != 0 {
            let base = self.memory.record(chain, half: half)
            let record = StagedRecord(base)
            if (record.kind == StagedRecord.Kind.rollup) == isRollup {
                found.append(.init(record: record, bytes: base + StagedRecord.headBytes))
            }
            chain = record.next
        }
        found.reverse()
    }

    private func collectRaw(_ range: Range<Int>, _ half: Int, _ scratch: EncodeScratch) -> SegmentBuilder {
        let builder = SegmentBuilder(tier: .raw, scratch: scratch)
        let decode = DecodeScratch()
        let columns = SampleColumns()
        var records: [StagedRecord.Located] = []
        var samples: [StoredSample] = []
        for series in range {
            self.collect(series, half, isRollup: false, into: &records)
            self.add(records, StagedRecord.Kind.raw, UInt32(series), to: builder, columns, &samples, decode)
            if records.contains(where: { $0.record.kind == StagedRecord.Kind.late }) {
                self.add(records, StagedRecord.Kind.late, UInt32(series), to: builder, columns, &samples, decode)
            }
        }
        return builder
    }

    /// Adds the samples of a series' records of one kind as blocks.
    private func add(
        _ records: [StagedRecord.Located],
        _ kind: UInt32,
        _ series: UInt32,
        to builder: SegmentBuilder,
        _ columns: SampleColumns,
        _ samples: inout [StoredSample],
        _ decode: DecodeScratch
    ) {
        columns.count = 0
        for located in records where located.record.kind == kind {
            let reader = ByteReader(located.bytes, count: located.record.length)
            _ = SampleBlock.decode(reader, first: located.record.first, into: columns, decode)
        }
        let isLate = kind == StagedRecord.Kind.late
        if isLate { columns.sort() }
        samples.removeAll(keepingCapacity: true)
        for index in 0..<columns.count {
            samples.append(
                StoredSample(
                    tick: columns.ticks[index],
                    value: columns.values[index],
                    quality: columns.qualities[index]
                )
            )
        }
        samples.withUnsafeBufferPointer { builder.add(series, $0, isLate: isLate) }
    }

    private func collectMinutes(_ range: Range<Int>, _ half: Int, _ scratch: EncodeScratch) -> SegmentBuilder {
        let builder = SegmentBuilder(tier: .minute, scratch: scratch)
        let decode = DecodeScratch()
        var records: [StagedRecord.Located] = []
        var rollups: [StoredRollup] = []
        for series in range {
            rollups.removeAll(keepingCapacity: true)
            self.collect(series, half, isRollup: true, into: &records)
            for located in records {
                let reader = ByteReader(located.bytes, count: located.record.length)
                _ = RollupBlock.decode(reader, first: located.record.first, into: &rollups, decode)
            }
            rollups.mergeEqualStarts()
            rollups.withUnsafeBufferPointer { builder.add(UInt32(series), $0) }
        }
        return builder
    }
}

extension StagedRecord {
    /// A record and where its bytes are.
    struct Located {
        var record: StagedRecord
        var bytes: UnsafeMutableRawPointer
    }
}
