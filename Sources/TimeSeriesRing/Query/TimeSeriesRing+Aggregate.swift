package import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// The 1-minute roll-ups of a range, oldest first, the minute under way last.
    package func minuteRollups(_ series: SeriesIndex, in range: Range<Tick>, limit: Int) -> [Rollup] {
        self.withRollups(series, .minute, in: range) { rollups in rollups.prefix(max(limit, 0)).map(\.rollup) }
    }

    /// Statistics of each `step` of a range that has samples, oldest first, at most `limit`.
    ///
    /// They come from the coarsest tier that divides the step: quarters of an hour, minutes, or the samples themselves.
    /// What roll-ups do not reach comes from samples where these do, and from quarters where only these are left.
    package func aggregate(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        limit: Int
    ) -> [Rollup] {
        guard self.isRegistered(series), !range.isEmpty, step > 0, limit > 0 else { return [] }
        var buckets = Buckets(step: step, limit: limit)
        guard step % Tier.minute.stepMilliseconds == 0 else {
            self.addSamples(series, in: range, to: &buckets)
            return buckets.rows.map(\.rollup)
        }
        let tier: Tier = step % Tier.quarter.stepMilliseconds == 0 ? .quarter : .minute
        let (rows, rollupStart) = self.withRollups(series, tier, in: range) { rollups in
            let start = rollups.first.map { max($0.start, range.lowerBound.rawValue) } ?? range.upperBound.rawValue
            return (self.rows(rollups, tier, step, limit), start)
        }
        let older = range.lowerBound..<min(Tick(rawValue: rollupStart), range.upperBound)
        if !older.isEmpty {
            if tier == .minute, self.hasOverwritten(.minute, self.segments.segments(.minute)),
                (self.oldestTick(series)?.rawValue ?? .max) >= rollupStart
            {
                self.withRollups(series, .quarter, in: older) { for row in $0 { buckets.add(row) } }
            } else {
                self.addSamples(series, in: older, to: &buckets)
            }
        }
        // Where the samples end and the roll-ups begin may be in the middle of a row.
        if buckets.rows.isEmpty { return rows }
        self.withRollups(series, tier, in: max(older.upperBound, range.lowerBound)..<range.upperBound) { rollups in
            for row in rollups where !buckets.isFull { buckets.add(row) }
        }
        return buckets.rows.map(\.rollup)
    }

    /// Roll-ups of a tier as rows of a step.
    private func rows(_ rollups: [StoredRollup], _ tier: Tier, _ step: Int64, _ limit: Int) -> [Rollup] {
        if step == tier.stepMilliseconds, rollups.first.map({ $0.start % step == 0 }) ?? true {
            return rollups.prefix(limit).map(\.rollup)
        }
        var buckets = Buckets(step: step, limit: limit)
        for row in rollups where !buckets.isFull { buckets.add(row) }
        return buckets.rows.map(\.rollup)
    }

    /// The same from the samples alone, whatever roll-ups there are.
    package func aggregateSamples(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        limit: Int
    ) -> [Rollup] {
        guard self.isRegistered(series), !range.isEmpty, step > 0, limit > 0 else { return [] }
        var buckets = Buckets(step: step, limit: limit)
        self.addSamples(series, in: range, to: &buckets)
        return buckets.rows.map(\.rollup)
    }

    /// The same for many series at once, in their order.
    package func aggregate(
        _ series: [SeriesIndex],
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        limit: Int
    ) -> [[Rollup]] {
        series.map { self.aggregate($0, in: range, stepMilliseconds: step, limit: limit) }
    }

    private func addSamples(_ series: SeriesIndex, in range: Range<Tick>, to buckets: inout Buckets) {
        self.forEachChunk(series, in: range) { chunk in
            buckets.add(chunk)
            return !buckets.isFull
        }
    }

    /// Hands over the roll-ups of a tier that start in `range`, merged and in order, dated in UTC.
    private func withRollups<Result>(
        _ series: SeriesIndex,
        _ tier: Tier,
        in range: Range<Tick>,
        _ body: ([StoredRollup]) -> Result
    ) -> Result {
        guard self.isRegistered(series), !range.isEmpty else { return body([]) }
        let clock = self.offsetMap(series)
        let low = clock?.tick(range.lowerBound).rawValue ?? range.lowerBound.rawValue
        let high = clock?.tick(range.upperBound).rawValue ?? range.upperBound.rawValue
        guard low < high else { return body([]) }
        return self.scratches.with { scratch in
            self.collectRollups(Int(series.rawValue), tier, low...(high - 1), scratch)
            if let clock {
                for index in scratch.rollups.indices {
                    scratch.rollups[index].start = clock.utc(Tick(rawValue: scratch.rollups[index].start)).rawValue
                }
            }
            return body(scratch.rollups)
        }
    }

    private func collectRollups(_ series: Int, _ tier: Tier, _ range: ClosedRange<Int64>, _ scratch: QueryScratch) {
        let quarters = tier == .quarter ? self.segments.segments(.quarter) : []
        self.collect(series, range, isRollup: true, scratch)
        // The minutes in memory come first out of `collect`; what is read is put behind them and sorted together.
        if tier == .quarter {
            // What a quarter segment covers is left out of the minutes.
            let limit = self.sealLimit(series)
            let visible = quarters.filter { $0.header.sequence < limit }
            let through = visible.last?.header.sequence ?? 0
            scratch.pieces.removeAll { piece in
                guard case .segment(let segment, _) = piece.place else { return false }
                return segment.header.sequence < through
            }
            self.collectSegments(visible, UInt32(series), range, below: limit, scratch)
        }
        for piece in scratch.pieces { self.decodeRollups(piece, scratch) }
        if tier == .quarter {
            for index in scratch.rollups.indices {
                scratch.rollups[index].start -= scratch.rollups[index].start % Tier.quarter.stepMilliseconds
            }
        }
        scratch.rollups.mergeEqualStarts()
        // A block may reach beyond the range on both sides.
        let first = scratch.rollups.firstIndex { $0.start >= range.lowerBound } ?? scratch.rollups.count
        if first > 0 { scratch.rollups.removeFirst(first) }
        while let last = scratch.rollups.last, last.start > range.upperBound { scratch.rollups.removeLast() }
    }

    private func sealLimit(_ series: Int) -> UInt64 {
        self.memory.slot(series).pointee.sealedChain != 0 ? self.sealingSegment.load(ordering: .acquiring) : .max
    }
}

/// Rows of one step, filled in order.
private struct Buckets {
    let step: Int64
    let limit: Int
    var rows: [StoredRollup] = []
    private(set) var isFull = false

    init(step: Int64, limit: Int) {
        self.step = step
        self.limit = limit
    }

    private func floored(_ tick: Int64) -> Int64 {
        let rest = tick % self.step
        return tick - (rest < 0 ? rest + self.step : rest)
    }

    mutating func add(_ rollup: StoredRollup) {
        guard !self.isFull else { return }
        var rollup = rollup
        rollup.start = self.floored(rollup.start)
        if self.rows.last?.start == rollup.start {
            self.rows[self.rows.count - 1].merge(rollup)
        } else if self.rows.count < self.limit {
            self.rows.append(rollup)
        } else {
            self.isFull = true
        }
    }

    /// Adds samples; whole runs of one row at a time.
    mutating func add(_ chunk: SampleChunk) {
        guard let ticks = chunk.ticks.baseAddress, let values = chunk.values.baseAddress,
            let qualities = chunk.qualities.baseAddress
        else { return }
        var index = 0
        while index < chunk.count {
            var row = StoredRollup(start: self.floored(ticks[index]))
            let end = row.start &+ self.step
            while index < chunk.count, ticks[index] < end {
                row.add(values[index], isBad: qualities[index] >= StoredSample.badQuality)
                index &+= 1
            }
            self.add(row)
            if self.isFull { return }
        }
    }
}
