internal import Synchronization

/// From the window into the arena. All of it happens under the lock of the group.
extension TimeSeriesRing {
    /// Packs the window's samples into the arena; `false`, and nothing changed, when it is full.
    func stageWindow(_ series: Int, _ group: Int) -> Bool {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        let head = slot.pointee.head
        guard word.pending(head) > 0 else { return true }
        guard let chain = self.stagePending(series, group, chain: word.chain, half: word.half) else { return false }
        slot.pointee.word = SlotWord(
            chain: chain,
            half: word.half,
            minuteIndex: word.minuteIndex,
            minutes: word.minutes,
            staged: head
        )
        self.noteUse(word.half)
        return true
    }

    /// Writes a record of what the window has beyond the arena; returns the new newest record, `nil` without room.
    ///
    /// The slot still says nothing of it.
    private func stagePending(_ series: Int, _ group: Int, chain: UInt32, half: Int) -> UInt32? {
        let slot = self.memory.slot(series)
        let head = slot.pointee.head
        let count = slot.pointee.word.pending(head)
        guard count > 0 else { return chain }
        // What leaves the window has to be in the journal before.
        self.journalPending(series, group)
        let scratch = self.locks.scratch(group)
        self.copyWindow(series, from: head &- UInt64(count), count, to: scratch.samples)
        var writer = ByteWriter(scratch.output, capacity: scratch.outputBytes)
        SampleBlock.encode(scratch.samples, count, .quick, scratch.encode, into: &writer)
        self.counters.stagedSamples.add(UInt64(count), ordering: .relaxed)
        self.counters.stagedBytes.add(UInt64(writer.count), ordering: .relaxed)
        return self.stageRecord(
            writer,
            StagedRecord(
                next: chain,
                length: writer.count,
                kind: StagedRecord.Kind.raw,
                first: scratch.samples[0].tick,
                last: scratch.samples[count - 1].tick
            ),
            half
        )
    }

    /// Puts packed bytes and their head into the arena.
    func stageRecord(_ writer: ByteWriter, _ record: StagedRecord, _ half: Int) -> UInt32? {
        guard !writer.isOverfull, let place = self.memory.allocate(StagedRecord.headBytes + writer.count, half: half)
        else { return nil }
        let target = self.memory.record(place, half: half)
        record.store(to: target)
        (target + StagedRecord.headBytes).copyMemory(from: writer.base, byteCount: writer.count)
        return place
    }

    func copyWindow(_ series: Int, from first: UInt64, _ count: Int, to target: UnsafeMutablePointer<StoredSample>) {
        let window = self.memory.window(series)
        let size = self.memory.geometry.window
        let start = Int(truncatingIfNeeded: first) & (size - 1)
        let front = min(count, size - start)
        target.update(from: window + start, count: front)
        (target + front).update(from: window, count: count - front)
    }

    /// Gives the journal what it does not have yet.
    func journalPending(_ series: Int, _ group: Int) {
        let slot = self.memory.slot(series)
        let head = slot.pointee.head
        var count = Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: head) &- slot.pointee.journaled)
        guard count > 0 else { return }
        slot.pointee.journaled = UInt32(truncatingIfNeeded: head)
        // What is about to be sealed reaches the card with its segment.
        if self.sealingHalf.load(ordering: .relaxed) == slot.pointee.word.half { return }
        count = min(count, self.memory.geometry.window)
        let scratch = self.locks.scratch(group)
        self.copyWindow(series, from: head &- UInt64(count), count, to: scratch.samples)
        var start = 0
        while start < count {
            let size = min(JournalUnit.runMax, count - start)
            let isIn = self.journal.add(
                scratch.samples + start,
                size,
                series: UInt32(truncatingIfNeeded: series),
                isLate: false,
                scratch.encode
            )
            if !isIn { self.isSealWanted.store(true, ordering: .relaxed) }
            start += size
        }
    }

    /// Ends the minute under way and begins the one of `tick`; `false`, and nothing changed, when the arena is full.
    func closeMinute(_ series: Int, _ group: Int, before tick: Int64) -> Bool {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        let current = word.minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
        let fresh = StoredRollup(start: tick - tick % 60_000)
        guard !current.isEmpty else {
            if word.minuteIndex == 0 { slot.pointee.minutes.0 = fresh } else { slot.pointee.minutes.1 = fresh }
            return true
        }
        var chain = word.chain
        var minutes = word.minutes
        if minutes < self.memory.geometry.minutes {
            self.memory.closedMinutes(series)[minutes] = current
            minutes += 1
        } else {
            guard let staged = self.stageMinutes(series, group, with: current, chain: chain, half: word.half) else {
                return false
            }
            chain = staged
            minutes = 0
        }
        if word.minuteIndex == 0 { slot.pointee.minutes.1 = fresh } else { slot.pointee.minutes.0 = fresh }
        atomicMemoryFence(ordering: .releasing)
        slot.pointee.word = SlotWord(
            chain: chain,
            half: word.half,
            minuteIndex: 1 - word.minuteIndex,
            minutes: minutes,
            staged: slot.pointee.head &- UInt64(word.pending(slot.pointee.head))
        )
        self.noteUse(word.half)
        return true
    }

    /// Writes a record of the slot's closed minutes and one more.
    private func stageMinutes(
        _ series: Int,
        _ group: Int,
        with last: StoredRollup,
        chain: UInt32,
        half: Int
    ) -> UInt32? {
        let scratch = self.locks.scratch(group)
        let closed = self.memory.slot(series).pointee.word.minutes
        scratch.rollups.update(from: self.memory.closedMinutes(series), count: closed)
        var count = closed
        if !last.isEmpty {
            scratch.rollups[count] = last
            count += 1
        }
        guard count > 0 else { return chain }
        return self.stageRollups(count, group, chain: chain, half: half)
    }

    /// Writes a record of the first roll-ups in the group's scratch.
    func stageRollups(_ count: Int, _ group: Int, chain: UInt32, half: Int) -> UInt32? {
        let scratch = self.locks.scratch(group)
        var writer = ByteWriter(scratch.output, capacity: scratch.outputBytes)
        RollupBlock.encode(scratch.rollups, count, .quick, scratch.encode, into: &writer)
        return self.stageRecord(
            writer,
            StagedRecord(
                next: chain,
                length: writer.count,
                kind: StagedRecord.Kind.rollup,
                first: scratch.rollups[0].start,
                last: scratch.rollups[count - 1].start
            ),
            half
        )
    }

    /// Moves a series to the other half; all that it has so far is in the old one then, to be sealed.
    ///
    /// Where the old half has no room for the rest, the rest stays in the window and goes into the journal once more,
    /// and its minutes go to the new half.
    ///
    /// - Returns: `false` when there is such a rest.
    func flip(_ series: Int, _ group: Int, to half: Int) -> Bool {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        guard word.half != half else { return true }
        let head = slot.pointee.head
        var pending = word.pending(head)
        var chain = word.chain
        var freshChain: UInt32 = 0
        let current = word.minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
        if slot.pointee.state == SeriesSlot.State.live {
            if let raw = self.stagePending(series, group, chain: chain, half: word.half) {
                chain = raw
                pending = 0
            } else {
                slot.pointee.journaled = UInt32(truncatingIfNeeded: head &- UInt64(pending))
            }
            if let minutes = self.stageMinutes(series, group, with: current, chain: chain, half: word.half) {
                chain = minutes
            } else {
                freshChain = self.stageMinutes(series, group, with: current, chain: 0, half: half) ?? 0
            }
        }
        let fresh = StoredRollup(start: current.start)
        if word.minuteIndex == 0 { slot.pointee.minutes.1 = fresh } else { slot.pointee.minutes.0 = fresh }
        slot.pointee.sealedChain = chain
        atomicMemoryFence(ordering: .releasing)
        slot.pointee.word = SlotWord(
            chain: freshChain,
            half: half,
            minuteIndex: 1 - word.minuteIndex,
            minutes: 0,
            staged: head &- UInt64(pending)
        )
        return pending == 0
    }

    /// Asks for a seal while there is still room for what the windows hold.
    @inline(__always)
    private func noteUse(_ half: Int) {
        let used = self.memory.usedBytes(half)
        if used > self.memory.geometry.halfBytes / 2, !self.isSealWanted.load(ordering: .relaxed),
            used > self.memory.geometry.halfBytes - self.reservedBytes
        {
            self.isSealWanted.store(true, ordering: .relaxed)
        }
    }

    /// What the rest of the windows will about take at a seal, if their samples pack as the last ones did.
    private var reservedBytes: Int {
        let samples = max(self.counters.stagedSamples.load(ordering: .relaxed), 1)
        let bytes = self.counters.stagedBytes.load(ordering: .relaxed)
        let each = 192 + Int(truncatingIfNeeded: bytes * UInt64(self.memory.geometry.window) / samples)
        return min(self.memory.geometry.halfBytes / 2, self.seriesCount * each)
    }
}
