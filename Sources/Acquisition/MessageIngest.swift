package import CampusModel
internal import DeviceProfile
package import Logging
internal import Synchronization

/// A message of the broker as acquisition needs it.
package struct InboundMessage: Sendable {
    package var topic: String
    package var payload: [UInt8]
    package var isRetained: Bool
    /// `CLOCK_BOOTTIME` at arrival, nanoseconds.
    package var receivedNanoseconds: UInt64

    package init(topic: String, payload: [UInt8], isRetained: Bool, receivedNanoseconds: UInt64) {
        self.topic = topic
        self.payload = payload
        self.isRetained = isRetained
        self.receivedNanoseconds = receivedNanoseconds
    }
}

/// Turns batches of messages into samples and records, on the thread that received them.
///
/// ``receive(_:)`` returns only when everything of the batch that must be durable is committed; the transport
/// acknowledges after it returned.
package final class MessageIngest: Sendable {
    private let store: any SampleStoring
    private let events: any EventStoring
    private let clock: any TickClock
    private let quarantine: Quarantine
    private let options: PollingOptions
    private let payloadBytesMax: Int
    private let logger: Logger
    private let known: Mutex<(routes: MessageRoutes, suggester: ProfileSuggester)>
    private let scratch = Mutex(Scratch())
    private let counters = Mutex(IngestCounters())

    private struct Scratch {
        var samples: [SeriesSample] = []
        var events: [Event] = []
        var matches: [Int] = []
    }

    package init(
        store: any SampleStoring,
        events: any EventStoring,
        clock: any TickClock,
        quarantine: Quarantine,
        options: PollingOptions,
        payloadBytesMax: Int,
        logger: Logger
    ) {
        self.store = store
        self.events = events
        self.clock = clock
        self.quarantine = quarantine
        self.options = options
        self.payloadBytesMax = payloadBytesMax
        self.logger = logger
        self.known = Mutex((MessageRoutes(runtimes: []), ProfileSuggester(profiles: [])))
    }

    /// Takes a new set of devices, and the profiles to suggest from.
    ///
    /// Messages that arrive meanwhile meet the old or the new set, never none.
    package func update(routes: MessageRoutes, suggester: ProfileSuggester) {
        self.known.withLock { $0 = (routes, suggester) }
    }

    /// What was received since the start.
    package var statistics: IngestCounters { self.counters.withLock { $0 } }

    /// Decodes and stores a batch; throws when its events could not be committed, and then nothing may be acknowledged.
    package func receive(_ batch: [InboundMessage]) throws {
        let (routes, suggester) = self.known.withLock { $0 }
        try self.scratch.withLock { scratch in
            scratch.samples.removeAll(keepingCapacity: true)
            scratch.events.removeAll(keepingCapacity: true)
            for message in batch { self.take(message, routes, suggester, scratch: &scratch) }
            scratch.samples.withUnsafeBufferPointer { self.store.append(contentsOf: $0) }
            if !scratch.events.isEmpty { try self.events.store(scratch.events, received: self.clock.now()) }
            self.counters.withLock { counters in
                counters.messages &+= UInt64(batch.count)
                counters.samples &+= UInt64(scratch.samples.count)
                counters.events &+= UInt64(scratch.events.count)
            }
        }
    }

    private func take(
        _ message: InboundMessage,
        _ routes: MessageRoutes,
        _ suggester: ProfileSuggester,
        scratch: inout Scratch
    ) {
        let arrival = self.clock.tick(boottimeNanoseconds: message.receivedNanoseconds)
        guard message.payload.count <= self.payloadBytesMax else {
            self.quarantine.add(
                topic: PayloadRedaction.printable(message.topic, limit: 256),
                reason: DecodeReason.payloadTooLarge.rawValue,
                detail: "\(message.payload.count) bytes; broker.payloadMax allows \(self.payloadBytesMax)",
                device: nil,
                payload: PayloadRedaction.text(message.payload, limit: 256),
                payloadBytes: message.payload.count,
                at: arrival
            )
            self.counters.withLock { $0.violations &+= 1 }
            return
        }
        scratch.matches.removeAll(keepingCapacity: true)
        routes.matcher.match(message.topic, into: &scratch.matches)
        var isClaimed = false
        for index in scratch.matches {
            let route = routes.routes[index]
            let outcome = route.decoder.decode(
                topic: message.topic,
                payload: message.payload,
                isRetained: message.isRetained,
                arrival: arrival
            )
            if self.accept(outcome, of: message, route: route, arrival: arrival, scratch: &scratch) { isClaimed = true }
        }
        guard !isClaimed else { return }
        let id = self.quarantine.add(
            topic: PayloadRedaction.printable(message.topic, limit: 256),
            reason: "unclaimed",
            detail: "no configured device has this topic",
            device: nil,
            payload: PayloadRedaction.text(message.payload, limit: 2_048),
            payloadBytes: message.payload.count,
            at: arrival
        )
        self.counters.withLock { $0.unclaimed &+= 1 }
        if let id {
            self.quarantine.suggest(
                suggester.suggestions(topic: message.topic, payload: message.payload, arrival: arrival),
                for: id
            )
        }
    }

    /// Returns whether the message belongs to the device at all.
    private func accept(
        _ outcome: MessageOutcome,
        of message: InboundMessage,
        route: MessageRoute,
        arrival: Tick,
        scratch: inout Scratch
    ) -> Bool {
        switch outcome.status {
        case .notMine: return false
        case .ignored: return true
        case .availability(let isOnline):
            route.runtime.availabilityChanged(isOnline: isOnline, at: arrival, into: &scratch.samples)
        case .decoded:
            let tick = outcome.time ?? arrival
            if !outcome.values.isEmpty || !outcome.texts.isEmpty || outcome.events.isEmpty {
                route.runtime.accept(
                    values: outcome.values,
                    texts: outcome.texts,
                    tick: tick,
                    received: arrival,
                    heartbeatMilliseconds: self.options.heartbeatMilliseconds,
                    into: &scratch.samples
                )
            } else {
                route.runtime.polledEvents(at: arrival)
            }
            scratch.events.append(contentsOf: outcome.events)
        case .violation(let reason, let detail):
            let frame = PayloadRedaction.text(message.payload, personal: route.personalNames, limit: 512)
            route.runtime.violated(
                fault: DeviceFault(tick: arrival, reason: reason.rawValue, message: detail, frame: frame),
                at: arrival,
                into: &scratch.samples
            )
            self.quarantine.add(
                topic: PayloadRedaction.printable(message.topic, limit: 256),
                reason: reason.rawValue,
                detail: detail,
                device: route.runtime.device.id,
                payload: PayloadRedaction.text(message.payload, personal: route.personalNames, limit: 2_048),
                payloadBytes: message.payload.count,
                at: arrival
            )
            self.counters.withLock { $0.violations &+= 1 }
        }
        return true
    }
}

/// What ``MessageIngest`` received since the start.
package struct IngestCounters: Sendable, Hashable {
    package internal(set) var messages: UInt64 = 0
    package internal(set) var samples: UInt64 = 0
    package internal(set) var events: UInt64 = 0
    /// Messages on topics of no configured device.
    package internal(set) var unclaimed: UInt64 = 0
    /// Payloads that broke their profile.
    package internal(set) var violations: UInt64 = 0
}

/// One device that publishes.
package struct MessageRoute: Sendable {
    package var runtime: DeviceRuntime
    var decoder: MessageDecoder
    var personalNames: Set<String>
}

/// From topics to devices.
package struct MessageRoutes: Sendable {
    let routes: [MessageRoute]
    let matcher: TopicMatcher
    /// The topic filters to subscribe, sorted, each once.
    package let filters: [String]
    /// Devices whose topics could not be made, with the reason.
    package let problems: [(device: DeviceID, message: String)]

    /// Builds the routes of all devices that publish over MQTT.
    package init(runtimes: [DeviceRuntime]) {
        var routes: [MessageRoute] = []
        var filters: [(filter: String, value: Int)] = []
        var problems: [(device: DeviceID, message: String)] = []
        for runtime in runtimes {
            guard case .mqtt(let parameters) = runtime.device.address else { continue }
            do {
                let decoder = try MessageDecoder(
                    profile: runtime.device.profile,
                    device: runtime.device.id,
                    parameters: parameters,
                    zonelessOffsetSeconds: runtime.device.zonelessOffsetSeconds
                )
                for filter in decoder.subscriptions { filters.append((filter, routes.count)) }
                routes.append(
                    MessageRoute(
                        runtime: runtime,
                        decoder: decoder,
                        personalNames: runtime.device.profile.personalMemberNames
                    )
                )
            } catch {
                problems.append((runtime.device.id, "\(error)"))
            }
        }
        self.routes = routes
        self.matcher = TopicMatcher(filters: filters)
        self.filters = Set(filters.map(\.filter)).sorted()
        self.problems = problems
    }
}
