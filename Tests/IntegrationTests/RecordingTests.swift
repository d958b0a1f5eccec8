import Foundation
import Testing

/// One after the other: each runs a gateway and a broker of its own.
@Suite(.serialized)
struct RecordingTests {
    private func replay(_ path: String, _ gateway: RunningGateway, speed: Int) throws -> Child {
        try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "replay", path, "--profile", "\(Checkout.profiles)/uci-room-node.yaml", "--parameter", "device=room",
                "--map", "Room_Occupancy_Count=occupancy", "--speed", "\(speed)", "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password",
            ]
        )
    }

    private func compare(_ truth: RecordingTruth, _ gateway: RunningGateway) async throws {
        for (index, column) in truth.columns.enumerated() {
            let samples = try await gateway.samples("room/\(RecordingTruth.point(column))")
            let rows = truth.rows.filter { $0.values[index] != nil }
            #expect(rows.count > 10_000)
            #expect(samples.count == rows.count, "\(column)")
            var differences = 0
            for (sample, row) in zip(samples, rows)
            where sample.at != row.at || sample.value != row.values[index] || sample.quality != "good" {
                differences += 1
            }
            #expect(differences == 0, "\(column)")
        }
    }

    @Test(.needsRecording) func everyValueOfTheRecordingComesBackEqualInOrderAndOnce() async throws {
        let path = try Checkout.recording()
        let truth = try RecordingTruth(path)
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        try await gateway.start()
        let exit = try await self.replay(path, gateway, speed: 0).wait()
        #expect(exit == 0)
        try await eventually("all rows arrived", seconds: 60) {
            (try? await gateway.metric("campus_mqtt_messages_total")) ?? 0 >= Double(truth.rows.count)
        }
        try await self.compare(truth, gateway)
        #expect(try await gateway.metric("campus_ring_late_total") == 0)
        gateway.stop()
    }

    @Test(.needsRecording) func nothingIsLostOrDoubledWhenTheGatewayIsKilledTwentyTimes() async throws {
        let path = try Checkout.recording()
        let truth = try RecordingTruth(path)
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        try await gateway.start()
        // The recording's 20 days in about 35 seconds.
        let player = try self.replay(path, gateway, speed: 50_000)
        var slowest = Duration.zero
        for _ in 0..<20 {
            await pause(milliseconds: Int.random(in: 300...1_200))
            gateway.kill9()
            let start = ContinuousClock.now
            try await gateway.start()
            slowest = max(slowest, ContinuousClock.now - start)
        }
        #expect(slowest <= .seconds(3), "back ingesting after \(slowest)")
        #expect(await player.wait() == 0)
        try await eventually("the last row arrived", seconds: 60) {
            (try? await gateway.samples("room/occupancy").last?.at) == truth.rows.last?.at
        }
        try await self.compare(truth, gateway)
        gateway.stop()
    }
}
