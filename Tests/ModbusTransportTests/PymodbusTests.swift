import Foundation
import ModbusTransport
import Testing

extension AllModbusTests {
    /// A Modbus server that is not our code.
    struct PymodbusTests {
        private static let script = """
            import sys, struct
            from pymodbus.server import StartTcpServer
            from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
            try:
                from pymodbus.datastore import ModbusDeviceContext as Context
            except ImportError:
                from pymodbus.datastore import ModbusSlaveContext as Context
            words = [0] * 200
            words[10:12] = struct.unpack(">2H", struct.pack(">f", 21.5))
            words[20] = 0xFF33
            words[30:34] = struct.unpack(">4H", struct.pack(">q", 1234567890123))
            block = lambda: ModbusSequentialDataBlock(1, list(words))
            bits = ModbusSequentialDataBlock(1, [i % 3 == 0 for i in range(100)])
            device = Context(di=bits, co=bits, hr=block(), ir=block())
            try:
                context = ModbusServerContext(devices=device, single=True)
            except TypeError:
                context = ModbusServerContext(slaves=device, single=True)
            print("ready", flush=True)
            StartTcpServer(context=context, address=("127.0.0.1", int(sys.argv[1])))
            """

        private static let python = ProcessInfo.processInfo.environment["CAMPUS_PEERS"]

        @Test(.enabled(if: Self.python != nil, "CAMPUS_PEERS names no Python with pymodbus; deploy/test sets it"))
        func agreesWithPymodbus() async throws {
            let python = try #require(Self.python)
            let probe = RegisterServer(bank: TestBank())
            let port = try probe.listen(port: 0)
            probe.stop()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = ["-c", Self.script, "\(port)"]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            let bus = ModbusBus(
                endpoint: .tcp(host: "127.0.0.1", port: port),
                options: ModbusOptions(
                    timeoutMilliseconds: 1_000,
                    timeoutsToBackOff: 1_000,
                    reconnectMilliseconds: 20,
                    reconnectMaxMilliseconds: 50
                )
            )
            let read = ModbusRead(unit: 1, table: .holdingRegisters, address: 10, count: 2)
            let deadline = ContinuousClock.now + .seconds(20)
            var words: [UInt16]?
            while words == nil, ContinuousClock.now < deadline {
                words = try? await bus.read(read).words
                await Task.yield()
            }
            #expect(words == [0x41AC, 0x0000])
            #expect(
                try await bus.read(ModbusRead(unit: 1, table: .inputRegisters, address: 20, count: 1)).words == [0xFF33]
            )
            let bits = try await bus.read(ModbusRead(unit: 1, table: .coils, address: 0, count: 10)).words
            #expect(bits == [1, 0, 0, 1, 0, 0, 1, 0, 0, 1])
            try await bus.write(.registers(address: 50, values: [7, 8, 9]), unit: 1)
            try await bus.write(.coil(address: 1, isOn: true), unit: 1)
            #expect(
                try await bus.read(ModbusRead(unit: 1, table: .holdingRegisters, address: 50, count: 3)).words == [
                    7, 8, 9,
                ]
            )
            #expect(try await bus.read(ModbusRead(unit: 1, table: .coils, address: 1, count: 1)).words == [1])
        }
    }
}
