internal import CampusModel

/// Rows of one step, filled in order and handed over many at a time.
struct Buckets {
    /// Rows that are handed over together.
    private static let rowsMax = 256

    let step: Int64
    private var rows: [StoredRollup] = []
    /// Whoever takes them has enough.
    private var isEnded = false

    init(step: Int64) { self.step = step }

    var isEmpty: Bool { self.rows.isEmpty }

    private func floored(_ tick: Int64) -> Int64 { Self.floored(tick, self.step) }

    static func floored(_ tick: Int64, _ step: Int64) -> Int64 {
        let rest = tick % step
        return tick &- (rest < 0 ? rest &+ step : rest)
    }

    /// Adds roll-ups; `false` when no more are wanted.
    mutating func add(_ rollups: UnsafeBufferPointer<Rollup>, _ body: (UnsafeBufferPointer<Rollup>) -> Bool) -> Bool {
        for rollup in rollups where !self.isEnded {
            var row = StoredRollup(rollup)
            row.start = self.floored(row.start)
            self.add(row, body)
        }
        return !self.isEnded
    }

    /// Hands rows over that are complete already.
    mutating func hand(_ rows: UnsafeBufferPointer<Rollup>, _ body: (UnsafeBufferPointer<Rollup>) -> Bool) -> Bool {
        if !self.isEnded { self.isEnded = !body(rows) }
        return !self.isEnded
    }

    private mutating func add(_ row: StoredRollup, _ body: (UnsafeBufferPointer<Rollup>) -> Bool) {
        if self.rows.last?.start == row.start {
            self.rows[self.rows.count - 1].merge(row)
            return
        }
        // The last row may still grow; those before it do not.
        if self.rows.count >= Self.rowsMax { self.hand(body) }
        self.rows.append(row)
    }

    /// Adds samples, whole runs of one row at a time; `false` when no more rows are wanted.
    mutating func add(_ chunk: SampleChunk, _ body: (UnsafeBufferPointer<Rollup>) -> Bool) -> Bool {
        guard let ticks = chunk.ticks.baseAddress, let values = chunk.values.baseAddress,
            let qualities = chunk.qualities.baseAddress
        else { return true }
        var index = 0
        while index < chunk.count, !self.isEnded {
            var row = StoredRollup(start: self.floored(ticks[index]))
            let end = Self.firstPlace(ticks, from: index, of: chunk.count, at: row.start &+ self.step)
            row.add(values + index, qualities + index, end &- index)
            index = end
            self.add(row, body)
        }
        return !self.isEnded
    }

    /// The first place behind `start` whose tick is `limit` or later, guessed where the period is steady, as most are.
    private static func firstPlace(
        _ ticks: UnsafePointer<Int64>,
        from start: Int,
        of count: Int,
        at limit: Int64
    ) -> Int {
        if start &+ 1 < count {
            let period = ticks[start &+ 1] &- ticks[start]
            if period > 0 {
                let steps = (limit &- ticks[start] &+ period &- 1) / period
                let guess = start &+ Int(truncatingIfNeeded: min(steps, Int64(count &- start)))
                if guess > start, ticks[guess &- 1] < limit, guess == count || ticks[guess] >= limit { return guess }
            }
        }
        var place = start &+ 1
        while place < count, ticks[place] < limit { place &+= 1 }
        return place
    }

    mutating func finish(_ body: (UnsafeBufferPointer<Rollup>) -> Bool) { if !self.isEmpty { self.hand(body) } }

    private mutating func hand(_ body: (UnsafeBufferPointer<Rollup>) -> Bool) {
        if !self.isEnded { self.isEnded = !self.rows.map(\.rollup).withUnsafeBufferPointer(body) }
        self.rows.removeAll(keepingCapacity: true)
    }
}
