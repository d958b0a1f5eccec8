import Foundation
import MQTTTransport
import SiteConfiguration
import Testing

@testable import GatewayApp

/// A gateway beside a broker that is not its own.
@Suite(.serialized)
struct ExternalBrokerTests {
    private static let statusTopic = "campus/gateway/status"

    /// A mosquitto as somebody else runs it.
    private static func mosquitto(port: UInt16) async throws -> Child {
        let broker = try Child("/usr/sbin/mosquitto", ["-p", "\(port)"])
        try await eventually("mosquitto listens") { Checkout.accepts(port) }
        return broker
    }

    /// What is retained on the gateway's status topic.
    private static func status(port: UInt16) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("campus-status-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let client = try Child(
            "/usr/bin/mosquitto_sub",
            ["-p", "\(port)", "-t", self.statusTopic, "-C", "1", "-W", "5"],
            output: file
        )
        _ = await client.wait()
        return try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(arguments: ["embedded", "external"])
    func theGatewayNeverWaitsLongerThanFourSecondsBetweenConnections(mode: String) throws {
        let file = try GatewayConfiguration.read(
            yaml: "state: s\nprofiles: [p]\nbroker: {mode: \(mode), port: 1883}\n",
            file: "/tmp/gateway.yaml"
        )
        let mqtt = try MQTTConfiguration(file, embedded: mode == "embedded" ? (1_883, "x") : nil)
        #expect(mqtt.backoffMaxMilliseconds <= 4_000)
    }

    @Test func aBrokerThatHealsIsUsedWithinFiveSeconds() async throws {
        let port = try Checkout.freePort()
        var broker = try await Self.mosquitto(port: port)
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            broker: "mode: external, host: 127.0.0.1, port: \(port)"
        )
        try await gateway.start()
        defer {
            gateway.stop()
            broker.end(SIGKILL)
        }
        for isAccepting in [false, true] {
            broker.end(SIGKILL)
            try await eventually("the gateway says so") { await !gateway.isReady }
            // Down, or in the hands of something that accepts and closes, until the back-off has reached its maximum.
            let stub =
                isAccepting
                ? try Child("/usr/bin/socat", ["TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr", "EXEC:/bin/true"])
                : nil
            let down = ContinuousClock.now
            try await eventually("ten seconds have passed") { ContinuousClock.now - down > .seconds(10) }
            stub?.end(SIGKILL)
            broker = try await Self.mosquitto(port: port)
            let healed = ContinuousClock.now
            try await eventually("the gateway is connected again", seconds: 30) { await gateway.isReady }
            let took = ContinuousClock.now - healed
            print("connected \(took) after the broker healed")
            #expect(took <= .seconds(5))
        }
    }

    @Test func theStatusTopicTellsWhetherTheGatewayIsThere() async throws {
        let port = try Checkout.freePort()
        let broker = try await Self.mosquitto(port: port)
        defer { broker.end(SIGKILL) }
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            broker: "mode: external, host: 127.0.0.1, port: \(port), keepAlive: 5 s"
        )
        defer { gateway.stop() }
        try await gateway.start()
        #expect(try await Self.status(port: port) == "online")
        gateway.child?.end(SIGTERM)
        #expect(try await Self.status(port: port) == "offline", "it says goodbye")
        try await gateway.start()
        #expect(try await Self.status(port: port) == "online")
        gateway.kill9()
        try await eventually("the broker tells its last will") { (try? await Self.status(port: port)) == "offline" }
    }
}
