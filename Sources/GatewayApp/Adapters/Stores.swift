internal import Acquisition
internal import CampusModel
internal import MQTTTransport
internal import SchoolRecords
internal import Synchronization
internal import TimeSeriesRing

/// Lets acquisition store samples in the ring, and remembers the hours that a late sample changed.
final class RingStore: SampleStoring {
    private static let hour: Int64 = 3_600_000

    private let ring: TimeSeriesRing
    private let clock: any TickClock
    private let feed: AlertFeed
    /// Starts of finished hours that got samples since they were asked for last; those of a week at most.
    private let late = Mutex<Set<Int64>>([])
    /// Classes by number of series, as far as the last one that is not telemetry; empty where all are.
    private let classes = Mutex<[Durability]>([])
    private let hasUrgent = Atomic<Bool>(false)

    init(ring: TimeSeriesRing, clock: any TickClock, feed: AlertFeed) {
        self.ring = ring
        self.clock = clock
        self.feed = feed
    }

    func series(named name: String, hasDeviceClock: Bool, durability: Durability) throws -> SeriesIndex {
        let series = try self.ring.series(named: name, hasDeviceClock: hasDeviceClock)
        let index = Int(series.rawValue)
        self.classes.withLock { classes in
            guard durability != .telemetry || index < classes.count else { return }
            while classes.count <= index { classes.append(.telemetry) }
            classes[index] = durability
        }
        return series
    }

    func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) -> Durability {
        self.ring.append(contentsOf: samples)
        self.feed.offer(samples)
        self.noteLateHours(samples)
        let durability = self.strictest(of: samples)
        // After the samples: the keeper takes the word before it commits.
        if durability != .telemetry { self.hasUrgent.store(true, ordering: .releasing) }
        return durability
    }

    private func strictest(of samples: UnsafeBufferPointer<SeriesSample>) -> Durability {
        let classes = self.classes.withLock { $0 }
        guard !classes.isEmpty else { return .telemetry }
        var strictest = Durability.telemetry
        for sample in samples {
            let index = Int(sample.series.rawValue)
            if index < classes.count, classes[index] > strictest { strictest = classes[index] }
        }
        return strictest
    }

    func commit() throws { try self.ring.commit() }

    /// Whether samples of a class above telemetry were appended since this was taken last.
    func takeUrgent() -> Bool { self.hasUrgent.exchange(false, ordering: .acquiring) }

    /// What was taken could not be committed, or not yet.
    func giveBackUrgent() { self.hasUrgent.store(true, ordering: .relaxed) }

    /// Stores one sample from a file in the same way.
    func append(_ series: SeriesIndex, _ sample: Sample) -> AppendOutcome {
        let outcome = self.ring.append(series, sample)
        guard outcome == .stored else { return outcome }
        [SeriesSample(series: series, sample: sample)].withUnsafeBufferPointer { self.noteLateHours($0) }
        return outcome
    }

    private func noteLateHours(_ samples: UnsafeBufferPointer<SeriesSample>) {
        let now = self.clock.now().rawValue
        let current = now - now % Self.hour
        let oldest = current - 168 * Self.hour
        var last: Int64?
        for index in samples.indices {
            let tick = samples[index].sample.tick.rawValue
            guard tick < current, tick >= oldest else { continue }
            let start = tick - tick % Self.hour
            if start != last {
                self.late.withLock { _ = $0.insert(start) }
                last = start
            }
        }
    }

    /// The hours whose summaries are to be made again; each is told once.
    func takeLateHours() -> [Tick] {
        self.late.withLock { late in
            defer { late = [] }
            return late.sorted().map { Tick(milliseconds: $0) }
        }
    }

    /// Hours that were taken and could not be written down.
    func giveBack(lateHours hours: [Tick]) { self.late.withLock { $0.formUnion(hours.map(\.rawValue)) } }
}

/// Lets acquisition commit events to the records.
struct RecordsStore: EventStoring {
    let records: Records

    func store(_ events: [Event], received: Tick) throws {
        _ = try self.records.store(events: events, received: received)
    }
}

/// Hands the broker's messages to acquisition, on the connection's thread.
final class IngestReceiver: MQTTBatchReceiver {
    private let ingest: MessageIngest
    private let described: DescribedRegistry
    private let sparkplug: SparkplugListener
    private let state = Mutex(MQTTConnectionState.connecting)
    /// Topics of commands: ours come back to us, and they are no device's data.
    private let commandTopics = Mutex<Set<String>>([])

    init(ingest: MessageIngest, described: DescribedRegistry, sparkplug: SparkplugListener) {
        self.ingest = ingest
        self.described = described
        self.sparkplug = sparkplug
    }

    var connectionState: MQTTConnectionState { self.state.withLock { $0 } }

    /// Takes the topics of a new configuration.
    func update(commandTopics: Set<String>) { self.commandTopics.withLock { $0 = commandTopics } }

    func receive(_ batch: [MQTTMessage]) throws {
        do {
            var messages: [InboundMessage] = []
            messages.reserveCapacity(batch.count)
            for message in batch { self.pass(message, to: &messages) }
            try self.ingest.receive(messages)
        } catch {
            self.sparkplug.batchRefused()
            throw error
        }
    }

    /// Adds what acquisition sees of a message.
    private func pass(_ message: MQTTMessage, to messages: inout [InboundMessage]) {
        if message.topic.hasPrefix("campus/gateway/") { return }
        if self.commandTopics.withLock({ $0.contains(message.topic) }) { return }
        if let made = self.sparkplug.messages(of: message) {
            messages += made
            return
        }
        if self.described.offer(message) { return }
        messages.append(
            InboundMessage(
                topic: message.topic,
                payload: message.payload,
                isRetained: message.isRetained,
                receivedNanoseconds: message.receivedNanoseconds
            )
        )
    }

    func connectionChanged(_ state: MQTTConnectionState) {
        self.state.withLock { $0 = state }
        self.sparkplug.connectionChanged(isConnected: state == .connected)
    }
}
