import Foundation
import LineTransport
import Testing

/// Line buses on a serial line, the other end of which is a pseudo terminal.
@Suite(.serialized)
struct LineSerialTests {
    private func withLine(
        _ bank: NumberingBank = NumberingBank(),
        options: LineOptions,
        _ body: (LineBus, LineServer) async throws -> Void
    ) async throws {
        let line = try PseudoTerminal()
        defer { line.end() }
        let server = LineServer(bank: bank)
        server.serve(descriptor: line.other)
        defer { server.stop() }
        let bus = LineBus(
            endpoint: .serial(device: line.device, baud: 9_600, parity: .none, dataBits: 8, stopBits: 1),
            dialect: PlainDialect(),
            options: options
        )
        try await body(bus, server)
    }

    @Test func tenThousandPollsWithLateRepliesAreNeverAttributedToAnotherRequest() async throws {
        let options = LineOptions(timeoutMilliseconds: 15, quietMilliseconds: 4, timeoutsToBackOff: .max)
        try await self.withLine(options: options) { bus, server in
            // Late by more than the time-out and the silence together: only the fence can tell.
            server.setChooser { number in number % 100 == 0 ? .late(milliseconds: 12 + number / 100 % 25) : .none }
            var wrong = 0
            var good = 0
            for number in 0..<10_000 {
                let fences = [Numbered.request("A", -1), Numbered.request("B", -1), Numbered.request("C", -1)]
                let reply = await bus.ask([Numbered.request(number % 2 == 0 ? "A" : "B", number)], fences: fences)[0]
                guard case .success(let found) = reply else { continue }
                if Numbered.number(found) == number { good += 1 } else { wrong += 1 }
            }
            #expect(wrong == 0)
            #expect(good > 9_500)
            let statistics = await bus.statistics
            #expect(statistics.fences > 50)
            #expect(statistics.timeouts > 50)
        }
    }

    @Test func whatNobodyAskedForIsThrownAway() async throws {
        try await self.withLine(options: LineOptions(timeoutMilliseconds: 500)) { bus, server in
            #expect(await Numbered.ask(bus, "A", 1) == 1)
            server.set(.drip(milliseconds: 1))
            #expect(await Numbered.ask(bus, "A", 2) == 2)
        }
    }

    @Test func aLineThatIsNotThereIsTold() async throws {
        let bus = LineBus(
            endpoint: .serial(device: "/dev/no-such-line", baud: 9_600, parity: .even, dataBits: 7, stopBits: 2),
            dialect: PlainDialect()
        )
        guard case .failure(let error) = await bus.ask([Numbered.request("A", 1)])[0] else {
            Issue.record("there is no such line")
            return
        }
        #expect(error.code == .notConnected)
        #expect(error.description.contains("/dev/serial/by-id"))
    }

    @Test func aSecondBusMayNotUseTheSameLine() async throws {
        let line = try PseudoTerminal()
        defer { line.end() }
        let server = LineServer(bank: NumberingBank())
        server.serve(descriptor: line.other)
        defer { server.stop() }
        let endpoint = LineEndpoint.serial(device: line.device, baud: 9_600, parity: .none, dataBits: 8, stopBits: 1)
        let first = LineBus(endpoint: endpoint, dialect: PlainDialect())
        let second = LineBus(endpoint: endpoint, dialect: PlainDialect())
        #expect(await Numbered.ask(first, "A", 1) == 1)
        guard case .failure(let error) = await second.ask([Numbered.request("A", 1)])[0] else {
            Issue.record("the line is in use")
            return
        }
        #expect(error.description.contains("in use"))
    }
}
