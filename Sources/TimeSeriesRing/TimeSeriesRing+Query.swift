package import CampusModel

extension TimeSeriesRing {
    /// The newest sample of a series.
    package func latest(_ series: SeriesIndex) -> Sample? {
        guard self.isRegistered(series) else { return nil }
        let index = Int(series.rawValue)
        return self.withSeriesLock(index) {
            let stored = self.headerPointer(index).pointee.stored
            return stored == 0 ? nil : self.stored(number: stored - 1, index, stored: stored)?.sample
        }
    }

    /// The tick of the oldest sample that is still there.
    package func oldestTick(_ series: SeriesIndex) -> Tick? {
        guard self.isRegistered(series) else { return nil }
        let index = Int(series.rawValue)
        return self.withSeriesLock(index) {
            let stored = self.headerPointer(index).pointee.stored
            return stored == 0
                ? nil
                : self.stored(number: self.oldestNumber(stored: stored), index, stored: stored)
                    .map { Tick(rawValue: $0.tick) }
        }
    }

    /// The samples of a range, oldest first, at most `limit`.
    package func samples(_ series: SeriesIndex, in range: Range<Tick>, limit: Int) -> [Sample] {
        var result: [Sample] = []
        self.forEachSample(series, in: range) { sample in
            result.append(sample)
            return result.count < limit
        }
        return limit > 0 ? result : []
    }

    /// The newest `count` samples, oldest first.
    package func lastSamples(_ series: SeriesIndex, count: Int) -> [Sample] {
        guard count > 0, self.isRegistered(series) else { return [] }
        let index = Int(series.rawValue)
        let stored = self.withSeriesLock(index) { self.headerPointer(index).pointee.stored }
        let first = max(self.oldestNumber(stored: stored), stored - min(stored, UInt64(count)))
        var result: [Sample] = []
        self.forEach(index, from: first) { sample in
            result.append(sample)
            return result.count < count
        }
        return result
    }

    /// Hands the samples of a range over one by one, oldest first, until `body` returns `false`.
    package func forEachSample(_ series: SeriesIndex, in range: Range<Tick>, _ body: (Sample) -> Bool) {
        guard self.isRegistered(series), !range.isEmpty else { return }
        let index = Int(series.rawValue)
        let first = self.withSeriesLock(index) {
            self.upperBound(
                index,
                stored: self.headerPointer(index).pointee.stored,
                tick: range.lowerBound.rawValue - 1
            )
        }
        self.forEach(index, from: first) { sample in
            guard sample.tick < range.upperBound else { return false }
            return sample.tick < range.lowerBound || body(sample)
        }
    }

    /// Walks a block at a time, the lock held for one block only, so that a long query never holds back ingest.
    private func forEach(_ index: Int, from first: UInt64, _ body: (Sample) -> Bool) {
        var next = first
        while true {
            let start = next
            let (from, block): (UInt64, [StoredSample]) = self.withSeriesLock(index) {
                let stored = self.headerPointer(index).pointee.stored
                // Blocks that were overwritten meanwhile are passed over.
                let from = max(start, self.oldestNumber(stored: stored))
                return from < stored ? (from, self.block(of: from, index, stored: stored)) : (from, [])
            }
            guard !block.isEmpty else { return }
            for sample in block where !body(sample.sample) { return }
            next = from + UInt64(block.count)
        }
    }

    /// The samples from `number` to the end of its block.
    private func block(of number: UInt64, _ index: Int, stored: UInt64) -> [StoredSample] {
        let blockSamples = UInt64(RingLayout.blockSamples)
        let end = min((number / blockSamples + 1) * blockSamples, stored)
        let count = Int(end - number)
        let slot = Int(number % blockSamples)
        if number >= self.hotStart(stored: stored) {
            let block = self.hotBlock(index)
            return (0..<count).map { block[slot + $0] }
        }
        return [StoredSample](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            let offset = self.layout.coldBlock(index, number / blockSamples) + slot * RingLayout.sampleBytes
            initialized = self.cold.read(base, count: count * RingLayout.sampleBytes, at: offset) ? count : 0
        }
    }

    /// The 1-minute roll-ups of a range, oldest first, the running minute last.
    package func minuteRollups(_ series: SeriesIndex, in range: Range<Tick>, limit: Int) -> [Rollup] {
        guard self.isRegistered(series), !range.isEmpty, limit > 0 else { return [] }
        let index = Int(series.rawValue)
        return self.withSeriesLock(index) {
            let header = self.headerPointer(index).pointee
            var low = header.minutes - min(header.minutes, UInt64(self.layout.minutesPerSeries))
            var high = header.minutes
            let end = high
            while low < high {
                let middle = low + (high - low) / 2
                guard let rollup = self.rollup(number: middle, index) else { return [] }
                if rollup.start < range.lowerBound.rawValue { low = middle + 1 } else { high = middle }
            }
            var result: [Rollup] = []
            while low < end, result.count < limit, let rollup = self.rollup(number: low, index),
                rollup.start < range.upperBound.rawValue
            {
                result.append(rollup.rollup)
                low += 1
            }
            if header.hasRunning == 1, result.count < limit, range.contains(Tick(rawValue: header.running.start)) {
                result.append(header.running.rollup)
            }
            return result
        }
    }

    /// Statistics of a range by equal steps, oldest first; steps without samples are left out.
    ///
    /// Whole minutes come from the 1-minute roll-ups, which reach further back than the samples; other steps, and
    /// everything the roll-ups do not cover, from the samples.
    package func aggregate(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds: Int64,
        limit: Int
    ) -> [Rollup] {
        guard stepMilliseconds > 0, limit > 0 else { return [] }
        var result: [Rollup] = []
        func add(_ rollup: Rollup) -> Bool {
            let start = rollup.start.floored(toMilliseconds: stepMilliseconds)
            if result.last?.start == start {
                result[result.count - 1].merge(rollup)
            } else {
                guard result.count < limit else { return false }
                var first = rollup
                first.start = start
                result.append(first)
            }
            return true
        }
        let minutes =
            stepMilliseconds % 60_000 == 0 ? self.minuteRollups(series, in: range, limit: .max) : []
        // What the roll-ups do not cover comes from the samples.
        let rawEnd = minutes.first.map { max($0.start, range.lowerBound) } ?? range.upperBound
        var isFull = false
        self.forEachSample(series, in: range.lowerBound..<rawEnd) { sample in
            var one = StoredRollup(start: sample.tick.rawValue)
            one.add(sample)
            isFull = !add(one.rollup)
            return !isFull
        }
        if !isFull { for rollup in minutes where !add(rollup) { break } }
        return result
    }

    /// The first sample of the block being filled.
    func hotStart(stored: UInt64) -> UInt64 {
        stored / UInt64(RingLayout.blockSamples) * UInt64(RingLayout.blockSamples)
    }

    /// The oldest sample that has not been overwritten.
    func oldestNumber(stored: UInt64) -> UInt64 {
        let fullBlocks = stored / UInt64(RingLayout.blockSamples)
        let kept = min(fullBlocks, UInt64(self.layout.blocksPerSeries))
        return (fullBlocks - kept) * UInt64(RingLayout.blockSamples)
    }

    /// Sample `number`; `nil` when the file cannot be read.
    func stored(number: UInt64, _ index: Int, stored: UInt64) -> StoredSample? {
        let slot = Int(number % UInt64(RingLayout.blockSamples))
        if number >= self.hotStart(stored: stored) { return self.hotBlock(index)[slot] }
        var sample = StoredSample(Sample(tick: Tick(rawValue: 0), value: 0))
        let offset =
            self.layout.coldBlock(index, number / UInt64(RingLayout.blockSamples)) + slot * RingLayout.sampleBytes
        let isRead = withUnsafeMutableBytes(of: &sample) { bytes in
            bytes.baseAddress.map { self.cold.read($0, count: RingLayout.sampleBytes, at: offset) } ?? false
        }
        return isRead ? sample : nil
    }

    func rollup(number: UInt64, _ index: Int) -> StoredRollup? {
        var rollup = StoredRollup(start: 0)
        let offset = self.layout.minute(index, number)
        let isRead = withUnsafeMutableBytes(of: &rollup) { bytes in
            bytes.baseAddress.map { self.minutes.read($0, count: RingLayout.rollupBytes, at: offset) } ?? false
        }
        return isRead ? rollup : nil
    }

    /// The number of the first sample that is newer than `tick`.
    func upperBound(_ index: Int, stored: UInt64, tick: Int64) -> UInt64 {
        var low = self.oldestNumber(stored: stored)
        var high = stored
        while low < high {
            let middle = low + (high - low) / 2
            guard let sample = self.stored(number: middle, index, stored: stored) else { return high }
            if sample.tick <= tick { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Rollup {
    /// Takes in the statistics of a later part of the same period.
    package mutating func merge(_ other: Rollup) {
        if other.count > 0 {
            self.minimum = self.count == 0 ? other.minimum : min(self.minimum, other.minimum)
            self.maximum = self.count == 0 ? other.maximum : max(self.maximum, other.maximum)
        }
        self.sum += other.sum
        self.count = self.count.addingReportingOverflow(other.count).partialValue
        self.badCount = self.badCount.addingReportingOverflow(other.badCount).partialValue
    }
}
