import Foundation
import Testing

/// One thread a bus: what one endpoint does is no concern of another.
@Suite(.serialized)
struct PollPeriodTests {
    @Test func aDeadAndADrippingEndpointDoNotChangeThePeriodOfAHealthyOne() async throws {
        let ports = try (0..<3).map { _ in try Checkout.freePort() }
        try #require(Set(ports).count == 3)
        let names = ["healthy", "dead", "dripping"]
        let buses = zip(names, ports).map { "  - {id: \($0), tcp: {host: 127.0.0.1, port: \($1)}, timeout: 500 ms}" }
        let devices = names.map { "  - {id: d-\($0), node: r1, profile: uci-room-node-modbus, bus: \($0), unit: 1}" }
        let gateway = try RunningGateway(
            site: """
                site: {id: s, name: {vi: Trường, en: School}}
                nodes:
                  - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
                buses:
                \(buses.joined(separator: "\n"))
                devices:
                \(devices.joined(separator: "\n"))
                """,
            settings: "polling: {fast: 100 ms}"
        )
        try await gateway.start()
        let control = "\(gateway.folder)/control"
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(gateway.folder)/site.yaml", "--profiles", Checkout.profiles, "--broker-port",
                gateway.brokerPort, "--username", "devices", "--password-file", "\(gateway.state)/devices.password",
                "--control", control,
            ]
        )
        defer {
            simulator.end(SIGTERM)
            gateway.stop()
        }
        try await eventually("all three are polled") {
            for name in names where (try? await gateway.samples("d-\(name)/row").count) ?? 0 < 10 { return false }
            return true
        }
        let calm = try await self.period(gateway, "d-healthy/row")
        try Data("fault d-dead silence\nfault d-dripping drip 100\n".utf8).write(to: URL(fileURLWithPath: control))
        struct Device: Decodable { var state: String }
        try await eventually("the dead one is offline", seconds: 60) {
            (try? await gateway.json(Device.self, "/api/v1/devices/d-dead").state) == "offline"
        }
        let troubled = try await self.period(gateway, "d-healthy/row")
        print("healthy poll period: \(calm) ms alone, \(troubled) ms beside a dead and a dripping endpoint")
        #expect(abs(troubled - calm) <= 0.05 * calm, "\(calm) ms became \(troubled) ms")
    }

    /// The mean period of 60 new samples, milliseconds.
    private func period(_ gateway: RunningGateway, _ point: String) async throws -> Double {
        let before = try await gateway.samples(point).count
        try await eventually("60 more samples") {
            ((try? await gateway.samples(point).count) ?? 0) >= before + 60
        }
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let times = try await gateway.samples(point).dropFirst(before).map { try format.parse($0.at) }
        let first = try #require(times.first)
        let last = try #require(times.last)
        return (last.timeIntervalSince(first) * 1_000 / Double(times.count - 1)).rounded()
    }
}
