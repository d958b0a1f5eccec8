internal import CampusModel
internal import Synchronization

/// The rows of a tier: those of segments, unpacked once, and what memory has since.
extension TimeSeriesRing {
    /// Hands over the roll-ups of a tier that start in `range`, in order, dated in UTC, until `body` returns `false`.
    func forEachRow(
        _ series: SeriesIndex,
        _ tier: Tier,
        in range: Range<Tick>,
        _ body: (UnsafeBufferPointer<Rollup>) -> Bool
    ) {
        guard self.isRegistered(series), !range.isEmpty else { return }
        let clock = self.offsetMap(series)
        let low = clock?.tick(range.lowerBound).rawValue ?? range.lowerBound.rawValue
        let high = clock?.tick(range.upperBound).rawValue ?? range.upperBound.rawValue
        guard low < high else { return }
        self.forEachStoredRow(Int(series.rawValue), tier, low...(high - 1)) { rows in
            guard let clock else { return body(rows) }
            var dated = Array(rows)
            for index in dated.indices { dated[index].start = clock.utc(dated[index].start) }
            return dated.withUnsafeBufferPointer(body)
        }
    }

    /// The same on the stored axis.
    private func forEachStoredRow(
        _ series: Int,
        _ tier: Tier,
        _ range: ClosedRange<Int64>,
        _ body: (UnsafeBufferPointer<Rollup>) -> Bool
    ) {
        let (run, recent) = self.scratches.with { scratch in
            let segments = self.collectRecent(series, range, scratch)
            for piece in scratch.pieces { self.decodeRollups(piece, scratch) }
            let recent = Self.rows(&scratch.rollups, tier)
            scratch.pieces.removeAll(keepingCapacity: true)
            return (self.run(series, tier, segments, from: range.lowerBound, scratch), recent)
        }
        let old = run.rows.places(in: range)
        let new = recent.places(in: range)
        guard let first = recent[new].first?.start, let last = run.rows[old].last?.start, first <= last else {
            _ = run.rows.hand(old, body) && recent.hand(new, body)
            return
        }
        // A minute that was under way at a seal, or a late sample: the rows from there on are put together.
        let meeting = run.rows.place(of: first.rawValue)
        guard run.rows.hand(old.lowerBound..<max(meeting, old.lowerBound), body) else { return }
        var mixed = (run.rows[max(meeting, old.lowerBound)..<old.upperBound] + recent[new]).map(StoredRollup.init)
        mixed.mergeEqualStarts()
        _ = mixed.map(\.rollup).withUnsafeBufferPointer(body)
    }

    /// Copies what memory has of a range; returns the segments that do not have it, too.
    private func collectRecent(_ series: Int, _ range: ClosedRange<Int64>, _ scratch: QueryScratch) -> RollupSegments {
        var segments = RollupSegments(minutes: [], quarters: [], isSealing: false)
        self.locks.withLock(series / Self.groupSeries) {
            guard self.wake(series) else { return }
            segments.minutes = self.segments.segments(.minute)
            segments.quarters = self.segments.segments(.quarter)
            let limit = self.copyMemory(series, range, isRollup: true, scratch)
            let count = segments.minutes.count + segments.quarters.count
            segments.minutes.removeAll { $0.header.sequence >= limit }
            segments.quarters.removeAll { $0.header.sequence >= limit }
            segments.isSealing = segments.minutes.count + segments.quarters.count < count
        }
        return segments
    }

    /// What the segments have of a series from `from` on; kept for the next query.
    private func run(
        _ series: Int,
        _ tier: Tier,
        _ segments: RollupSegments,
        from: Int64,
        _ scratch: QueryScratch
    ) -> RollupCache.Run {
        let stamp = RollupCache.Stamp(segments.minutes, segments.quarters)
        if let run = self.rollupCache.run(tier, series, stamp, from: from) { return run }
        var minutes = segments.minutes
        if tier == .quarter {
            // What a quarter segment covers is left out of the minutes.
            let through = segments.quarters.last?.header.sequence ?? 0
            minutes.removeAll { $0.header.sequence < through }
            self.collectSegments(segments.quarters, UInt32(series), from...Int64.max, below: .max, scratch)
        }
        self.collectSegments(minutes, UInt32(series), from...Int64.max, below: .max, scratch)
        scratch.rollups.removeAll(keepingCapacity: true)
        for piece in scratch.pieces { self.decodeRollups(piece, scratch) }
        let run = RollupCache.Run(from: from, rows: Self.rows(&scratch.rollups, tier))
        // While a half is being sealed a part of the segments does not count yet.
        if !segments.isSealing { self.rollupCache.keep(run, tier, series, stamp) }
        return run
    }

    /// Roll-ups as rows of a tier, in order, each start once.
    private static func rows(_ rollups: inout [StoredRollup], _ tier: Tier) -> [Rollup] {
        if tier == .quarter {
            for index in rollups.indices { rollups[index].start -= rollups[index].start % tier.stepMilliseconds }
        }
        rollups.mergeEqualStarts()
        return rollups.map(\.rollup)
    }
}

/// The segments that roll-ups are read from.
private struct RollupSegments {
    var minutes: [SegmentStore.Segment]
    var quarters: [SegmentStore.Segment]
    /// Whether some were left out, because memory still has what is in them.
    var isSealing: Bool
}

extension [Rollup] {
    /// Where the first row is that starts at `start` or later.
    fileprivate func place(of start: Int64) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].start.rawValue < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate func places(in range: ClosedRange<Int64>) -> Range<Int> {
        let low = self.place(of: range.lowerBound)
        let high = range.upperBound == .max ? self.count : self.place(of: range.upperBound + 1)
        return low..<Swift.max(low, high)
    }

    fileprivate func hand(_ places: Range<Int>, _ body: (UnsafeBufferPointer<Rollup>) -> Bool) -> Bool {
        places.isEmpty || self.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[places])) }
    }
}
