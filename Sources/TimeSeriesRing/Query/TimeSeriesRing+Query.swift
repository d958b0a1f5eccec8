package import CampusModel
internal import Synchronization

/// Decoded samples of one series, side by side, oldest first; valid only while they are handed over.
package struct SampleChunk {
    /// Milliseconds.
    package let ticks: UnsafeBufferPointer<Int64>
    /// 0 where the quality is bad.
    package let values: UnsafeBufferPointer<Double>
    /// ``Quality``'s raw values.
    package let qualities: UnsafeBufferPointer<UInt8>

    init(_ columns: SampleColumns, _ range: Range<Int>) {
        self.ticks = UnsafeBufferPointer(start: columns.ticks + range.lowerBound, count: range.count)
        self.values = UnsafeBufferPointer(start: columns.values + range.lowerBound, count: range.count)
        self.qualities = UnsafeBufferPointer(start: columns.qualities + range.lowerBound, count: range.count)
    }

    package var count: Int { self.ticks.count }
}

extension TimeSeriesRing {
    /// The newest sample of a series, without a lock.
    package func latest(_ series: SeriesIndex) -> Sample? {
        guard let stored = self.latestStored(series) else { return nil }
        var sample = stored.sample
        if self.hasClockOffsets.load(ordering: .acquiring), let clock = self.offsetMap(series) {
            sample.tick = clock.utc(sample.tick)
        }
        return sample
    }

    /// The same on the stored axis.
    @inline(__always)
    func latestStored(_ series: SeriesIndex) -> StoredSample? {
        let index = Int(series.rawValue)
        guard index < self.memory.geometry.seriesMax else { return nil }
        let slot = self.memory.slot(index)
        let state = WindowAccess.state(slot)
        guard state.pointee.load(ordering: .acquiring) == SeriesSlot.State.live || self.isRevived(index) else {
            return nil
        }
        let window = self.memory.window(index)
        let size = self.memory.geometry.window
        let version = WindowAccess.version(slot)
        let head = WindowAccess.head(slot)
        while true {
            let before = version.pointee.load(ordering: .acquiring)
            let count = head.pointee.load(ordering: .acquiring)
            guard count > 0 else { return nil }
            let sample = WindowAccess.load(window + (Int(truncatingIfNeeded: count &- 1) & (size &- 1)))
            atomicMemoryFence(ordering: .acquiring)
            let after = head.pointee.load(ordering: .relaxed)
            if before & 1 == 0, version.pointee.load(ordering: .relaxed) == before, after &- count < UInt64(size &- 1) {
                return sample
            }
        }
    }

    @inline(never)
    private func isRevived(_ series: Int) -> Bool {
        WindowAccess.state(self.memory.slot(series)).pointee.load(ordering: .acquiring) != SeriesSlot.State.free
            && self.locks.withLock(series / Self.groupSeries) { self.revive(series) }
    }

    /// What turns ticks of a series into UTC; `nil` where they are UTC.
    func offsetMap(_ series: SeriesIndex) -> ClockMap? {
        guard self.hasClockOffsets.load(ordering: .acquiring) else { return nil }
        let clock = self.clock
        let hasDeviceClock = self.series.withLock { list in
            Int(series.rawValue) < list.all.count && list.all[Int(series.rawValue)]?.hasDeviceClock == true
        }
        return hasDeviceClock ? nil : clock
    }

    /// Hands the samples of a range over in pieces, oldest first, until `body` returns `false`.
    ///
    /// Nothing is held while `body` runs, and nothing is copied that was decoded once. The ticks are UTC.
    package func forEachChunk(_ series: SeriesIndex, in range: Range<Tick>, _ body: (SampleChunk) -> Bool) {
        guard self.isRegistered(series), !range.isEmpty else { return }
        let clock = self.offsetMap(series)
        let low = clock?.tick(range.lowerBound).rawValue ?? range.lowerBound.rawValue
        let high = clock?.tick(range.upperBound).rawValue ?? range.upperBound.rawValue
        guard low < high else { return }
        self.forEachStored(Int(series.rawValue), low...(high - 1)) { columns, part in
            if let clock {
                for index in part { columns.ticks[index] = clock.utc(Tick(rawValue: columns.ticks[index])).rawValue }
            }
            return body(SampleChunk(columns, part))
        }
    }

    /// The same on the stored axis.
    private func forEachStored(
        _ series: Int,
        _ range: ClosedRange<Int64>,
        straightInto target: SampleColumns? = nil,
        _ body: (SampleColumns, Range<Int>) -> Bool
    ) {
        self.scratches.with { scratch in
            self.collect(series, range, scratch)
            if !scratch.pieces.isAscending { scratch.pieces.sortByFirst() }
            var index = 0
            while index < scratch.pieces.count {
                // Pieces that overlap are unpacked together and put in order.
                var last = scratch.pieces[index].last
                var end = index + 1
                while end < scratch.pieces.count, scratch.pieces[end].first < last {
                    last = max(last, scratch.pieces[end].last)
                    end += 1
                }
                let only = scratch.pieces[index]
                if let target, end == index + 1, let count = only.count, only.first >= range.lowerBound,
                    only.last <= range.upperBound, target.count + count <= target.capacity
                {
                    self.decode(only, scratch, into: target)
                    index = end
                    continue
                }
                scratch.columns.count = 0
                for piece in index..<end { self.decode(scratch.pieces[piece], scratch) }
                if end > index + 1 { scratch.columns.sort() }
                let part = scratch.columns.part(in: range)
                if !part.isEmpty, !body(scratch.columns, part) { return }
                index = end
            }
        }
    }

    /// Unpacks the samples of a range into the caller's memory, oldest first; returns how many there were.
    ///
    /// Whole blocks are unpacked where they are wanted. As many as the shortest of the buffers holds; bad samples are
    /// 0.
    package func read(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        ticks: UnsafeMutableBufferPointer<Int64>,
        values: UnsafeMutableBufferPointer<Double>,
        qualities: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let capacity = min(ticks.count, values.count, qualities.count)
        guard self.isRegistered(series), !range.isEmpty, let ticks = ticks.baseAddress,
            let values = values.baseAddress, let qualities = qualities.baseAddress
        else { return 0 }
        let clock = self.offsetMap(series)
        let low = clock?.tick(range.lowerBound).rawValue ?? range.lowerBound.rawValue
        let high = clock?.tick(range.upperBound).rawValue ?? range.upperBound.rawValue
        guard low < high else { return 0 }
        let target = SampleColumns(ticks: ticks, values: values, qualities: qualities, capacity: capacity)
        self.forEachStored(Int(series.rawValue), low...(high - 1), straightInto: target) { columns, part in
            let part = part.prefix(capacity - target.count)
            (ticks + target.count).update(from: columns.ticks + part.startIndex, count: part.count)
            (values + target.count).update(from: columns.values + part.startIndex, count: part.count)
            (qualities + target.count).update(from: columns.qualities + part.startIndex, count: part.count)
            target.count += part.count
            return target.count < capacity
        }
        if let clock {
            for index in 0..<target.count { ticks[index] = clock.utc(Tick(rawValue: ticks[index])).rawValue }
        }
        return target.count
    }

    /// Hands the samples of a range over one by one, oldest first, until `body` returns `false`.
    package func forEachSample(_ series: SeriesIndex, in range: Range<Tick>, _ body: (Sample) -> Bool) {
        self.forEachChunk(series, in: range) { chunk in
            for index in 0..<chunk.count {
                let sample = Sample(
                    tick: Tick(rawValue: chunk.ticks[index]),
                    value: chunk.values[index],
                    quality: Quality(rawValue: chunk.qualities[index])
                )
                if !body(sample) { return false }
            }
            return true
        }
    }

    /// The samples of a range, oldest first, at most `limit`.
    package func samples(_ series: SeriesIndex, in range: Range<Tick>, limit: Int) -> [Sample] {
        guard limit > 0 else { return [] }
        var result: [Sample] = []
        self.forEachSample(series, in: range) { sample in
            result.append(sample)
            return result.count < limit
        }
        return result
    }

    /// The newest `count` samples, oldest first.
    package func lastSamples(_ series: SeriesIndex, count: Int) -> [Sample] {
        guard count > 0, self.isRegistered(series), let newest = self.latestStored(series) else { return [] }
        // Further back in growing steps, until there are enough or no more.
        let oldest = self.oldestStored(Int(series.rawValue)) ?? newest.tick
        var span: Int64 = 60_000
        while true {
            let start = max(newest.tick - span, oldest)
            var found: [Sample] = []
            let clock = self.offsetMap(series)
            self.forEachStored(Int(series.rawValue), start...Int64.max) { columns, part in
                for index in part {
                    var sample = columns[index]
                    if let clock { sample.tick = clock.utc(sample.tick) }
                    found.append(sample)
                }
                return true
            }
            if found.count >= count || start == oldest { return Array(found.suffix(count)) }
            span *= 4
        }
    }

    /// UTC of the oldest sample that is still there.
    package func oldestTick(_ series: SeriesIndex) -> Tick? {
        guard self.isRegistered(series), let oldest = self.oldestStored(Int(series.rawValue)) else { return nil }
        return self.offsetMap(series)?.utc(Tick(rawValue: oldest)) ?? Tick(rawValue: oldest)
    }

    private func oldestStored(_ series: Int) -> Int64? {
        self.scratches.with { scratch in
            self.collect(series, Int64.min...Int64.max, scratch)
            return scratch.pieces.map(\.first).min()
        }
    }

    /// The newest tick of all series on the stored axis; a clock must not start before it.
    package var newestTick: Tick? {
        var newest = self.segments.segments(.raw).map(\.header.last).max()
        for index in 0..<self.seriesCount {
            let slot = self.memory.slot(index)
            let last: Int64? = self.locks.withLock(index / Self.groupSeries) {
                slot.pointee.state == SeriesSlot.State.live && slot.pointee.head > 0 ? slot.pointee.lastTick : nil
            }
            if let last { newest = max(newest ?? .min, last) }
        }
        return newest.map { Tick(rawValue: $0) }
    }
}

extension SampleColumns {
    /// The rows whose ticks are in `range`; the rows are in order.
    func part(in range: ClosedRange<Int64>) -> Range<Int> {
        let start = self.firstRow { $0 >= range.lowerBound }
        let end = self.firstRow { $0 > range.upperBound }
        return start..<max(start, end)
    }

    private func firstRow(where isReached: (Int64) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if isReached(self.ticks[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension [QueryScratch.Piece] {
    var isAscending: Bool {
        for index in 1..<Swift.max(self.count, 1) where self[index].first < self[index - 1].first { return false }
        return true
    }

    /// Sorted by their first ticks; those of one tick keep their order.
    mutating func sortByFirst() {
        self = self.enumerated().sorted { ($0.element.first, $0.offset) < ($1.element.first, $1.offset) }.map(\.element)
    }
}
