package import CampusModel
internal import Synchronization

/// What became of one sample.
package enum AppendOutcome: Sendable, Hashable {
    case stored
    /// The same tick, value and quality are there already (a message delivered twice).
    case duplicate
    /// Older than everything that may still be reordered; not stored.
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
    /// A sample that is older than the newest one of its series is put in order among this many of the newest.
    package static let reorderSamplesMax = 256

    /// Stores a batch.
    ///
    /// It outlives the process as soon as this returns.
    @discardableResult
    package func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) -> AppendResult {
        var result = AppendResult()
        var start = 0
        while start < samples.count {
            // Neighbours share a lock and are written together.
            let group = self.layout.group(samples[start].series)
            var end = start + 1
            while end < samples.count, self.layout.group(samples[end].series) == group { end += 1 }
            self.locks.withLock(group) {
                var pending = PendingBlocks()
                for index in start..<end {
                    switch self.appendLocked(samples[index].series, samples[index].sample, &pending) {
                    case .stored: result.stored += 1
                    case .duplicate: result.duplicates += 1
                    case .late: result.late += 1
                    case .rejected: result.rejected += 1
                    }
                }
                self.flush(&pending)
            }
            start = end
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

    /// Full blocks of neighbours that are not in the cold file yet.
    struct PendingBlocks {
        var first = 0
        var count = 0
        /// The number of each of these blocks.
        var number: UInt64 = 0

        func contains(_ index: Int) -> Bool { index >= self.first && index < self.first + self.count }
    }

    private func appendLocked(_ series: SeriesIndex, _ sample: Sample, _ pending: inout PendingBlocks) -> AppendOutcome
    {
        guard sample.value.isFinite, Tick.storable.contains(sample.tick), self.isRegistered(series) else {
            return .rejected
        }
        let index = Int(series.rawValue)
        // Its hot block is about to be begun anew, or read.
        if pending.contains(index) { self.flush(&pending) }
        let header = self.headerPointer(index)
        let stored = header.pointee.stored
        if stored > 0, sample.tick.rawValue <= header.pointee.lastTick {
            return self.insertLate(index, header, sample)
        }
        self.closeMinute(index, header, before: sample.tick.rawValue)
        self.hotBlock(index)[Int(stored % UInt64(RingLayout.blockSamples))] = StoredSample(sample)
        header.pointee.lastTick = sample.tick.rawValue
        // Published last: a process killed before this line has not stored the sample, after it has.
        atomicMemoryFence(ordering: .releasing)
        header.pointee.stored = stored + 1
        if (stored + 1) % UInt64(RingLayout.blockSamples) == 0 {
            let number = stored / UInt64(RingLayout.blockSamples)
            if pending.count > 0, pending.number == number, pending.first + pending.count == index {
                pending.count += 1
            } else {
                self.flush(&pending)
                pending = PendingBlocks(first: index, count: 1, number: number)
            }
        }
        self.addToRunning(header, sample)
        return .stored
    }

    /// Writes full blocks to the cold file.
    ///
    /// A process killed before this line has them in the hot file; opening writes them (``RingLayout``).
    func flush(_ pending: inout PendingBlocks) {
        guard pending.count > 0 else { return }
        let offset = self.layout.coldBlock(pending.first, pending.number)
        if !self.cold.write(self.hotBlock(pending.first), count: pending.count * RingLayout.blockBytes, at: offset) {
            self.counters.writeFailures.add(1, ordering: .relaxed)
        }
        for index in pending.first..<(pending.first + pending.count) {
            self.headerPointer(index).pointee.flushed = (pending.number + 1) * UInt64(RingLayout.blockSamples)
        }
        pending.count = 0
    }

    /// Writes sample `number` of a series that gets a late one, and the block that it fills at once.
    func put(_ sample: StoredSample, number: UInt64, _ index: Int) {
        let slot = Int(number % UInt64(RingLayout.blockSamples))
        self.hotBlock(index)[slot] = sample
        guard slot == RingLayout.blockSamples - 1 else { return }
        var pending = PendingBlocks(first: index, count: 1, number: number / UInt64(RingLayout.blockSamples))
        self.flush(&pending)
    }

    private func addToRunning(_ header: UnsafeMutablePointer<SeriesHeader>, _ sample: Sample) {
        if header.pointee.hasRunning == 0 {
            header.pointee.running = StoredRollup(start: sample.tick.floored(toMilliseconds: 60_000).rawValue)
            header.pointee.hasRunning = 1
        }
        header.pointee.running.add(sample)
    }

    private func closeMinute(_ index: Int, _ header: UnsafeMutablePointer<SeriesHeader>, before tick: Int64) {
        guard header.pointee.hasRunning == 1, tick >= header.pointee.running.start + 60_000 else { return }
        self.write(&header.pointee.running, number: header.pointee.minutes, index)
        header.pointee.minutes += 1
        header.pointee.hasRunning = 0
    }

    func write(_ rollup: inout StoredRollup, number: UInt64, _ index: Int) {
        let offset = self.layout.minute(index, number)
        let isWritten = withUnsafeBytes(of: &rollup) { bytes in
            bytes.baseAddress.map { self.minutes.write($0, count: RingLayout.rollupBytes, at: offset) } ?? false
        }
        if !isWritten { self.counters.writeFailures.add(1, ordering: .relaxed) }
    }
}
