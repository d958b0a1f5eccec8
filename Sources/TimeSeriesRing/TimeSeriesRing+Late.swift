internal import CampusModel
internal import Synchronization

/// Samples that are not newer than the last one of their series. All of it happens under the lock of the group.
extension TimeSeriesRing {
    /// Takes the first samples of a batch that are of one series and late.
    ///
    /// - Returns: how many were dealt with; 0 when the arena is full.
    func insertLate(
        _ series: Int,
        _ group: Int,
        _ samples: UnsafePointer<SeriesSample>,
        _ count: Int,
        _ result: inout AppendResult
    ) -> Int {
        let slot = self.memory.slot(series)
        let sample = StoredSample(samples[0].sample)
        if sample.tick == slot.pointee.lastTick { return self.appendEqual(series, group, sample, &result) }
        if let isNew = self.insertIntoWindow(series, sample) {
            if isNew { self.countReordered(1, &result) } else { result.duplicates += 1 }
            return 1
        }
        // A run of late samples in order: a log that is read out, or an import.
        var run = [sample]
        while run.count < min(count, JournalUnit.runMax, self.memory.geometry.window),
            samples[run.count].series.rawValue == samples[0].series.rawValue
        {
            let next = StoredSample(samples[run.count].sample)
            guard next.value.isFinite, next.tick >= run[run.count - 1].tick, next.tick < slot.pointee.lastTick,
                Tick.storable.contains(Tick(rawValue: next.tick)), !self.isInWindow(next.tick, series)
            else { break }
            run.append(next)
        }
        return self.stageLate(run, series, group, &result)
    }

    private func countReordered(_ count: Int, _ result: inout AppendResult) {
        result.stored += count
        self.counters.reordered.add(UInt64(count), ordering: .relaxed)
    }

    /// Tells whoever follows the series that something is about to be stored where they have been already.
    private func announce(_ series: Int, _ tick: Int64) {
        let observer = self.lateObserver.withLock { $0 }
        observer?(SeriesIndex(rawValue: UInt32(series)), Tick(rawValue: tick))
    }

    /// Another sample at the newest tick: delivered twice, or two messages in one millisecond, or a device clock that
    /// counts seconds.
    private func appendEqual(
        _ series: Int,
        _ group: Int,
        _ sample: StoredSample,
        _ result: inout AppendResult
    ) -> Int {
        let slot = self.memory.slot(series)
        let size = self.memory.geometry.window
        let window = self.memory.window(series)
        let head = slot.pointee.head
        var number = head
        while number > 0, number > head &- UInt64(min(UInt64(size), head)) {
            number -= 1
            let found = window[Int(truncatingIfNeeded: number) & (size - 1)]
            guard found.tick == sample.tick else { break }
            if found.isSame(as: sample) {
                result.duplicates += 1
                return 1
            }
        }
        if slot.pointee.word.pending(head) == size, !self.stageWindow(series, group) { return 0 }
        self.announce(series, sample.tick)
        self.put(sample, slot, window, head, size)
        result.stored += 1
        return 1
    }

    /// The first sample in the window that is neither in the arena nor in the journal.
    private func firstMovable(_ series: Int) -> UInt64 {
        let slot = self.memory.slot(series)
        let head = slot.pointee.head
        let unjournaled = UInt64(UInt32(truncatingIfNeeded: head) &- slot.pointee.journaled)
        return head &- min(UInt64(slot.pointee.word.pending(head)), unjournaled)
    }

    private func isInWindow(_ tick: Int64, _ series: Int) -> Bool {
        let slot = self.memory.slot(series)
        let first = self.firstMovable(series)
        guard first < slot.pointee.head else { return false }
        return tick
            >= self.memory.window(series)[Int(truncatingIfNeeded: first) & (self.memory.geometry.window - 1)].tick
    }

    /// Puts a late sample among those of the window that nobody has copied yet.
    ///
    /// A kill in between leaves one sample twice, side by side, which ``adoptMemory(_:)`` puts right.
    ///
    /// - Returns: whether it was put there, or is there already; `nil` when it does not belong there.
    private func insertIntoWindow(_ series: Int, _ sample: StoredSample) -> Bool? {
        let slot = self.memory.slot(series)
        let window = self.memory.window(series)
        let mask = self.memory.geometry.window - 1
        let head = slot.pointee.head
        let first = self.firstMovable(series)
        let minuteIndex = slot.pointee.word.minuteIndex
        let minute = minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
        guard first < head, slot.pointee.word.pending(head) < mask,
            sample.tick > window[Int(truncatingIfNeeded: first) & mask].tick, sample.tick >= minute.start,
            sample.tick - 60_000 < minute.start
        else { return nil }
        var position = head
        while position > first, window[Int(truncatingIfNeeded: position - 1) & mask].tick > sample.tick {
            position -= 1
        }
        var equal = position
        while equal > first, window[Int(truncatingIfNeeded: equal - 1) & mask].tick == sample.tick {
            if window[Int(truncatingIfNeeded: equal - 1) & mask].isSame(as: sample) { return false }
            equal -= 1
        }
        self.announce(series, sample.tick)
        let version = WindowAccess.version(slot)
        version.pointee.add(1, ordering: .acquiringAndReleasing)
        var number = head
        while number > position {
            WindowAccess.store(
                window[Int(truncatingIfNeeded: number - 1) & mask],
                to: window + (Int(truncatingIfNeeded: number) & mask)
            )
            if number == head { WindowAccess.publish(head + 1, slot) }
            number -= 1
        }
        WindowAccess.store(sample, to: window + (Int(truncatingIfNeeded: position) & mask))
        version.pointee.add(1, ordering: .releasing)
        let isBad = sample.quality >= StoredSample.badQuality
        WindowAccess.minutes(slot)[minuteIndex].add(sample.value, isBad: isBad)
        return true
    }

    /// Puts a run of late samples into the arena, with what it adds to its minutes.
    private func stageLate(
        _ run: [StoredSample],
        _ series: Int,
        _ group: Int,
        _ result: inout AppendResult
    ) -> Int {
        let horizon = self.rawHorizon
        let known = self.known(series, in: run[0].tick...run[run.count - 1].tick)
        var fresh: [StoredSample] = []
        var outcomes = AppendResult()
        for sample in run {
            if known.contains(SampleKey(sample)) || fresh.last?.isSame(as: sample) == true {
                outcomes.duplicates += 1
            } else if sample.tick < horizon {
                outcomes.late += 1
            } else {
                fresh.append(sample)
            }
        }
        if !fresh.isEmpty {
            self.announce(series, fresh[0].tick)
            guard self.stageFresh(fresh, series, group) else { return 0 }
            self.countReordered(fresh.count, &outcomes)
        }
        result.stored += outcomes.stored
        result.duplicates += outcomes.duplicates
        result.late += outcomes.late
        return run.count
    }

    private func stageFresh(_ fresh: [StoredSample], _ series: Int, _ group: Int) -> Bool {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        let scratch = self.locks.scratch(group)
        var writer = ByteWriter(scratch.output, capacity: scratch.outputBytes)
        fresh.withUnsafeBufferPointer { samples in
            guard let base = samples.baseAddress else { return }
            SampleBlock.encode(base, samples.count, isLate: true, .quick, scratch.encode, into: &writer)
        }
        let record = StagedRecord(
            next: word.chain,
            length: writer.count,
            kind: StagedRecord.Kind.late,
            first: fresh[0].tick,
            last: fresh[fresh.count - 1].tick
        )
        guard var chain = self.stageRecord(writer, record, word.half) else { return false }
        // What the minute under way gets is added to it; closed minutes get it as a roll-up of their own, and whoever
        // reads adds the two.
        let current = word.minuteIndex == 0 ? slot.pointee.minutes.0.start : slot.pointee.minutes.1.start
        var minutes: [StoredRollup] = []
        for sample in fresh where sample.tick < current || sample.tick - 60_000 >= current {
            let start = sample.tick - sample.tick % 60_000
            if minutes.last?.start != start { minutes.append(StoredRollup(start: start)) }
            minutes[minutes.count - 1].add(sample.value, isBad: sample.quality >= StoredSample.badQuality)
        }
        var index = 0
        while index < minutes.count {
            let count = min(minutes.count - index, 16)
            for place in 0..<count { scratch.rollups[place] = minutes[index + place] }
            guard let staged = self.stageRollups(count, group, chain: chain, half: word.half) else { return false }
            chain = staged
            index += count
        }
        atomicMemoryFence(ordering: .releasing)
        slot.pointee.word = SlotWord(
            chain: chain,
            half: word.half,
            minuteIndex: word.minuteIndex,
            minutes: word.minutes,
            staged: slot.pointee.head &- UInt64(word.pending(slot.pointee.head))
        )
        for sample in fresh where sample.tick >= current && sample.tick - 60_000 < current {
            let isBad = sample.quality >= StoredSample.badQuality
            WindowAccess.minutes(slot)[word.minuteIndex].add(sample.value, isBad: isBad)
        }
        if self.sealingHalf.load(ordering: .relaxed) != word.half {
            fresh.withUnsafeBufferPointer { samples in
                guard let base = samples.baseAddress else { return }
                self.journal.add(base, samples.count, series: UInt32(series), isLate: true, scratch.encode)
            }
        }
        return true
    }
}

/// What makes two samples of a series the same.
struct SampleKey: Hashable {
    var word: Int64
    var bits: UInt64

    init(_ sample: StoredSample) {
        self.word = sample.word
        self.bits = sample.value.bitPattern
    }
}
