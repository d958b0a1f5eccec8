import Foundation
import ModbusTransport
import Testing

/// A reload takes up what changed and touches nothing else.
@Suite(.serialized)
struct ReloadTests {
    private func site(room: String, slave: UInt16, more: String = "") -> String {
        """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: \(room)}}
        buses:
          - {id: meters, tcp: {host: 127.0.0.1, port: \(slave)}}
        devices:
          - {id: room, node: r1, profile: uci-room-node, parameters: {device: room}}
          - {id: copy, node: r1, profile: uci-room-node-modbus, bus: meters, unit: 1}
        \(more)
        """
    }

    private func write(_ text: String, _ gateway: RunningGateway) throws {
        try text.write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
    }

    private struct Nodes: Decodable {
        struct Node: Decodable {
            struct Name: Decodable { var en: String }
            var id: String
            var name: Name
        }
        var items: [Node]
    }

    @Test func twentyReloadsDuringIngestLoseNothingAndDropNoConnection() async throws {
        let server = RegisterServer(bank: CountingBank())
        let slave = try server.listen(port: 0)
        defer { server.stop() }
        let gateway = try RunningGateway(
            site: self.site(room: "before", slave: slave),
            settings: "polling: {fast: 50 ms}"
        )
        defer { gateway.stop() }
        try await gateway.start()

        // One row a second, 4,000 of them in about four seconds.
        let count = 4_000
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        let format = Date.ISO8601FormatStyle(dateTimeSeparator: .space).dateSeparator(.dash).year().month().day()
            .time(includingFractionalSeconds: false)
        let rows = (0..<count).map { "\(start.addingTimeInterval(Double($0)).formatted(format)),\($0)" }
        let recording = "\(gateway.folder)/rows.csv"
        try (["at,S1_Temp"] + rows).joined(separator: "\n").write(toFile: recording, atomically: true, encoding: .utf8)
        let player = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "replay", recording, "--profile", "\(Checkout.profiles)/uci-room-node.yaml", "--parameter",
                "device=room", "--time", "at", "--speed", "1000", "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password",
            ],
            output: "\(gateway.folder)/player.log"
        )
        for round in 1...20 {
            let before = (try? await gateway.metric("campus_mqtt_messages_total")) ?? 0
            let more = "  - {id: extra-\(round), node: r1, profile: uci-room-node, parameters: {device: x\(round)}}"
            try self.write(self.site(room: "round \(round)", slave: slave, more: more), gateway)
            gateway.hangUp()
            try await eventually("round \(round) was taken up") {
                (try? await gateway.json(Nodes.self, "/api/v1/nodes").items.first { $0.id == "r1" }?.name.en)
                    == "round \(round)"
            }
            try await eventually("messages go on") {
                let now = (try? await gateway.metric("campus_mqtt_messages_total")) ?? 0
                return now > before || now >= Double(count)
            }
        }
        #expect(await player.wait() == 0)
        try await eventually("all rows arrived") {
            ((try? await gateway.metric("campus_mqtt_messages_total")) ?? 0) >= Double(count)
        }
        let samples = try await gateway.samples("room/s1-temperature")
        #expect(samples.map(\.value) == (0..<count).map { Double($0) })
        #expect(try await gateway.metric("campus_mqtt_connects_total") == 1)
        #expect(try await gateway.metric("campus_modbus_connects_total") == 1)
        #expect(try await gateway.metric("campus_modbus_timeouts_total") == 0)
        let (_, status) = try await gateway.get("/api/v1/devices/extra-20")
        #expect(status == 200)
        let (_, gone) = try await gateway.get("/api/v1/devices/extra-19")
        #expect(gone == 404)
    }

    @Test func aBrokenSiteChangesNothingAndIsNamed() async throws {
        let server = RegisterServer(bank: CountingBank())
        let slave = try server.listen(port: 0)
        defer { server.stop() }
        let gateway = try RunningGateway(site: self.site(room: "good", slave: slave))
        defer { gateway.stop() }
        try await gateway.start()
        try self.write("site: {id: s}\nnodes: [\n", gateway)
        gateway.hangUp()
        try await eventually("it says so") { gateway.log.contains("configuration not taken up") }
        #expect(gateway.log.contains("site.yaml:"))
        #expect(try await gateway.json(Nodes.self, "/api/v1/nodes").items.first { $0.id == "r1" }?.name.en == "good")
        #expect(await gateway.isReady)
        try self.write(self.site(room: "mended", slave: slave), gateway)
        gateway.hangUp()
        try await eventually("the mended one is taken up") {
            (try? await gateway.json(Nodes.self, "/api/v1/nodes").items.first { $0.id == "r1" }?.name.en) == "mended"
        }
    }

    /// A gateway without any profile, then `gateway.yaml` names the folder, another site and another report period.
    @Test func gatewayYAMLIsReadAgainAndWhatNeedsARestartIsSaid() async throws {
        let site = "site: {id: s, name: {vi: Trường, en: School}}\nnodes: []\n"
        let gateway = try RunningGateway(site: site)
        defer { gateway.stop() }
        let config = "\(gateway.folder)/gateway.yaml"
        let empty = "\(gateway.folder)/none"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        func configure(_ text: String) throws { try text.write(toFile: config, atomically: true, encoding: .utf8) }
        try configure("state: state\nprofiles: [\(empty)]\nweb: {port: 0}\nbroker: {port: 0}\n")
        try await gateway.start()
        struct Entry: Decodable {
            struct Suggestion: Decodable { var profile: String }
            var suggestions: [Suggestion]
        }
        func suggested() async throws -> [String] {
            try await gateway.publish("campus/room/telemetry", #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 20}"#)
            return try await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items
                .flatMap { $0.suggestions.map(\.profile) }
        }
        #expect(try await suggested() == [])
        try self.write(self.site(room: "other", slave: 1), gateway)
        try FileManager.default.moveItem(atPath: "\(gateway.folder)/site.yaml", toPath: "\(gateway.folder)/other.yaml")
        try configure(
            """
            state: state
            site: other.yaml
            profiles: [\(Checkout.profiles)]
            web: {port: 8081}
            broker: {port: 0}
            polling: {report: 1 s}
            log: {level: debug}

            """
        )
        let output = "\(gateway.folder)/reload"
        func reload(_ more: String...) async throws -> (code: Int32, text: String) {
            try? FileManager.default.removeItem(atPath: output)
            let arguments = ["reload", "--state", gateway.state] + more
            let code = try await Child("\(Checkout.programs)/campusctl", arguments, output: output).wait()
            return (code, try String(contentsOfFile: output, encoding: .utf8))
        }
        let told = try await reload()
        #expect(told.code == 1)
        for key in ["web.port", "log.level"] {
            #expect(told.text.contains("gateway.yaml: \(key) has changed; restart the gateway"), "\(told.text)")
        }
        #expect(!told.text.contains("report"), "\(told.text)")
        #expect(try await gateway.json(Nodes.self, "/api/v1/nodes").items.last?.name.en == "other")
        // The device exists now; a stranger is known by its profile again.
        try await gateway.publish("campus/else/telemetry", #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 20}"#)
        #expect(try await suggested() == ["uci-room-node"])
        struct Device: Decodable { var state: String }
        try await eventually("the new report period counts") {
            (try? await gateway.json(Device.self, "/api/v1/devices/room").state) == "offline"
        }

        try configure("state: state\nprofiles: [\(Checkout.profiles)]\nwbe: {}\n")
        let refused = try await reload()
        #expect(refused.code == 1 && refused.text.contains("unknown key 'wbe'"), "\(refused.text)")
        #expect(try await gateway.json(Nodes.self, "/api/v1/nodes").items.last?.name.en == "other")
        try configure(
            "state: state\nsite: other.yaml\nprofiles: [\(Checkout.profiles)]\nweb: {port: 0}\nbroker: {port: 0}\n"
        )
        let mended = try await reload()
        #expect(mended.code == 0, "\(mended.text)")
    }

    @Test(arguments: [("nodes: [\n", ""), ("", "wbe: {}")])
    func aConfigurationThatCannotBeUsedEndsTheStartWithCode78(site: String, settings: String) async throws {
        let gateway = try RunningGateway(site: site + RunningGateway.oneRoom, settings: settings)
        defer { gateway.stop() }
        #expect(try await gateway.spawn().wait() == 78)
        #expect(gateway.log.contains(settings.isEmpty ? "site.yaml:" : "gateway.yaml:5"), "\(gateway.log)")
    }
}

/// Every register holds its own address.
private struct CountingBank: RegisterBank {
    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        .success((0..<count).map { address &+ $0 })
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        RegisterException(code: 1)
    }

    func isPresent(unit: UInt8) -> Bool { unit == 1 }
}
