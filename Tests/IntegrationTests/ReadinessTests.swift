import CampusModel
import Foundation
import Logging
import MQTTTransport
import SchoolRecords
import SiteConfiguration
import Testing

@testable import GatewayApp

/// What `/readyz` says, fault by fault.
struct ReadinessTests {
    private static let now = Tick(milliseconds: 1_790_000_000_000)

    @Test(arguments: [
        (Readiness.Facts(now: Self.now), []),
        (Readiness.Facts(broker: .connecting, now: Self.now), ["not connected to the MQTT broker yet"]),
        (
            Readiness.Facts(broker: .disconnected("refused"), now: Self.now),
            ["not connected to the MQTT broker: refused"]
        ),
        (
            Readiness.Facts(stalledBuses: ["meters"], now: Self.now),
            ["bus meters: its poller does not come round; nothing is read"]
        ),
        (
            Readiness.Facts(ringRefused: Self.now.advanced(byMilliseconds: -59_000), now: Self.now),
            ["the ring could not be written"]
        ),
        (Readiness.Facts(ringRefused: Self.now.advanced(byMilliseconds: -61_000), now: Self.now), []),
        (Readiness.Facts(recordsFault: "disk full", now: Self.now), ["the records cannot be written: disk full"]),
        (
            Readiness.Facts(freeBytes: 5 << 20, now: Self.now),
            ["the disk of the state folder has 5 MiB left; free some space"]
        ),
        (Readiness.Facts(freeBytes: 1 << 30, now: Self.now), []),
    ])
    func eachFaultIsNamed(facts: Readiness.Facts, problems: [String]) {
        #expect(Readiness.problems(facts) == problems)
    }

    @Test func recordsThatTakeNothingAreNoticed() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-ready-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = "\(folder)/gateway.yaml"
        try """
        state: state
        profiles: [\(Checkout.profiles)]
        broker: {mode: external, host: 127.0.0.1, port: 1}
        ring: {series: 64, raw: 16 MiB, minutes: 8 MiB, quarters: 8 MiB, journal: 4 MiB}
        """
        .write(toFile: config, atomically: true, encoding: .utf8)
        try RunningGateway.oneRoom.write(toFile: "\(folder)/site.yaml", atomically: true, encoding: .utf8)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let gateway = try Gateway(files: try ConfigurationFiles.read(path: config), logger: logger)
        #expect(await Readiness(gateway: gateway).problems() == ["not connected to the MQTT broker yet"])
        #expect(try gateway.records.setting("readiness") != nil, "they were written to")
        try gateway.records.close()
        let problems = await Readiness(gateway: gateway).problems()
        #expect(problems.contains { $0.hasPrefix("the records cannot be written: ") }, "\(problems)")
    }

    /// The running gateway, with its database refusing every write as a full disk does.
    @Test func aGatewayWhoseRecordsRefuseWritesIsNotReadyAndComesBack() async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        func execute(_ sql: String) async throws {
            let code = try await Child("/usr/bin/sqlite3", ["\(gateway.state)/records.sqlite", sql]).wait()
            #expect(code == 0)
        }
        try await execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON settings BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        try await eventually("it says so") { (try? await gateway.get("/readyz", authorized: false))?.1 == 503 }
        let (body, _) = try await gateway.get("/readyz", authorized: false)
        #expect(String(decoding: body, as: UTF8.self).contains("the records cannot be written"))
        try await execute("DROP TRIGGER refuse")
        try await eventually("it is ready again") { await gateway.isReady }
    }
}
