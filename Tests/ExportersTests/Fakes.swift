import CampusModel
import Exporters
import Foundation
import Logging
import Synchronization

/// A ring of plain arrays.
final class FakeSource: SampleSource {
    private let series = Mutex<[(name: String, samples: [Sample])]>([])
    private let hidden = Mutex<Set<Int>>([])

    init(series count: Int = 1) {
        self.series.withLock { $0 = (0..<count).map { ("device-\($0)/value", []) } }
    }

    func addSeries() { self.series.withLock { $0.append(("device-\($0.count)/value", [])) } }
    func hide(_ index: Int) { self.hidden.withLock { _ = $0.insert(index) } }
    func show(_ index: Int) { self.hidden.withLock { _ = $0.remove(index) } }

    /// Stores samples with the tick as value, in order.
    func add(_ index: Int = 0, _ ticks: some Sequence<Int64>, quality: Quality = .good) {
        self.series.withLock { series in
            for tick in ticks {
                let sample = Sample(tick: Tick(rawValue: tick), value: Double(tick), quality: quality)
                let place = series[index].samples.lastIndex { $0.tick <= sample.tick }.map { $0 + 1 } ?? 0
                series[index].samples.insert(sample, at: place)
            }
        }
    }

    /// What a ring does with its oldest samples.
    func overwrite(_ index: Int, oldest count: Int) { self.series.withLock { $0[index].samples.removeFirst(count) } }

    func ticks(_ index: Int) -> [Int64] { self.series.withLock { $0[index].samples.map(\.tick.rawValue) } }

    var seriesCount: Int { self.series.withLock { $0.count } }
    func name(of series: Int) -> String { self.series.withLock { $0[series].name } }

    func identity(of series: Int) -> SeriesIdentity? {
        guard !self.hidden.withLock({ $0.contains(series) }) else { return nil }
        return SeriesIdentity(site: "s", room: "r", device: "device-\(series)", point: "value", unit: "1")
    }

    func newestTick(of series: Int) -> Tick? { self.series.withLock { $0[series].samples.last?.tick } }

    func read(_ series: Int, after tick: Tick, limit: Int, into samples: inout [Sample]) {
        let stored = self.series.withLock { $0[series].samples }
        for sample in stored where sample.tick > tick {
            if samples.count >= limit, sample.tick != samples.last?.tick { return }
            samples.append(sample)
        }
    }

    private let kept = Mutex<[Int: [Int64]]>([:])

    /// Roll-ups that outlive their samples, by the second that they start.
    func keepMinutes(_ index: Int, _ starts: [Int64]) { self.kept.withLock { $0[index] = starts } }

    func minutes(_ series: Int, after tick: Tick, before end: Tick) -> [Rollup] {
        (self.kept.withLock { $0[series] } ?? []).map { Tick(rawValue: $0 * 1_000) }
            .filter { $0 > tick && $0 < end }
            .map { Rollup(start: $0, minimum: 1, maximum: 3, sum: 120, count: 60, badCount: 0) }
    }
}

/// A receiver that does what the test says.
final class FakeSink: ExportSink {
    private let state = Mutex(State())

    private struct State {
        var received: [SeriesRun] = []
        var requests = 0
        var isRepeated = false
        var answer: @Sendable ([SeriesRun]) -> SinkError? = { _ in nil }
    }

    func run() async {}

    func send(_ runs: [SeriesRun]) async throws -> SinkReceipt {
        let answer = self.state.withLock { state in
            state.requests += 1
            return state.answer
        }
        if let error = answer(runs) { throw error }
        let samples = runs.reduce(0) { $0 + $1.samples.count }
        let isRepeated = self.state.withLock { state in
            state.received += runs
            defer { state.isRepeated = false }
            return state.isRepeated
        }
        return SinkReceipt(bytes: samples * 32, repeatedSamples: isRepeated ? samples : 0)
    }

    func answers(_ answer: @escaping @Sendable ([SeriesRun]) -> SinkError?) {
        self.state.withLock { $0.answer = answer }
    }

    func isAway(_ mayHaveArrived: Bool = false) {
        self.answers { _ in SinkError(.retryable, "nobody answers", mayHaveArrived: mayHaveArrived) }
    }

    /// What is taken next was sent twice.
    func repeatsOnce() { self.state.withLock { $0.isRepeated = true } }

    func isBack() { self.answers { _ in nil } }

    var runs: [SeriesRun] { self.state.withLock { $0.received } }
    var requests: Int { self.state.withLock { $0.requests } }

    /// The ticks of a series in the order of their arrival.
    func ticks(_ series: Int = 0) -> [Int64] {
        self.runs.filter { $0.series == series }.flatMap { $0.samples.map(\.tick.rawValue) }
    }
}

/// Time that passes when the test says so.
final class ManualTimer: ExportTimer {
    private let time = Mutex<Int64>(1_000_000)

    func now() -> Tick { Tick(rawValue: self.time.withLock { $0 }) }
    func advance(_ milliseconds: Int64) { self.time.withLock { $0 += milliseconds } }

    func sleep(milliseconds: Int64) async throws {
        self.advance(milliseconds)
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// A folder that is gone after the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        self.path = FileManager.default.temporaryDirectory.appendingPathComponent("exporters-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }
}

/// An exporter over fakes; ``restart()`` is what `kill -9` and a new start do.
final class Bench {
    let source: FakeSource
    let sink = FakeSink()
    let timer = ManualTimer()
    let folder: TemporaryFolder
    let options: ExporterOptions
    private(set) var exporter: Exporter

    init(series: Int = 1, _ change: (inout ExporterOptions) -> Void = { _ in }) throws {
        var options = ExporterOptions()
        change(&options)
        self.options = options
        self.source = FakeSource(series: series)
        self.folder = try TemporaryFolder()
        self.exporter = try Self.exporter(self.source, self.sink, self.timer, self.folder, options)
    }

    func restart() throws {
        self.exporter = try Self.exporter(self.source, self.sink, self.timer, self.folder, self.options)
    }

    /// A late sample, as the ring tells it.
    func addLate(_ series: Int, _ tick: Int64) {
        self.exporter.observeLate(series: series, tick: Tick(rawValue: tick))
        self.source.add(series, [tick])
    }

    private static func exporter(
        _ source: FakeSource,
        _ sink: FakeSink,
        _ timer: ManualTimer,
        _ folder: TemporaryFolder,
        _ options: ExporterOptions
    ) throws -> Exporter {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Exporter(
            name: "x",
            kind: "test",
            options: options,
            source: source,
            sink: sink,
            cursor: try CursorFile(path: folder.file("x.cursor"), capacity: 16),
            history: StatementHistory(path: folder.file("x.outages")),
            timer: timer,
            logger: logger
        )
    }
}
