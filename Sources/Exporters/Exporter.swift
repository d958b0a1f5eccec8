package import CampusModel
package import Logging
internal import Synchronization

/// Sends the ring's samples to one receiver: a durable cursor, no queue of its own.
///
/// Two lanes run side by side. The live lane sends, every interval, what is new in the series that have no backlog; the
/// replay lane works the backlog off at a bounded rate. A watermark moves when the receiver has acknowledged, never
/// before, so a killed process, a silent network and a refused request all end in the same way: it is sent again.
package final class Exporter: Sendable {
    package let name: String
    package let kind: String
    private let options: ExporterOptions
    private let source: any SampleSource
    private let sink: any ExportSink
    private let cursor: CursorFile
    private let history: StatementHistory
    private let timer: any ExportTimer
    private let logger: Logger
    private let state: Mutex<ExportState>
    /// Late floors since the last round, by series.
    private let late = Mutex<[Int: Tick]>([:])
    private let backoff: Mutex<BackOff>

    package init(
        name: String,
        kind: String,
        options: ExporterOptions,
        source: any SampleSource,
        sink: any ExportSink,
        cursor: CursorFile,
        history: StatementHistory,
        timer: any ExportTimer,
        logger: Logger
    ) {
        self.name = name
        self.kind = kind
        self.options = options
        self.source = source
        self.sink = sink
        self.cursor = cursor
        self.history = history
        self.timer = timer
        var logger = logger
        logger[metadataKey: "exporter"] = "\(name)"
        self.logger = logger
        self.backoff = Mutex(BackOff(options))
        for problem in cursor.problems { logger.warning("exporter cursor", metadata: ["problem": "\(problem)"]) }
        self.state = Mutex(ExportState(options: options, record: cursor.record))
        self.state.withLock { state in
            state.adopt(source)
            for index in state.series.indices {
                if let floor = cursor.floor(index) { state.lower(index, to: floor, source) }
            }
            state.survey(source)
            if state.series.contains(where: { $0.place.pending > 0 }) { state.outage.waitedBeforeStart() }
        }
    }

    /// A sample is about to be stored that is not newer than the newest of its series.
    ///
    /// Called on the thread that stores it, with the series locked: quick, and durable against a kill.
    package func observeLate(series: Int, tick: Tick) {
        let floor = tick.advanced(byMilliseconds: -1)
        self.late.withLock { late in
            late[series] = min(late[series] ?? floor, floor)
            self.cursor.lowerFloor(series, to: floor)
        }
    }

    /// Sends until cancelled; then writes the cursor.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sink.run() }
            group.addTask { await self.repeating(self.options.intervalMilliseconds) { await self.liveRound() } }
            group.addTask { await self.replay() }
            group.addTask { await self.repeating(1_000) { await self.look() } }
            await group.waitForAll()
        }
        await self.checkpoint()
    }

    private func repeating(_ milliseconds: Int64, _ body: () async -> Void) async {
        while !Task.isCancelled {
            let start = self.timer.now()
            await body()
            let spent = self.timer.now().rawValue - start.rawValue
            let pause = max(milliseconds - spent, self.backoff.withLock { $0.remaining(self.timer.now()) }, 1)
            do { try await self.timer.sleep(milliseconds: pause) } catch { return }
        }
    }

    /// One round over the series at the head.
    func liveRound() async {
        self.takeLate()
        var position = 0
        while !Task.isCancelled {
            let request = self.state.withLock { state in
                state.takeLive(self.source, now: self.timer.now(), position: &position)
            }
            if request.isEmpty { break }
            guard await self.deliver(request) else { break }
        }
    }

    private func replay() async {
        while !Task.isCancelled {
            let start = self.timer.now()
            let sent = await self.replayRequest()
            var pause = max(sent == 0 ? min(self.options.intervalMilliseconds, 100) : 0, 0)
            if sent > 0 {
                let wanted = Int64(sent) * 1_000 / Int64(max(self.options.replaySamplesPerSecond, 1))
                pause = wanted - (self.timer.now().rawValue - start.rawValue)
            }
            pause = max(pause, self.backoff.withLock { $0.remaining(self.timer.now()) })
            guard pause > 0 else { continue }
            do { try await self.timer.sleep(milliseconds: pause) } catch { return }
        }
    }

    /// Sends one request of the backlog; returns the number of samples that were sent.
    func replayRequest() async -> Int {
        self.takeLate()
        let request = self.state.withLock { $0.takeBacklog(self.source, now: self.timer.now()) }
        guard !request.isEmpty else { return 0 }
        return await self.deliver(request) ? request.reduce(0) { $0 + $1.samples.count } : 0
    }

    /// Counts what waits, looks for outages, keeps the quota, and writes the cursor when it is time.
    func look() async {
        self.takeLate()
        let now = self.timer.now()
        let problem = self.sink.problem
        let isDue = self.state.withLock { state in
            if let problem { state.isAway(problem) }
            state.survey(self.source)
            state.outage.check(now: now, limit: self.options.outageMilliseconds)
            state.keepQuota(self.source, now: now)
            return state.hasMoved
                && now.rawValue - self.cursorWritten.withLock { $0 } >= self.options.checkpointMilliseconds
        }
        if isDue { await self.checkpoint() }
    }

    private let cursorWritten = Mutex<Int64>(0)

    private func takeLate() {
        let late = self.late.withLock { late in
            defer { late = [:] }
            return late
        }
        guard !late.isEmpty else { return }
        self.state.withLock { state in
            state.adopt(self.source)
            for (index, floor) in late { state.lower(index, to: floor, self.source) }
        }
    }

    /// Sends a request, and the good part of one that holds something the receiver cannot read.
    private func deliver(_ runs: [SeriesRun]) async -> Bool {
        var refusals = 0
        let outcome = await self.attempt(runs, &refusals)
        if case .poisoned(let error, _) = outcome {
            // Nothing at all was taken: it is not the samples.
            self.failed(SinkError(.refused, error.description), runs)
        }
        let statement = self.state.withLock { state in
            state.release(runs)
            return state.takeStatement()
        }
        if let statement {
            self.logger.notice("outage over: \(statement)")
            self.history.add(statement)
        }
        if case .sent = outcome { return true }
        return false
    }

    private enum Outcome {
        case sent
        case stopped
        case poisoned(SinkError, [SeriesRun])
    }

    /// After this many refusals in a row it is not the samples.
    private static let refusalsMax = 48

    private func attempt(_ runs: [SeriesRun], _ refusals: inout Int) async -> Outcome {
        do {
            let receipt = try await self.sink.send(runs)
            refusals = 0
            self.backoff.withLock { $0.reset() }
            let now = self.timer.now()
            self.state.withLock { $0.acknowledge(runs, receipt, now: now, self.source) }
            return .sent
        } catch let error as SinkError where error.kind == .poison {
            refusals += 1
            guard refusals < Self.refusalsMax, let (first, second) = Self.halves(runs) else {
                return .poisoned(error, runs)
            }
            return await self.attemptHalves(first, second, &refusals)
        } catch {
            self.failed(error as? SinkError ?? SinkError(.retryable, "\(error)"), runs)
            return .stopped
        }
    }

    /// A half that is refused while the other is taken is what the receiver cannot read.
    private func attemptHalves(
        _ first: [SeriesRun],
        _ second: [SeriesRun],
        _ refusals: inout Int
    ) async -> Outcome {
        let firstOutcome = await self.attempt(first, &refusals)
        if case .stopped = firstOutcome { return .stopped }
        let secondOutcome = await self.attempt(second, &refusals)
        switch (firstOutcome, secondOutcome) {
        case (.poisoned(let error, let left), .poisoned(_, let right)): return .poisoned(error, left + right)
        case (.poisoned(let error, let bad), .sent), (.sent, .poisoned(let error, let bad)):
            let count = bad.reduce(0) { $0 + $1.samples.count }
            self.logger.error(
                "samples dropped that the receiver cannot read",
                metadata: ["samples": "\(count)", "reason": "\(error)"]
            )
            self.state.withLock { state in
                state.giveUp(bad)
                state.statistics.lastError = error.description
            }
            return .sent
        case (_, let outcome): return outcome
        }
    }

    private static func halves(_ runs: [SeriesRun]) -> ([SeriesRun], [SeriesRun])? {
        if runs.count > 1 { return (Array(runs[..<(runs.count / 2)]), Array(runs[(runs.count / 2)...])) }
        // One tick is never cut in two: a watermark tells ticks apart, not samples.
        guard let run = runs.first, let middle = run.samples.cut else { return nil }
        var first = run
        var second = run
        first.samples = Array(run.samples[..<middle])
        first.through = run.samples[middle - 1].tick
        first.thinned = 0
        first.means = min(run.means, middle)
        second.means = run.means - first.means
        second.samples = Array(run.samples[middle...])
        return ([first], [second])
    }

    private func failed(_ error: SinkError, _ runs: [SeriesRun]) {
        let isNew = self.state.withLock { state in
            let isNew = state.statistics.connectedSince != nil || state.statistics.lastError != error.description
            state.failed(error, runs)
            return isNew
        }
        self.backoff.withLock { $0.fail(at: self.timer.now(), isRefusal: error.kind == .refused) }
        guard isNew else { return }
        self.logger.warning("not exported; tried again", metadata: ["reason": "\(error)"])
    }

    /// Makes the cursor durable, and forgets the late floors that it covers.
    private func checkpoint() async {
        let floors = self.late.withLock { late in late.isEmpty ? self.currentFloors() : [] }
        let record = self.state.withLock { state in
            state.hasMoved = false
            return state.currentRecord(self.source)
        }
        let cursor = self.cursor
        do {
            try await BlockingWork.perform { () throws(CursorError) in try cursor.write(record) }
            self.cursorWritten.withLock { $0 = self.timer.now().rawValue }
            self.late.withLock { late in
                for (index, floor) in floors where late[index] == nil { cursor.clearFloor(index, ifStill: floor) }
            }
        } catch {
            self.state.withLock { $0.hasMoved = true }
            self.logger.error("the cursor cannot be written; more is sent again", metadata: ["error": "\(error)"])
        }
    }

    /// Writes the cursor a last time, for a successor of the same name; what is acknowledged afterwards is sent again.
    package func handOver() {
        let record = self.state.withLock { $0.currentRecord(self.source) }
        do {
            try self.cursor.retire(writing: record)
        } catch {
            self.logger.error("the cursor cannot be written; more is sent again", metadata: ["error": "\(error)"])
        }
    }

    private func currentFloors() -> [(Int, Tick)] {
        (0..<self.source.seriesCount).compactMap { index in self.cursor.floor(index).map { (index, $0) } }
    }

    /// What it did and where it stands.
    package var statistics: ExporterStatistics {
        let now = self.timer.now()
        var statistics = self.state.withLock { $0.summary(self.source, now: now) }
        statistics.name = self.name
        statistics.kind = self.kind
        statistics.statements = self.history.statements
        return statistics
    }
}

extension [Sample] {
    /// Where to cut about in the middle, between two ticks; `nil` when there is one tick only.
    fileprivate var cut: Int? {
        let middle = self.count / 2
        return (middle..<self.count).first { $0 > 0 && self[$0].tick != self[$0 - 1].tick }
            ?? (1..<Swift.max(middle, 1)).last { self[$0].tick != self[$0 - 1].tick }
    }
}
