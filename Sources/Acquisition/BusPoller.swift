package import CampusModel
internal import DeviceProfile
package import Logging
internal import Synchronization

/// Reads the devices of one bus on their schedules.
///
/// One task a bus, so a blocked endpoint delays nobody else.
package final class BusPoller: Sendable {
    package let bus: String
    private let reader: any RegisterReading
    private let store: any SampleStoring
    private let events: any EventStoring
    private let clock: any TickClock
    private let timer: any PollTimer
    private let options: PollingOptions
    private let logger: Logger
    private let devices: Mutex<DeviceList>
    private let skipped = Atomic<UInt64>(0)
    private let lastRound: Atomic<UInt64>

    private struct DeviceList: Sendable {
        var version = 0
        var runtimes: [DeviceRuntime] = []
    }

    package init(
        bus: String,
        reader: any RegisterReading,
        store: any SampleStoring,
        events: any EventStoring,
        clock: any TickClock,
        timer: any PollTimer,
        options: PollingOptions,
        logger: Logger
    ) {
        self.bus = bus
        self.reader = reader
        self.store = store
        self.events = events
        self.clock = clock
        self.timer = timer
        self.options = options
        self.logger = logger
        self.devices = Mutex(DeviceList())
        self.lastRound = Atomic(timer.nowNanoseconds)
    }

    /// Where ``run()`` runs best.
    var executor: (any TaskExecutor)? { self.reader.executor }

    /// Periods that were skipped because the bus was still busy.
    package var skippedPeriods: UInt64 { self.skipped.load(ordering: .relaxed) }

    /// When the poller last came round to look what is due, by ``PollTimer/nowNanoseconds``; when made, at first.
    ///
    /// It does so twice a second, or as soon as the device that it is reading has answered or failed.
    var lastRoundNanoseconds: UInt64 { self.lastRound.load(ordering: .relaxed) }

    /// Takes a new list of devices; those that were there already keep their phase from the next period on.
    package func update(devices: [DeviceRuntime]) {
        self.devices.withLock { list in
            guard list.runtimes.count != devices.count || !zip(list.runtimes, devices).allSatisfy({ $0 === $1 }) else {
                return
            }
            list.version += 1
            list.runtimes = devices
        }
    }

    /// Polls until the task is cancelled.
    package func run() async {
        var session = PollSession()
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

    private func poll(_ entry: PollSchedule.Entry, in session: inout PollSession) async {
        let slot = session.devices[entry.device]
        guard let plan = slot.plans[entry.poll] else { return }
        if !plan.reads.isEmpty { await self.readPoints(entry, slot: slot, plan: plan, session: &session) }
        for event in slot.eventIndices(of: entry.poll) {
            await self.readEvent(event, device: entry.device, session: &session)
        }
    }

    private func readPoints(
        _ entry: PollSchedule.Entry,
        slot: PollSession.Slot,
        plan: RegisterPlan,
        session: inout PollSession
    ) async {
        let requests = plan.reads.map { read in
            RegisterRequest(unit: slot.unit, table: read.table, address: read.address, count: read.count)
        }
        let outcomes = await self.reader.read(requests, before: self.next(after: entry, slot: slot, in: session))
        var replies: [RegisterReply] = []
        replies.reserveCapacity(outcomes.count)
        var received: UInt64 = 0
        var failure: (index: Int, BusFailure)?
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .words(let words, let receivedNanoseconds, let latencyNanoseconds):
                received = max(received, receivedNanoseconds)
                slot.runtime.answered(latencyNanoseconds: latencyNanoseconds, registers: words.count)
                replies.append(.words(words))
            case .failure(let busFailure):
                if failure == nil { failure = (index, busFailure) }
                replies.append(.failed(.bad(.communication)))
            }
        }
        session.batch.removeAll(keepingCapacity: true)
        if received > 0 {
            session.values.removeAll(keepingCapacity: true)
            session.texts.removeAll(keepingCapacity: true)
            plan.decode(replies: replies, into: &session.values, texts: &session.texts)
            // A tick names one reply: a second one within the same millisecond gets the next.
            let tick = max(self.clock.tick(boottimeNanoseconds: received), slot.lastTick.advanced(byMilliseconds: 1))
            session.devices[entry.device].lastTick = tick
            slot.runtime.accept(
                values: session.values,
                texts: session.texts,
                parts: CollectionOfOne(.points(entry.poll)),
                tick: tick,
                received: tick,
                heartbeatMilliseconds: self.options.heartbeatMilliseconds,
                into: &session.batch
            )
        }
        if let (index, busFailure) = failure {
            let part: DeviceHealth.Part? = received == 0 ? .points(entry.poll) : nil
            self.note(busFailure, request: requests[index], slot: slot, part: part, batch: &session.batch)
            // A device that refuses will do so again.
            if part != nil, entry.poll == .once, busFailure.reason != .exception {
                session.schedule.retry(entry, now: self.timer.nowNanoseconds)
            }
            self.divide(plan, at: index, after: busFailure, entry: entry, session: &session)
        }
        self.store(session.batch)
    }

    /// What is read after an entry, when it is due already: the device gets to work on it meanwhile.
    private func next(after entry: PollSchedule.Entry, slot: PollSession.Slot, in session: PollSession)
        -> RegisterRequest?
    {
        guard slot.eventIndices(of: entry.poll).isEmpty,
            let next = session.schedule.nextDue(now: self.timer.nowNanoseconds)
        else { return nil }
        let slot = session.devices[next.device]
        return slot.plans[next.poll]?.reads.first
            .map { RegisterRequest(unit: slot.unit, table: $0.table, address: $0.address, count: $0.count) }
    }

    /// Stores what a request brought; what is critical of it is durable before the next one.
    private func store(_ batch: [SeriesSample]) {
        let durability = batch.withUnsafeBufferPointer { self.store.append(contentsOf: $0) }
        // On the bus's own thread, which may wait. Where the card refuses, the keeper tries again and tells.
        if durability == .critical { try? self.store.commit() }
    }

    /// Writes down a failure: of a whole part of the device, or (`nil`) of some reads of one that answered others.
    private func note(
        _ failure: BusFailure,
        request: RegisterRequest,
        slot: PollSession.Slot,
        part: DeviceHealth.Part?,
        batch: inout [SeriesSample]
    ) {
        let tick = self.clock.now()
        let fault = DeviceFault(
            tick: tick,
            reason: failure.reason == .exception ? "exception\(failure.exceptionCode)" : failure.reason.rawValue,
            message: failure.message,
            frame: "unit \(request.unit), function \(request.table.readFunction), address \(request.address), "
                + "count \(request.count)"
                + (failure.frames.map { "\n" + $0.text(hasPersonalRegisters: slot.runtime.plan.isPersonal) } ?? "")
        )
        if let part {
            slot.runtime.failed(
                part,
                failure.reason,
                wasAsked: !failure.isBackedOff,
                fault: fault,
                missedMax: self.options.missedMax,
                at: tick,
                into: &batch
            )
        } else {
            slot.runtime.partlyFailed(fault: fault)
        }
    }

    /// A coalesced read that the device refuses may span an address that does not exist: read its halves from now on.
    private func divide(
        _ plan: RegisterPlan,
        at index: Int,
        after failure: BusFailure,
        entry: PollSchedule.Entry,
        session: inout PollSession
    ) {
        guard failure.reason == .exception, failure.exceptionCode == 2,
            let divided = plan.splitting(readAt: index)
        else { return }
        session.devices[entry.device].plans[entry.poll] = divided
        self.logger.info(
            "read divided after illegal data address",
            metadata: [
                "device": "\(session.devices[entry.device].runtime.device.id)",
                "address": "\(plan.reads[index].address)", "count": "\(plan.reads[index].count)",
            ]
        )
    }

    private func readEvent(_ index: Int, device: Int, session: inout PollSession) async {
        let slot = session.devices[device]
        var plan = slot.events[index]
        let requests = plan.reads.map { read in
            RegisterRequest(unit: slot.unit, table: read.table, address: read.address, count: read.count)
        }
        var replies: [RegisterReply] = []
        var received: UInt64 = 0
        for (request, outcome) in zip(requests, await self.reader.read(requests, before: nil)) {
            switch outcome {
            case .words(let words, let nanoseconds, let latency):
                received = max(received, nanoseconds)
                slot.runtime.answered(latencyNanoseconds: latency, registers: words.count)
                replies.append(.words(words))
            case .failure(let failure):
                // Half an event is none: nothing is taken from it, and it is read again at the next poll.
                session.batch.removeAll(keepingCapacity: true)
                self.note(failure, request: request, slot: slot, part: .event(index), batch: &session.batch)
                self.store(session.batch)
                return
            }
        }
        let tick = self.clock.tick(boottimeNanoseconds: received)
        let captured = plan.evaluate(replies: replies, device: slot.runtime.device.id, tick: tick)
        if let captured {
            do {
                if let event = captured.event { try self.events.store([event], received: tick) }
            } catch {
                // Not durable: the flag stays set and the sequence is not remembered, so it is read again.
                self.logger.error("event not stored, will be read again", metadata: ["error": "\(error)"])
                return
            }
            if let clear = captured.clear {
                let write = RegisterWrite(
                    unit: slot.unit,
                    table: clear.table,
                    address: clear.address,
                    value: clear.value
                )
                if let failure = await self.reader.write(write) {
                    plan.clearingFailed(replies: replies)
                    self.logger.warning("event flag not cleared", metadata: ["reason": "\(failure.reason)"])
                }
            }
        }
        slot.runtime.heard(CollectionOfOne(.event(index)), at: tick)
        session.devices[device].events[index] = plan
    }
}

/// What a poller remembers between polls: the schedule and each device's plans.
private struct PollSession {
    struct Slot {
        var runtime: DeviceRuntime
        var unit: UInt8
        /// The shared plans, until this device refuses a read that has to be divided.
        var plans: [PointDefinition.PollClass: RegisterPlan]
        var events: [EventPlan]
        var lastTick = Tick(milliseconds: 0)

        func eventIndices(of poll: PointDefinition.PollClass) -> [Int] {
            self.events.indices.filter { self.events[$0].poll == poll }
        }
    }

    var version = -1
    var schedule = PollSchedule()
    var devices: [Slot] = []
    var batch: [SeriesSample] = []
    var values: [DecodedValue] = []
    var texts: [DecodedText] = []

    mutating func rebuild(version: Int, runtimes: [DeviceRuntime], options: PollingOptions, now: UInt64) {
        let known = Dictionary(
            self.devices.map { (ObjectIdentifier($0.runtime), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.version = version
        self.devices = runtimes.compactMap { runtime in
            known[ObjectIdentifier(runtime)] ?? Self.slot(for: runtime)
        }
        self.schedule = PollSchedule()
        for (index, slot) in self.devices.enumerated() {
            for (poll, plan) in slot.plans.sorted(by: { $0.key.rawValue < $1.key.rawValue })
            where !plan.reads.isEmpty || !slot.eventIndices(of: poll).isEmpty {
                let period = UInt64(max(options.periodMilliseconds(of: poll), 1)) * 1_000_000
                self.schedule.add(
                    device: index,
                    poll: poll,
                    periodNanoseconds: period,
                    phase: Double(index) / Double(max(self.devices.count, 1)),
                    now: now
                )
            }
        }
    }

    private static func slot(for runtime: DeviceRuntime) -> Slot? {
        guard case .modbus(_, let unit) = runtime.device.address else { return nil }
        return Slot(runtime: runtime, unit: unit, plans: runtime.plan.registers, events: runtime.plan.events)
    }
}
