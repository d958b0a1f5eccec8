internal import CampusModel
internal import Synchronization

/// Where the past of a series is.
extension TimeSeriesRing {
    /// Collects the samples that overlap `range` (stored ticks).
    ///
    /// What is in memory is copied under the series' lock, packed as it is; blocks of segments are read later.
    func collect(_ series: Int, _ range: ClosedRange<Int64>, _ scratch: QueryScratch) {
        var list: [SegmentStore.Segment] = []
        let group = series / Self.groupSeries
        var limit = UInt64.max
        self.locks.withLock(group) {
            guard self.wake(series) else { return }
            list = self.segments.segments(.raw)
            limit = self.copyMemory(series, range, isRollup: false, scratch)
        }
        let inMemory = scratch.pieces
        scratch.pieces.removeAll(keepingCapacity: true)
        self.collectSegments(list, UInt32(series), range, below: limit, scratch)
        scratch.pieces.append(contentsOf: inMemory)
    }

    /// Adds the blocks of a series in segments.
    func collectSegments(
        _ list: [SegmentStore.Segment],
        _ series: UInt32,
        _ range: ClosedRange<Int64>,
        below limit: UInt64,
        _ scratch: QueryScratch
    ) {
        for segment in list where segment.header.sequence < limit && segment.header.mayHave(series) {
            guard segment.header.first <= range.upperBound, segment.header.last >= range.lowerBound else { continue }
            self.segments.forEachBlock(of: series, in: segment) { entry in
                guard entry.first <= range.upperBound, entry.last >= range.lowerBound else { return }
                scratch.pieces.append(.init(first: entry.first, last: entry.last, place: .segment(segment, entry)))
            }
        }
    }

    /// Copies what memory has; returns the number of the first segment that may hold the same once more.
    func copyMemory(_ series: Int, _ range: ClosedRange<Int64>, isRollup: Bool, _ scratch: QueryScratch)
        -> UInt64
    {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        var limit = UInt64.max
        if slot.pointee.sealedChain != 0 {
            limit = self.sealingSegment.load(ordering: .acquiring)
            self.copyChain(slot.pointee.sealedChain, 1 - word.half, range, isRollup: isRollup, scratch)
        }
        self.copyChain(word.chain, word.half, range, isRollup: isRollup, scratch)
        if isRollup {
            let closed = self.memory.closedMinutes(series)
            let current = word.minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
            for index in 0..<word.minutes where range.contains(closed[index].start) {
                scratch.rollups.append(closed[index])
            }
            if !current.isEmpty, range.contains(current.start) { scratch.rollups.append(current) }
        } else {
            self.copyWindow(series, range, scratch)
        }
        return limit
    }

    private func copyChain(
        _ newest: UInt32,
        _ half: Int,
        _ range: ClosedRange<Int64>,
        isRollup: Bool,
        _ scratch: QueryScratch
    ) {
        let start = scratch.pieces.count
        var chain = newest
        while chain != 0 {
            let base = self.memory.record(chain, half: half)
            let record = StagedRecord(base)
            chain = record.next
            guard (record.kind == StagedRecord.Kind.rollup) == isRollup, record.first <= range.upperBound,
                record.last >= range.lowerBound
            else { continue }
            let offset = scratch.copied.count
            scratch.copied.append(
                UnsafeRawBufferPointer(start: base + StagedRecord.headBytes, count: record.length)
            )
            scratch.pieces.append(
                .init(first: record.first, last: record.last, place: .copied(offset: offset, length: record.length))
            )
        }
        scratch.pieces[start...].reverse()
    }

    private func copyWindow(_ series: Int, _ range: ClosedRange<Int64>, _ scratch: QueryScratch) {
        let slot = self.memory.slot(series)
        let count = slot.pointee.word.pending(slot.pointee.head)
        guard count > 0 else { return }
        scratch.copied.pad(to: 16)
        let offset = scratch.copied.count
        let bytes = count * MemoryLayout<StoredSample>.stride
        scratch.copied.makeRoom(for: bytes)
        let target = (scratch.copied.base + offset).bindMemory(to: StoredSample.self, capacity: count)
        self.copyWindow(series, from: slot.pointee.head &- UInt64(count), count, to: target)
        scratch.copied.count += bytes
        let first = target[0].tick
        let last = target[count - 1].tick
        guard first <= range.upperBound, last >= range.lowerBound else { return }
        scratch.pieces.append(.init(first: first, last: last, place: .window(offset: offset, count: count)))
    }

    /// Unpacks a piece of samples behind what the columns have; a damaged one adds nothing.
    func decode(_ piece: QueryScratch.Piece, _ scratch: QueryScratch) {
        self.decode(piece, scratch, into: scratch.columns)
    }

    func decode(_ piece: QueryScratch.Piece, _ scratch: QueryScratch, into columns: SampleColumns) {
        switch piece.place {
        case .segment(let segment, let entry):
            guard self.segments.read(entry, of: segment, into: scratch.block) else { return }
            let reader = ByteReader(scratch.block.base, count: scratch.block.count)
            if !SampleBlock.decode(reader, first: entry.first, into: columns, scratch.decode) {
                self.segments.damaged.add(1, ordering: .relaxed)
            }
        case .copied(let offset, let length):
            let reader = ByteReader(scratch.copied.base + offset, count: length)
            _ = SampleBlock.decode(reader, first: piece.first, into: columns, scratch.decode)
        case .window(let offset, let count):
            let samples = (scratch.copied.base + offset).assumingMemoryBound(to: StoredSample.self)
            for index in 0..<count { columns.append(samples[index]) }
        }
    }

    /// Unpacks a piece of roll-ups behind the others.
    func decodeRollups(_ piece: QueryScratch.Piece, _ scratch: QueryScratch) {
        switch piece.place {
        case .segment(let segment, let entry):
            guard self.segments.read(entry, of: segment, into: scratch.block) else { return }
            let reader = ByteReader(scratch.block.base, count: scratch.block.count)
            if !RollupBlock.decode(reader, first: entry.first, into: &scratch.rollups, scratch.decode) {
                self.segments.damaged.add(1, ordering: .relaxed)
            }
        case .copied(let offset, let length):
            let reader = ByteReader(scratch.copied.base + offset, count: length)
            _ = RollupBlock.decode(reader, first: piece.first, into: &scratch.rollups, scratch.decode)
        case .window: break
        }
    }

    /// The samples of a few ticks, as far as memory and card have them; under the series' lock.
    func known(_ series: Int, in range: ClosedRange<Int64>) -> Set<SampleKey> {
        self.scratches.with { scratch in
            let limit = self.copyMemory(series, range, isRollup: false, scratch)
            self.collectSegments(self.segments.segments(.raw), UInt32(series), range, below: limit, scratch)
            var found: Set<SampleKey> = []
            for piece in scratch.pieces {
                scratch.columns.count = 0
                self.decode(piece, scratch)
                for index in 0..<scratch.columns.count where range.contains(scratch.columns.ticks[index]) {
                    found.insert(
                        SampleKey(
                            StoredSample(
                                tick: scratch.columns.ticks[index],
                                value: scratch.columns.values[index],
                                quality: scratch.columns.qualities[index]
                            )
                        )
                    )
                }
            }
            return found
        }
    }

    /// Samples before this tick leave no trace any more: the raw tier has begun to overwrite.
    var rawHorizon: Int64 {
        let list = self.segments.segments(.raw)
        guard let oldest = list.first, self.hasOverwritten(.raw, list) else { return .min }
        return oldest.header.first
    }

    func hasOverwritten(_ tier: Tier, _ list: [SegmentStore.Segment]) -> Bool {
        // Segments are numbered from 1 over all tiers, so the first seal ever made 1 and 2.
        list.first.map { $0.header.sequence > UInt64(tier.rawValue) + 1 } ?? false
    }

    /// Looks up the newest sample that the card has of a series that nobody asked for since the start; under its lock.
    func revive(_ series: Int) -> Bool {
        let slot = self.memory.slot(series)
        guard slot.pointee.state == SeriesSlot.State.cold else { return slot.pointee.state == SeriesSlot.State.live }
        self.startEmpty(series)
        // Last, for those who ask without the lock: a live series without its newest sample would seem to have none.
        defer { WindowAccess.state(slot).pointee.store(SeriesSlot.State.live, ordering: .releasing) }
        let found: StoredSample? = self.scratches.with { scratch in
            // A series that was silent for that many segments begins anew.
            let list = self.segments.segments(.raw).filter { $0.header.mayHave(UInt32(series)) }
            for segment in list.suffix(64).reversed() {
                var newest: IndexEntry?
                self.segments.forEachBlock(of: UInt32(series), in: segment) { if !$0.isLate { newest = $0 } }
                guard let entry = newest else { continue }
                self.decode(.init(first: entry.first, last: entry.last, place: .segment(segment, entry)), scratch)
                let last = scratch.columns.count - 1
                guard last >= 0 else { continue }
                return StoredSample(
                    tick: scratch.columns.ticks[last],
                    value: scratch.columns.values[last],
                    quality: scratch.columns.qualities[last]
                )
            }
            return nil
        }
        guard let found else { return true }
        WindowAccess.store(found, to: self.memory.window(series))
        slot.pointee.lastTick = found.tick
        slot.pointee.journaled = 1
        let word = slot.pointee.word
        slot.pointee.word = SlotWord(chain: 0, half: word.half, minuteIndex: 0, minutes: 0, staged: 1)
        WindowAccess.publish(1, slot)
        return true
    }
}
