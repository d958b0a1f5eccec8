import Acquisition
import CampusModel
import DeviceProfile
import Testing

/// A poller on a bus that is scripted and in time that is made by hand.
struct BusPollerTests {
    private let store = MemoryStore()
    private let time = ManualTime()

    private static let points = """
          - {name: a, title: {vi: A, en: A}, unit: "1", poll: fast, wire: {table: holding, address: 0, type: uint16}}
          - {name: b, title: {vi: B, en: B}, unit: "1", poll: fast, wire: {table: holding, address: 1, type: uint16}}
          - {name: slow, title: {vi: C, en: C}, unit: "1", poll: slow, wire: {table: holding, address: 9, type: uint16}}
        """

    /// Runs the engine with one device on `bus` while `body` makes time pass.
    private func polling(
        _ bus: ScriptedBus,
        _ profile: DeviceProfile,
        options: PollingOptions = PollingOptions(),
        _ body: (AcquisitionEngine) async throws -> Void
    ) async throws {
        let engine = Made.engine(self.store, self.time, options: options)
        let problems = engine.apply(
            AcquisitionConfiguration(
                devices: [Made.device("m", profile, .modbus(bus: "b", unit: 7))],
                buses: [BusBinding(id: "b", endpoint: "e", reader: bus)]
            )
        )
        #expect(problems.isEmpty)
        let run = Task { try await engine.run() }
        try await body(engine)
        run.cancel()
        _ = await run.result
    }

    /// Lets `milliseconds` pass in steps of 100, each of which poller and health watch have finished before the next.
    private func pass(milliseconds: Int) async {
        await self.time.whenAsleep(2)
        for _ in 0..<(milliseconds / 100) {
            self.time.advance(milliseconds: 100)
            await self.time.whenAsleep(2)
        }
    }

    private func eventually(_ fact: () -> Bool) async {
        for _ in 0..<10_000 where !fact() { await Task.yield() }
    }

    private static func words(_ request: RegisterRequest, _ time: ManualTime, latency: UInt64 = 5) -> RegisterOutcome {
        .words(
            (0..<request.count).map { 100 + request.address + $0 },
            receivedNanoseconds: time.nowNanoseconds,
            latencyNanoseconds: latency
        )
    }

    @Test func eachPollClassHasItsPeriodAndNeighboursAreReadTogether() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { _ in
            await self.pass(milliseconds: 61_000)
            await self.eventually { self.store.samples(of: "m/slow").count == 2 }
        }
        let fast = bus.requests.filter { $0.address == 0 }
        #expect((60...62).contains(fast.count))
        #expect(fast.allSatisfy { $0.count == 2 && $0.unit == 7 && $0.table == .holding })
        #expect(bus.requests.filter { $0.address == 9 }.count == 2)
        #expect(self.store.samples(of: "m/a").allSatisfy { $0.value == 100 && $0.quality == .good })
        #expect(self.store.samples(of: "m/b").allSatisfy { $0.value == 101 })
        let ticks = self.store.samples(of: "m/a").map(\.tick.rawValue)
        let steps = Set(zip(ticks, ticks.dropFirst()).map { $1 - $0 })
        #expect(steps == [1_000], "a schedule without drift")
    }

    @Test func criticalValuesAreDurableBeforeTheNextRequest() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        let points = Self.points.replacing("poll: slow,", with: "poll: slow, durability: critical,")
        try await self.polling(bus, try Made.meter(points)) { _ in
            await self.pass(milliseconds: 61_000)
            await self.eventually { self.store.samples(of: "m/slow").count == 2 }
        }
        #expect(self.store.commits.count == 2, "one for each poll that brought a critical value, none for others")
        let names = self.store.samples.map(\.name)
        #expect(self.store.commits.allSatisfy { names[$0 - 1] == "m/slow" })
    }

    @Test func aFailingDeviceGoesLateThenOfflineAndItsPointsAreMarkedOnce() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { engine in
            await self.pass(milliseconds: 3_000)
            await self.eventually { self.store.samples(of: "m/a").count >= 3 }
            bus.answer { _ in .failure(BusFailure(reason: .timeout, message: "no reply within 1 s")) }
            await self.pass(milliseconds: 10_000)
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            await self.eventually { device.health.state == .offline }
            #expect(device.health.state == .offline)
            #expect(device.snapshot().fault?.message == "no reply within 1 s")
            #expect(device.snapshot().fault?.frame.contains("unit 7, function 3, address 0, count 2") == true)
            let marked = self.store.samples(of: "m/a").filter { $0.quality == .bad(.communication) }
            #expect(marked.count == 1)
            bus.answer { Self.words($0, time) }
            await self.pass(milliseconds: 2_000)
            await self.eventually { device.health.state == .online }
            #expect(device.health.state == .online)
        }
        #expect(self.store.samples(of: "m/a").last?.quality == .good)
    }

    @Test func aPollClassThatNeverAnswersIsMarkedWhileTheOthersGoOn() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { engine in
            await self.pass(milliseconds: 3_000)
            await self.eventually { self.store.samples(of: "m/slow").count == 1 }
            bus.answer { request in
                request.address == 9
                    ? .failure(BusFailure(reason: .timeout, message: "no reply")) : Self.words(request, time)
            }
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            await self.pass(milliseconds: 140_000)
            await self.eventually { device.health.state == .late }
            #expect(self.store.samples(of: "m/slow").last?.quality == .good, "two of three polls were missed")
            await self.pass(milliseconds: 60_000)
            await self.eventually { self.store.samples(of: "m/slow").count == 2 }
            #expect(self.store.samples(of: "m/slow").map(\.quality) == [.good, .bad(.communication)])
            #expect(device.point(at: 2)?.latest?.quality == .bad(.communication))
            let since = device.health.since
            await self.pass(milliseconds: 120_000)
            #expect(device.health.state == .late)
            #expect(device.health.since == since, "it does not flap")
        }
        #expect(self.store.samples(of: "m/slow").count == 2)
        #expect(self.store.samples(of: "m/a").allSatisfy { $0.quality == .good })
    }

    @Test func patienceIsCountedInPeriodsOfTheConfiguration() async throws {
        let bus = ScriptedBus { _ in .failure(BusFailure(reason: .timeout, message: "no reply")) }
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", poll: fast, wire: {table: holding, address: 0, type: uint16}}
            """
        let options = PollingOptions(missedMax: 5)
        try await self.polling(bus, try Made.meter(points), options: options) { engine in
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            await self.pass(milliseconds: 3_900)
            #expect(bus.requests.count == 4)
            #expect(device.health.state == .waiting)
            await self.pass(milliseconds: 1_000)
            await self.eventually { device.health.state == .offline }
            #expect(device.health.state == .offline)
        }
    }

    @Test func aRequestThatWasNotSentIsNoErrorOfTheDevice() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { engine in
            await self.pass(milliseconds: 2_000)
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            bus.answer { _ in .failure(BusFailure(reason: .timeout, message: "no reply within 1 s")) }
            await self.pass(milliseconds: 1_000)
            bus.answer { _ in .failure(BusFailure(reason: .timeout, isBackedOff: true, message: "left alone")) }
            await self.pass(milliseconds: 10_000)
            await self.eventually { device.health.state == .offline }
            #expect(device.health.state == .offline)
            #expect(device.snapshot().counters.failures == 1)
            #expect(device.snapshot().fault?.message == "no reply within 1 s", "what was left alone tells nothing new")
        }
    }

    private func fault(of points: String, frames: BusFrames) async throws -> String {
        let bus = ScriptedBus { _ in .failure(BusFailure(reason: .badReply, message: "odd", frames: frames)) }
        var text: String?
        try await self.polling(bus, try Made.meter(points)) { engine in
            await self.pass(milliseconds: 2_000)
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            await self.eventually { device.snapshot().fault != nil }
            text = device.snapshot().fault?.frame
        }
        return try #require(text)
    }

    @Test func aFaultShowsTheBytesOfTheExchange() async throws {
        let frames = BusFrames(
            request: [0x07, 0x03, 0x00, 0x00, 0x00, 0x02, 0xC4, 0x6D],
            response: [0x07, 0x83, 0x02, 0x61, 0x30],
            unitOffset: 0
        )
        #expect(
            try await self.fault(of: Self.points, frames: frames) == """
                unit 7, function 3, address 0, count 2
                → 07 03 00 00 00 02 C4 6D
                ← 07 83 02 61 30
                """
        )
    }

    @Test func nothingReceivedIsShownAsNothing() {
        let frames = BusFrames(request: [1, 2], response: [], unitOffset: 0)
        #expect(frames.text(hasPersonalRegisters: false) == "→ 01 02\n← –")
    }

    @Test func bytesOfPersonalRegistersAreMaskedInFaults() async throws {
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", poll: fast, wire: {table: holding, address: 0, type: uint16}}
              - {name: card, title: {vi: C, en: C}, kind: text, privacy: mask, poll: fast, wire: {table: holding, address: 1, type: string, length: 2}}
            """
        let frames = BusFrames(
            request: [0, 1, 0, 0, 0, 6, 7, 3, 0, 0, 0, 3],
            response: [0, 2, 0, 0, 0, 9, 7, 3, 6, 0, 1, 0x04, 0xA2, 0xB3, 0xC4],
            unitOffset: 6
        )
        let text = try await self.fault(of: points, frames: frames)
        #expect(text.hasSuffix("← 00 02 00 00 00 09 07 03 •• •• •• •• •• •• ••"))
    }

    @Test func bytesOfAnotherUnitAreMaskedBecauseNobodyKnowsWhatTheyAre() {
        let frames = BusFrames(request: [7, 3, 0, 0, 0, 1], response: [9, 3, 2, 0x04, 0xA2], unitOffset: 0)
        #expect(frames.text(hasPersonalRegisters: false) == "→ 07 03 00 00 00 01\n← 09 03 •• •• ••")
    }

    @Test func aTextThatIsNotReadIsBadAndGoodAgainWhenItIs() async throws {
        let time = self.time
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", poll: fast, wire: {table: holding, address: 0, type: uint16}}
              - {name: serial, title: {vi: S, en: S}, kind: text, poll: fast, wire: {table: holding, address: 500, type: string, length: 3}}
            """
        let good: ScriptedBus.Answer = { request in
            request.address == 500
                ? .words([0x4341, 0x4D50, 0x2000], receivedNanoseconds: time.nowNanoseconds, latencyNanoseconds: 1)
                : Self.words(request, time)
        }
        let bus = ScriptedBus(good)
        try await self.polling(bus, try Made.meter(points)) { engine in
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            await self.pass(milliseconds: 2_000)
            await self.eventually { device.point(at: 1)?.text != nil }
            #expect(device.point(at: 1)?.text == "CAMP")
            #expect(device.point(at: 1)?.latest?.quality == .good)
            bus.answer { request in
                request.address == 500
                    ? .failure(BusFailure(reason: .exception, exceptionCode: 4, message: "failed"))
                    : Self.words(request, time)
            }
            await self.pass(milliseconds: 2_000)
            await self.eventually { device.point(at: 1)?.latest?.quality != .good }
            #expect(device.point(at: 1)?.latest?.quality == .bad(.communication))
            bus.answer(with: good)
            await self.pass(milliseconds: 2_000)
            await self.eventually { device.point(at: 1)?.latest?.quality == .good }
            #expect(device.point(at: 1)?.latest?.quality == .good)
        }
    }

    @Test func whatIsDueAlreadyIsSaidToComeNext() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { _ in
            await self.time.whenAsleep(2)
            // Both classes are due at once now, and then only one of them.
            self.time.advance(milliseconds: 61_000)
            await self.eventually { bus.requests.count >= 2 }
            await self.pass(milliseconds: 3_000)
        }
        #expect(bus.nexts.contains { $0 != nil } && bus.nexts.contains { $0 == nil })
        for (next, read) in zip(bus.nexts, bus.requests.dropFirst()) {
            if let next { #expect(next == read, "it is what is read next") }
        }
    }

    @Test func aReadThatSpansAMissingAddressIsDividedUntilTheRestIsRead() async throws {
        let time = self.time
        let points = """
              - {name: a, title: {vi: A, en: A}, unit: "1", poll: fast, wire: {table: holding, address: 0, type: uint16}}
              - {name: b, title: {vi: B, en: B}, unit: "1", poll: fast, wire: {table: holding, address: 1, type: uint16}}
              - {name: c, title: {vi: C, en: C}, unit: "1", poll: fast, wire: {table: holding, address: 2, type: uint16}}
            """
        let bus = ScriptedBus { request in
            let range = request.address..<(request.address + request.count)
            return range.contains(1)
                ? .failure(BusFailure(reason: .exception, exceptionCode: 2, message: "illegal data address"))
                : Self.words(request, time)
        }
        try await self.polling(bus, try Made.meter(points)) { engine in
            await self.pass(milliseconds: 6_000)
            await self.eventually { self.store.samples(of: "m/c").contains { $0.quality == .good } }
            let device = try #require(engine.device(DeviceID(rawValue: "m")))
            #expect(device.health.state != .offline, "most of it answers")
            #expect(device.snapshot().fault?.reason == "exception2")
        }
        #expect(self.store.samples(of: "m/a").contains { $0.value == 100 && $0.quality == .good })
        #expect(self.store.samples(of: "m/c").contains { $0.value == 102 && $0.quality == .good })
        #expect(!self.store.samples(of: "m/b").contains { $0.quality.level != .bad })
    }

    @Test func aBusyBusSkipsPeriodsInsteadOfCatchingUp() async throws {
        let time = self.time
        let bus = ScriptedBus { request in
            // Each request takes 3.5 periods of the fast class.
            time.pass(milliseconds: 3_500)
            return Self.words(request, time)
        }
        try await self.polling(bus, try Made.meter(Self.points)) { engine in
            await self.eventually { bus.requests.filter { $0.address == 0 }.count >= 10 }
            #expect((engine.skippedPeriods["b"] ?? 0) >= 20)
        }
        let ticks = self.store.samples(of: "m/a").map(\.tick.rawValue)
        #expect(Set(ticks).count == ticks.count)
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $1 - $0 >= 1_000 })
    }

    @Test func twoRepliesOfOneMillisecondHaveTwoTicks() async throws {
        let stopped = self.time.nowNanoseconds
        let bus = ScriptedBus { request in
            .words([1, 2].prefix(Int(request.count)).map { $0 }, receivedNanoseconds: stopped, latencyNanoseconds: 1)
        }
        try await self.polling(bus, try Made.meter(Self.points)) { _ in
            await self.pass(milliseconds: 5_000)
            await self.eventually { self.store.samples(of: "m/a").count >= 5 }
        }
        let ticks = self.store.samples(of: "m/a").map(\.tick.rawValue)
        #expect(ticks.count >= 5)
        #expect(Set(ticks).count == ticks.count)
    }

    @Test func aPollerThatDoesNotComeRoundIsNamed() async throws {
        let time = self.time
        let bus = ScriptedBus { Self.words($0, time) }
        try await self.polling(bus, try Made.meter(Self.points)) { engine in
            await self.pass(milliseconds: 5_000)
            #expect(engine.stalledBuses == [])
            // The bus never gives the poller back.
            let held = AsyncStream<Void>.makeStream()
            bus.hold(until: held.stream)
            await self.time.whenAsleep(2)
            self.time.advance(milliseconds: 1_100)
            await self.eventually { bus.isHeld }
            self.time.pass(milliseconds: 29_000)
            #expect(engine.stalledBuses == [])
            self.time.pass(milliseconds: 2_000)
            #expect(engine.stalledBuses == ["b"])
            held.continuation.finish()
            await self.eventually { engine.stalledBuses.isEmpty }
            #expect(engine.stalledBuses == [])
        }
    }
}
