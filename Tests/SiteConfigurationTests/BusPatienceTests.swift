import Foundation
import SiteConfiguration
import Testing

/// What profiles say of their wire, and what becomes of it.
struct BusPatienceTests {
    private static func profile(_ id: String, _ wire: String) -> String {
        """
        profile: \(id)
        vendor: V
        model: M
        category: energy
        title: {vi: T, en: T}
        sources: [{title: "by hand", url: "https://example.org", trust: C}]
        verified: false
        modbus: {unit: 1, \(wire)}
        points:
          - {name: a, title: {vi: A, en: A}, unit: "1", wire: {table: holding, address: 0, type: uint16}}
        tests:
          - name: none
            modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
            expect: {a: 0}
        """
    }

    private func files(bus: String) throws -> ConfigurationFiles {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-bus-\(UUID())").path
        try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ text: String, _ name: String) throws {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        try write(
            Self.profile("slow", "timeoutMilliseconds: 2000, pauseMilliseconds: 20, connectPauseMilliseconds: 700"),
            "p/slow.yaml"
        )
        try write(Self.profile("quick", "timeoutMilliseconds: 300, pauseMilliseconds: 90"), "p/quick.yaml")
        try write(Self.profile("serial", "serial: {baud: 2400, parity: even}"), "p/serial.yaml")
        try write("state: state\nprofiles: [p]\n", "gateway.yaml")
        try write(
            """
            site: {id: s, name: {vi: Trường, en: School}}
            nodes: [{id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}]
            buses:
              - \(bus)
              - {id: empty, tcp: {host: 127.0.0.1}}
            devices:
              - {id: a, node: r1, profile: slow, bus: b}
              - {id: b, node: r1, profile: quick, bus: b}
              - {id: c, node: r1, profile: serial, bus: b}
              - {id: d, node: r1, profile: slow, bus: b, enabled: false}
            """,
            "site.yaml"
        )
        let files = try ConfigurationFiles.read(path: "\(folder)/gateway.yaml")
        #expect(files.problems.isEmpty, "\(files.problems)")
        return files
    }

    @Test func aBusIsAsPatientAsItsSlowestDeviceNeeds() throws {
        let files = try self.files(bus: "{id: b, tcp: {host: 127.0.0.1}}")
        #expect(files.patience(of: files.site.buses[0]) == BusPatience(2_000, 90, connecting: 700))
        #expect(files.patience(of: files.site.buses[1]) == BusPatience(1_000, 0, connecting: 0), "nobody is there")
        #expect(files.remarks.isEmpty)
    }

    @Test func whatTheSiteSaysCountsAndTooLittleIsNoted() throws {
        let files = try self.files(bus: "{id: b, tcp: {host: 127.0.0.1}, timeout: 500 ms, pause: 30 ms}")
        #expect(files.patience(of: files.site.buses[0]) == BusPatience(500, 30, connecting: 700))
        #expect(files.remarks.count == 2)
        #expect(files.remarks[0].hasSuffix("device a: it may take 2000 ms to answer, bus 'b' waits 500 ms"))
        #expect(files.remarks[0].contains("site.yaml:7:"))
        #expect(files.remarks[1].hasSuffix("device b: it needs 90 ms between two requests, bus 'b' pauses 30 ms"))
    }

    @Test(arguments: [
        ("baud: 2400, parity: even", 0), ("baud: 9600, parity: even", 1), ("baud: 2400", 1),
        ("baud: 2400, parity: even, stopBits: 2", 1), ("baud: 2400, parity: even, dataBits: 7", 1),
    ])
    func serialSettingsOfTheFactoryAreCompared(settings: String, count: Int) throws {
        let files = try self.files(bus: "{id: b, rtu: {device: /dev/ttyS0, \(settings)}}")
        #expect(files.remarks.count == count, "\(files.remarks)")
        for remark in files.remarks { #expect(remark.contains("device c: it leaves the factory with 2400 8E1")) }
    }
}

extension BusPatience {
    fileprivate init(_ timeout: Int, _ pause: Int, connecting: Int) {
        self.init(timeoutMilliseconds: timeout, pauseMilliseconds: pause, connectPauseMilliseconds: connecting)
    }
}
