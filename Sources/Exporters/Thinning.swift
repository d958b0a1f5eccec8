internal import CampusModel

/// Which part of a backlog is sent how densely; the oldest is thinned most.
///
/// `dropThrough` ≤ `minuteThrough` ≤ `tenthThrough`: up to the first nothing is kept, up to the second the first sample
/// of each minute, up to the third every tenth sample.
struct Thinning: Sendable, Hashable {
    var dropThrough = Tick(rawValue: .min)
    var minuteThrough = Tick(rawValue: .min)
    var tenthThrough = Tick(rawValue: .min)

    /// What of consecutive samples is sent.
    ///
    /// - Parameter watermark: The tick before them; its minute has been served.
    func kept(_ samples: [Sample], after watermark: Tick) -> [Sample] {
        guard let first = samples.first, first.tick <= self.tenthThrough else { return samples }
        var minute = watermark.floored(toMilliseconds: 60_000)
        var tenth = 0
        return samples.filter { sample in
            if sample.tick > self.tenthThrough { return true }
            if sample.tick <= self.dropThrough { return false }
            if sample.tick > self.minuteThrough {
                defer { tenth += 1 }
                return tenth % 10 == 0
            }
            let start = sample.tick.floored(toMilliseconds: 60_000)
            defer { minute = start }
            return start != minute
        }
    }

    /// A backlog of one series: `count` samples, taken as spread evenly over a time.
    struct Span: Sendable {
        var from: Tick
        var to: Tick
        var count: Int
    }

    /// About how many samples of the backlog are sent.
    func estimate(_ spans: [Span]) -> Double {
        spans.reduce(0) { sum, span in
            let length = Double(max(1, span.to.rawValue - span.from.rawValue))
            func share(_ from: Tick, _ to: Tick) -> Double {
                let (start, end) = (max(from, span.from), min(to, span.to))
                return start < end ? Double(end.rawValue - start.rawValue) / length : 0
            }
            let count = Double(span.count)
            let minutes = share(self.dropThrough, self.minuteThrough)
            return sum + min(minutes * count, minutes * length / 60_000)
                + share(max(self.minuteThrough, self.dropThrough), self.tenthThrough) * count / 10
                + share(max(self.tenthThrough, self.dropThrough), Tick(rawValue: .max)) * count
        }
    }

    /// The mildest thinning that brings a backlog down to `samplesMax`: every tenth, then one a minute, then none.
    static func fitting(_ spans: [Span], samplesMax: Double) -> Thinning {
        var thinning = Thinning()
        guard let oldest = spans.map(\.from).min(), let newest = spans.map(\.to).max() else { return thinning }
        for path in [\Thinning.tenthThrough, \Thinning.minuteThrough, \Thinning.dropThrough] {
            guard thinning.estimate(spans) > samplesMax else { break }
            var (low, high) = (oldest.rawValue, newest.rawValue)
            while low < high {
                let middle = low + (high - low) / 2
                thinning[keyPath: path] = Tick(rawValue: middle)
                if thinning.estimate(spans) > samplesMax { low = middle + 1 } else { high = middle }
            }
            thinning[keyPath: path] = Tick(rawValue: low)
        }
        return thinning
    }
}

extension ExportState {
    /// Thins the oldest of the backlog when it is longer than its quota, and drops what waited too long.
    ///
    /// The ring keeps everything meanwhile; what is not sent is passed over, and counted, when its turn comes.
    mutating func keepQuota(_ source: some SampleSource, now: Tick) {
        guard self.waitingSamples > 0 else {
            self.thinning = Thinning()
            return
        }
        let samplesMax = Double(self.options.backlogBytesMax) / max(self.sampleBytes, 1)
        var wanted = Thinning()
        if Double(self.waitingSamples) > samplesMax {
            wanted = Thinning.fitting(self.spans(source), samplesMax: samplesMax)
        }
        // Old ticks alone are no reason: an imported file and a device's memory are old when they arrive.
        if let since = self.outage.awaySince, now.rawValue - since.rawValue > self.options.maximumAgeMilliseconds {
            let tooOld = now.advanced(byMilliseconds: -self.options.maximumAgeMilliseconds)
            wanted.dropThrough = max(wanted.dropThrough, tooOld)
            wanted.minuteThrough = max(wanted.minuteThrough, wanted.dropThrough)
            wanted.tenthThrough = max(wanted.tenthThrough, wanted.dropThrough)
        }
        // While a replay shortens the backlog, what was decided for its oldest part stays.
        self.thinning.dropThrough = max(self.thinning.dropThrough, wanted.dropThrough)
        self.thinning.minuteThrough = max(self.thinning.minuteThrough, wanted.minuteThrough)
        self.thinning.tenthThrough = max(self.thinning.tenthThrough, wanted.tenthThrough)
    }

    private var waitingSamples: Int {
        self.series.reduce(0) { $0 + ($1.lane == .backlog ? Int($1.place.pending) : 0) }
    }

    private func spans(_ source: some SampleSource) -> [Thinning.Span] {
        self.series.indices.compactMap { index in
            let entry = self.series[index]
            guard entry.lane == .backlog, entry.place.pending > 0 else { return nil }
            var first: [Sample] = []
            source.read(index, after: entry.place.watermark, limit: 1, into: &first)
            guard let from = first.first?.tick else { return nil }
            return Thinning.Span(from: from, to: entry.place.counted, count: Int(entry.place.pending))
        }
    }

    /// Bytes of the backlog as they will be sent.
    func backlogBytes(_ source: some SampleSource) -> Int {
        let estimate =
            self.thinning == Thinning() ? Double(self.waitingSamples) : self.thinning.estimate(self.spans(source))
        return Int(estimate * self.sampleBytes)
    }
}
