import Foundation
import ModbusTransport
import Testing

extension AllModbusTests {
    struct ModbusTCPTests {
        private func bus(
            _ port: UInt16,
            _ options: ModbusOptions = ModbusOptions(timeoutMilliseconds: 200),
            time: ManualTime? = nil
        )
            -> ModbusBus
        {
            let endpoint = ModbusEndpoint.tcp(host: "127.0.0.1", port: port)
            guard let time else { return ModbusBus(endpoint: endpoint, options: options) }
            return ModbusBus(endpoint: endpoint, options: options, now: { time.now })
        }

        private func expected(_ read: ModbusRead) -> [UInt16] {
            (read.address..<read.address + read.count).map { TestBank.word(read.unit, read.table, $0) }
        }

        @Test func readsAllFourTables() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            for table in ModbusTable.allCases {
                for count: UInt16 in [1, 2, 7, 8, 9, 125] {
                    let read = ModbusRead(unit: 3, table: table, address: 40, count: count)
                    #expect(try await bus.read(read).words == self.expected(read))
                }
            }
            let bits = ModbusRead(unit: 3, table: .coils, address: 0, count: 2_000)
            #expect(try await bus.read(bits).words == self.expected(bits))
            server.stop()
        }

        @Test func aDeviceThatWantsQuietAfterConnectingGetsIt() async throws {
            let server = RegisterServer(bank: TestBank())
            let options = ModbusOptions(timeoutMilliseconds: 2_000, connectPauseMilliseconds: 300)
            let bus = self.bus(try server.listen(port: 0), options)
            let start = ContinuousClock.now
            let read = ModbusRead(unit: 3, table: .holdingRegisters, address: 40, count: 2)
            #expect(try await bus.read(read).words == self.expected(read))
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            server.stop()
        }

        @Test func whatIsAskedAheadGoesToNobodyElse() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            var random = Seeded(20_261_128)
            func anyRead() -> ModbusRead {
                let table = ModbusTable.allCases.randomElement(using: &random) ?? .coils
                return ModbusRead(
                    unit: .random(in: 1...6, using: &random),
                    table: table,
                    address: .random(in: 0...900, using: &random),
                    count: .random(in: 1...20, using: &random)
                )
            }
            var next = anyRead()
            var good = 0
            for step in 0..<4_000 {
                let read = next
                next = anyRead()
                let isFaulty = step % 400 == 399
                if isFaulty { server.set(step % 800 == 399 ? .late(milliseconds: 260) : .silence, unit: next.unit) }
                // Every fourth announcement is wrong.
                let announced = step % 4 == 3 ? anyRead() : next
                for (asked, result) in zip([read], await bus.read([read], before: announced)) {
                    guard case .success(let reply) = result else { continue }
                    good += 1
                    #expect(reply.words == self.expected(asked), "step \(step)")
                }
                if step % 7 == 0 {
                    try? await bus.write(.register(address: 2_000, value: UInt16(step)), unit: read.unit)
                    let back = ModbusRead(unit: read.unit, table: .holdingRegisters, address: 2_000, count: 1)
                    if case .success(let reply) = await bus.read([back], before: next)[0] {
                        #expect(reply.words == [UInt16(step)], "step \(step)")
                    }
                }
                if isFaulty {
                    _ = await bus.read([next])
                    server.set(.none, unit: next.unit)
                }
            }
            #expect(good > 2_500)
            server.stop()
        }

        @Test func onlyOneRequestIsUnderWayAndNoneIsSentTwice() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            let reads = (0..<200).map { ModbusRead(unit: 1, table: .holdingRegisters, address: $0 * 3, count: 3) }
            var last: UInt64 = 0
            for (read, next) in zip(reads, reads.dropFirst()) {
                let reply = try await bus.read([read], before: next)[0].get()
                #expect(reply.words == self.expected(read))
                #expect(reply.receivedNanoseconds > last, "replies are dated in their order")
                last = reply.receivedNanoseconds
            }
            // The last one was asked for and not taken.
            let deadline = ContinuousClock.now + .seconds(5)
            while server.served.requests < reads.count, ContinuousClock.now < deadline { await Task.yield() }
            #expect(server.served.requests == reads.count)
            #expect(await bus.statistics.connects == 1)
            server.stop()
        }

        @Test func aCommandGoesAheadOfTheRestOfAPollAndDisturbsNoneOfIt() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0), ModbusOptions(timeoutMilliseconds: 2_000))
            server.set(.late(milliseconds: 30), unit: 3)
            let reads = (0..<20).map { ModbusRead(unit: 3, table: .holdingRegisters, address: $0 * 4, count: 3) }
            let poll = Task { (await bus.read(reads), ContinuousClock.now) }
            let deadline = ContinuousClock.now + .seconds(5)
            while server.served.requests < 2, ContinuousClock.now < deadline { await Task.yield() }
            let reply = await bus.command(
                .registers(address: 500, values: [7, 8]),
                unit: 3,
                thenRead: ModbusRead(unit: 3, table: .holdingRegisters, address: 500, count: 2)
            )
            let commanded = ContinuousClock.now
            #expect(try reply.write.get() == ())
            #expect(try reply.read?.get().words == [7, 8])
            let (results, polled) = await poll.value
            #expect(commanded < polled, "the command did not wait for the poll's end")
            for (read, result) in zip(reads, results) { #expect(try result.get().words == self.expected(read)) }
            server.stop()
        }

        @Test func aCommandTellsWhetherAnythingWasSent() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            let read = ModbusRead(unit: 1, table: .coils, address: 9, count: 1)
            let timed = await bus.command(.coilWord(address: 9, value: 7), unit: 1, thenRead: nil)
            #expect(timed.wasSent && timed.read == nil)
            let refused = await bus.command(.register(address: 20_000, value: 1), unit: 1, thenRead: read)
            guard case .failure(let error) = refused.write else { throw ModbusRefusalMissing() }
            #expect(error.code == .illegalDataAddress && refused.wasSent && refused.read != nil)
            server.set(.silence, unit: 1)
            let silent = await bus.command(.coil(address: 9, isOn: true), unit: 1, thenRead: nil)
            #expect(silent.wasSent)
            guard case .failure(let silence) = silent.write else { throw ModbusRefusalMissing() }
            #expect(silence.code == .timeout)
            server.stop()
            let nowhere = self.bus(1)
            let unsent = await nowhere.command(.coil(address: 9, isOn: true), unit: 1, thenRead: read)
            #expect(!unsent.wasSent && unsent.read == nil)
        }

        private struct ModbusRefusalMissing: Error {}

        @Test func writesAndReadsBack() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            try await bus.write(.coil(address: 5, isOn: true), unit: 1)
            try await bus.write(.register(address: 6, value: 0xBEEF), unit: 1)
            try await bus.write(
                .coils(address: 10, areOn: [true, false, true, true, false, true, true, true, false]),
                unit: 1
            )
            try await bus.write(.registers(address: 20, values: [1, 2, 3]), unit: 1)
            try await bus.write(.mask(address: 6, and: 0x00FF, or: 0x1200), unit: 1)
            let coils = try await bus.read(ModbusRead(unit: 1, table: .coils, address: 10, count: 9)).words
            #expect(coils == [1, 0, 1, 1, 0, 1, 1, 1, 0])
            #expect(try await bus.read(ModbusRead(unit: 1, table: .coils, address: 5, count: 1)).words == [1])
            #expect(
                try await bus.read(ModbusRead(unit: 1, table: .holdingRegisters, address: 6, count: 1)).words == [
                    0x12EF
                ]
            )
            let both = try await bus.writeAndRead(unit: 1, write: [9, 8], at: 21, read: 3, at: 20)
            #expect(both == [1, 9, 8])
            server.stop()
        }

        @Test(arguments: [
            (UInt8(1), ModbusError.Code.illegalFunction), (2, .illegalDataAddress), (3, .illegalDataValue),
            (4, .deviceFailure), (5, .acknowledge), (6, .deviceBusy), (7, .negativeAcknowledge), (8, .memoryParity),
            (10, .gatewayPathUnavailable), (11, .gatewayTargetFailed), (9, .unknownException),
        ])
        func everyExceptionHasItsName(number: UInt8, code: ModbusError.Code) async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            server.set(.exception(number), unit: 1)
            await #expect {
                try await bus.read(ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 1))
            } throws: {
                ($0 as? ModbusError)?.code == code && ($0 as? ModbusError)?.exception == number
            }
            #expect(await bus.statistics.connects == 1, "an exception is an answer; the connection stays")
            server.stop()
        }

        @Test(arguments: [
            (RegisterFault.late(milliseconds: 300), ModbusError.Code.timeout), (.silence, .timeout),
            (.garbage, .timeout),
            (.wrongUnit, .badReply), (.wrongLength, .timeout), (.close, .notConnected),
            (.drip(milliseconds: 60), .timeout),
        ])
        func afterAnyBrokenReplyTheNextIsRight(fault: RegisterFault, code: ModbusError.Code) async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(
                try server.listen(port: 0),
                ModbusOptions(timeoutMilliseconds: 200, timeoutsToBackOff: 9, reconnectMilliseconds: 0)
            )
            for round in 0..<3 {
                server.set(fault, unit: 1)
                let read = ModbusRead(unit: 1, table: .inputRegisters, address: UInt16(100 + round * 10), count: 3)
                let start = ContinuousClock.now
                do {
                    _ = try await bus.read(read)
                    Issue.record("a broken reply was taken")
                } catch {
                    #expect(error.code == code, "\(error)")
                }
                #expect(ContinuousClock.now - start < .milliseconds(1_500), "the deadline is for the whole reply")
                server.set(.none, unit: 1)
                for offset: UInt16 in 0..<5 {
                    let next = ModbusRead(unit: 1, table: .inputRegisters, address: read.address + offset, count: 3)
                    #expect(try await bus.read(next).words == self.expected(next))
                }
            }
            server.stop()
        }

        @Test(arguments: [
            (RegisterFault.exception(2), [0, 1, 0, 0, 0, 3, 1, 0x83, 2] as [UInt8]), (.silence, []),
            (.wrongUnit, [0, 1, 0, 0, 0, 5, 2, 3, 2, 0x50, 0x48]), (.drip(milliseconds: 60), [0, 1, 0, 0]),
        ])
        func aFailureTellsTheFramesOfItsExchange(fault: RegisterFault, response: [UInt8]) async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            server.set(fault, unit: 1)
            await #expect {
                _ = try await bus.read(ModbusRead(unit: 1, table: .holdingRegisters, address: 258, count: 1))
            } throws: { error in
                let exchange = try #require((error as? ModbusError)?.exchange)
                #expect(exchange.request == [0, 1, 0, 0, 0, 6, 1, 3, 1, 2, 0, 1])
                if case .drip = fault {
                    #expect(!exchange.response.isEmpty, "what had come until the deadline")
                    #expect(exchange.response.prefix(2) == [0, 1])
                } else {
                    #expect(exchange.response == response)
                }
                return exchange.unitOffset == 6
            }
            server.stop()
        }

        @Test func aFailureWithoutAnExchangeHasNoFrames() async throws {
            let bus = self.bus(1, ModbusOptions(timeoutMilliseconds: 100))
            await #expect {
                _ = try await bus.read(ModbusRead(unit: 1, table: .coils, address: 0, count: 1))
            } throws: { ($0 as? ModbusError)?.exchange == nil }
        }

        @Test func aSilentUnitIsLeftAloneAndProbedLater() async throws {
            let server = RegisterServer(bank: TestBank(units: 1...2))
            let time = ManualTime()
            let bus = self.bus(
                try server.listen(port: 0),
                ModbusOptions(timeoutMilliseconds: 60, reconnectMilliseconds: 0),
                time: time
            )
            let dead = ModbusRead(unit: 9, table: .inputRegisters, address: 0, count: 1)
            let alive = ModbusRead(unit: 1, table: .inputRegisters, address: 0, count: 1)
            func codes(_ reads: [ModbusRead]) async -> [ModbusError.Code?] {
                await bus.read(reads)
                    .map { result in
                        if case .failure(let error) = result { error.code } else { nil }
                    }
            }
            #expect(await codes([dead, dead, dead, alive]) == [.timeout, .timeout, .timeout, nil])
            #expect(await codes([dead, alive]) == [.timeout, nil])
            let before = server.served.requests
            #expect(await codes([dead, dead, alive]) == [.backedOff, .backedOff, nil])
            #expect(server.served.requests == before + 1, "only the healthy unit was asked")
            time.advance(seconds: 6)
            #expect(await codes([dead, alive]) == [.timeout, nil], "one probe after 5 s")
            time.advance(seconds: 6)
            #expect(await codes([dead]) == [.backedOff], "the wait has doubled")
            server.stop()
        }

        @Test func anEndpointThatIsNotThereIsNotHammered() async throws {
            let time = ManualTime()
            let bus = self.bus(1, ModbusOptions(timeoutMilliseconds: 100), time: time)
            let read = ModbusRead(unit: 1, table: .coils, address: 0, count: 1)
            await #expect { try await bus.read(read) } throws: { ($0 as? ModbusError)?.code == .notConnected }
            await #expect { try await bus.read(read) } throws: { ($0 as? ModbusError)?.code == .backedOff }
            time.advance(seconds: 10)
            await #expect { try await bus.read(read) } throws: { ($0 as? ModbusError)?.code == .notConnected }
        }

        @Test func requestsThatModbusDoesNotAllowAreNotSent() async throws {
            let server = RegisterServer(bank: TestBank())
            let bus = self.bus(try server.listen(port: 0))
            for read in [
                ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 0),
                ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 126),
                ModbusRead(unit: 1, table: .coils, address: 0, count: 2_001),
                ModbusRead(unit: 1, table: .coils, address: 65_535, count: 2),
            ] {
                await #expect { try await bus.read(read) } throws: { ($0 as? ModbusError)?.code == .invalidRequest }
            }
            await #expect { try await bus.write(.registers(address: 0, values: []), unit: 1) } throws: {
                ($0 as? ModbusError)?.code == .invalidRequest
            }
            #expect(server.served.requests == 0)
            server.stop()
        }

        @Test func descriptorsPastTheLimitAreRefusedCleanly() async throws {
            let server = RegisterServer(bank: TestBank())
            let port = try server.listen(port: 0)
            var limits = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            guard limits.rlim_max >= 1_200 else {
                Issue.record("this machine allows only \(limits.rlim_max) files; the test needs 1200")
                return
            }
            if limits.rlim_cur < 1_200 {
                limits.rlim_cur = 1_200
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            }
            var opened: [Int32] = []
            while let last = opened.last ?? -1 as Int32?, last < 1_030 { opened.append(open("/dev/null", O_RDONLY)) }
            let bus = self.bus(port)
            await #expect { try await bus.read(ModbusRead(unit: 1, table: .coils, address: 0, count: 1)) } throws: {
                ($0 as? ModbusError)?.code == .tooManyDescriptors
            }
            for descriptor in opened { close(descriptor) }
            server.stop()
        }

        @Test func aDeadEndpointDelaysNobodyElse() async throws {
            let server = RegisterServer(bank: TestBank())
            let healthy = self.bus(try server.listen(port: 0))
            let dripping = RegisterServer(bank: TestBank())
            let slow = self.bus(
                try dripping.listen(port: 0),
                ModbusOptions(timeoutMilliseconds: 1_000, timeoutsToBackOff: 100)
            )
            dripping.set(.drip(milliseconds: 200), unit: 1)
            let read = ModbusRead(unit: 1, table: .holdingRegisters, address: 0, count: 10)
            let blocked = Task { await slow.read([read, read]) }
            let start = ContinuousClock.now
            for _ in 0..<200 { _ = try await healthy.read(read) }
            #expect(ContinuousClock.now - start < .milliseconds(900), "200 reads must not wait for the other endpoint")
            _ = await blocked.value
            server.stop()
            dripping.stop()
        }
    }
}
