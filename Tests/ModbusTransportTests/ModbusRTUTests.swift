import Foundation
import ModbusTransport
import Synchronization
import Testing

extension AllModbusTests {
    struct ModbusRTUTests {
        @Test func readsAndWritesOverASerialLine() async throws {
            let line = try await SerialPair()
            defer { line.stop() }
            let server = RegisterServer(bank: TestBank())
            try server.serveRTU(device: line.right)
            let bus = ModbusBus(
                endpoint: .rtu(device: line.left, baud: 9_600, parity: .none, dataBits: 8, stopBits: 1),
                options: ModbusOptions(timeoutMilliseconds: 300)
            )
            for unit: UInt8 in 1...3 {
                let read = ModbusRead(unit: unit, table: .inputRegisters, address: 7, count: 20)
                #expect(try await bus.read(read).words == (7..<27).map { TestBank.word(unit, .inputRegisters, $0) })
            }
            try await bus.write(.registers(address: 3, values: [4, 5]), unit: 2)
            #expect(
                try await bus.read(ModbusRead(unit: 2, table: .holdingRegisters, address: 3, count: 2)).words == [4, 5]
            )
            server.stop()
        }

        @Test func lateRepliesNeverBecomeAnotherRegistersValue() async throws {
            let line = try await SerialPair()
            defer { line.stop() }
            let server = RegisterServer(bank: TestBank())
            try server.serveRTU(device: line.right)
            let random = Mutex(Seeded(1_441))
            // About one in a hundred answers comes after the time-out, most of them while the next request would be
            // out.
            server.setChooser { _ in
                random.withLock { generator in
                    Int.random(in: 0..<100, using: &generator) == 0
                        ? .late(milliseconds: Int.random(in: 25...70, using: &generator)) : RegisterFault.none
                }
            }
            let bus = ModbusBus(
                endpoint: .rtu(device: line.left, baud: 115_200, parity: .none, dataBits: 8, stopBits: 1),
                options: ModbusOptions(
                    timeoutMilliseconds: 20,
                    lateReplyMilliseconds: 90,
                    timeoutsToBackOff: 1_000,
                    backoffMilliseconds: 1
                )
            )
            var wrong = 0
            var failed = 0
            for poll in 0..<10_000 {
                let read = ModbusRead(
                    unit: UInt8(1 + poll % 3),
                    table: poll % 2 == 0 ? .holdingRegisters : .inputRegisters,
                    address: UInt16(poll * 7 % 900),
                    count: UInt16(1 + poll % 4)
                )
                do {
                    let words = try await bus.read(read).words
                    let expected = (read.address..<read.address + read.count)
                        .map { TestBank.word(read.unit, read.table, $0) }
                    if words != expected { wrong += 1 }
                } catch {
                    failed += 1
                }
            }
            #expect(wrong == 0)
            #expect(failed > 10, "late replies were injected")
            #expect(failed < 1_000)
            server.stop()
        }

        @Test func aLineThatVanishesComesBack() async throws {
            let time = ManualTime()
            let first = try await SerialPair()
            let bus = ModbusBus(
                endpoint: .rtu(device: first.left, baud: 9_600, parity: .none, dataBits: 8, stopBits: 1),
                options: ModbusOptions(
                    timeoutMilliseconds: 100,
                    lateReplyMilliseconds: 10,
                    timeoutsToBackOff: 1_000,
                    reconnectMilliseconds: 0
                ),
                now: { time.now }
            )
            let read = ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 1)
            let server = RegisterServer(bank: TestBank())
            try server.serveRTU(device: first.right)
            #expect(try await bus.read(read).words.count == 1)
            first.stop()
            for _ in 0..<3 { await #expect(throws: ModbusError.self) { try await bus.read(read) } }
            server.stop()
            // The adapter is plugged in again: another line under the same name.
            let second = try await SerialPair(folder: first.folder)
            defer { second.stop() }
            let again = RegisterServer(bank: TestBank())
            try again.serveRTU(device: second.right)
            time.advance(seconds: 60)
            #expect(try await bus.read(read).words == [TestBank.word(1, .holdingRegisters, 0)])
            again.stop()
        }

        @Test(arguments: [
            (RegisterFault.exception(4), [1, 0x83, 4, 0x40, 0xF3] as [UInt8]), (.wrongCheck, [1, 3, 2, 0, 0, 0, 0]),
        ])
        func aFailureTellsTheFramesOfItsExchange(fault: RegisterFault, response: [UInt8]) async throws {
            let line = try await SerialPair()
            defer { line.stop() }
            let server = RegisterServer(bank: TestBank())
            try server.serveRTU(device: line.right)
            server.set(fault, unit: 1)
            let bus = ModbusBus(
                endpoint: .rtu(device: line.left, baud: 9_600, parity: .none, dataBits: 8, stopBits: 1),
                options: ModbusOptions(timeoutMilliseconds: 300)
            )
            await #expect {
                _ = try await bus.read(ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 1))
            } throws: { error in
                let exchange = try #require((error as? ModbusError)?.exchange)
                #expect(exchange.request == [1, 3, 0, 0, 0, 1, 0x84, 0x0A])
                #expect(exchange.response.count == response.count)
                if case .exception = fault { #expect(exchange.response == response) }
                return exchange.unitOffset == 0
            }
            server.stop()
        }
    }
}
