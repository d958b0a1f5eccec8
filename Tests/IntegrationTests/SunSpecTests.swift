import Foundation
import ModbusTransport
import Testing

/// A SunSpec inverter on a register server: asked, adopted, polled with its own exponents.
@Suite(.serialized)
struct SunSpecTests {
    /// Registers of model 1 and 103 from 40,000 on.
    private struct Inverter: RegisterBank {
        let registers: [UInt16]

        init() {
            var words: [UInt16] = [0x5375, 0x6E53, 1, 66] + [UInt16](repeating: 0, count: 66)
            for (offset, text) in [(4, "Acme"), (20, "Sun"), (52, "7")] {
                let bytes = Array(text.utf8) + [0, 0]
                for index in stride(from: 0, to: bytes.count - 1, by: 2) {
                    words[offset + index / 2] = UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
                }
            }
            var model = [UInt16](repeating: 0xFFFF, count: 52)
            (model[0], model[1]) = (103, 50)
            for offset in [18, 20, 22, 31, 33, 34] { model[offset] = 0x8000 }
            (model[14], model[15]) = (12_345, UInt16(bitPattern: -1))
            (model[24], model[25], model[26]) = (0, 1_500, 1)
            model[38] = 4
            self.registers = words + model + [0xFFFF, 0]
        }

        func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16)
            -> Result<[UInt16], RegisterException>
        {
            let start = Int(address) - 40_000
            guard table == .holdingRegisters, start >= 0, start + Int(count) <= self.registers.count else {
                return .failure(RegisterException(code: 2))
            }
            return .success(Array(self.registers[start..<start + Int(count)]))
        }

        func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
            RegisterException(code: 1)
        }

        func isPresent(unit: UInt8) -> Bool { unit == 3 }
    }

    @Test func anInverterIsAskedAdoptedAndReadAndSurvivesARestart() async throws {
        let server = RegisterServer(bank: Inverter())
        let port = try server.listen(port: 0)
        defer { server.stop() }
        let site = """
            site: {id: s, name: {vi: Trường, en: School}}
            nodes:
              - {id: r1, kind: room, room: plant-room, name: {vi: Mái, en: Roof}}
            buses:
              - {id: roof, tcp: {host: 127.0.0.1, port: \(port)}, timeout: 300 ms}
            devices: []
            """
        let gateway = try RunningGateway(site: site, settings: "polling: {normal: 200 ms, slow: 1 s}")
        defer { gateway.stop() }
        try await gateway.start()
        func campusctl(_ arguments: String...) async throws -> (code: Int32, output: String) {
            let output = "\(gateway.folder)/\(UUID())"
            let all = ["described"] + arguments + ["--state", gateway.state]
            let code = try await Child("\(Checkout.programs)/campusctl", all, output: output).wait()
            return (code, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
        }
        let silent = try await campusctl("scan", "--bus", "roof", "--unit", "9")
        #expect(silent.code == 1 && silent.output.contains("does not answer"), "\(silent.output)")
        let nowhere = try await campusctl("scan", "--bus", "cellar")
        #expect(nowhere.code == 1 && nowhere.output.contains("no bus"), "\(nowhere.output)")
        let scanned = try await campusctl("scan", "--bus", "roof", "--unit", "3")
        #expect(scanned.code == 0 && scanned.output.contains("Acme Sun, 3 points"), "\(scanned.output)")
        let key = try #require(scanned.output.split(separator: ":").first.map(String.init))
        let adopted = try await campusctl("adopt", key, "--device", "inverter", "--room", "r1")
        #expect(adopted.code == 0, "\(adopted.output)")
        try await eventually("its power is read") { (try? await gateway.latest("inverter/power")) == 1_234.5 }
        try await eventually("its energy is read") { (try? await gateway.latest("inverter/energy")) == 15_000 }
        #expect(try await gateway.latest("inverter/state") == 4)
        gateway.kill9()
        try await gateway.start()
        try await eventually("its power is read again") { (try? await gateway.latest("inverter/power")) == 1_234.5 }
    }
}
