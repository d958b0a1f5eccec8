import Foundation
import SparkplugB
import Testing

/// A Sparkplug B edge node at a real broker, with bytes that the product's own encoder made.
@Suite(.serialized)
struct SparkplugHostIntegrationTests {
    private struct Item: Decodable {
        var key: String
        var state: String
        var pointCount: Int
    }

    private struct Latest: Decodable {
        var id: String
        var unit: String
        var value: Double?
        var quality: String?
    }

    private static func metric(_ name: String?, _ value: SparkplugMetric.Value, isHistorical: Bool = false)
        -> SparkplugMetric
    {
        var metric = SparkplugMetric(name: name, alias: 7, timestamp: self.now, type: name == nil ? nil : .float)
        metric.unit = name == nil ? nil : "°C"
        metric.isHistorical = isHistorical
        metric.value = value
        return metric
    }

    private static var now: UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000) }

    private func described(_ gateway: RunningGateway) async throws -> [Item] {
        try await gateway.json(RunningGateway.Page<Item>.self, "/api/v1/described?family=sparkplug").items
    }

    private func latest(_ gateway: RunningGateway) async -> Latest? {
        try? await gateway.json(RunningGateway.Page<Latest>.self, "/api/v1/latest?device=boiler").items
            .first { $0.id == "boiler/temp" }
    }

    @Test func anEdgeNodeIsBornAdoptedReadAskedAgainAndDies() async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let commands = "\(gateway.folder)/commands"
        let listener = try Child(
            "/usr/bin/mosquitto_sub",
            [
                "-h", "127.0.0.1", "-p", gateway.brokerPort, "-u", "devices", "-P", gateway.text("devices.password"),
                "-t", "spBv1.0/plant/NCMD/edge", "-F", "%t %l",
            ],
            output: commands
        )
        defer { listener.end(SIGTERM) }
        func send(_ kind: String, _ sequence: UInt64?, _ metrics: [SparkplugMetric], device: Bool = true) async throws {
            let payload = SparkplugPayload(timestamp: Self.now, sequence: sequence, metrics: metrics).bytes
            try await gateway.publish("spBv1.0/plant/\(kind)/edge\(device ? "/boiler" : "")", bytes: payload)
        }
        var session = SparkplugMetric(name: "bdSeq", type: .int64)
        session.value = .long(4)
        func born() async throws {
            try await send("NBIRTH", 0, [session], device: false)
            try await send("DBIRTH", 1, [Self.metric("Temp", .double(20))])
        }
        // Data before any birth is a reason to ask.
        try await eventually("somebody listens for commands") {
            try? await send("DDATA", 9, [Self.metric(nil, .double(1))])
            return (try? String(contentsOfFile: commands, encoding: .utf8))?.contains("NCMD") == true
        }
        try await born()
        try await eventually("it waits") {
            (try? await self.described(gateway).map { [$0.state, "\($0.pointCount)"] }) == [["waiting", "1"]]
        }
        let found = try await self.described(gateway)
        let adopted = try Child(
            "\(Checkout.programs)/campusctl",
            ["described", "adopt", found[0].key, "--device", "boiler", "--room", "r1", "--state", gateway.state]
        )
        #expect(await adopted.wait() == 0)
        try await send("DDATA", 2, [Self.metric(nil, .double(41.5))])
        try await eventually("it is read") { await self.latest(gateway)?.value == 41.5 }
        #expect(await self.latest(gateway)?.quality == "good")
        #expect(await self.latest(gateway)?.unit == "Cel")
        // What is history is stored at its own time and is not the newest value.
        var old = Self.metric(nil, .double(7), isHistorical: true)
        old.timestamp = Self.now - 600_000
        try await send("DDATA", 3, [old])
        try await eventually("history is stored") {
            (try? await gateway.samples("boiler/temp").contains { $0.value == 7 }) == true
        }
        #expect(await self.latest(gateway)?.value == 41.5)
        // A gap: nothing counts until the births.
        try await send("DDATA", 7, [Self.metric(nil, .double(99))])
        try await send("DDATA", 8, [Self.metric(nil, .double(98))])
        try await eventually("the gap is counted") {
            ((try? await gateway.metric("campus_sparkplug_out_of_order_total")) ?? 0) >= 3
        }
        #expect(await self.latest(gateway)?.value == 41.5)
        try await born()
        try await eventually("its births count") { await self.latest(gateway)?.value == 20 }
        try await send("NDEATH", nil, [session], device: false)
        struct State: Decodable { var state: String }
        try await eventually("it is offline") {
            (try? await gateway.json(State.self, "/api/v1/devices/boiler"))?.state == "offline"
        }
        #expect(await self.latest(gateway)?.quality != "good")
    }
}
