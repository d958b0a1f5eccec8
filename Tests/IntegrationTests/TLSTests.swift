import Foundation
import Testing

/// Certificates from `campusctl certificate`, a gateway that shows them, clients that are not ours.
@Suite(.serialized)
struct TLSTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-tls-\(UUID())").path

    private var certificates: String { "\(self.folder)/tls" }

    private func campusctl(_ arguments: String...) async throws -> (code: Int32, output: String) {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let output = "\(self.folder)/output"
        try? FileManager.default.removeItem(atPath: output)
        let code = try await Child("\(Checkout.programs)/campusctl", arguments, output: output).wait()
        return (code, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    /// Publishes one reading, of the value `second` at that second, with mosquitto's own client; returns its exit code.
    private func publish(_ second: Int, port: String, _ arguments: [String]) async throws -> Int32 {
        try await Child(
            "/usr/bin/mosquitto_pub",
            [
                "-h", "localhost", "-p", port, "-q", "1", "-t", "campus/room/telemetry", "-m",
                #"{"time": "2026-11-24T07:00:\#(second)Z", "S1_Temp": \#(second)}"#,
            ] + arguments
        )
        .wait()
    }

    private func account(_ gateway: RunningGateway) -> [String] {
        ["-u", "devices", "-P", gateway.text("devices.password")]
    }

    private func mode(_ file: String) throws -> Int {
        try #require(
            FileManager.default.attributesOfItem(atPath: "\(self.certificates)/\(file)")[.posixPermissions] as? Int
        )
    }

    @Test func oneCertificateServesPagesCommandsAndDevices() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        #expect(try await self.campusctl("certificate", self.certificates).code == 0)
        #expect(try self.mode("gateway.key") == 0o600)
        #expect(try self.mode("ca.key") == 0o600)
        let key = try Data(contentsOf: URL(fileURLWithPath: "\(self.certificates)/gateway.key"))
        let again = try await self.campusctl("certificate", self.certificates)
        #expect(again.code != 0)
        #expect(again.output.contains("is there already; nothing was changed"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(self.certificates)/gateway.key")) == key)

        let pair = "certificate: \(self.certificates)/gateway.pem, key: \(self.certificates)/gateway.key"
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            web: "host: 0.0.0.0, tls: {\(pair)}",
            broker: "port: 0, host: 0.0.0.0, tls: {\(pair)}"
        )
        defer { gateway.stop() }
        try await gateway.start()
        #expect(gateway.text("address").hasPrefix("https://127.0.0.1:"))

        let status = try await self.campusctl("status", "--state", gateway.state)
        #expect(status.code == 0, "\(status.output)")
        let elsewhere = try await self.campusctl(
            "status",
            "--address",
            gateway.text("address"),
            "--token-file",
            "\(gateway.state)/operator.token"
        )
        #expect(elsewhere.code != 0)
        #expect(elsewhere.output.contains("--authority"), "\(elsewhere.output)")
        let trusted = try await self.campusctl(
            "status",
            "--address",
            gateway.text("address"),
            "--token-file",
            "\(gateway.state)/operator.token",
            "--authority",
            "\(self.certificates)/ca.pem"
        )
        #expect(trusted.code == 0, "\(trusted.output)")

        let authority = ["--cafile", "\(self.certificates)/ca.pem"]
        let port = gateway.brokerPort
        #expect(try await self.publish(21, port: port, self.account(gateway)) != 0, "plain MQTT on the TLS port")
        #expect(try await self.publish(22, port: port, authority + ["-u", "devices", "-P", "wrong"]) != 0)
        #expect(try await self.publish(23, port: port, authority + self.account(gateway)) == 0)
        try await eventually("the value is there") { (try? await gateway.latest("room/s1-temperature")) == 23 }
        #expect(try await gateway.samples("room/s1-temperature").count == 1)
    }

    @Test func withAnAuthorityTheBrokerAsksDevicesForCertificates() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        #expect(try await self.campusctl("certificate", self.certificates, "--client", "cam-1").code != 0)
        #expect(try await self.campusctl("certificate", self.certificates).code == 0)
        #expect(try await self.campusctl("certificate", self.certificates, "--client", "cam-1").code == 0)
        let stranger = "\(self.folder)/stranger"
        #expect(try await self.campusctl("certificate", stranger).code == 0)
        #expect(try await self.campusctl("certificate", stranger, "--client", "cam-1").code == 0)

        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            broker: """
                port: 0, tls: {authority: \(self.certificates)/ca.pem, \
                certificate: \(self.certificates)/gateway.pem, key: \(self.certificates)/gateway.key}
                """
        )
        defer { gateway.stop() }
        try await gateway.start()
        let port = gateway.brokerPort
        let common = ["--cafile", "\(self.certificates)/ca.pem"] + self.account(gateway)
        let theirs = ["--cert", "\(stranger)/cam-1.pem", "--key", "\(stranger)/cam-1.key"]
        let ours = ["--cert", "\(self.certificates)/cam-1.pem", "--key", "\(self.certificates)/cam-1.key"]
        #expect(try await self.publish(31, port: port, common) != 0, "no certificate")
        #expect(try await self.publish(32, port: port, common + theirs) != 0, "somebody else's certificate")
        #expect(try await self.publish(33, port: port, common + ours) == 0)
        try await eventually("the value is there") { (try? await gateway.latest("room/s1-temperature")) == 33 }
        #expect(try await gateway.samples("room/s1-temperature").count == 1)
    }

    @Test(arguments: ["3.1.1", "5"])
    func anExternalBrokerMayAskTheGatewayForItsCertificate(version: String) async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        #expect(try await self.campusctl("certificate", self.certificates).code == 0)
        #expect(try await self.campusctl("certificate", self.certificates, "--client", "school-7").code == 0)
        let port = try Checkout.freePort()
        try """
        listener \(port) 127.0.0.1
        allow_anonymous true
        cafile \(self.certificates)/ca.pem
        certfile \(self.certificates)/gateway.pem
        keyfile \(self.certificates)/gateway.key
        require_certificate true
        \(geteuid() == 0 ? "user root" : "")
        """
        .write(toFile: "\(self.folder)/mosquitto.conf", atomically: true, encoding: .utf8)
        let broker = try Child("/usr/sbin/mosquitto", ["-c", "\(self.folder)/mosquitto.conf"])
        defer { broker.end(SIGTERM) }
        try await eventually("the broker listens") { Checkout.accepts(port) }

        func gateway(_ name: String?) throws -> RunningGateway {
            let pair = name.map { ", certificate: \(self.certificates)/\($0).pem, key: \(self.certificates)/\($0).key" }
            return try RunningGateway(
                site: RunningGateway.oneRoom,
                broker: """
                    mode: external, host: localhost, port: \(port), version: "\(version)", \
                    tls: {authority: \(self.certificates)/ca.pem\(pair ?? "")}
                    """
            )
        }
        let known = try gateway("school-7")
        defer { known.stop() }
        try await known.start()
        let ours = ["--cert", "\(self.certificates)/school-7.pem", "--key", "\(self.certificates)/school-7.key"]
        let authority = ["--cafile", "\(self.certificates)/ca.pem"]
        try await eventually("connected") { (try? await known.metric("campus_mqtt_connected")) == 1 }
        #expect(try await self.publish(41, port: "\(port)", authority + ours) == 0)
        try await eventually("the value is there") { (try? await known.latest("room/s1-temperature")) == 41 }

        let unknown = try gateway(nil)
        defer { unknown.stop() }
        try unknown.spawn()
        try await eventually("it was refused") {
            guard let (body, status) = try? await unknown.get("/readyz", authorized: false) else { return false }
            // The reason of the first attempt follows the colon; before it there is none.
            return status == 503 && String(decoding: body, as: UTF8.self).contains("the MQTT broker: ")
        }
        #expect(try await unknown.metric("campus_mqtt_connected") == 0)
    }

    @Test(arguments: ["web", "broker"])
    func listeningWiderWithoutACertificateIsRefusedWithTheReason(part: String) async throws {
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            web: part == "web" ? "host: 0.0.0.0" : "",
            broker: part == "broker" ? "port: 0, host: 0.0.0.0" : "port: 0"
        )
        defer { gateway.stop() }
        let program = try gateway.spawn()
        #expect(await program.wait() != 0)
        #expect(gateway.log.contains("gateway.yaml"))
        #expect(gateway.log.contains("without TLS"))
        #expect(gateway.log.contains("campusctl certificate"))
    }
}
