internal import CampusModel
internal import DeviceProfile
internal import Synchronization

/// Asks the devices of one line bus on their schedules.
///
/// One task a bus, so a blocked endpoint delays nobody else. A reply is a message of its device: it is decoded like a
/// payload, on the thread that received it.
final class LinePoller: Sendable {
    private let reader: any LineReading
    private let store: any SampleStoring
    private let clock: any TickClock
    private let timer: any PollTimer
    private let options: PollingOptions
    private let devices = Mutex(DeviceList())
    private let skipped = Atomic<UInt64>(0)
    private let lastRound: Atomic<UInt64>

    private struct DeviceList: Sendable {
        var version = 0
        var runtimes: [DeviceRuntime] = []
    }

    init(
        reader: any LineReading,
        store: any SampleStoring,
        clock: any TickClock,
        timer: any PollTimer,
        options: PollingOptions
    ) {
        self.reader = reader
        self.store = store
        self.clock = clock
        self.timer = timer
        self.options = options
        self.lastRound = Atomic(timer.nowNanoseconds)
    }

    var executor: (any TaskExecutor)? { self.reader.executor }

    var skippedPeriods: UInt64 { self.skipped.load(ordering: .relaxed) }

    var lastRoundNanoseconds: UInt64 { self.lastRound.load(ordering: .relaxed) }

    func update(devices: [DeviceRuntime]) {
        self.devices.withLock { list in
            guard list.runtimes.count != devices.count || !zip(list.runtimes, devices).allSatisfy({ $0 === $1 }) else {
                return
            }
            list.version += 1
            list.runtimes = devices
        }
    }

    func run() async {
        var session = LineSessionState()
        do {
            while true {
                let list = self.devices.withLock { ($0.version, $0.runtimes) }
                if session.version != list.0 {
                    session.rebuild(
                        version: list.0,
                        runtimes: list.1,
                        options: self.options,
                        now: self.timer.nowNanoseconds
                    )
                }
                let now = self.timer.nowNanoseconds
                self.lastRound.store(now, ordering: .relaxed)
                if let entry = session.schedule.takeDue(now: now) {
                    await self.poll(entry, in: &session)
                    self.skipped.store(session.schedule.skippedPeriods, ordering: .relaxed)
                    try Task.checkCancellation()
                } else {
                    // A changed device list is noticed within half a second.
                    let due = session.schedule.nextDueNanoseconds ?? .max
                    try await self.timer.sleep(untilNanoseconds: min(due, now &+ 500_000_000))
                }
            }
        } catch {
            // Cancelled: the bus has been removed or the gateway stops.
        }
    }

    private func poll(_ entry: PollSchedule.Entry, in session: inout LineSessionState) async {
        let slot = session.devices[entry.device]
        let asks = slot.wire.requests.indices.filter { slot.wire.requests[$0].poll == entry.poll }
            .map { LineAsk(unit: slot.unit, wire: slot.wire, request: $0) }
        let outcomes = await self.reader.ask(asks)
        var round = LineRound()
        for (ask, outcome) in zip(asks, outcomes) { self.take(outcome, of: ask, slot, into: &round) }
        session.batch.removeAll(keepingCapacity: true)
        if round.received > 0 {
            // A tick names one reply: a second one within the same millisecond gets the next.
            let tick = max(
                self.clock.tick(boottimeNanoseconds: round.received),
                slot.lastTick.advanced(byMilliseconds: 1)
            )
            session.devices[entry.device].lastTick = tick
            slot.runtime.accept(
                values: round.values,
                texts: round.texts,
                parts: CollectionOfOne(.points(entry.poll)),
                tick: tick,
                received: tick,
                heartbeatMilliseconds: self.options.heartbeatMilliseconds,
                into: &session.batch
            )
        }
        if let (ask, failure) = round.failure {
            let part: DeviceHealth.Part? = round.received == 0 ? .points(entry.poll) : nil
            self.note(failure, ask, slot, part: part, batch: &session.batch)
            // A device that refuses will do so again.
            if part != nil, entry.poll == .once, failure.reason != .refused {
                session.schedule.retry(entry, now: self.timer.nowNanoseconds)
            }
        }
        let durability = session.batch.withUnsafeBufferPointer { self.store.append(contentsOf: $0) }
        // On the bus's own thread, which may wait. Where the card refuses, the keeper tries again and tells.
        if durability == .critical { try? self.store.commit() }
    }

    /// Decodes one reply, or marks what its request would have told.
    private func take(
        _ outcome: LineOutcome,
        of ask: LineAsk,
        _ slot: LineSessionState.Slot,
        into round: inout LineRound
    ) {
        let request = ask.wire.requests[ask.request]
        let failure: BusFailure
        switch outcome {
        case .failure(let found): failure = found
        case .frame(let frame, let received, let latency):
            guard case .reply(let payload) = ask.wire.verdict(on: frame[...], for: request, unit: ask.unit) else {
                failure = BusFailure(
                    reason: .badReply,
                    message: "'\(request.name)': the reply does not fit the request"
                )
                break
            }
            slot.runtime.answered(latencyNanoseconds: latency, registers: 1)
            let decoded = slot.decoder.decode(
                topic: LineWire.topicText(of: request.name),
                payload: Array(payload.utf8),
                isRetained: false,
                arrival: self.clock.tick(boottimeNanoseconds: received)
            )
            if case .violation(let reason, let detail) = decoded.status {
                failure = BusFailure(reason: .badReply, message: "'\(request.name)': \(reason.rawValue): \(detail)")
                break
            }
            round.received = max(round.received, received)
            round.values += decoded.values
            round.texts += decoded.texts
            return
        }
        if round.failure == nil { round.failure = (ask, failure) }
        // Of a refused or lost reply nothing is known, while others of the poll may be good.
        for point in slot.points[ask.request] {
            round.values.append(DecodedValue(point: point, value: 0, quality: .bad(.communication)))
        }
    }

    private func note(
        _ failure: BusFailure,
        _ ask: LineAsk,
        _ slot: LineSessionState.Slot,
        part: DeviceHealth.Part?,
        batch: inout [SeriesSample]
    ) {
        let tick = self.clock.now()
        let isPersonal = slot.runtime.plan.isPersonal
        let bytes = failure.frames.map { frames in
            let received = isPersonal && !frames.response.isEmpty ? "••" : ByteText.text(frames.response)
            return "\n→ \(ByteText.text(frames.request))\n← \(frames.response.isEmpty ? "–" : received)"
        }
        let fault = DeviceFault(
            tick: tick,
            reason: failure.reason.rawValue,
            message: failure.message,
            frame: "unit \(ask.unit), request \(ask.wire.requests[ask.request].name)" + (bytes ?? "")
        )
        guard let part else {
            slot.runtime.partlyFailed(fault: fault)
            return
        }
        slot.runtime.failed(
            part,
            failure.reason,
            wasAsked: !failure.isBackedOff,
            fault: fault,
            missedMax: self.options.missedMax,
            at: tick,
            into: &batch
        )
    }
}

/// What one poll brought together.
private struct LineRound {
    var received: UInt64 = 0
    var values: [DecodedValue] = []
    var texts: [DecodedText] = []
    /// The first failure.
    var failure: (ask: LineAsk, BusFailure)?
}

/// What a poller remembers between polls: the schedule and each device's decoder.
private struct LineSessionState {
    struct Slot {
        var runtime: DeviceRuntime
        var unit: UInt8
        var wire: LineWire
        var decoder: MessageDecoder
        /// The points that each request tells.
        var points: [[Int]]
        var lastTick = Tick(milliseconds: 0)
    }

    var version = -1
    var schedule = PollSchedule()
    var devices: [Slot] = []
    var batch: [SeriesSample] = []

    mutating func rebuild(version: Int, runtimes: [DeviceRuntime], options: PollingOptions, now: UInt64) {
        let known = Dictionary(
            self.devices.map { (ObjectIdentifier($0.runtime), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.version = version
        self.devices = runtimes.compactMap { known[ObjectIdentifier($0)] ?? Self.slot(for: $0) }
        self.schedule = PollSchedule()
        for (index, slot) in self.devices.enumerated() {
            let classes = Set(slot.wire.requests.map(\.poll))
            for poll in classes.sorted(by: { $0.rawValue < $1.rawValue }) {
                self.schedule.add(
                    device: index,
                    poll: poll,
                    periodNanoseconds: UInt64(max(options.periodMilliseconds(of: poll), 1)) * 1_000_000,
                    phase: Double(index) / Double(max(self.devices.count, 1)),
                    now: now
                )
            }
        }
    }

    private static func slot(for runtime: DeviceRuntime) -> Slot? {
        let profile = runtime.device.profile
        guard case .line(_, let unit) = runtime.device.address, case .line(let wire) = profile.wire,
            let decoder = try? MessageDecoder(
                profile: profile,
                device: runtime.device.id,
                parameters: [:],
                zonelessOffsetSeconds: runtime.device.zonelessOffsetSeconds
            )
        else { return nil }
        let points = wire.requests.indices.map { request in
            profile.points.indices.filter { index in
                guard case .payload(let places) = profile.points[index].source else { return false }
                return places.contains { $0.messageIndex == request }
            }
        }
        return Slot(runtime: runtime, unit: unit, wire: wire, decoder: decoder, points: points)
    }
}
