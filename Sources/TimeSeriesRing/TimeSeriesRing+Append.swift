package import CampusModel
internal import Synchronization

/// What became of one sample.
package enum AppendOutcome: Sendable, Hashable {
    case stored
    /// The same tick, value and quality are there already (a message delivered twice).
    case duplicate
    /// Older than everything that is kept; not stored.
    case late
    /// Not a number, or a tick outside ``Tick/storable``, or no such series.
    case rejected
}

/// What became of a batch.
package struct AppendResult: Sendable, Hashable {
    package var stored = 0
    package var duplicates = 0
    package var late = 0
    package var rejected = 0
}

extension TimeSeriesRing {
    /// Stores a batch.
    ///
    /// It outlives the process as soon as this returns.
    @discardableResult
    package func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) -> AppendResult {
        var result = AppendResult()
        guard let base = samples.baseAddress else { return result }
        var start = 0
        while start < samples.count {
            // Neighbours share a lock.
            let group = Int(base[start].series.rawValue) / Self.groupSeries
            var end = start &+ 1
            while end < samples.count, Int(base[end].series.rawValue) / Self.groupSeries == group { end &+= 1 }
            var next = start
            self.locks.withLock(group) { next = self.appendLocked(base, start..<end, group, &result) }
            // The arena was full before the rest.
            if next < end { self.makeRoom() }
            start = next
        }
        self.count(result)
        return result
    }

    /// Stores a batch.
    @discardableResult
    package func append(_ samples: [SeriesSample]) -> AppendResult {
        samples.withUnsafeBufferPointer { self.append(contentsOf: $0) }
    }

    /// Stores one sample.
    @discardableResult
    package func append(_ series: SeriesIndex, _ sample: Sample) -> AppendOutcome {
        let result = self.append([SeriesSample(series: series, sample: sample)])
        if result.stored > 0 { return .stored }
        if result.duplicates > 0 { return .duplicate }
        return result.late > 0 ? .late : .rejected
    }

    private func count(_ result: AppendResult) {
        if result.stored > 0 { self.counters.appended.add(UInt64(result.stored), ordering: .relaxed) }
        if result.duplicates > 0 { self.counters.duplicates.add(UInt64(result.duplicates), ordering: .relaxed) }
        if result.late > 0 { self.counters.late.add(UInt64(result.late), ordering: .relaxed) }
        if result.rejected > 0 { self.counters.rejected.add(UInt64(result.rejected), ordering: .relaxed) }
    }

    /// Stores samples of one group; returns the place of the first one for which the arena had no room.
    private func appendLocked(
        _ samples: UnsafePointer<SeriesSample>,
        _ range: Range<Int>,
        _ group: Int,
        _ result: inout AppendResult
    ) -> Int {
        let memory = self.memory
        let window = memory.geometry.window
        let storable = Tick.storable
        var index = range.lowerBound
        while index < range.upperBound {
            let series = Int(truncatingIfNeeded: samples[index].series.rawValue)
            let sample = StoredSample(samples[index].sample)
            let tick = samples[index].sample.tick
            guard series < memory.geometry.seriesMax, sample.value.isFinite, tick >= storable.lowerBound,
                tick < storable.upperBound, self.wake(series)
            else {
                result.rejected &+= 1
                index &+= 1
                continue
            }
            let slot = memory.slot(series)
            if tick.rawValue <= slot.pointee.lastTick {
                let run = self.insertLate(series, group, samples + index, range.upperBound &- index, &result)
                if run == 0 { return index }
                index &+= run
                continue
            }
            let head = slot.pointee.head
            let minuteIndex = slot.pointee.word.minuteIndex
            let start = minuteIndex == 0 ? slot.pointee.minutes.0.start : slot.pointee.minutes.1.start
            if slot.pointee.word.pending(head) == window || tick.rawValue &- 60_000 >= start {
                guard self.prepare(series, group, tick.rawValue) else { return index }
            }
            self.put(sample, slot, memory.window(series), head, window)
            result.stored &+= 1
            index &+= 1
        }
        return index
    }

    /// Puts a sample behind the others and into the minute under way.
    @inline(__always)
    func put(
        _ sample: StoredSample,
        _ slot: UnsafeMutablePointer<SeriesSlot>,
        _ window: UnsafeMutablePointer<StoredSample>,
        _ head: UInt64,
        _ size: Int
    ) {
        WindowAccess.store(sample, to: window + (Int(truncatingIfNeeded: head) & (size &- 1)))
        slot.pointee.lastTick = sample.tick
        // Published last: a process killed before this line has not stored the sample, after it has.
        WindowAccess.publish(head &+ 1, slot)
        let isBad = sample.quality >= StoredSample.badQuality
        WindowAccess.minutes(slot)[slot.pointee.word.minuteIndex].add(sample.value, isBad: isBad)
    }

    /// Whether there is such a series; what the card has of it is looked up the first time.
    @inline(__always)
    func wake(_ series: Int) -> Bool {
        let state = WindowAccess.state(self.memory.slot(series)).pointee.load(ordering: .relaxed)
        if state == SeriesSlot.State.live { return true }
        return state == SeriesSlot.State.cold && self.revive(series)
    }

    /// Makes room in the window and closes the minute, as far as the next sample needs it; `false` when the arena is
    /// full.
    private func prepare(_ series: Int, _ group: Int, _ tick: Int64) -> Bool {
        let slot = self.memory.slot(series)
        if slot.pointee.word.pending(slot.pointee.head) == self.memory.geometry.window {
            guard self.stageWindow(series, group) else { return false }
        }
        let minute = slot.pointee.word.minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
        guard minute.isEmpty || tick - 60_000 >= minute.start else { return true }
        return self.closeMinute(series, group, before: tick)
    }
}

/// The words of slots and windows that are read without the lock.
enum WindowAccess {
    @inline(__always)
    static func store(_ sample: StoredSample, to place: UnsafeMutablePointer<StoredSample>) {
        let words = UnsafeMutableRawPointer(place).assumingMemoryBound(to: Atomic<UInt64>.self)
        UnsafePointer(words)[0].store(UInt64(bitPattern: sample.word), ordering: .relaxed)
        UnsafePointer(words)[1].store(sample.value.bitPattern, ordering: .relaxed)
    }

    @inline(__always)
    static func load(_ place: UnsafeMutablePointer<StoredSample>) -> StoredSample {
        let words = UnsafePointer(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Atomic<UInt64>.self))
        var sample = StoredSample(tick: 0, value: 0, quality: 0)
        sample.word = Int64(bitPattern: words[0].load(ordering: .relaxed))
        sample.value = Double(bitPattern: words[1].load(ordering: .relaxed))
        return sample
    }

    @inline(__always)
    static func head(_ slot: UnsafeMutablePointer<SeriesSlot>) -> UnsafePointer<Atomic<UInt64>> {
        UnsafePointer(UnsafeMutableRawPointer(slot).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    @inline(__always)
    static func publish(_ head: UInt64, _ slot: UnsafeMutablePointer<SeriesSlot>) {
        self.head(slot).pointee.store(head, ordering: .releasing)
    }

    @inline(__always)
    static func version(_ slot: UnsafeMutablePointer<SeriesSlot>) -> UnsafePointer<Atomic<UInt32>> {
        UnsafePointer((UnsafeMutableRawPointer(slot) + 112).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// The two minutes of a slot, apart from the words beside them that others read meanwhile.
    @inline(__always)
    static func minutes(_ slot: UnsafeMutablePointer<SeriesSlot>) -> UnsafeMutablePointer<StoredRollup> {
        (UnsafeMutableRawPointer(slot) + 24).assumingMemoryBound(to: StoredRollup.self)
    }

    /// What is told of a slot without its lock: once it is live, what was looked up of it is there.
    @inline(__always)
    static func state(_ slot: UnsafeMutablePointer<SeriesSlot>) -> UnsafePointer<Atomic<UInt32>> {
        UnsafePointer((UnsafeMutableRawPointer(slot) + 116).assumingMemoryBound(to: Atomic<UInt32>.self))
    }
}
