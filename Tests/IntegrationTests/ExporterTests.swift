import Foundation
import Testing

/// What arrives at a receiver is what the ring has, whatever happens on the way.
@Suite(.serialized)
struct ExporterTests {
    struct Exporters: Decodable {
        struct Item: Decodable {
            struct Statement: Decodable { var text: String }
            var name: String
            var sent: Int
            var replayed: Int
            var dropped: Int
            var retries: Int
            var backlogSamples: Int
            var connectedSince: String?
            var lastError: String?
            var statements: [Statement]
        }
        var items: [Item]
    }

    static func exporter(_ gateway: RunningGateway) async throws -> Exporters.Item {
        try #require(try await gateway.json(Exporters.self, "/api/v1/exporters").items.first)
    }

    private static func settings(_ vm: VictoriaMetrics, more: String = "") -> String {
        """
        exporters:
          - {name: city, kind: line-protocol, url: "http://127.0.0.1:\(vm.port)/write", quality: code, interval: 200 ms,
             timeout: 1 s\(more)}
        """
    }

    /// Publishes rows of the device `room`, one a second of recorded time, about a thousand a second.
    static func play(_ rows: Range<Int>, to gateway: RunningGateway) async throws {
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        let format = Date.ISO8601FormatStyle(dateTimeSeparator: .space).dateSeparator(.dash).year().month().day()
            .time(includingFractionalSeconds: false)
        let lines = rows.map { "\(start.addingTimeInterval(Double($0)).formatted(format)),\($0)" }
        let recording = "\(gateway.folder)/rows-\(rows.lowerBound).csv"
        try (["at,S1_Temp"] + lines).joined(separator: "\n").write(toFile: recording, atomically: true, encoding: .utf8)
        let player = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "replay", recording, "--profile", "\(Checkout.profiles)/uci-room-node.yaml", "--parameter",
                "device=room", "--time", "at", "--speed", "1000", "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password",
            ],
            output: "\(gateway.folder)/player.log"
        )
        guard await player.wait() == 0 else {
            throw TestFailure((try? String(contentsOfFile: "\(gateway.folder)/player.log", encoding: .utf8)) ?? "")
        }
        // Every row is one message; the ring has it before it is counted.
        try await eventually("row \(rows.upperBound - 1) is stored") {
            (try? await gateway.latest("room/s1-temperature")) == Double(rows.upperBound - 1)
        }
    }

    private func expectAll(_ count: Int, _ gateway: RunningGateway, _ vm: VictoriaMetrics) async throws {
        let stored = try await gateway.samples("room/s1-temperature")
        #expect(stored.count == count)
        try await eventually("the receiver has \(count) samples", seconds: 30) {
            (try? await vm.values(device: "room", point: "s1-temperature").count) == count
        }
        let received = try await vm.values(device: "room", point: "s1-temperature")
        #expect((0..<count).allSatisfy { received[1_790_000_000_000 + Int64($0) * 1_000] == Double($0) })
    }

    @Test func nothingIsLostAcrossDeadAndSilentServersKillsAndReloads() async throws {
        guard let vm = try VictoriaMetrics() else { return }
        defer { vm.stop() }
        try await vm.start()
        let gateway = try RunningGateway(site: RunningGateway.oneRoom, settings: Self.settings(vm))
        defer { gateway.stop() }
        try await gateway.start()
        try await Self.play(0..<500, to: gateway)
        try await self.expectAll(500, gateway, vm)

        // The server is dead; meanwhile the gateway is reconfigured, then killed.
        vm.end()
        try await Self.play(500..<1_000, to: gateway)
        try await eventually("the outage is seen") { (try? await Self.exporter(gateway).connectedSince) == .some(nil) }
        let file = "\(gateway.folder)/gateway.yaml"
        let yaml = try String(contentsOfFile: file, encoding: .utf8)
        try yaml.replacing("timeout: 1 s", with: "timeout: 1 s, replay: 2000")
            .write(toFile: file, atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await eventually("the reload is done") { gateway.log.contains("configuration taken up") }
        try await Self.play(1_000..<1_200, to: gateway)
        gateway.kill9()
        try await gateway.start()
        try await Self.play(1_200..<1_500, to: gateway)
        try await vm.start()
        try await self.expectAll(1_500, gateway, vm)

        // The server is there and says nothing.
        let retries = try await Self.exporter(gateway).retries
        vm.signal(SIGSTOP)
        try await Self.play(1_500..<2_000, to: gateway)
        try await eventually("the silence is seen") {
            ((try? await Self.exporter(gateway).retries) ?? 0) > retries + 1
        }
        vm.signal(SIGCONT)
        try await self.expectAll(2_000, gateway, vm)
        #expect(try await Self.exporter(gateway).dropped == 0)
    }

    @Test func aReloadKeepsExportersThatDidNotChange() async throws {
        guard let vm = try VictoriaMetrics() else { return }
        defer { vm.stop() }
        try await vm.start()
        let gateway = try RunningGateway(site: RunningGateway.oneRoom, settings: Self.settings(vm))
        defer { gateway.stop() }
        try await gateway.start()
        try await Self.play(0..<10, to: gateway)
        try await self.expectAll(10, gateway, vm)
        let before = try await Self.exporter(gateway).connectedSince
        #expect(before != nil)
        gateway.hangUp()
        try await eventually("the reload is done") { gateway.log.contains("configuration taken up") }
        #expect(try await Self.exporter(gateway).connectedSince == before)
        // Without it, it is gone; back again, it goes on where its cursor stands.
        let file = "\(gateway.folder)/gateway.yaml"
        let yaml = try String(contentsOfFile: file, encoding: .utf8)
        let without = try #require(yaml.range(of: "exporters:")).lowerBound
        try String(yaml[..<without]).write(toFile: file, atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await eventually("no exporter is left") {
            (try? await gateway.json(Exporters.self, "/api/v1/exporters").items.isEmpty) == true
        }
        try await Self.play(10..<20, to: gateway)
        try yaml.write(toFile: file, atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await self.expectAll(20, gateway, vm)
        #expect(try await gateway.metric("campus_export_sent_total") == 20, "none was sent twice")
    }

    private struct Message: Decodable {
        struct Item: Decodable {
            var point: String
            var at: String
            var value: Double?
        }
        var samples: [Item]
    }

    /// The values that a subscriber got, each instant once, in the order of their first arrival.
    private func received(_ broker: CityBroker) -> (values: [Double], all: Int) {
        var known: Set<String> = []
        var values: [Double] = []
        var all = 0
        for line in broker.lines {
            for item in (try? JSONDecoder().decode(Message.self, from: Data(line.utf8)))?.samples ?? []
            where item.point == "s1-temperature" {
                all += 1
                if known.insert(item.at).inserted { values.append(item.value ?? -1) }
            }
        }
        return (values, all)
    }

    private func expectAll(_ count: Int, _ gateway: RunningGateway, _ broker: CityBroker) async throws {
        try await eventually("the subscriber has \(count) samples", seconds: 40) {
            self.received(broker).values.count == count
        }
        #expect(self.received(broker).values == (0..<count).map(Double.init), "all of them, in order")
        #expect(try await gateway.samples("room/s1-temperature").count == count)
    }

    @Test func messagesArriveInOrderAcrossDeadAndSilentBrokersKillsAndReloads() async throws {
        let broker = try CityBroker()
        defer { broker.stop() }
        try await broker.start()
        try await broker.subscribe("city/#")
        let settings = """
            exporters:
              - {name: platform, kind: mqtt-json, host: 127.0.0.1, port: \(broker.port), topic: "city/{site}/{device}",
                 interval: 200 ms, timeout: 2 s}
            """
        let gateway = try RunningGateway(site: RunningGateway.oneRoom, settings: settings)
        defer { gateway.stop() }
        try await gateway.start()
        try await Self.play(0..<500, to: gateway)
        try await self.expectAll(500, gateway, broker)

        // The broker is dead; meanwhile the gateway is reconfigured, then killed.
        broker.end()
        try await Self.play(500..<1_000, to: gateway)
        try await eventually("the outage is seen") { (try? await Self.exporter(gateway).connectedSince) == .some(nil) }
        let file = "\(gateway.folder)/gateway.yaml"
        let yaml = try String(contentsOfFile: file, encoding: .utf8)
        try yaml.replacing("timeout: 2 s", with: "timeout: 2 s, replay: 2000")
            .write(toFile: file, atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await eventually("the reload is done") { gateway.log.contains("configuration taken up") }
        gateway.kill9()
        try await gateway.start()
        try await Self.play(1_000..<1_300, to: gateway)
        try await broker.start()
        try await self.expectAll(1_300, gateway, broker)

        // The broker is there and says nothing.
        broker.signal(SIGSTOP)
        try await Self.play(1_300..<1_600, to: gateway)
        try await eventually("the silence is seen", seconds: 15) {
            (try? await Self.exporter(gateway).connectedSince) == .some(nil)
        }
        broker.signal(SIGCONT)
        try await self.expectAll(1_600, gateway, broker)
        #expect(try await Self.exporter(gateway).dropped == 0)
    }
}
