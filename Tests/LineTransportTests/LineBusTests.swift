import Foundation
import LineTransport
import Synchronization
import Testing

/// Line buses against real sockets.
@Suite(.serialized)
struct LineBusTests {
    private func withServer(
        _ bank: NumberingBank = NumberingBank(),
        dialect: PlainDialect = PlainDialect(),
        options: LineOptions = LineOptions(timeoutMilliseconds: 300, reconnectMilliseconds: 0),
        _ body: (LineBus, LineServer) async throws -> Void
    ) async throws {
        let server = LineServer(bank: bank)
        let port = try server.listen(port: 0)
        defer { server.stop() }
        let bus = LineBus(endpoint: .tcp(host: "127.0.0.1", port: port), dialect: dialect, options: options)
        try await body(bus, server)
    }

    private func code(_ result: Result<LineReply, LineError>) -> LineError.Code? {
        if case .failure(let error) = result { error.code } else { nil }
    }

    @Test func aReplyIsTheFrameOfItsRequest() async throws {
        try await self.withServer { bus, _ in
            let replies = await bus.ask([Numbered.request("A", 7), Numbered.request("B", 8)])
            #expect(replies.map { try? Numbered.number($0.get()) } == [7, 8])
            #expect(await bus.statistics.requests == 2)
            #expect(await bus.statistics.connects == 1)
        }
    }

    @Test func tenThousandPollsWithLateRepliesAreNeverAttributedToAnotherRequest() async throws {
        let options = LineOptions(
            timeoutMilliseconds: 20,
            timeoutsToBackOff: .max,
            reconnectMilliseconds: 0
        )
        try await self.withServer(NumberingBank(), options: options) { bus, server in
            // Every 40th reply is late by more than the time-out, some by much less than the next request's.
            server.setChooser { number in number % 40 == 0 ? .late(milliseconds: 15 + number / 40 % 20) : .none }
            var wrong = 0
            var good = 0
            for number in 0..<10_000 {
                let reply = await bus.ask([Numbered.request("A", number)])[0]
                guard case .success(let found) = reply else { continue }
                if Numbered.number(found) == number { good += 1 } else { wrong += 1 }
            }
            #expect(wrong == 0)
            #expect(good > 9_000)
            #expect(await bus.statistics.timeouts > 50)
        }
    }

    @Test(
        arguments: [
            (LineFault.silence, LineError.Code.timeout), (.garbage, .badReply), (.endless, .badReply),
            (.drip(milliseconds: 120), .timeout), (.close, .notConnected), (.late(milliseconds: 600), .timeout),
        ]
    )
    func aHostilePeerIsACountedErrorAndTheNextRequestIsGood(fault: LineFault, code: LineError.Code) async throws {
        let options = LineOptions(timeoutMilliseconds: 300, timeoutsToBackOff: .max, reconnectMilliseconds: 0)
        try await self.withServer(options: options) { bus, server in
            server.set(fault)
            let start = ContinuousClock.now
            #expect(self.code(await bus.ask([Numbered.request("A", 1)])[0]) == code)
            #expect(ContinuousClock.now - start < .seconds(3))
            server.set(.none)
            let reply = try await bus.ask([Numbered.request("A", 2)])[0].get()
            #expect(Numbered.number(reply) == 2)
            let statistics = await bus.statistics
            #expect(statistics.timeouts + statistics.badReplies + (code == .notConnected ? 1 : 0) == 1)
            #expect(statistics.connects == 2, "a failed exchange ends the connection")
        }
    }

    @Test func anErrorTellsWhatWasSentAndWhatCame() async throws {
        try await self.withServer { bus, server in
            server.set(.garbage)
            guard case .failure(let error) = await bus.ask([Numbered.request("A", 1)])[0] else {
                Issue.record("garbage is no reply")
                return
            }
            #expect(error.exchange?.sent == Array("A 1\r".utf8))
            #expect(error.exchange?.received == [0x00, 0xFF, 0x13])
        }
    }

    @Test func aSilentUnitIsLeftAloneAndTriedAgain() async throws {
        let time = Mutex<UInt64>(1_000_000_000)
        let server = LineServer(bank: NumberingBank())
        let port = try server.listen(port: 0)
        defer { server.stop() }
        let bus = LineBus(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            dialect: PlainDialect(),
            options: LineOptions(timeoutMilliseconds: 50, reconnectMilliseconds: 0)
        ) { time.withLock { $0 } }
        server.set(.silence)
        #expect(self.code(await bus.ask([Numbered.request("A", 1)])[0]) == .timeout)
        #expect(self.code(await bus.ask([Numbered.request("A", 1)])[0]) == .timeout)
        #expect(self.code(await bus.ask([Numbered.request("A", 1)])[0]) == .backedOff)
        #expect(server.requestCount == 2, "nothing is sent to a unit that is left alone")
        server.set(.none)
        time.withLock { $0 += 6_000_000_000 }
        #expect(await Numbered.ask(bus, "A", 5) == 5)
    }

    @Test func afterASilentRequestTheRestOfTheBatchIsNotAsked() async throws {
        try await self.withServer { bus, server in
            server.set(.silence)
            let results = await bus.ask([Numbered.request("A", 1), Numbered.request("B", 2)])
            #expect(results.map(self.code) == [.timeout, .backedOff])
            #expect(server.requestCount == 1)
        }
    }

    @Test func theGreetingsDigestLeadsTheFirstRequestOfAConnectionOnly() async throws {
        let bank = NumberingBank(greeting: "HELLO 1", prefix: "digest")
        let dialect = PlainDialect(greetings: ["HELLO 1": .ready(prefix: Array("digest".utf8))])
        try await self.withServer(bank, dialect: dialect) { bus, _ in
            let results = await bus.ask([Numbered.request("A", 1), Numbered.request("B", 2)])
            #expect(results.map { try? Numbered.number($0.get()) } == [1, 2])
        }
    }

    @Test func aRefusedPasswordSaysSo() async throws {
        let bank = NumberingBank(greeting: "HELLO 1", prefix: "digest")
        let dialect = PlainDialect(greetings: ["HELLO 1": .ready(prefix: Array("wrong!".utf8))])
        try await self.withServer(bank, dialect: dialect) { bus, _ in
            guard case .failure(let error) = await bus.ask([Numbered.request("A", 1)])[0] else {
                Issue.record("a wrong password is refused")
                return
            }
            #expect(error.code == .refused)
            #expect(error.description.contains("password"))
        }
    }

    @Test func anUnknownGreetingIsNoSuchDevice() async throws {
        let bank = NumberingBank(greeting: "SSH-2.0-OpenSSH")
        try await self.withServer(bank, dialect: PlainDialect(greetings: ["HELLO": .ready(prefix: [])])) {
            bus,
            server in
            #expect(self.code(await bus.ask([Numbered.request("A", 1)])[0]) == .badReply)
            #expect(server.requestCount == 0)
        }
    }

    @Test func aPortThatNobodyListensOnIsToldAndLeftAloneAMoment() async throws {
        let server = LineServer(bank: NumberingBank())
        let port = try server.listen(port: 0)
        server.stop()
        let bus = LineBus(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            dialect: PlainDialect(),
            options: LineOptions(timeoutMilliseconds: 200, reconnectMilliseconds: 5_000)
        )
        let deadline = ContinuousClock.now + .seconds(5)
        var first = await bus.ask([Numbered.request("A", 1)])[0]
        // The listener's thread may still take one connection.
        while self.code(first) == nil, ContinuousClock.now < deadline {
            first = await bus.ask([Numbered.request("A", 1)])[0]
        }
        #expect(self.code(first) != nil)
    }

    @Test func theConnectionIsGivenUpAfterEachBatchWhereTheProfileSaysSo() async throws {
        let options = LineOptions(timeoutMilliseconds: 300, closesAfterBatch: true, reconnectMilliseconds: 0)
        try await self.withServer(options: options) { bus, server in
            _ = await bus.ask([Numbered.request("A", 1), Numbered.request("B", 1)])
            #expect(await bus.statistics.isConnected == false)
            let deadline = ContinuousClock.now + .seconds(5)
            while server.connectionCount > 0, ContinuousClock.now < deadline { await Task.yield() }
            #expect(server.connectionCount == 0)
            _ = await bus.ask([Numbered.request("A", 1)])
            #expect(await bus.statistics.connects == 2)
        }
    }
}
