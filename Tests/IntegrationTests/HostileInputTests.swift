import Foundation
import Logging
import MQTTTransport
import Testing

private struct Nobody: MQTTBatchReceiver {
    func receive(_ batch: [MQTTMessage]) {}
    func connectionChanged(_ state: MQTTConnectionState) {}
}

@Suite(.serialized)
struct HostileInputTests {
    private static let site =
        RunningGateway.oneRoom
        + "\n  - {id: gate, node: r1, profile: esp-rfid-v1, parameters: {topic: gate}}"

    /// Payloads for a device that expects `{"time": RFC 3339, "S1_Temp": number, …}`; none of them may become a value.
    private static var payloads: [[UInt8]] {
        let now = "\"time\":\"2026-01-01T00:00:00Z\""
        var texts: [String] = [
            "", " ", "null", "true", "1", "\"text\"", "[]", "{}", "{", "}", "[", "]", "{]", "[}", "nan", "NaN",
            "Infinity", "-Infinity", "{\(now),\"S1_Temp\":NaN}", "{\(now),\"S1_Temp\":Infinity}",
            "{\(now),\"S1_Temp\":1e400}", "{\(now),\"S1_Temp\":-1e400}", "{\(now),\"S1_Temp\":01}",
            "{\(now),\"S1_Temp\":.5}", "{\(now),\"S1_Temp\":5.}", "{\(now),\"S1_Temp\":+5}",
            "{\(now),\"S1_Temp\":0x10}",
            "{\(now),\"S1_Temp\":--1}", "{\(now),\"S1_Temp\":1e}", "{\(now),\"S1_Temp\":[21]}",
            "{\(now),\"S1_Temp\":{\"a\":21}}", "{\(now),\"S1_Temp\":\"warm\"}", "{\(now),\"S1_Temp\":\"\"}",
            "{\(now),\"S1_Temp\":\"NaN\"}", "{\(now),\"S1_Temp\":\"1e400\"}", "{\(now),\"S1_Temp\":1,\"S1_Temp\":2}",
            "{\(now),\(now),\"S1_Temp\":1}", "{\(now),\"S1_Temp\":1,\"\\u00531_Temp\":2}", "{\(now),\"S1_Temp\":1}x",
            "{\(now),\"S1_Temp\":1}{}", "{\(now),\"S1_Temp\":1,}", "{\(now) \"S1_Temp\":1}", "{\(now),S1_Temp:1}",
            "{'time':'x'}", "\u{FEFF}{\(now),\"S1_Temp\":1}", "{\(now),\"a\":\"\\ud800\"}",
            "{\(now),\"a\":\"\\udc00x\"}",
            "{\(now),\"a\":\"\\x\"}", "{\(now),\"a\":\"\\u12\"}", "{\(now),\"a\":\"\n\"}", "{\(now),\"a\":\"",
            "{\"S1_Temp\":21}", "{\"time\":null,\"S1_Temp\":21}", "{\"time\":5,\"S1_Temp\":21}",
            "{\"time\":\"yesterday\",\"S1_Temp\":21}", "{\"time\":\"2026-13-01T00:00:00Z\",\"S1_Temp\":21}",
            "{\"time\":\"2026-02-30T00:00:00Z\",\"S1_Temp\":21}", "{\"time\":\"2026-01-01T25:00:00Z\",\"S1_Temp\":21}",
            "{\"time\":\"2026-01-01T00:00:00\",\"S1_Temp\":21}", "{\"time\":\"2099-01-01T00:00:00Z\",\"S1_Temp\":21}",
            "{\"time\":\"2100-06-01T00:00:00Z\",\"S1_Temp\":21}", "{\"time\":\"9999-12-31T23:59:59Z\",\"S1_Temp\":21}",
            "{\"time\":\"1969-12-31T23:59:59Z\",\"S1_Temp\":21}", "{\"time\":\"0000-00-00T00:00:00Z\",\"S1_Temp\":21}",
            String(repeating: "[", count: 10_000), String(repeating: "{\"a\":", count: 10_000),
            "{\(now),\"a\":" + String(repeating: "[", count: 33) + String(repeating: "]", count: 33) + "}",
            "{\(now)," + (0..<1_100).map { "\"k\($0)\":1" }.joined(separator: ",") + "}",
            "[" + String(repeating: "1,", count: 17_000) + "1]",
            "{\(now),\"a\":\"" + String(repeating: "x", count: 1 << 20) + "\"}",
        ]
        for kind in ["null", "[]", "{}", "\"x\"", "1e999", "-", "tru", "fals", "nul"] {
            for column in ["S1_Temp", "S5_CO2", "S1_Sound", "Room_Occupancy_Count"] {
                texts.append("{\(now),\"\(column)\":\(kind == "null" ? "[null]" : kind)}")
            }
        }
        var result = texts.map { Array($0.utf8) }
        result += [
            [0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            Array("{\"time\":\"".utf8) + [0x80, 0x22, 0x7D],
            Array("{\(now),\"S1_Temp\":1}".utf8) + [0], [0] + Array("{\(now),\"S1_Temp\":1}".utf8),
            Array("{\(now),\"a".utf8) + [0] + Array("\":1}".utf8), Array(repeating: 0x20, count: 65_000),
        ]
        // Cut anywhere, a good payload is a bad one.
        let good = Array("{\(now),\"S1_Temp\":21.5,\"S5_CO2\":400}".utf8)
        for length in stride(from: 1, to: good.count, by: 1) { result.append(Array(good[0..<length])) }
        var state: UInt64 = 2_026
        while result.count < 200 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            result.append(
                (0..<Int(state >> 56)).map { UInt8(truncatingIfNeeded: Int(state >> 40) &* ($0 &+ 7)) } + [0x7B]
            )
        }
        return result
    }

    @Test func twoHundredHostileMessagesAreCountedAndNothingElseHappens() async throws {
        let gateway = try RunningGateway(site: Self.site)
        try await gateway.start()
        guard let port = UInt16(gateway.brokerPort) else { throw TestFailure("no broker port") }
        var configuration = MQTTConfiguration(host: "127.0.0.1", port: port, clientID: "hostile")
        configuration.username = "devices"
        configuration.password = gateway.text("devices.password")
        let connection = MQTTConnection(configuration: configuration, receiver: Nobody(), logger: Logger(label: "test"))
        let running = Task { try await connection.run() }
        let payloads = Self.payloads
        #expect(payloads.count >= 200)
        for payload in payloads {
            try await connection.publishAndWait(topic: "campus/room/telemetry", payload: payload)
        }
        let topics = [
            "unknown", "campus/other/telemetry", "campus/room", "campus/room/telemetry/deeper", "/", "//", " ",
            "campus//telemetry",
            String(repeating: "a/", count: 190) + "z", String(repeating: "é", count: 30_000), "gate",
        ]
        for topic in topics {
            try await connection.publishAndWait(topic: topic, payload: Array("{\"uid\":\"04AA11BB22\"}".utf8))
        }
        let sent = Double(payloads.count + topics.count)
        try await eventually("all were received") {
            (try? await gateway.metric("campus_mqtt_messages_total")) ?? 0 >= sent
        }
        let counted =
            try await gateway.metric("campus_mqtt_violations_total") + gateway.metric("campus_mqtt_unclaimed_total")
        // "gate" belongs to the reader, but is no access and no heartbeat message: rightly not its own.
        #expect(counted == sent)
        #expect(try await gateway.metric("campus_quarantine_total") == counted, "each with its reason")
        #expect(try await gateway.metric("campus_ring_samples_total") == 0, "no hostile payload became a value")
        #expect(gateway.child?.isRunning == true)
        let (page, _) = try await gateway.get("/api/v1/quarantine")
        #expect(!String(decoding: page, as: UTF8.self).contains("04AA11BB22"), "card numbers are masked")
        #expect(!gateway.log.contains("04AA11BB22"))
        // A good one still works.
        let good = "{\"time\":\"2026-01-01T00:00:00Z\",\"S1_Temp\":21.5}"
        try await connection.publishAndWait(topic: "campus/room/telemetry", payload: Array(good.utf8))
        try await eventually("the good one is stored") {
            (try? await gateway.metric("campus_ring_samples_total")) == 1
        }
        running.cancel()
        _ = await running.result
        gateway.stop()
    }

    @Test func aKilledBrokerIsBackWithinFiveSeconds() async throws {
        let gateway = try RunningGateway(site: Self.site)
        try await gateway.start()
        guard let broker = Int32(gateway.text("broker/pid")) else { throw TestFailure("no broker pid") }
        kill(broker, SIGKILL)
        let start = ContinuousClock.now
        try await eventually("noticed") { await !gateway.isReady }
        try await eventually("connected again", seconds: 5) { await gateway.isReady }
        #expect(ContinuousClock.now - start < .seconds(5))
        gateway.stop()
    }
}
