package import CampusModel
internal import Synchronization

/// One range of all series, for whoever sums up: each segment is read once, not searched once for each series.
extension TimeSeriesRing {
    /// The statistics of each series over a range of whole quarters of an hour, in the order of the series; those
    /// without any sample are left out.
    ///
    /// The keeper waits while memory is looked at, not while the card is read.
    package func forEachTotal(in range: Range<Tick>, _ body: (SeriesIndex, Rollup) throws -> Void) rethrows {
        guard !range.isEmpty else { return }
        let low = range.lowerBound.rawValue
        let high = range.upperBound.rawValue
        var state = self.totals(low..<high)
        guard let segments = state.segments else {
            // Ticks that are dated anew, or roll-ups that are gone before the samples are.
            for index in 0..<self.seriesCount {
                let series = SeriesIndex(rawValue: UInt32(index))
                var total = StoredRollup(start: low)
                self.forEachRollup(series, in: range, stepMilliseconds: Tier.quarter.stepMilliseconds) { rows in
                    for row in rows { total.merge(StoredRollup(row)) }
                    return true
                }
                if !total.isEmpty { try body(series, total.rollup) }
            }
            return
        }
        var cursors = segments.compactMap { IndexCursor($0, in: self.segments) }
        let decode = DecodeScratch()
        var next = 0
        for series in 0..<UInt32(state.count) {
            while next < state.recent.count, state.recent[next].series == series {
                state.rollups.append(state.recent[next].rollup)
                next += 1
            }
            for place in cursors.indices {
                while let entry = cursors[place].next(of: series) {
                    guard entry.first < high, entry.last >= low, let reader = cursors[place].block(entry) else {
                        continue
                    }
                    _ = RollupBlock.decode(reader, first: entry.first, into: &state.rollups, decode)
                }
            }
            var total = StoredRollup(start: low)
            for rollup in state.rollups where (low..<high).contains(rollup.start) { total.merge(rollup) }
            state.rollups.removeAll(keepingCapacity: true)
            if !total.isEmpty { try body(SeriesIndex(rawValue: series), total.rollup) }
        }
    }

    /// The begin of the oldest minute of any series; `nil` where there is none, or ticks are dated anew.
    package var oldest: Tick? {
        guard !self.hasClockOffsets.load(ordering: .acquiring) else { return nil }
        var oldest = Tier.allCases.flatMap { self.segments.segments($0) }.map(\.header.first).min() ?? .max
        self.forEachGroup { _, group in
            for series in group where self.isLive(series) {
                let slot = self.memory.slot(series)
                let word = slot.pointee.word
                let current = word.minuteIndex == 0 ? slot.pointee.minutes.0 : slot.pointee.minutes.1
                if !current.isEmpty { oldest = min(oldest, current.start) }
                if word.minutes > 0 { oldest = min(oldest, self.memory.closedMinutes(series).pointee.start) }
                for (newest, half) in [(word.chain, word.half), (slot.pointee.sealedChain, 1 - word.half)] {
                    var chain = newest
                    while chain != 0 {
                        let record = StagedRecord(self.memory.record(chain, half: half))
                        oldest = min(oldest, record.first)
                        chain = record.next
                    }
                }
            }
        }
        return oldest == .max ? nil : Tick(rawValue: oldest - oldest % Tier.minute.stepMilliseconds)
    }

    private struct Totals {
        var count = 0
        /// What memory has of the range.
        var recent: [(series: UInt32, rollup: StoredRollup)] = []
        /// The segments that have the rest; `nil` where roll-ups do not tell.
        var segments: [SegmentStore.Segment]?
        var rollups: [StoredRollup] = []
    }

    /// What memory has, and the segments with what it has no more: nothing is sealed in between.
    private func totals(_ range: Range<Int64>) -> Totals {
        self.keeper.withLock { _ in
            var totals = Totals()
            totals.count = self.seriesCount
            let step = Tier.quarter.stepMilliseconds
            let quarters = self.segments.segments(.quarter)
            let through = quarters.last?.header.sequence ?? 0
            let rollups = quarters + self.segments.segments(.minute).filter { $0.header.sequence > through }
            guard !self.hasClockOffsets.load(ordering: .acquiring), range.lowerBound % step == 0,
                range.upperBound % step == 0,
                !self.segments.segments(.raw)
                    .contains(where: { segment in
                        segment.header.first < rollups.map(\.header.first).min() ?? .max
                            && segment.header.first < range.upperBound && segment.header.last >= range.lowerBound
                    })
            else { return totals }
            self.scratches.with { scratch in
                self.forEachGroup { _, group in
                    for series in group where self.isLive(series) {
                        _ = self.copyMemory(series, range.lowerBound...(range.upperBound - 1), isRollup: true, scratch)
                        for piece in scratch.pieces { self.decodeRollups(piece, scratch) }
                        for rollup in scratch.rollups { totals.recent.append((UInt32(series), rollup)) }
                        scratch.pieces.removeAll(keepingCapacity: true)
                        scratch.rollups.removeAll(keepingCapacity: true)
                        scratch.copied.count = 0
                    }
                }
            }
            totals.segments = rollups.filter {
                $0.header.first < range.upperBound && $0.header.last >= range.lowerBound
            }
            return totals
        }
    }

    private func isLive(_ series: Int) -> Bool {
        self.memory.slot(series).pointee.state == SeriesSlot.State.live
    }
}
