import Acquisition
import CampusModel
import DeviceProfile
import Synchronization
import Testing

/// Events that show as levels in registers.
struct EventPollingTests {
    private let store: MemoryStore
    private let time = ManualTime()

    init() { self.init(store: MemoryStore()) }
    private init(store: MemoryStore) { self.store = store }

    /// The registers of a reader; tests change them between polls.
    private final class Reader: Sendable {
        struct State: Sendable {
            var inputs: [UInt16: UInt16] = [:]
            var coils: [UInt16: UInt16] = [:]
            var failing: ModbusWire.Table?
        }

        let state = Mutex(State())

        func set(_ change: (inout State) -> Void) { self.state.withLock { change(&$0) } }

        func answer(_ request: RegisterRequest, _ time: ManualTime) -> RegisterOutcome {
            self.state.withLock { state in
                if request.table == state.failing {
                    return .failure(BusFailure(reason: .timeout, message: "no reply within 1 s"))
                }
                let table = request.table == .coil ? state.coils : state.inputs
                return .words(
                    (0..<request.count).map { table[request.address + $0] ?? 0 },
                    receivedNanoseconds: time.nowNanoseconds,
                    latencyNanoseconds: 5
                )
            }
        }
    }

    private static func profile(_ event: String) throws -> DeviceProfile {
        try DeviceProfile.read(
            yaml: """
                profile: reader
                \(Made.head)
                modbus: {unit: 1}
                points:
                  - {name: a, title: {vi: A, en: A}, unit: "1", poll: slow, wire: {table: input, address: 90, type: uint16}}
                events:
                  - name: card
                    title: {vi: Thẻ, en: Card}
                    kind: card
                    \(event)
                    fields: [{name: card, table: input, address: 10, type: uint64, privacy: hash}]
                tests:
                  - name: none
                    modbus: [{request: "01 04 00 5A 00 01 11 D9", response: "01 04 02 00 00 B9 30"}]
                    expect: {a: 0}
                """,
            file: "reader.yaml"
        )
    }

    /// Polls the event once a second of made time while `body` goes on.
    private func polling(
        _ event: String,
        _ reader: Reader,
        _ body: (AcquisitionEngine, ScriptedBus) async throws -> Void
    ) async throws {
        let time = self.time
        let bus = ScriptedBus { reader.answer($0, time) }
        let engine = Made.engine(self.store, time)
        let problems = engine.apply(
            AcquisitionConfiguration(
                devices: [Made.device("r", try Self.profile(event), .modbus(bus: "b", unit: 1))],
                buses: [BusBinding(id: "b", endpoint: "e", reader: bus)]
            )
        )
        #expect(problems.isEmpty)
        let run = Task { try await engine.run() }
        await self.pass(seconds: 1)
        try await body(engine, bus)
        run.cancel()
        _ = await run.result
    }

    private func pass(seconds: Int) async {
        await self.time.whenAsleep(2)
        for _ in 0..<(seconds * 10) {
            self.time.advance(milliseconds: 100)
            await self.time.whenAsleep(2)
        }
    }

    private static let flagged =
        "capture: {poll: fast, newFlag: {table: coil, address: 0}, clear: {table: coil, address: 0, value: 0}}"
    private static let counted = "sequence: {table: input, address: 1, type: uint16}\n    capture: {poll: fast}"

    @Test func aSetFlagIsOneEventAndIsClearedAfterItIsStored() async throws {
        let reader = Reader()
        try await self.polling(Self.flagged, reader) { _, bus in
            await self.pass(seconds: 3)
            #expect(self.store.events.isEmpty)
            // All digits of a long number: a Double would end in …056.
            reader.set { state in
                state.coils[0] = 1
                for (offset, word) in [0x0123, 0x4567, 0x89AB, 0xCDEF].enumerated() {
                    state.inputs[10 + UInt16(offset)] = UInt16(word)
                }
            }
            await self.pass(seconds: 1)
            #expect(self.store.events.count == 1)
            #expect(self.store.events.first?.fields.first?.text == "81985529216486895")
            #expect(self.store.events.first?.fields.first?.privacy == .hash)
            #expect(bus.writes == [RegisterWrite(unit: 1, table: .coil, address: 0, value: 0)])
            reader.set { $0.coils[0] = 0 }
            await self.pass(seconds: 3)
            reader.set { $0.coils[0] = 1 }
            await self.pass(seconds: 1)
            #expect(self.store.events.count == 2, "the same card again is another event")
        }
    }

    @Test func aFlagThatCannotBeClearedIsOneEventAndIsTriedAgain() async throws {
        let reader = Reader()
        try await self.polling(Self.flagged, reader) { _, bus in
            bus.refuseWrites(true)
            reader.set { $0.coils[0] = 1 }
            await self.pass(seconds: 5)
            #expect(self.store.events.count == 1)
            #expect(bus.writes.count == 5)
            reader.set { $0.inputs[13] = 7 }
            await self.pass(seconds: 1)
            #expect(self.store.events.count == 2, "another card is another event")
            bus.refuseWrites(false)
            await self.pass(seconds: 1)
            reader.set { $0.coils[0] = 0 }
            await self.pass(seconds: 1)
            #expect(self.store.events.count == 2)
        }
    }

    @Test func aChangedSequenceIsAnEventAndAGapIsTold() async throws {
        let reader = Reader()
        reader.set { $0.inputs[1] = 41 }
        try await self.polling(Self.counted, reader) { _, _ in
            await self.pass(seconds: 2)
            #expect(self.store.events.isEmpty, "the first number is where counting starts")
            reader.set { $0.inputs[1] = 42 }
            await self.pass(seconds: 2)
            #expect(self.store.events.map(\.fields.count) == [1])
            reader.set { $0.inputs[1] = 46 }
            await self.pass(seconds: 2)
            #expect(
                self.store.events.last?.fields.last
                    == Event.Field(name: "missed-before", text: "3", privacy: .none, isIdentity: false)
            )
            reader.set { $0.inputs[1] = 0 }
            await self.pass(seconds: 2)
            #expect(self.store.events.count == 3)
            #expect(self.store.events.last?.fields.count == 1, "a counter that began anew has missed nothing")
        }
    }

    @Test func anEventThatCannotBeStoredIsReadAgain() async throws {
        let tests = Self(store: MemoryStore(refusing: 1))
        let reader = Reader()
        try await tests.polling(Self.counted, reader) { _, _ in
            await tests.pass(seconds: 1)
            reader.set { $0.inputs[1] = 1 }
            await tests.pass(seconds: 1)
            #expect(tests.store.events.isEmpty)
            await tests.pass(seconds: 1)
            #expect(tests.store.events.count == 1)
        }
    }

    @Test func eventRegistersThatDoNotAnswerAreAFaultOfTheDevice() async throws {
        let reader = Reader()
        try await self.polling(Self.counted, reader) { engine, _ in
            let device = try #require(engine.device(DeviceID(rawValue: "r")))
            await self.pass(seconds: 2)
            #expect(device.health.state == .online)
            reader.set { $0.failing = .input }
            await self.pass(seconds: 1)
            #expect(device.health.state == .late)
            #expect(device.snapshot().fault?.reason == "timeout")
            #expect(device.snapshot().counters.failures == 1)
            await self.pass(seconds: 3)
            #expect(device.health.state == .offline)
            reader.set { $0.failing = nil }
            await self.pass(seconds: 1)
            #expect(device.health.state == .online)
        }
    }
}
