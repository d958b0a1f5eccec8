import Foundation
import SparkplugB
import Testing

/// The gateway as a Sparkplug B edge node at a real broker, read by a subscriber that is not ours.
@Suite(.serialized)
struct SparkplugNodeTests {
    private struct Message {
        var type: Substring
        var device: Substring?
        var payload: SparkplugPayload

        /// `topic hexadecimal-payload`.
        init?(_ line: String) {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let levels = parts[0].split(separator: "/")
            let bytes = stride(from: 0, to: parts[1].count - 1, by: 2)
                .compactMap { UInt8(parts[1].dropFirst($0).prefix(2), radix: 16) }
            guard levels.count >= 4, levels[0] == "spBv1.0", let payload = SparkplugPayload(bytes: bytes) else {
                return nil
            }
            self.type = levels[2]
            self.device = levels.count > 4 ? levels[4] : nil
            self.payload = payload
        }

        var birthSequence: SparkplugMetric.Value? { self.payload.metrics.first { $0.name == "bdSeq" }?.value }
    }

    private func messages(_ broker: CityBroker) -> [Message] { broker.lines.compactMap { Message($0) } }

    /// The values of a point as a host resolves them, each instant once.
    private func values(_ broker: CityBroker, _ point: String) -> [Double] {
        var alias: UInt64?
        var known: Set<UInt64> = []
        var values: [Double] = []
        for message in self.messages(broker) where message.device == "room" {
            if message.type == "DBIRTH" { alias = message.payload.metrics.first { $0.name == point }?.alias }
            guard message.type == "DDATA" else { continue }
            for metric in message.payload.metrics where metric.alias == alias {
                guard case .double(let value) = metric.value, known.insert(metric.timestamp ?? 0).inserted else {
                    continue
                }
                values.append(value)
            }
        }
        return values
    }

    private func count(_ broker: CityBroker, _ type: String) -> Int {
        self.messages(broker).count { $0.type == type }
    }

    @Test func aHostSeesBirthsDataAndDeathsInOrder() async throws {
        let broker = try CityBroker()
        defer { broker.stop() }
        try await broker.start()
        try await broker.subscribe("spBv1.0/#", form: "%t %x")
        let settings = """
            exporters:
              - {name: platform, kind: sparkplug-b, host: 127.0.0.1, port: \(broker.port), group: schools, interval: 200 ms}
            """
        let gateway = try RunningGateway(site: RunningGateway.oneRoom, settings: settings)
        defer { gateway.stop() }
        try await gateway.start()
        try await ExporterTests.play(0..<300, to: gateway)
        try await eventually("the host has 300 values") { self.values(broker, "s1-temperature").count == 300 }
        #expect(self.values(broker, "s1-temperature") == (0..<300).map(Double.init))

        // Every message since the last birth has the next number.
        let heard = self.messages(broker)
        #expect(heard.first?.type == "NBIRTH")
        var next: UInt64 = 0
        for message in heard where message.type != "NDEATH" && message.type != "NCMD" {
            if message.type == "NBIRTH" { next = 0 }
            #expect(message.payload.sequence == next)
            next = (next + 1) % 256
        }

        var rebirth = SparkplugMetric(name: "Node Control/Rebirth", type: .boolean)
        rebirth.value = .boolean(true)
        let bytes = SparkplugPayload(timestamp: 1, metrics: [rebirth]).bytes
        let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let births = self.count(broker, "NBIRTH")
        try await broker.publish("spBv1.0/schools/NCMD/s", hexadecimal: hexadecimal)
        try await eventually("the node is born again") { self.count(broker, "NBIRTH") == births + 1 }

        // Killed: the broker tells the death that belongs to the last birth. Then a new birth with another number.
        gateway.kill9()
        try await eventually("the death is told") { self.count(broker, "NDEATH") == 1 }
        let told = self.messages(broker)
        let born = told.last { $0.type == "NBIRTH" }?.birthSequence
        #expect(told.last { $0.type == "NDEATH" }?.birthSequence == born)
        try await gateway.start()
        try await ExporterTests.play(300..<400, to: gateway)
        try await eventually("the host has 400 values") { self.values(broker, "s1-temperature").count == 400 }
        #expect(self.values(broker, "s1-temperature") == (0..<400).map(Double.init))
        #expect(self.messages(broker).last { $0.type == "NBIRTH" }?.birthSequence != born)

        // What waits while the broker is dead comes as history.
        broker.end()
        try await ExporterTests.play(400..<500, to: gateway)
        try await eventually("the outage is seen") {
            (try? await ExporterTests.exporter(gateway).connectedSince) == .some(nil)
        }
        try await broker.start()
        try await eventually("the host has 500 values") { self.values(broker, "s1-temperature").count == 500 }
        #expect(self.values(broker, "s1-temperature") == (0..<500).map(Double.init))
        let deaths = self.count(broker, "NDEATH")
        gateway.child?.end(SIGTERM)
        try await eventually("it says goodbye") { self.count(broker, "NDEATH") == deaths + 1 }
    }
}
