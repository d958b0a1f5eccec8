package import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// The 1-minute roll-ups of a range, oldest first, the minute under way last.
    package func minuteRollups(_ series: SeriesIndex, in range: Range<Tick>, limit: Int) -> [Rollup] {
        var found: [Rollup] = []
        self.forEachRow(series, .minute, in: range) { rows in
            found.append(contentsOf: rows.prefix(limit - found.count))
            return found.count < limit
        }
        return found
    }

    /// Statistics of each `step` of a range that has samples, oldest first, at most `limit`.
    ///
    /// The range is widened to whole steps. The rows come from the coarsest tier that divides the step: quarters of an
    /// hour, minutes, or the samples themselves.
    /// What roll-ups do not reach comes from samples where these do, and from quarters where only these are left.
    package func aggregate(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        limit: Int
    ) -> [Rollup] {
        var found: [Rollup] = []
        guard limit > 0 else { return found }
        self.forEachRollup(series, in: Self.widened(range, stepMilliseconds: step), stepMilliseconds: step) { rows in
            found.append(contentsOf: rows.prefix(limit - found.count))
            return found.count < limit
        }
        return found
    }

    /// The same of just the range, handed over in pieces until `body` returns `false`.
    ///
    /// A roll-up counts where it starts in the range, so that ranges that meet count each sample once.
    /// Where the step is that of a tier nothing is copied. Nothing is held while `body` runs.
    package func forEachRollup(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        _ body: (UnsafeBufferPointer<Rollup>) -> Bool
    ) {
        guard self.isRegistered(series), !range.isEmpty, step > 0 else { return }
        var buckets = Buckets(step: step)
        guard step % Tier.minute.stepMilliseconds == 0 else {
            self.addSamples(series, in: range, to: &buckets, body)
            return buckets.finish(body)
        }
        let tier: Tier = step % Tier.quarter.stepMilliseconds == 0 ? .quarter : .minute
        var isFirst = true
        self.forEachRow(series, tier, in: range) { rows in
            if isFirst, let first = rows.first?.start {
                isFirst = false
                self.addOlder(series, tier, in: range, before: first, to: &buckets, body)
            }
            // Where the samples end and the roll-ups begin may be in the middle of a row.
            if buckets.isEmpty, step == tier.stepMilliseconds, (rows.first?.start.rawValue ?? 0) % step == 0 {
                return buckets.hand(rows, body)
            }
            return buckets.add(rows, body)
        }
        if isFirst { self.addOlder(series, tier, in: range, before: range.upperBound, to: &buckets, body) }
        buckets.finish(body)
    }

    /// A range from the begin of its first step on, to the end of its last one.
    package static func widened(_ range: Range<Tick>, stepMilliseconds step: Int64) -> Range<Tick> {
        guard step > 0, !range.isEmpty else { return range }
        let first = Buckets.floored(range.lowerBound.rawValue, step)
        let last = Buckets.floored(range.upperBound.rawValue &- 1, step)
        // At the ends of the axis there is nothing to widen to.
        let lower = first <= range.lowerBound.rawValue ? Tick(rawValue: first) : range.lowerBound
        let upper = last.addingReportingOverflow(step)
        return lower..<(upper.overflow ? range.upperBound : max(Tick(rawValue: upper.partialValue), range.upperBound))
    }

    /// What is older than the roll-ups of a tier that has begun to overwrite.
    private func addOlder(
        _ series: SeriesIndex,
        _ tier: Tier,
        in range: Range<Tick>,
        before first: Tick,
        to buckets: inout Buckets,
        _ body: (UnsafeBufferPointer<Rollup>) -> Bool
    ) {
        guard first > range.lowerBound, self.hasOverwritten(tier, self.segments.segments(tier)) else { return }
        let range = range.lowerBound..<min(first, range.upperBound)
        if tier == .minute, self.oldestTick(series).map({ $0 >= range.upperBound }) ?? true {
            self.forEachRow(series, .quarter, in: range) { buckets.add($0, body) }
        } else {
            self.addSamples(series, in: range, to: &buckets, body)
        }
    }

    /// The same from the samples alone, whatever roll-ups there are.
    package func aggregateSamples(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        stepMilliseconds step: Int64,
        limit: Int
    ) -> [Rollup] {
        guard self.isRegistered(series), !range.isEmpty, step > 0, limit > 0 else { return [] }
        var found: [Rollup] = []
        let body: (UnsafeBufferPointer<Rollup>) -> Bool = { rows in
            found.append(contentsOf: rows.prefix(limit - found.count))
            return found.count < limit
        }
        var buckets = Buckets(step: step)
        self.addSamples(series, in: Self.widened(range, stepMilliseconds: step), to: &buckets, body)
        buckets.finish(body)
        return found
    }

    private func addSamples(
        _ series: SeriesIndex,
        in range: Range<Tick>,
        to buckets: inout Buckets,
        _ body: (UnsafeBufferPointer<Rollup>) -> Bool
    ) {
        self.forEachChunk(series, in: range) { buckets.add($0, body) }
    }
}
