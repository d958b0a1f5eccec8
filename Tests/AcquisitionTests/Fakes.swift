import Acquisition
import CampusModel
import DeviceProfile
import Foundation
import Logging
import Synchronization

/// A store that keeps everything in order.
final class MemoryStore: SampleStoring, EventStoring {
    struct Full: Error {}
    struct Refused: Error {}

    struct State {
        var names: [String] = []
        var samples: [(name: String, sample: Sample)] = []
        var events: [Event] = []
        var refusals = 0
        var classes: [Durability] = []
        /// How many samples there were at each commit.
        var commits: [Int] = []
        var commitRefusals = 0
    }

    let seriesMax: Int
    private let state = Mutex(State())

    init(seriesMax: Int = .max, refusing refusals: Int = 0) {
        self.seriesMax = seriesMax
        self.state.withLock { $0.refusals = refusals }
    }

    func series(named name: String, hasDeviceClock: Bool, durability: Durability) throws -> SeriesIndex {
        try self.state.withLock { state in
            if let index = state.names.firstIndex(of: name) { return SeriesIndex(rawValue: UInt32(index)) }
            guard state.names.count < self.seriesMax else { throw Full() }
            state.names.append(name)
            state.classes.append(durability)
            return SeriesIndex(rawValue: UInt32(state.names.count - 1))
        }
    }

    func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) -> Durability {
        self.state.withLock { state in
            for sample in samples {
                state.samples.append((state.names[Int(sample.series.rawValue)], sample.sample))
            }
            return samples.map { state.classes[Int($0.series.rawValue)] }.max() ?? .telemetry
        }
    }

    func commit() throws {
        try self.state.withLock { state in
            if state.commitRefusals > 0 {
                state.commitRefusals -= 1
                throw Refused()
            }
            state.commits.append(state.samples.count)
        }
    }

    func refuseCommits(_ count: Int) { self.state.withLock { $0.commitRefusals = count } }
    var commits: [Int] { self.state.withLock { $0.commits } }

    func store(_ events: [Event], received: Tick) throws {
        try self.state.withLock { state in
            if state.refusals > 0 {
                state.refusals -= 1
                throw Refused()
            }
            state.events += events
        }
    }

    var samples: [(name: String, sample: Sample)] { self.state.withLock { $0.samples } }
    var events: [Event] { self.state.withLock { $0.events } }

    func samples(of name: String) -> [Sample] { self.samples.filter { $0.name == name }.map(\.sample) }
}

/// Time that passes only when a test says so: the timer of polls and the clock of ticks.
final class ManualTime: PollTimer, TickClock {
    private struct Sleeper {
        var deadline: UInt64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: UInt64 = 1_000_000_000
        var sleepers: [UUID: Sleeper] = [:]
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var nowNanoseconds: UInt64 { self.state.withLock { $0.now } }

    func sleep(untilNanoseconds deadline: UInt64) async throws {
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let (isDue, watchers) = self.state.withLock { state in
                    if Task.isCancelled || deadline <= state.now { return (true, [CheckedContinuation<Void, Never>]()) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    let asleep = state.sleepers.count
                    defer { state.watchers.removeAll { $0.count <= asleep } }
                    return (false, state.watchers.filter { $0.count <= asleep }.map(\.continuation))
                }
                if isDue { continuation.resume() }
                for watcher in watchers { watcher.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            self.state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation
                .resume(throwing: CancellationError())
        }
    }

    /// Waits until `count` tasks sleep.
    func whenAsleep(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isAsleep = self.state.withLock { state in
                if state.sleepers.count < count { state.watchers.append((count, continuation)) }
                return state.sleepers.count >= count
            }
            if isAsleep { continuation.resume() }
        }
    }

    /// Lets time pass and wakes who is due.
    func advance(milliseconds: UInt64) {
        let due = self.state.withLock { state in
            state.now += milliseconds * 1_000_000
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Time passes without anybody noticing, as while a bus is busy.
    func pass(milliseconds: UInt64) { self.state.withLock { $0.now += milliseconds * 1_000_000 } }

    func now() -> Tick { self.tick(boottimeNanoseconds: self.nowNanoseconds) }

    func tick(boottimeNanoseconds: UInt64) -> Tick {
        Tick(milliseconds: 1_790_000_000_000 + Int64(boottimeNanoseconds / 1_000_000))
    }
}

/// A bus that answers what a test says.
final class ScriptedBus: RegisterReading {
    typealias Answer = @Sendable (RegisterRequest) -> RegisterOutcome

    private struct State {
        var answer: Answer
        var requests: [RegisterRequest] = []
        /// What was said to come next, one entry a read.
        var nexts: [RegisterRequest?] = []
        var writes: [RegisterWrite] = []
        var refusesWrites = false
        var held: AsyncStream<Void>?
        var isHeld = false
    }

    private let state: Mutex<State>

    init(_ answer: @escaping Answer) { self.state = Mutex(State(answer: answer)) }

    func answer(with answer: @escaping Answer) { self.state.withLock { $0.answer = answer } }

    /// The next read gets no answer until `stream` ends.
    func hold(until stream: AsyncStream<Void>) { self.state.withLock { $0.held = stream } }

    /// Whether a read is being held.
    var isHeld: Bool { self.state.withLock { $0.isHeld } }

    var executor: (any TaskExecutor)? { nil }
    var requests: [RegisterRequest] { self.state.withLock { $0.requests } }
    var nexts: [RegisterRequest?] { self.state.withLock { $0.nexts } }
    var writes: [RegisterWrite] { self.state.withLock { $0.writes } }

    func read(_ requests: [RegisterRequest], before next: RegisterRequest?) async -> [RegisterOutcome] {
        let answer = self.state.withLock { state in
            state.requests += requests
            state.nexts.append(next)
            return state.answer
        }
        // A real bus suspends; one that never does would keep a thread of the pool for itself.
        await Task.yield()
        let held = self.state.withLock { state in
            state.isHeld = state.held != nil
            return state.held.take()
        }
        if let held { for await _ in held {} }
        return requests.map { answer($0) }
    }

    func write(_ request: RegisterWrite) async -> BusFailure? {
        self.state.withLock { state in
            state.writes.append(request)
            return state.refusesWrites ? BusFailure(reason: .exception, exceptionCode: 4, message: "failed") : nil
        }
    }

    func refuseWrites(_ refuses: Bool) { self.state.withLock { $0.refusesWrites = refuses } }
}

/// Profiles and devices of these tests.
enum Made {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static let head = """
        vendor: V
        model: M
        category: environment
        title: {vi: T, en: T}
        sources:
          - {title: "by hand", url: "https://example.org", trust: C}
        verified: false
        """

    static func meter(_ points: String, wire: String = "unit: 1") throws -> DeviceProfile {
        try DeviceProfile.read(
            yaml: """
                profile: meter
                \(self.head)
                modbus: {\(wire)}
                points:
                \(points)
                tests:
                  - name: none
                    modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
                    expect: {a: 0}
                """,
            file: "meter.yaml"
        )
    }

    static func publisher() throws -> DeviceProfile {
        try DeviceProfile.read(
            yaml: """
                profile: publisher
                \(self.head)
                mqtt:
                  messages:
                    - {name: state, topic: "t/{device}/state", clock: {pointer: /at, format: unix-milliseconds}}
                    - {name: card, topic: "t/{device}/card"}
                    - {name: door, topic: "t/{device}/door", sent: on-change}
                    - {name: mode, topic: "t/{device}/mode", payload: text, sent: on-change}
                  availability: {topic: "t/{device}/lwt", online: "1", offline: "0"}
                points:
                  - {name: a, title: {vi: A, en: A}, unit: Cel, wire: {message: state, pointer: /a}, range: {min: -40, max: 85}}
                  - {name: b, title: {vi: B, en: B}, unit: "1", wire: {message: state, pointer: /b}, deadband: 0.5}
                  - {name: speed, title: {vi: S, en: S}, unit: "1", wire: {message: state, pointer: /speed}, maximumChangePerSecond: 2}
                  - {name: level, title: {vi: L, en: L}, unit: "1", wire: {message: state, pointer: /level}, validWhen: {point: door, equals: [1]}}
                  - {name: mode, title: {vi: M, en: M}, unit: "1", wire: {message: mode}}
                  - {name: door, title: {vi: D, en: D}, kind: boolean, wire: {message: door, pointer: /open}, durability: critical}
                events:
                  - name: card
                    title: {vi: Thẻ, en: Card}
                    kind: card
                    message: card
                    sequence: /n
                    fields: [{name: uid, pointer: /uid, privacy: mask, required: true}]
                tests:
                  - name: one
                    mqtt: {topic: t/x/state, payload: '{"at": 1790000000000, "a": 1, "b": 2}'}
                    parameters: {device: x}
                    expect: {a: 1, b: 2}
                """,
            file: "publisher.yaml"
        )
    }

    static func device(
        _ id: String,
        _ profile: DeviceProfile,
        _ address: ConfiguredDevice.Address,
        revision: String = "1",
        report: Int64 = 10_000
    ) -> ConfiguredDevice {
        ConfiguredDevice(
            id: DeviceID(rawValue: id),
            node: NodeID(rawValue: "r1"),
            name: LocalizedText(vi: id, en: id),
            profile: profile,
            profileRevision: .init(text: revision),
            address: address,
            reportMilliseconds: report,
            zonelessOffsetSeconds: 25_200
        )
    }

    static func engine(
        _ store: MemoryStore,
        _ time: ManualTime,
        options: PollingOptions = PollingOptions()
    ) -> AcquisitionEngine {
        AcquisitionEngine(
            store: store,
            events: store,
            clock: time,
            timer: time,
            options: options,
            quarantineEntries: 10,
            logger: self.quiet
        )
    }
}
