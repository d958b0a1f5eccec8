package import CampusModel
internal import DeviceProfile
internal import FirmwareContract
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

    /// A decoded message that is not taken in yet.
    private struct Draft {
        enum Kind {
            case outcome(MessageOutcome, route: Int)
            /// It breaks the contract of the device's firmware, so it was not decoded.
            case broken(ContractViolation, route: Int)
            case unclaimed
            case tooLarge
        }

        /// Index in the batch.
        var message: Int
        var arrival: Tick
        var kind: Kind
    }

    /// Reused from batch to batch.
    private struct Scratch {
        var drafts: [Draft] = []
        var samples: [SeriesSample] = []
        var events: [Event] = []
        var matches: [Int] = []
        /// Critical samples were appended and are not durable yet.
        ///
        /// Not only those of this batch: what came again after a refused commit may change nothing any more.
        var owesCommit = false

        mutating func clear() {
            self.drafts.removeAll(keepingCapacity: true)
            self.samples.removeAll(keepingCapacity: true)
            self.events.removeAll(keepingCapacity: true)
        }
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

    /// Decodes and stores a batch; throws when its events or critical samples could not be committed, and then nothing
    /// may be acknowledged.
    ///
    /// All is decoded first, then the events are committed, and only then is anything else taken in: a batch that comes
    /// again because its events could not be committed has left no value, no count and no quarantine entry behind.
    package func receive(_ batch: [InboundMessage]) throws {
        let (routes, suggester) = self.known.withLock { $0 }
        try self.scratch.withLock { scratch in
            scratch.clear()
            for index in batch.indices { self.decode(batch[index], index, routes: routes, scratch: &scratch) }
            if !scratch.events.isEmpty { try self.events.store(scratch.events, received: self.clock.now()) }
            for draft in scratch.drafts {
                self.take(draft, of: batch[draft.message], routes, suggester, into: &scratch.samples)
            }
            let durability = scratch.samples.withUnsafeBufferPointer { self.store.append(contentsOf: $0) }
            if durability == .critical { scratch.owesCommit = true }
            if scratch.owesCommit {
                try self.store.commit()
                scratch.owesCommit = false
            }
            self.counters.withLock { counters in
                counters.messages &+= UInt64(batch.count)
                counters.samples &+= UInt64(scratch.samples.count)
                counters.events &+= UInt64(scratch.events.count)
            }
        }
    }

    /// Works out what a message is; changes nothing but the scratch.
    private func decode(
        _ message: InboundMessage,
        _ index: Int,
        routes: MessageRoutes,
        scratch: inout Scratch
    ) {
        let arrival = self.clock.tick(boottimeNanoseconds: message.receivedNanoseconds)
        guard message.payload.count <= self.payloadBytesMax else {
            scratch.drafts.append(Draft(message: index, arrival: arrival, kind: .tooLarge))
            return
        }
        scratch.matches.removeAll(keepingCapacity: true)
        routes.matcher.match(message.topic, into: &scratch.matches)
        var isClaimed = false
        for route in scratch.matches {
            let verdict = routes.routes[route].verdict(on: message)
            if case .violation(let violation) = verdict {
                isClaimed = true
                scratch.drafts.append(
                    Draft(message: index, arrival: arrival, kind: .broken(violation, route: route))
                )
                continue
            }
            let outcome = routes.routes[route].decoder
                .decode(
                    topic: message.topic,
                    payload: message.payload,
                    isRetained: message.isRetained,
                    arrival: arrival
                )
            if case .notMine = outcome.status {
                // The firmware promises this message, and nobody reads it: that is no reason to ask whose it is.
                if case .valid = verdict { isClaimed = true }
                continue
            }
            isClaimed = true
            if case .decoded = outcome.status { scratch.events.append(contentsOf: outcome.events) }
            scratch.drafts.append(Draft(message: index, arrival: arrival, kind: .outcome(outcome, route: route)))
        }
        if !isClaimed { scratch.drafts.append(Draft(message: index, arrival: arrival, kind: .unclaimed)) }
    }

    private func take(
        _ draft: Draft,
        of message: InboundMessage,
        _ routes: MessageRoutes,
        _ suggester: ProfileSuggester,
        into samples: inout [SeriesSample]
    ) {
        switch draft.kind {
        case .outcome(let outcome, let route):
            self.accept(outcome, of: message, route: routes.routes[route], arrival: draft.arrival, into: &samples)
        case .broken(let violation, let route):
            self.refuse(violation, of: message, route: routes.routes[route], arrival: draft.arrival)
        case .tooLarge:
            self.quarantine.add(
                topic: PayloadRedaction.topic(message.topic),
                reason: DecodeReason.payloadTooLarge.rawValue,
                detail: "\(message.payload.count) bytes; broker.payloadMax allows \(self.payloadBytesMax)",
                device: nil,
                payload: PayloadRedaction.text(message.payload, limit: 256),
                payloadBytes: message.payload.count,
                at: draft.arrival
            )
            self.counters.withLock { $0.violations &+= 1 }
        case .unclaimed: self.keepApart(message, suggester, arrival: draft.arrival)
        }
    }

    /// Puts a payload that breaks its contract away, with what is different.
    private func refuse(
        _ violation: ContractViolation,
        of message: InboundMessage,
        route: MessageRoute,
        arrival: Tick
    ) {
        let differences = zip(violation.lines(in: .vi), violation.lines(in: .en)).map { LocalizedText(vi: $0, en: $1) }
        let payload = PayloadRedaction.text(message.payload, personal: route.personal, limit: 2_048)
        route.runtime.brokeContract(
            fault: DeviceFault(
                tick: arrival,
                reason: violation.reason.rawValue,
                message: "\(violation)",
                frame: payload,
                differences: differences
            ),
            at: arrival
        )
        self.quarantine.add(
            topic: PayloadRedaction.topic(message.topic),
            reason: violation.reason.rawValue,
            detail: "\(violation)",
            differences: differences,
            device: route.runtime.device.id,
            payload: payload,
            payloadBytes: message.payload.count,
            at: arrival
        )
        self.counters.withLock { counters in
            counters.violations &+= 1
            counters.contractViolations[violation.contract.description, default: 0] &+= 1
        }
    }

    private func keepApart(_ message: InboundMessage, _ suggester: ProfileSuggester, arrival: Tick) {
        let id = self.quarantine.add(
            topic: PayloadRedaction.topic(message.topic),
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

    private func accept(
        _ outcome: MessageOutcome,
        of message: InboundMessage,
        route: MessageRoute,
        arrival: Tick,
        into samples: inout [SeriesSample]
    ) {
        switch outcome.status {
        case .notMine, .ignored: return
        case .availability(let isOnline):
            route.runtime.availabilityChanged(isOnline: isOnline, at: arrival, into: &samples)
        case .decoded:
            for element in outcome.elements where !element.values.isEmpty {
                self.accept(values: element, route: route, arrival: arrival, into: &samples)
            }
            let isEmpty = outcome.values.isEmpty && outcome.texts.isEmpty
            if !isEmpty || (outcome.events.isEmpty && outcome.elements.isEmpty) {
                self.accept(values: outcome, route: route, arrival: arrival, into: &samples)
            } else {
                route.runtime.heard(outcome.messages.lazy.map { .message($0) }, at: arrival)
            }
        case .violation(let reason, let detail):
            let frame = PayloadRedaction.text(message.payload, personal: route.personal, limit: 512)
            route.runtime.violated(
                fault: DeviceFault(tick: arrival, reason: reason.rawValue, message: detail, frame: frame),
                at: arrival,
                into: &samples
            )
            self.quarantine.add(
                topic: PayloadRedaction.topic(message.topic),
                reason: reason.rawValue,
                detail: detail,
                device: route.runtime.device.id,
                payload: PayloadRedaction.text(message.payload, personal: route.personal, limit: 2_048),
                payloadBytes: message.payload.count,
                at: arrival
            )
            self.counters.withLock { $0.violations &+= 1 }
        }
    }

    private func accept(
        values outcome: MessageOutcome,
        route: MessageRoute,
        arrival: Tick,
        into samples: inout [SeriesSample]
    ) {
        // What the broker kept is marked by its quality; what the device calls history is not of now at all.
        route.runtime.accept(
            values: outcome.values,
            texts: outcome.texts,
            parts: outcome.messages.lazy.map { .message($0) },
            tick: outcome.time ?? arrival,
            received: arrival,
            isHistory: outcome.isHistory,
            heartbeatMilliseconds: self.options.heartbeatMilliseconds,
            into: &samples
        )
    }
}

/// What ``MessageIngest`` received since the start.
package struct IngestCounters: Sendable, Hashable {
    package internal(set) var messages: UInt64 = 0
    package internal(set) var samples: UInt64 = 0
    package internal(set) var events: UInt64 = 0
    /// Messages on topics of no configured device.
    package internal(set) var unclaimed: UInt64 = 0
    /// Payloads that broke their profile or their contract.
    package internal(set) var violations: UInt64 = 0
    /// Those that broke a contract, by its name.
    package internal(set) var contractViolations: [String: UInt64] = [:]
}

/// One device that publishes.
package struct MessageRoute: Sendable {
    package var runtime: DeviceRuntime
    var decoder: MessageDecoder
    var personal: PersonalParts
    /// What the firmware promises; `nil` when the profile names no contract.
    var validator: ContractValidator?

    /// What the contract says of a message, before anything of it is decoded.
    ///
    /// A retained message that the profile ignores is not judged: it may be older than the firmware.
    func verdict(on message: InboundMessage) -> ContractVerdict {
        guard let validator, !(message.isRetained && self.decoder.ignoresRetained(message.topic)) else {
            return .notCovered
        }
        return validator.check(topic: message.topic, payload: message.payload)
    }
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
            guard let parameters = runtime.device.address.messageParameters else { continue }
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
                        personal: PersonalParts(of: runtime.device.profile, runtime.device.contract?.contract),
                        validator: runtime.device.contract
                            .map { entry in
                                ContractValidator(
                                    contract: entry.contract,
                                    older: entry.older.map(\.version),
                                    parameters: parameters
                                )
                            }
                    )
                )
            } catch {
                problems.append((runtime.device.id, "\(error)"))
            }
        }
        self.routes = routes
        self.matcher = TopicMatcher(filters: filters)
        // What is pushed over HTTP never comes from a broker.
        self.filters = Set(filters.map(\.filter)).filter { !$0.hasPrefix("$") }.sorted()
        self.problems = problems
    }
}
