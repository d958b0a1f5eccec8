import Foundation
import Testing

/// Contracts with everything real: `campusctl`, a gateway, a broker, a publisher that is not ours.
@Suite(.serialized)
struct ContractTests {
    private let folder: String
    private static let contracts = "\(Checkout.root)/Firmware-Contracts"
    private static let site = """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        devices:
          - {id: p101, node: r1, profile: campus-classroom-node, parameters: {device: p101}}
          - {id: gate1, node: r1, profile: campus-attendance-reader, parameters: {device: gate1}}
        """

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("contract-\(UUID())").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    private func run(_ arguments: String...) async throws -> (code: Int32, output: String) {
        let output = "\(self.folder)/\(UUID())"
        let code = try await Child("\(Checkout.programs)/campusctl", ["contract"] + arguments, output: output).wait()
        return (code, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    private func payload(_ rest: String) -> String {
        let now = ISO8601DateFormatter().string(from: Date())
        return #"{"contract":"1.1","time":"\#(now)","seq":1,\#(rest)}"#
    }

    @Test func theShippedContractsPassEveryCommand() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let check = try await self.run("check", Self.contracts)
        #expect(check.code == 0, "\(check.output)")
        #expect(check.output.contains("campus-classroom-node/v1 1.1.0: good, 9 samples"))
        let test = try await self.run("test", Self.contracts, "--profiles", Checkout.profiles)
        #expect(test.code == 0, "\(test.output)")
        #expect(test.output.contains("note: profile milesight-am307: point tvoc: holds only while"))
        let diff = try await self.run("diff", "\(Self.contracts)/campus-classroom-node/v1")
        #expect(diff.code == 0)
        #expect(diff.output.contains("campus-classroom-node/v1 1.0.0 -> 1.1.0: minor"))
        #expect(diff.output.contains("minor: message telemetry /pm25: is new and optional"))
        let major = try await self.run(
            "diff",
            "\(Self.contracts)/esp-rfid/v1",
            "\(Self.contracts)/esp-rfid/v2",
            "--lang",
            "vi"
        )
        #expect(major.code == 0, "the number says that it is another major version")
        #expect(major.output.contains("major: channel base: không còn"))
        let node = "\(Self.contracts)/campus-classroom-node/v1"
        let header = try await self.run("header", node, "--output", self.folder, "--example")
        #expect(header.code == 0, "\(header.output)")
        #expect(FileManager.default.fileExists(atPath: "\(self.folder)/campus_classroom_node_v1.h"))
        let vectors = try await self.run("vectors", node)
        let object = try JSONSerialization.jsonObject(with: Data(vectors.output.utf8)) as? [String: Any]
        #expect((object?["vectors"] as? [Any])?.isEmpty == false)
    }

    @Test func aVersionWhoseNumberIsTooLowIsRefused() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let copy = "\(self.folder)/campus-classroom-node"
        try FileManager.default.copyItem(atPath: "\(Self.contracts)/campus-classroom-node", toPath: copy)
        let file = "\(copy)/v1/asyncapi.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("x-unit: 'Cel'", with: "x-unit: 'K'").write(toFile: file, atomically: true, encoding: .utf8)
        let check = try await self.run("check", self.folder)
        #expect(check.code == 1)
        #expect(check.output.contains("1.0.0 to 1.1.0 is a minor step, and there is a major change; it must be 2.0.0"))
        #expect(check.output.contains("major: message telemetry /temperature: unit: was Cel, is K"))
        let json = try await self.run("diff", "\(copy)/v1", "--json")
        #expect(json.code == 1)
        #expect(json.output.contains(#""good":false"#))
        try "asyncapi: 3.0.0\ninfo: {}\n".write(toFile: file, atomically: true, encoding: .utf8)
        let broken = try await self.run("check", self.folder)
        #expect(broken.code == 1)
        #expect(broken.output.contains("asyncapi.yaml:2:"), "\(broken.output)")
    }

    @Test func aPayloadIsValidatedFromAFileAndLive() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let node = "\(Self.contracts)/campus-classroom-node/v1"
        let topic = "campus/p101/telemetry"
        let good = try await self.run(
            "validate",
            node,
            "--topic",
            topic,
            "--payload",
            self.payload(#""temperature":21.5,"humidity":60"#)
        )
        #expect(good.code == 0)
        let file = "\(self.folder)/message.json"
        try self.payload(#""temperature":"21.5","humidity":60"#).write(toFile: file, atomically: true, encoding: .utf8)
        let bad = try await self.run("validate", node, "--topic", topic, "--payload", "@\(file)", "--lang", "vi")
        #expect(bad.code == 1)
        #expect(bad.output.contains(#"/temperature: cần số hoặc null, nhận được chữ "21.5""#))

        let gateway = try RunningGateway(site: Self.site)
        defer { gateway.stop() }
        try await gateway.start()
        // Kept by the broker, so that it is there whenever the listener comes.
        let kept = try await Child(
            "/usr/bin/mosquitto_pub",
            [
                "-h", "127.0.0.1", "-p", gateway.brokerPort, "-u", "devices", "-P", gateway.text("devices.password"),
                "-q", "1", "-r", "-t", "campus/p101/status", "-m", "maybe",
            ]
        )
        .wait()
        #expect(kept == 0)
        let live = try await self.run(
            "validate",
            node,
            "--live",
            "--topic",
            "campus/p101/status",
            "--port",
            gateway.brokerPort,
            "--username",
            "devices",
            "--password-file",
            "\(gateway.state)/devices.password",
            "--count",
            "1",
            "--seconds",
            "30"
        )
        #expect(live.code == 1)
        #expect(live.output.contains(#"payload: "maybe" is none of "online", "offline""#), "\(live.output)")
    }

    @Test func whatBreaksAContractIsOnThePagesAndCountedAndTheLastGoodStays() async throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let contracts = "\(self.folder)/contracts"
        let profiles = "\(self.folder)/profiles"
        try FileManager.default.copyItem(atPath: Self.contracts, toPath: contracts)
        try FileManager.default.copyItem(atPath: Checkout.profiles, toPath: profiles)
        let gateway = try RunningGateway(
            site: Self.site,
            settings: "contracts: [\(contracts)]\nquarantine: {entries: 50}",
            profiles: profiles
        )
        defer { gateway.stop() }
        try await gateway.start()
        func text(_ path: String) async -> String {
            let answer = try? await gateway.get(path)
            return String(decoding: answer?.0 ?? Data(), as: UTF8.self)
        }
        func latest() async -> Double? { (try? await gateway.latest("p101/temperature")) ?? nil }
        try await gateway.publish("campus/p101/telemetry", self.payload(#""temperature":21.5,"humidity":60"#))
        try await eventually("the value is there") { await latest() == 21.5 }
        try await gateway.publish("campus/p101/telemetry", self.payload(#""temperature":"22.5","Humidity":60"#))
        try await eventually("the violation is told") {
            let found = await text("/api/v1/quarantine")
            return found.contains("/temperature: cần số hoặc null, nhận được chữ")
                && found.contains("/humidity: missing; there is") && found.contains("contractViolation")
        }
        #expect(await latest() == 21.5)
        #expect(await text("/api/v1/devices").contains(#""state":"late""#))
        let metrics = await text("/metrics")
        #expect(metrics.contains(#"campus_contract_violations_total{contract="campus-classroom-node/v1"} 1"#))
        #expect(metrics.contains(#"campus_quarantine_total{reason="contractViolation"} 1"#))

        // A contract and a profile that cannot be read any more: the last good ones go on, and it is told.
        try "asyncapi: 3.0.0\n"
            .write(
                toFile: "\(contracts)/campus-classroom-node/v1/asyncapi.yaml",
                atomically: true,
                encoding: .utf8
            )
        try "profile: campus-classroom-node\n"
            .write(
                toFile: "\(profiles)/campus-classroom-node.yaml",
                atomically: true,
                encoding: .utf8
            )
        gateway.hangUp()
        try await eventually("the problems are told") {
            let text = (try? String(contentsOfFile: "\(gateway.folder)/log", encoding: .utf8)) ?? ""
            return text.contains(
                "campus-classroom-node/v1: the new file cannot be read; the last good one stays in use"
            )
                && text.contains("campus-classroom-node: the new file cannot be read; the last good one stays in use")
        }
        try await gateway.publish("campus/p101/telemetry", self.payload(#""temperature":23.25,"humidity":60"#))
        try await eventually("the last good decoder reads") { await latest() == 23.25 }
        try await gateway.publish("campus/p101/telemetry", self.payload(#""temperature":99.5,"humidity":60"#))
        try await eventually("the last good contract refuses") {
            let found = await text("/metrics")
            return found.contains(#"campus_contract_violations_total{contract="campus-classroom-node/v1"} 2"#)
        }

        // What is personal is in no file that the gateway writes: neither log, nor records, nor ring.
        let face = "TU9TUzIxAAAEhIcICfTlxgAAhbnQA4hFAQCOAJOFmgCPABwPEwCfAfwOhwCp"
        try await gateway.publish(
            "campus/gate1/card",
            #"{"contract":"1.0","time":"2026-01-01T00:00:00Z","seq":1,"uid":"0badc0de99","replay":false,"face":"\#(face)"}"#
        )
        try await eventually("the picture is refused") {
            await text("/api/v1/quarantine").contains("/face: not in the contract")
        }
        let answer = await text("/api/v1/quarantine")
        #expect(!answer.contains(face.prefix(12)) && !answer.contains("0badc0de99"))
        gateway.child?.end(SIGTERM)
        if let child = gateway.child { _ = await child.wait() }
        for file in FileManager.default.enumerator(atPath: gateway.folder)?.compactMap({ $0 as? String }) ?? [] {
            // The embedded broker's own queue may hold what was published: it is not ours to read, and in memory only.
            guard let data = FileManager.default.contents(atPath: "\(gateway.folder)/\(file)") else { continue }
            #expect(data.range(of: Data(face.prefix(12).utf8)) == nil, "\(file)")
            #expect(data.range(of: Data("0badc0de99".utf8)) == nil, "\(file)")
        }
    }
}
