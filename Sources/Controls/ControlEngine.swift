package import CampusModel
package import DeviceProfile
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Takes commands to devices: decides, writes the intent down, sends, looks what became of it, writes that down.
///
/// Nothing is sent that is not in the audit first, nothing waits for a device to come back, and what is not known is
/// told as unknown.
package final class ControlEngine: Service, Sendable {
    private struct State: Sendable {
        var gate = ControlGate()
        var book = CommandBook()
        var devices: [DeviceID: ControlledDevice] = [:]
        var isStopping = false
        /// What was refused within the last minute, and written down.
        var denials: [Denial: Tick] = [:]
    }

    /// Somebody wanted what may not be.
    private struct Denial: Sendable, Hashable {
        static let max = 100

        var actor: String
        var key: ControlKey
        var code: CommandRefusal.Code
    }

    /// A command on its way to ``run()``.
    private struct Job: Sendable {
        var command: Command
        var run: CommandRun
        var startNanoseconds: UInt64
    }

    private let wires: any ControlWires
    private let journal: any ControlJournal
    private let clock: any TickClock
    private let nanoseconds: @Sendable () -> UInt64
    private let pause: @Sendable (Int64) async throws -> Void
    private let logger: Logger
    private let state = Mutex(State())
    private let feeder = FailsafeFeeder()
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    /// - Parameters:
    ///   - nanoseconds: A monotonic time, for how long commands take.
    ///   - pause: Waits so many milliseconds; throws when the task is cancelled.
    package init(
        wires: any ControlWires,
        journal: any ControlJournal,
        clock: any TickClock,
        nanoseconds: @escaping @Sendable () -> UInt64,
        pause: @escaping @Sendable (Int64) async throws -> Void,
        logger: Logger
    ) {
        self.wires = wires
        self.journal = journal
        self.clock = clock
        self.nanoseconds = nanoseconds
        self.pause = pause
        self.logger = logger
        // The gate lets fewer through than find room here.
        (self.jobs, self.queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(ControlGate.underWayMax))
    }

    /// Takes the devices of a new configuration; what is held stays held.
    package func update(devices: [ControlledDevice]) {
        self.state.withLock { state in
            state.devices = Dictionary(devices.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            state.book.touch()
        }
    }

    /// Takes up what an earlier life of the gateway left: what is held, and its last commands.
    package func restore(_ holds: ControlHolds, commands: [Command]) {
        self.state.withLock { state in
            state.gate.restore(holds, commands: commands)
            for command in commands { _ = state.book.put(command) }
        }
    }

    /// What would be sent, or why nothing would be; sends nothing and writes nothing down.
    package func check(_ request: CommandRequest) throws(CommandRefusal) -> ControlWrite {
        let now = self.clock.now()
        let result = self.state.withLock { state in
            Result { () throws(CommandRefusal) in
                try state.gate.check(request, device: state.devices[request.key.device], at: now).write
            }
        }
        let write = try result.get()
        try self.checkReach(request)
        return write
    }

    private func checkReach(_ request: CommandRequest) throws(CommandRefusal) {
        guard let device = self.device(request.key.device), let obstacle = self.wires.obstacle(of: device) else {
            return
        }
        throw CommandRefusal(
            .unreachable,
            vi: "Không gửi được, và lệnh không được giữ lại cho lúc khác: \(obstacle.vi).",
            en: "Not sent, and not kept for later: \(obstacle.en)."
        )
    }

    /// Sends a command; returns once it is written down and on its way.
    package func submit(_ request: CommandRequest) async throws(CommandRefusal) -> Command {
        let start = self.nanoseconds()
        do throws(CommandRefusal) {
            _ = try self.check(request)
        } catch {
            await self.note(error, of: request)
            throw error
        }
        let now = self.clock.now()
        let admitted = self.state.withLock { state in
            Result { () throws(CommandRefusal) -> (control: ControlDefinition, write: ControlWrite, ControlledDevice) in
                let device = state.devices[request.key.device]
                guard !state.isStopping, let device else {
                    throw CommandRefusal(.unreachable, vi: "Gateway đang dừng.", en: "The gateway is stopping.")
                }
                let (control, write) = try state.gate.admit(request, device: device, at: now)
                return (control, write, device)
            }
        }
        let (control, write, device) = try admitted.get()
        do {
            if request.priority == .override { try await self.hold(request, at: now) }
            let id = try await self.journal.begin(request, wire: Self.text(of: write, device))
            let command = Command(
                id: id,
                key: request.key,
                value: request.value,
                actor: request.actor.name,
                reason: request.reason,
                priority: request.priority,
                sent: now,
                outcome: .pending,
                milliseconds: nil
            )
            _ = self.state.withLock { $0.book.put(command) }
            let run = CommandRun(
                device: device,
                control: control,
                write: write,
                expected: control.expected(request.value),
                wires: self.wires,
                clock: self.clock,
                pause: self.pause
            )
            guard case .enqueued = self.queue.yield(Job(command: command, run: run, startNanoseconds: start)) else {
                let stopped = LocalizedText(vi: "gateway đang dừng", en: "the gateway is stopping")
                return await self.finish(command, .notSent(stopped), since: start)
            }
            return command
        } catch {
            self.state.withLock { $0.gate.finished(request.key.device) }
            self.logger.error("command refused: it cannot be written down", metadata: ["error": "\(error)"])
            throw CommandRefusal(
                .notRecorded,
                vi: "Không ghi được nhật ký nên không gửi lệnh; hãy xem trang Tổng quan.",
                en: "The audit cannot be written, so nothing was sent; look at the overview."
            )
        }
    }

    /// Writes down who wanted what may not be: the same once a minute, and no more than fit.
    private func note(_ refusal: CommandRefusal, of request: CommandRequest) async {
        guard refusal.isDenial, request.actor.standing != .automation else { return }
        let denial = Denial(actor: request.actor.name, key: request.key, code: refusal.code)
        let now = self.clock.now()
        let isNews = self.state.withLock { state in
            state.denials = state.denials.filter { now.rawValue - $0.value.rawValue < 60_000 }
            guard state.denials[denial] == nil, state.denials.count < Denial.max else { return false }
            state.denials[denial] = now
            return true
        }
        guard isNews else { return }
        do {
            try await self.journal.refuse(request, refusal)
        } catch {
            self.logger.error("a refused command is not written down", metadata: ["error": "\(error)"])
        }
    }

    private static func text(of write: ControlWrite, _ device: ControlledDevice) -> String {
        switch (write, device.address) {
        case (.registers, .registers(let bus, let unit)): "modbus \(bus) \(unit) \(HexText.text(write.pdu))"
        case (.message(let topic, let payload), _): "mqtt \(topic) \(payload.prefix(500))"
        default: ""
        }
    }

    /// A command once it is over, or as it is after `milliseconds`; `nil` for one that is not known.
    package func command(_ id: Int64, of key: ControlKey, waitingMilliseconds: Int64 = 0) async -> Command? {
        let (stream, waiter) = AsyncStream.makeStream(of: Command.self, bufferingPolicy: .bufferingNewest(1))
        let known = self.state.withLock { state in
            let found = state.book.commands(of: key).first { $0.id == id }
            if found?.outcome == .pending, waitingMilliseconds > 0 { state.book.wait(for: id, waiter) }
            return found
        }
        guard let known, known.outcome == .pending, waitingMilliseconds > 0 else { return known }
        let pause = self.pause
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await pause(waitingMilliseconds)
                waiter.finish()
            }
            var newest = known
            for await command in stream {
                newest = command
                break
            }
            group.cancelAll()
            return newest
        }
    }

    /// Carries commands out until cancelled; those that are under way then end as unknown.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watchHolds() }
                group.addTask { await self.feedDevices() }
                for await job in self.jobs {
                    group.addTask {
                        let outcome = await job.run.outcome()
                        _ = await self.finish(job.command, outcome, since: job.startNanoseconds)
                    }
                }
                group.cancelAll()
            }
        }
        self.state.withLock { $0.isStopping = true }
        self.queue.finish()
    }

    /// Writes the outcome down; where the journal refuses, the next start will tell that it is not known.
    private func finish(_ command: Command, _ outcome: CommandOutcome, since start: UInt64) async -> Command {
        var command = command
        command.outcome = outcome
        command.milliseconds = Double(self.nanoseconds() &- start) / 1e6
        do {
            try await self.journal.end(command)
        } catch {
            self.logger.error(
                "the outcome of a command is not written down",
                metadata: ["command": "\(command.id)", "outcome": "\(outcome.code)", "error": "\(error)"]
            )
        }
        let ended = command
        let waiters = self.state.withLock { state in
            state.gate.finished(ended.key.device)
            return state.book.put(ended)
        }
        for waiter in waiters {
            waiter.yield(ended)
            waiter.finish()
        }
        return command
    }
}

// MARK: What is held

extension ControlEngine {
    /// What is held now.
    private var holds: @Sendable () -> ControlHolds { { self.state.withLock { $0.gate.holds } } }

    private func hold(_ request: CommandRequest, at now: Tick) async throws {
        let (before, hold) = self.state.withLock { state in
            (state.gate.holds.overrides[request.key], state.gate.hold(request, at: now))
        }
        do {
            try await self.journal.keep(
                self.holds,
                actor: request.actor.name,
                action: "control.hold",
                subject: request.key.description,
                detail: ["reason": hold.reason, "until": hold.until.map { UTCText.rfc3339($0) } ?? ""]
            )
        } catch {
            self.state.withLock { $0.gate.putBack(before, for: request.key) }
            throw error
        }
    }

    /// Ends an override.
    package func release(_ key: ControlKey, actor: CommandActor) async throws {
        let control = self.device(key.device)?.profile.controls.first { $0.name == key.control }
        guard let control else {
            throw CommandRefusal(.unknownControl, vi: "Không có điều khiển này.", en: "There is no such control.")
        }
        guard actor.may(use: control) else {
            throw CommandRefusal(
                .roleNeeded,
                vi: "Cần quyền dùng điều khiển này.",
                en: "This needs the right to use the control."
            )
        }
        let wasHeld = self.state.withLock { state in
            state.book.touch()
            return state.gate.release(key)
        }
        guard wasHeld else { return }
        try await self.journal.keep(
            self.holds,
            actor: actor.name,
            action: "control.release",
            subject: key.description,
            detail: [:]
        )
    }

    /// Locks a device, or unlocks it: nothing is sent to a locked one, whoever asks.
    package func setLock(_ isLocked: Bool, of device: DeviceID, actor: CommandActor, reason: String) async throws {
        guard (3...200).contains(reason.count) || !isLocked else {
            throw CommandRefusal(
                .reasonNeeded,
                vi: "Hãy ghi lý do, từ 3 đến 200 ký tự.",
                en: "Say why, in 3 to 200 characters."
            )
        }
        let now = self.clock.now()
        let isChanged = self.state.withLock { state in
            state.book.touch()
            guard isLocked else { return state.gate.unlock(device) }
            guard state.devices[device] != nil else { return false }
            state.gate.lock(device, ControlHold(actor: actor.name, reason: reason, since: now, until: nil))
            return true
        }
        guard isChanged else { return }
        try await self.journal.keep(
            self.holds,
            actor: actor.name,
            action: isLocked ? "control.lock" : "control.unlock",
            subject: device.rawValue,
            detail: isLocked ? ["reason": reason] : [:]
        )
    }

    /// How often it is looked whether an override is over; it counts for nothing from its own instant on.
    package static let holdsMilliseconds: Int64 = 2_000

    /// Overrides end by themselves; that is written down, too.
    private func watchHolds() async {
        while !Task.isCancelled {
            let now = self.clock.now()
            let over = self.state.withLock { state in
                let over = state.gate.takeExpired(at: now)
                if !over.isEmpty { state.book.touch() }
                return over
            }
            for (key, hold) in over {
                do {
                    try await self.journal.keep(
                        self.holds,
                        actor: "gateway",
                        action: "control.expire",
                        subject: key.description,
                        detail: ["holder": hold.actor]
                    )
                } catch {
                    self.logger.error("the end of an override is not written down", metadata: ["error": "\(error)"])
                }
            }
            do { try await self.pause(Self.holdsMilliseconds) } catch { return }
        }
    }
}

// MARK: Devices that must be fed

extension ControlEngine {
    /// How often it is looked which device is to be fed.
    package static let feedMilliseconds = FailsafeFeeder.lookMilliseconds

    /// How the feeding of devices goes that need it.
    package var feeds: [DeviceID: FeedState] { self.feeder.states }

    /// Feeds each device in its own time: one that does not answer delays no other.
    private func feedDevices() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let devices = self.state.withLock { Array($0.devices.values) }
                for (device, write) in self.feeder.takeDue(devices, at: self.clock.now()) {
                    guard case .registers(let bus, let unit) = device.address else { continue }
                    group.addTask { await self.feed(device.id, write, bus, unit) }
                }
                do { try await self.pause(Self.feedMilliseconds) } catch { break }
            }
            group.cancelAll()
        }
    }

    private func feed(_ device: DeviceID, _ write: ControlWrite, _ bus: String, _ unit: UInt8) async {
        let reply = await self.wires.write(write, bus: bus, unit: unit, readback: nil)
        let isDone = if case .accepted = reply { true } else { false }
        guard self.feeder.fed(device, isDone: isDone) else { return }
        self.state.withLock { $0.book.touch() }
        if isDone {
            self.logger.info("device is fed", metadata: ["device": "\(device)"])
        } else {
            self.logger.warning(
                "device cannot be fed; it will do what its profile says under failsafe",
                metadata: ["device": "\(device)", "reply": "\(reply)"]
            )
        }
    }
}

// MARK: What pages and the API show

/// A control as it is now.
package struct ControlStatus: Sendable {
    package var device: ControlledDevice
    package var definition: ControlDefinition
    /// The newest first.
    package var commands: [Command]
    package var override: ControlHold?
    package var lock: ControlHold?
    package var isBusy: Bool
}

extension ControlEngine {
    /// A device with this identifier.
    package func device(_ id: DeviceID) -> ControlledDevice? { self.state.withLock { $0.devices[id] } }

    /// The controls of a device, in the order of its profile; none of a read-only one.
    package func statuses(of id: DeviceID) -> [ControlStatus] {
        let now = self.clock.now()
        return self.state.withLock { state in
            guard let device = state.devices[id], !device.isReadOnly else { return [] }
            return device.profile.controls.map { control in
                let key = ControlKey(id, control.name)
                return ControlStatus(
                    device: device,
                    definition: control,
                    commands: state.book.commands(of: key),
                    override: state.gate.override(of: key, at: now),
                    lock: state.gate.holds.locks[id],
                    isBusy: state.gate.isBusy(id)
                )
            }
        }
    }

    /// Something that pages show beside commands has changed.
    package func touch() { self.state.withLock { $0.book.touch() } }

    /// Counts every change that pages show.
    package var revision: UInt64 { self.state.withLock { $0.book.revision } }

    /// The topics of all commands over MQTT: nobody's data.
    package var commandTopics: Set<String> {
        let devices = self.state.withLock { Array($0.devices.values) }
        var topics: Set<String> = []
        for device in devices {
            guard case .messages(let parameters) = device.address else { continue }
            for control in device.profile.controls {
                guard case .message(let topic, _) = control.target,
                    let name = topic.filter(parameters: parameters)
                else { continue }
                topics.insert(name)
            }
        }
        return topics
    }
}
