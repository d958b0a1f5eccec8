import Foundation
import Testing

/// Alerts of a running gateway: raised from a message, kept over kill -9, neither lost nor doubled.
@Suite(.serialized)
struct AlertsTests {
    private static let rules = """
        pack: kill
        title: {vi: a, en: b}
        rules:
          - id: hot
            title: {vi: "Nóng", en: "Hot"}
            advice: {vi: "Mở cửa.", en: "Open the door."}
            priority: high
            flapWindow: 0 s
            unit: Cel
            watch: {points: [s1-temperature]}
            threshold: {above: 30}
        """

    private struct Transitions: Decodable {
        struct Item: Decodable {
            var sequence: Int
            var kind: String
            var activation: Int
        }

        var items: [Item]
    }

    private func send(_ gateway: RunningGateway, _ value: Double) async throws {
        let time = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        try await gateway.publish("campus/room/telemetry", #"{"time": "\#(time)", "S1_Temp": \#(value)}"#)
    }

    private func transitions(_ gateway: RunningGateway) async throws -> [Transitions.Item] {
        try await gateway.json(Transitions.self, "/api/v1/alert-transitions?limit=1000").items.reversed()
    }

    private struct Alert: Decodable {
        var state: String
        var activation: Int
    }

    private func alert(_ gateway: RunningGateway) async throws -> Alert {
        try await gateway.json(Alert.self, "/api/v1/alerts/hot:room~s1-temperature")
    }

    @Test func alertsOutliveKillsAndAreCountedOnce() async throws {
        let rules = FileManager.default.temporaryDirectory.appendingPathComponent("campus-rules-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: rules) }
        try Self.rules.write(to: rules.appendingPathComponent("kill.yaml"), atomically: true, encoding: .utf8)
        let gateway = try RunningGateway(site: RunningGateway.oneRoom, settings: "rules: [\(rules.path)]")
        defer { gateway.stop() }
        try await gateway.start()
        var activations = 0
        for round in 0..<6 {
            let wasActive = try await self.alert(gateway).activation
            #expect(wasActive == activations, "round \(round): no activation was lost or doubled")
            try await self.send(gateway, 35)
            activations += 1
            if round % 2 == 0 {
                // At once, often before anything of it was written.
                try await eventually("the value was stored") {
                    (try? await gateway.samples("room/s1-temperature"))?.last?.value == 35
                }
                gateway.kill9()
                try await gateway.start()
            }
            try await eventually("raised") { (try? await self.alert(gateway))?.activation == activations }
            gateway.kill9()
            try await gateway.start()
            #expect(try await self.alert(gateway).activation == activations)
            #expect(["unacknowledged"].contains(try await self.alert(gateway).state))
            try await self.send(gateway, 20)
            try await eventually("over") {
                (try? await self.alert(gateway))?.state == "returned-unacknowledged"
            }
        }
        try await eventually("the last transition is written") {
            (try? await self.transitions(gateway))?.contains { $0.kind == "cleared" && $0.activation == 6 } ?? false
        }
        let all = try await self.transitions(gateway)
        #expect(all.map(\.sequence) == Array(1...all.count))
        #expect(all.filter { $0.kind == "raised" }.map(\.activation) == Array(1...6))
        #expect(all.filter { $0.kind == "cleared" }.map(\.activation) == Array(1...6))
    }
}
