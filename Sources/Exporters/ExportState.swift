internal import CampusModel

/// Where an exporter stands: which samples go next, and what an acknowledgement means.
///
/// A value without time or sockets of its own: the driver asks it what to send and tells it what became of it. A series
/// is in one request at a time, so its order holds whatever the two lanes do.
struct ExportState: Sendable {
    /// Who sends a series.
    enum Lane: Sendable {
        /// Each round takes all that is new.
        case live
        /// Waits its turn in ``ExportState/queue``.
        case backlog
    }

    struct Series: Sendable {
        var place = SeriesPlace.start
        var lane = Lane.live
        var isInFlight = false
        /// Samples up to here waited in the outage that just ended.
        var replayThrough = Tick(rawValue: -1)
    }

    let options: ExporterOptions
    var series: [Series] = []
    /// Series with a backlog, the next one first.
    var queue: ArraySlice<Int> = []
    var record: CursorRecord
    var statistics = ExporterStatistics()
    var outage = OutageWatch()
    /// Bytes of one sample as it is sent, a moving mean.
    var sampleBytes = 32.0
    var hasMoved = false
    var thinning = Thinning()

    init(options: ExporterOptions, record: CursorRecord) {
        self.options = options
        self.record = record
        self.outage.resume(after: record.lastAcknowledged)
    }

    /// Takes up series that were registered since the last time, each where its cursor stands.
    mutating func adopt(_ source: some SampleSource) {
        let count = source.seriesCount
        while self.series.count < count {
            let index = self.series.count
            var entry = Series()
            if let known = self.record.places[CursorRecord.nameHash(source.name(of: index))] {
                // After a power cut the ring may end before the cursor; what comes next must not be passed over.
                let newest = source.newestTick(of: index) ?? Tick(rawValue: -1)
                entry.place = known
                entry.place.watermark = min(known.watermark, newest)
                entry.place.counted = max(entry.place.watermark, min(known.counted, newest))
            }
            self.series.append(entry)
        }
    }

    /// Samples of a series after `floor` are to be sent, or sent again: a late one is among them.
    mutating func lower(_ index: Int, to floor: Tick, _ source: some SampleSource) {
        guard self.series.indices.contains(index) else { return }
        self.hasMoved = true
        let known = self.series[index].place
        self.series[index].place.watermark = min(known.watermark, floor)
        self.series[index].place.counted = self.series[index].place.watermark
        self.series[index].place.pending = 0
        self.count(index, source)
        // Without a loss the count is exact; with one, what was counted before knows better.
        self.series[index].place.pending = max(known.pending, self.series[index].place.pending)
    }

    /// Counts what arrived since the last time.
    mutating func count(_ index: Int, _ source: some SampleSource) {
        var samples: [Sample] = []
        let limit = 4_096
        repeat {
            samples.removeAll(keepingCapacity: true)
            source.read(index, after: self.series[index].place.counted, limit: limit, into: &samples)
            guard let last = samples.last else { return }
            self.series[index].place.counted = last.tick
            self.hasMoved = true
            self.series[index].place.pending = UInt32(clamping: Int(self.series[index].place.pending) + samples.count)
        } while samples.count >= limit
    }

    /// Counts everything that waits; the driver calls it about once a second.
    mutating func survey(_ source: some SampleSource) {
        self.adopt(source)
        for index in self.series.indices where source.identity(of: index) != nil {
            guard let newest = source.newestTick(of: index), newest > self.series[index].place.counted else { continue }
            self.count(index, source)
        }
    }

    /// The next request of a round over the series at the head; empty when the round is over.
    ///
    /// A series with more than the head holds moves to the backlog.
    ///
    /// - Parameter position: Where the round is; begins with 0.
    mutating func takeLive(_ source: some SampleSource, now: Tick, position: inout Int) -> [SeriesRun] {
        if position == 0 { self.adopt(source) }
        var request: [SeriesRun] = []
        var size = 0
        let limit = self.options.liveSamplesMax
        while position < self.series.count, size < self.requestSamplesMax {
            let index = position
            position += 1
            guard !self.series[index].isInFlight, self.series[index].lane == .live,
                let newest = source.newestTick(of: index), newest > self.series[index].place.watermark,
                let identity = source.identity(of: index)
            else { continue }
            self.count(index, source)
            guard self.series[index].place.pending <= limit else {
                self.toBacklog(index)
                continue
            }
            let samples = self.samples(index, limit: limit, source)
            guard !samples.isEmpty else { continue }
            request.append(SeriesRun(series: index, identity: identity, samples: samples, isReplay: self.outage.isOn))
            size += samples.count
            self.series[index].isInFlight = true
        }
        if !request.isEmpty { self.outage.waits(since: now) }
        return request
    }

    /// Most samples of a request, so that it stays below its bytes as well.
    private var requestSamplesMax: Int {
        min(
            self.options.requestSamplesMax,
            max(1, Int(Double(self.options.requestBytesMax) / max(self.sampleBytes, 1)))
        )
    }

    /// The next request of the backlog; empty when nothing waits.
    mutating func takeBacklog(_ source: some SampleSource, now: Tick) -> [SeriesRun] {
        var runs: [SeriesRun] = []
        var left = self.requestSamplesMax
        // Each at most once a request, and no more than its share: a long backlog does not hold back a short one.
        var turns = self.queue.count
        while left > 0, turns > 0, let index = self.queue.popFirst() {
            turns -= 1
            guard let identity = source.identity(of: index) else {
                self.queue.append(index)
                continue
            }
            self.count(index, source)
            guard let run = self.run(index, identity, limit: min(left, 2_000), source) else {
                // All that was counted is gone.
                self.settleDrained(index)
                self.series[index].lane = .live
                continue
            }
            left -= run.samples.count - run.means + run.thinned
            if run.samples.isEmpty {
                // All of it is passed over; the rest has its turn later.
                self.advance(run)
                self.requeue(index)
                continue
            }
            self.series[index].isInFlight = true
            runs.append(run)
        }
        if !runs.isEmpty { self.outage.waits(since: now) }
        return runs
    }

    private func run(_ index: Int, _ identity: SeriesIdentity, limit: Int, _ source: some SampleSource) -> SeriesRun? {
        let samples = self.samples(index, limit: limit, source)
        guard let first = samples.first, let last = samples.last else { return nil }
        let watermark = self.series[index].place.watermark
        // What the ring has overwritten is left in its minutes.
        let means = watermark.rawValue < 0 ? [] : self.means(index, after: watermark, before: first.tick, source)
        let kept = self.thinning.kept(samples, after: watermark)
        var run = SeriesRun(series: index, identity: identity, samples: means + kept, isReplay: true)
        run.through = last.tick
        run.thinned = samples.count - kept.count
        run.means = means.count
        return run
    }

    private func means(_ index: Int, after tick: Tick, before end: Tick, _ source: some SampleSource) -> [Sample] {
        source.minutes(index, after: tick, before: end.floored(toMilliseconds: 60_000)).prefix(2_000)
            .compactMap { rollup in
                guard rollup.start > self.thinning.dropThrough, let mean = rollup.mean, mean.isFinite else {
                    return nil
                }
                return Sample(tick: rollup.start, value: mean, quality: .uncertain(.none))
            }
    }

    /// The next samples of a series, none that has not been counted.
    private func samples(_ index: Int, limit: Int, _ source: some SampleSource) -> [Sample] {
        let place = self.series[index].place
        var samples: [Sample] = []
        source.read(index, after: place.watermark, limit: limit, into: &samples)
        while let last = samples.last, last.tick > place.counted { samples.removeLast() }
        return samples
    }

    mutating func toBacklog(_ index: Int) {
        guard self.series[index].lane == .live else { return }
        self.series[index].lane = .backlog
        self.queue.append(index)
    }

    /// What was counted and is no longer there has been overwritten: it is lost, and said.
    private mutating func settleDrained(_ index: Int) {
        self.drop(index, Int(self.series[index].place.pending))
        self.series[index].place.pending = 0
        self.series[index].place.watermark = max(self.series[index].place.watermark, self.series[index].place.counted)
    }

    private mutating func drop(_ index: Int, _ count: Int) {
        guard count > 0 else { return }
        self.hasMoved = true
        self.series[index].place.dropped = UInt32(clamping: Int(self.series[index].place.dropped) + count)
        self.record.dropped &+= UInt64(count)
        self.outage.lost(UInt64(count))
    }
}

extension ExportState {
    /// The receiver has taken these.
    mutating func acknowledge(_ runs: [SeriesRun], _ receipt: SinkReceipt, now: Tick, _ source: some SampleSource) {
        self.hasMoved = true
        let isBack = self.outage.acknowledged(now: now, limit: self.options.outageMilliseconds)
        if isBack { self.beginReplay(source) }
        self.outage.repeated(UInt64(receipt.repeatedSamples))
        self.record.lastAcknowledged = now
        if self.statistics.connectedSince == nil { self.statistics.connectedSince = now }
        var count = 0
        for run in runs {
            self.advance(run)
            count += run.samples.count
            let replayThrough = self.series[run.series].replayThrough
            let waited = run.samples.count { $0.tick <= replayThrough }
            self.outage.replayed(UInt64(waited))
            if run.isReplay || waited > 0 { self.record.replayed &+= UInt64(run.samples.count) }
        }
        self.record.sent &+= UInt64(count)
        if count > 0, receipt.bytes > 0 {
            self.sampleBytes += (Double(receipt.bytes) / Double(count) - self.sampleBytes) / 16
        }
    }

    /// The receiver will never take these.
    mutating func giveUp(_ runs: [SeriesRun]) {
        for run in runs {
            var empty = run
            empty.thinned += run.samples.count - run.means
            empty.samples = []
            empty.means = 0
            self.advance(empty)
        }
    }

    private mutating func advance(_ run: SeriesRun) {
        let index = run.series
        let passed = UInt32(clamping: run.samples.count - run.means + run.thinned)
        let pending = self.series[index].place.pending
        self.series[index].place.pending = pending - min(pending, passed)
        self.series[index].place.watermark = max(self.series[index].place.watermark, run.through)
        self.drop(index, run.thinned)
        if self.series[index].place.watermark >= self.series[index].place.counted { self.settleDrained(index) }
    }

    /// The samples of these runs are free again, sent or not.
    mutating func release(_ runs: [SeriesRun]) {
        for run in runs where self.series[run.series].isInFlight {
            self.series[run.series].isInFlight = false
            if self.series[run.series].lane == .backlog { self.requeue(run.series) }
        }
    }

    /// A series of the backlog waits for its next turn, or is at the head again.
    private mutating func requeue(_ index: Int) {
        if self.series[index].place.pending == 0 {
            self.series[index].lane = .live
        } else {
            self.queue.append(index)
        }
    }

    /// A request failed.
    mutating func failed(_ error: SinkError, _ runs: [SeriesRun]) {
        self.statistics.retries &+= 1
        self.statistics.lastError = error.description
        self.statistics.connectedSince = nil
        if error.mayHaveArrived { self.outage.repeated(UInt64(runs.reduce(0) { $0 + $1.samples.count })) }
    }

    /// There is no connection, and requests wait for one.
    mutating func isAway(_ problem: String) {
        self.statistics.lastError = problem
        self.statistics.connectedSince = nil
    }

    /// After an outage everything that waited is history, and goes through the backlog.
    private mutating func beginReplay(_ source: some SampleSource) {
        for index in self.series.indices where source.identity(of: index) != nil {
            guard let newest = source.newestTick(of: index), newest > self.series[index].place.watermark else {
                continue
            }
            self.series[index].replayThrough = newest
            if !self.series[index].isInFlight { self.toBacklog(index) }
        }
    }

    /// The statement of an outage whose samples have all been sent or dropped.
    mutating func takeStatement() -> LossStatement? {
        guard self.outage.isReplaying else { return nil }
        for entry in self.series where entry.replayThrough.rawValue >= 0 {
            if entry.place.watermark < entry.replayThrough { return nil }
        }
        for index in self.series.indices { self.series[index].replayThrough = Tick(rawValue: -1) }
        return self.outage.finish()
    }

    /// What the cursor file should hold.
    func currentRecord(_ source: some SampleSource) -> CursorRecord {
        var record = self.record
        for (index, entry) in self.series.enumerated() where entry.place != .start {
            record.places[CursorRecord.nameHash(source.name(of: index))] = entry.place
        }
        return record
    }
}
