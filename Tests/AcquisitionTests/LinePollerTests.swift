import Acquisition
import CampusModel
import DeviceProfile
import Synchronization
import Testing

/// A poller on lines that are scripted and in time that is made by hand.
struct LinePollerTests {
    private let store = MemoryStore()
    private let time = ManualTime()

    /// A line device that answers what a test says.
    private final class ScriptedLine: LineReading {
        typealias Answer = @Sendable (String) -> Result<String, BusFailure>
        private let state: Mutex<(answer: Answer, asked: [String])>
        private let time: ManualTime

        init(_ time: ManualTime, _ answer: @escaping Answer) {
            self.time = time
            self.state = Mutex((answer, []))
        }

        var executor: (any TaskExecutor)? { nil }
        var asked: [String] { self.state.withLock { $0.asked } }
        func answer(with answer: @escaping Answer) { self.state.withLock { $0.answer = answer } }

        func ask(_ requests: [LineAsk]) async -> [LineOutcome] {
            await Task.yield()
            return requests.map { ask in
                let name = ask.wire.requests[ask.request].name
                let answer = self.state.withLock { state in
                    state.asked.append(name)
                    return state.answer
                }
                switch answer(name) {
                case .success(let text):
                    return .frame(
                        Array(text.utf8),
                        receivedNanoseconds: self.time.nowNanoseconds,
                        latencyNanoseconds: 5
                    )
                case .failure(let failure): return .failure(failure)
                }
            }
        }
    }

    private static func profile() throws -> DeviceProfile {
        try DeviceProfile.read(
            yaml: """
                profile: lines
                \(Made.head)
                line:
                  port: 23
                  requests:
                    - {name: weight, send: W, poll: fast, replies: [{match: "W={w:number}"}, {match: OVER}]}
                    - {name: power, send: P, poll: fast, replies: [{match: "P={p:digits 1}"}, {match: NO, refused: true}]}
                    - {name: name, send: N, poll: once, replies: [{match: "N={n}"}]}
                points:
                  - {name: w, title: {vi: W, en: W}, unit: g, wire: {request: weight, field: w}, range: {min: 0, max: 100}}
                  - {name: p, title: {vi: P, en: P}, kind: boolean, wire: {request: power, field: p}}
                  - {name: n, title: {vi: N, en: N}, kind: text, wire: {request: name, field: n}}
                tests:
                  - {name: none, line: [{request: weight, reply: "W=1\\r\\n"}], expect: {w: 1}}
                """,
            file: "lines.yaml"
        )
    }

    private func polling(_ line: ScriptedLine, _ body: (AcquisitionEngine) async throws -> Void) async throws {
        let engine = Made.engine(self.store, self.time, options: PollingOptions())
        let problems = engine.apply(
            AcquisitionConfiguration(
                devices: [Made.device("d", try Self.profile(), .line(bus: "l", unit: 1))],
                buses: [],
                lines: [LineBinding(id: "l", endpoint: "e", reader: line)]
            )
        )
        #expect(problems.isEmpty)
        let run = Task { try await engine.run() }
        try await body(engine)
        run.cancel()
        _ = await run.result
    }

    private func pass(milliseconds: Int) async {
        await self.time.whenAsleep(2)
        for _ in 0..<(milliseconds / 100) {
            self.time.advance(milliseconds: 100)
            await self.time.whenAsleep(2)
        }
    }

    @Test func eachRequestIsAskedInItsClassAndItsReplyDecoded() async throws {
        let line = ScriptedLine(self.time) { .success($0 == "weight" ? "W=12.5" : $0 == "power" ? "P=1" : "N=can") }
        try await self.polling(line) { engine in
            await self.pass(milliseconds: 10_000)
            #expect((9...11).contains(line.asked.count { $0 == "weight" }))
            #expect(line.asked.count { $0 == "name" } == 1)
            let snapshot = engine.devices[0].snapshot()
            #expect(snapshot.health.state == .online)
            #expect(snapshot.points[2].text == "can")
        }
        #expect(self.store.samples(of: "d/w").last?.value == 12.5)
        #expect(self.store.samples(of: "d/p").last?.quality == .good)
    }

    @Test func aFormWithoutTheValueIsNoValueAndTheDeviceIsHealthy() async throws {
        let line = ScriptedLine(self.time) { .success($0 == "weight" ? "OVER" : $0 == "power" ? "P=1" : "N=can") }
        try await self.polling(line) { engine in
            await self.pass(milliseconds: 3_000)
            #expect(engine.devices[0].health.state == .online)
        }
        #expect(self.store.samples(of: "d/w").last?.quality == .bad(.sentinel))
        #expect(self.store.samples(of: "d/p").last?.quality == .good)
    }

    @Test func aRefusedRequestMarksItsPointsAloneAndIsTold() async throws {
        let line = ScriptedLine(self.time) { name in
            name == "power"
                ? .failure(BusFailure(reason: .refused, message: "the device refuses"))
                : .success(name == "weight" ? "W=1" : "N=can")
        }
        try await self.polling(line) { engine in
            await self.pass(milliseconds: 3_000)
            let snapshot = engine.devices[0].snapshot()
            #expect(snapshot.health.state == .online)
            #expect(snapshot.fault?.reason == "refused")
            #expect(snapshot.fault?.frame.contains("request power") == true)
            #expect(snapshot.points[1].latest?.quality == .bad(.communication))
            #expect(snapshot.points[0].latest?.quality == .good)
        }
    }

    @Test func aReplyThatFitsNoFormIsAFailureAndNoValue() async throws {
        let line = ScriptedLine(self.time) { _ in .success("nonsense") }
        try await self.polling(line) { engine in
            await self.pass(milliseconds: 3_000)
            #expect(engine.devices[0].snapshot().fault?.reason == "badReply")
        }
        #expect(self.store.samples(of: "d/w").isEmpty)
    }

    @Test func aSilentDeviceGoesOfflineAndComesBack() async throws {
        let line = ScriptedLine(self.time) { .success($0 == "weight" ? "W=5" : $0 == "power" ? "P=1" : "N=can") }
        try await self.polling(line) { engine in
            await self.pass(milliseconds: 2_000)
            line.answer { _ in .failure(BusFailure(reason: .timeout, message: "no whole reply in time")) }
            await self.pass(milliseconds: 1_500)
            #expect(engine.devices[0].health.state == .late, "one poll is missed")
            await self.pass(milliseconds: 3_000)
            #expect(engine.devices[0].health.state == .offline)
            #expect(self.store.samples(of: "d/w").last?.quality == .bad(.communication))
            line.answer { .success($0 == "weight" ? "W=6" : $0 == "power" ? "P=1" : "N=can") }
            await self.pass(milliseconds: 2_000)
            #expect(engine.devices[0].health.state == .online)
            #expect(self.store.samples(of: "d/w").last?.value == 6)
        }
    }
}
