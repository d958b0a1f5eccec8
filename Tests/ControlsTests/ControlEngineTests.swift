import CampusModel
import Controls
import DeviceProfile
import ServiceLifecycle
import Synchronization
import Testing

/// Commands from the request to the audit's last word.
struct ControlEngineTests {
    private let wires = ScriptedWires()
    private let journal = MemoryJournal()
    private let clock = ManualClock()

    private func engine() throws -> ControlEngine {
        let clock = self.clock
        let engine = ControlEngine(
            wires: self.wires,
            journal: self.journal,
            clock: clock,
            nanoseconds: { UInt64(clock.now().rawValue) &* 1_000_000 },
            pause: { milliseconds in
                // Whoever waits for more than a look waits for something to happen.
                if milliseconds > 60_000 {
                    let (never, _) = AsyncStream.makeStream(of: Void.self)
                    for await _ in never {}
                    throw CancellationError()
                }
                await Task.yield()
                try Task.checkCancellation()
                // Looks at devices make time pass; those at what is held or to be fed do not.
                if milliseconds != ControlEngine.holdsMilliseconds, milliseconds != ControlEngine.feedMilliseconds {
                    clock.pass(milliseconds)
                }
            },
            logger: Made.quiet
        )
        engine.update(devices: [try Made.aircon(), try Made.lamp()])
        return engine
    }

    /// Sends one command and gives what became of it.
    private func send(_ request: CommandRequest) async throws -> Command {
        let engine = try self.engine()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            defer { group.cancelAll() }
            let command = try await engine.submit(request)
            return try #require(
                await engine.command(command.id, of: command.key, waitingMilliseconds: 100_000)
            )
        }
    }

    @Test func aWriteThatReadsBackIsConfirmedAndBothLinesAreWritten() async throws {
        self.wires.set { $0.writeReply = .accepted(readback: [260]) }
        let command = try await self.send(Made.request("setpoint", 26))
        #expect(command.outcome == .confirmed(26))
        #expect(self.wires.writes == [.registers(function: 6, address: 4, words: [260])])
        #expect(
            self.journal.lines == [
                "intent 1 ac/setpoint lan: phòng họp [modbus b 3 06 00 04 01 04]", "result 1 confirmed",
            ]
        )
    }

    @Test func aSlowDeviceIsLookedAtAgain() async throws {
        self.wires.set { state in
            state.writeReply = .accepted(readback: [240])
            state.reads = [[240], nil, [260]]
        }
        #expect(try await self.send(Made.request("setpoint", 26)).outcome == .confirmed(26))
    }

    @Test(
        arguments: [
            (.accepted(readback: [240]), .different(24)), (.accepted(readback: nil), .different(nil)),
            (.accepted(readback: [0x8000]), .different(nil)),
            (
                .refused(code: "illegalDataValue", Self.words, readback: [240]),
                .refused(code: "illegalDataValue", Self.words)
            ), (.unanswered(Self.words, readback: nil), .unknown(Self.words)),
            (.unanswered(Self.words, readback: [260]), .confirmed(26)),
            (.unanswered(Self.words, readback: [240]), .different(24)), (.notSent(Self.words), .notSent(Self.words)),
        ] as [(RegisterWriteReply, CommandOutcome)]
    )
    func whatIsKnownIsTold(reply: RegisterWriteReply, outcome: CommandOutcome) async throws {
        self.wires.set { $0.writeReply = reply }
        let command = try await self.send(Made.request("setpoint", 26))
        #expect(command.outcome == outcome)
        #expect(self.journal.lines.last == "result 1 \(outcome.code)")
    }

    private static let words = LocalizedText(vi: "vì", en: "because")

    @Test func withoutAReadBackAnAnswerIsAllThereIs() async throws {
        self.wires.set { $0.writeReply = .accepted(readback: nil) }
        #expect(try await self.send(Made.request("power", 1, isConfirmed: true)).outcome == .acknowledged)
        self.wires.set { $0.writeReply = .unanswered(Self.words, readback: nil) }
        #expect(try await self.send(Made.request("power", 1, isConfirmed: true)).outcome == .unknown(Self.words))
    }

    @Test func aPublisherConfirmsWithWhatItTellsAfterwards() async throws {
        let now = self.clock.now()
        self.wires.set { state in
            // Old news, then not good, then the other value, then it.
            state.observations = [
                PointObservation(value: 1, isGood: true, received: now.advanced(byMilliseconds: -1)),
                PointObservation(value: 1, isGood: false, received: now), nil,
                PointObservation(value: 0, isGood: true, received: now),
                PointObservation(value: 1, isGood: true, received: now),
            ]
        }
        let command = try await self.send(Made.request("relay", 1, device: "lamp"))
        #expect(command.outcome == .confirmed(1))
        #expect(self.wires.topics == [#"lamp/l1/set {"on":true}"#])
    }

    @Test func aPublisherThatStaysSilentIsNotConfirmed() async throws {
        let old = PointObservation(value: 1, isGood: true, received: self.clock.now().advanced(byMilliseconds: -1))
        self.wires.set { $0.observations = Array(repeating: old, count: 100) }
        #expect(try await self.send(Made.request("relay", 1, device: "lamp")).outcome == .different(nil))
        self.wires.set { $0.publishReply = .unanswered(Self.words) }
        #expect(try await self.send(Made.request("relay", 1, device: "lamp")).outcome == .unknown(Self.words))
        self.wires.set { $0.publishReply = .notSent(Self.words) }
        #expect(try await self.send(Made.request("relay", 1, device: "lamp")).outcome == .notSent(Self.words))
    }

    @Test func nothingIsSentToWhatCannotBeReachedNorKeptForLater() async throws {
        self.wires.set { $0.obstacle = Self.words }
        let refusal = await #expect(throws: CommandRefusal.self) {
            try await self.send(Made.request("relay", 1, device: "lamp"))
        }
        #expect(refusal?.code == .unreachable)
        #expect(self.journal.lines.isEmpty && self.wires.topics.isEmpty)
    }

    @Test func nothingIsSentThatCannotBeWrittenDown() async throws {
        self.journal.refuse(true)
        let engine = try self.engine()
        let refusal = await #expect(throws: CommandRefusal.self) {
            try await engine.submit(Made.request("setpoint", 26))
        }
        #expect(refusal?.code == .notRecorded)
        #expect(self.wires.writes.isEmpty)
        let held = await #expect(throws: CommandRefusal.self) {
            try await engine.submit(Made.request("power", 1, priority: .override, isConfirmed: true))
        }
        #expect(held?.code == .notRecorded)
        #expect(engine.statuses(of: DeviceID(rawValue: "ac")).allSatisfy { $0.override == nil && !$0.isBusy })
    }

    @Test func aCheckSendsNothingAndWritesNothing() async throws {
        let engine = try self.engine()
        #expect(
            try engine.check(Made.request("setpoint", 26)) == .registers(function: 6, address: 4, words: [260])
        )
        #expect(throws: CommandRefusal.self) { try engine.check(Made.request("setpoint", 99)) }
        #expect(self.journal.lines.isEmpty && self.wires.writes.isEmpty)
        #expect(engine.statuses(of: DeviceID(rawValue: "ac")).allSatisfy { $0.commands.isEmpty })
    }

    @Test func aGatewayThatStopsTellsThatItDoesNotKnow() async throws {
        self.wires.set { $0.writeReply = .accepted(readback: [240]) }
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        self.wires.set { $0.held = held }
        let engine = try self.engine()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            _ = try await engine.submit(Made.request("setpoint", 26))
            while self.wires.writes.isEmpty { await Task.yield() }
            group.cancelAll()
            release.finish()
            try await group.waitForAll()
        }
        #expect(self.journal.lines.last == "result 1 unknown")
    }

    @Test func anOverrideIsHeldEndedByHandAndByTime() async throws {
        self.wires.set { $0.writeReply = .accepted(readback: [240]) }
        let engine = try self.engine()
        let key = ControlKey(DeviceID(rawValue: "ac"), "setpoint")
        func held() -> ControlHold? {
            engine.statuses(of: key.device).first { $0.definition.name == key.control }?.override
        }
        _ = try await engine.submit(
            Made.request("setpoint", 24, by: "minh", .role(.lab), priority: .override, hold: 600_000)
        )
        #expect(held()?.actor == "minh" && held()?.value == 24)
        #expect(self.journal.holds.overrides[key]?.actor == "minh")
        await #expect(throws: CommandRefusal.self) {
            try await engine.release(key, actor: CommandActor(name: "x", standing: .viewer))
        }
        try await engine.release(key, actor: CommandActor(name: "lan", standing: .role(.facility)))
        #expect(held() == nil && self.journal.holds.overrides.isEmpty)
        #expect(self.journal.lines.contains("control.release ac/setpoint lan"))

        self.clock.pass(10_000)
        let other = try self.engine()
        _ = try await other.submit(
            Made.request("setpoint", 24, by: "minh", .role(.lab), priority: .override, hold: 60_000)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await other.run() }
            while !self.journal.lines.contains("control.expire ac/setpoint gateway") {
                self.clock.pass(1_000)
                await Task.yield()
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(self.journal.holds.overrides.isEmpty)
    }

    @Test func aLockedDeviceIsLeftAlone() async throws {
        let engine = try self.engine()
        let (device, an) = (DeviceID(rawValue: "ac"), CommandActor(name: "an", standing: .role(.facility)))
        await #expect(throws: CommandRefusal.self) {
            try await engine.setLock(true, of: device, actor: an, reason: "")
        }
        try await engine.setLock(true, of: device, actor: an, reason: "sửa máy nén")
        let refusal = await #expect(throws: CommandRefusal.self) {
            try await engine.submit(Made.request("setpoint", 26, .administrator))
        }
        #expect(refusal?.code == .locked && refusal?.text.vi.contains("sửa máy nén") == true)
        try await engine.setLock(false, of: device, actor: an, reason: "")
        #expect(try engine.check(Made.request("setpoint", 26)) != .message(topic: "", payload: ""))
        #expect(self.journal.lines == ["control.lock ac an", "refuse ac/setpoint lan locked", "control.unlock ac an"])
    }

    @Test func aDeviceThatMustBeFedIsFedInItsTimeWhileTheGatewayRuns() async throws {
        let engine = try self.engine()
        engine.update(devices: [try Made.aircon(isFed: true)])
        let device = DeviceID(rawValue: "ac")
        func feed(_ word: UInt16) -> ControlWrite { .registers(function: 6, address: 60, words: [word]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            while engine.feeds[device]?.count != 1 { await Task.yield() }
            self.clock.pass(4_999)
            for _ in 0..<100 { await Task.yield() }
            #expect(self.wires.writes == [feed(1)])
            self.clock.pass(1)
            while engine.feeds[device]?.count != 2 { await Task.yield() }
            self.wires.set { $0.writeReply = .notSent(Self.words) }
            self.clock.pass(5_000)
            while engine.feeds[device]?.failures != 1 { await Task.yield() }
            #expect(engine.feeds[device]?.isFailing == true)
            self.wires.set { $0.writeReply = .accepted(readback: nil) }
            self.clock.pass(5_000)
            while engine.feeds[device]?.isFailing != false { await Task.yield() }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(self.wires.writes == [feed(1), feed(2), feed(1), feed(2)])
        #expect(self.journal.lines.isEmpty, "it is no command")
    }

    @Test func whoWantsWhatMayNotBeIsWrittenDownOnceAMinute() async throws {
        let engine = try self.engine()
        func attempt(_ request: CommandRequest) async { _ = try? await engine.submit(request) }
        for _ in 0..<5 { await attempt(Made.request("setpoint", 26, by: "x", .viewer)) }
        // A mistake is no attempt, nor is what a schedule may not.
        await attempt(Made.request("setpoint", 99))
        #expect(self.journal.lines == ["refuse ac/setpoint x role-needed"])
        self.clock.pass(60_000)
        await attempt(Made.request("setpoint", 26, by: "x", .viewer))
        #expect(self.journal.lines.count == 2)
        for number in 0..<300 { await attempt(Made.request("setpoint", 26, by: "x\(number)", .viewer)) }
        #expect(self.journal.lines.count == 101, "no more than fit")
    }

    @Test func topicsOfCommandsAreKnown() throws {
        #expect(try self.engine().commandTopics == ["lamp/l1/set"])
    }
}
