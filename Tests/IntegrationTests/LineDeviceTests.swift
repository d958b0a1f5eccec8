import Foundation
import LineTransport
import Testing

/// The whole gateway with devices that are asked line by line.
@Suite(.serialized)
struct LineDeviceTests {
    private struct Device: Decodable {
        struct Fault: Decodable {
            var reason: String
            var message: String
        }
        var state: String
        var lastFault: Fault?
    }

    /// A projector that asks for a password, by the words of PJLink.
    private struct Projector: LineBank {
        final class Session: LineSession {
            private var isOpen = false
            let greeting = Array("PJLINK 1 498e4a67\r".utf8)

            func answer(_ buffer: inout [UInt8]) -> [UInt8]? {
                guard let end = buffer.firstIndex(of: 0x0D) else { return nil }
                var line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                if !self.isOpen {
                    // MD5 of the greeting's number and "JBMIAProjectorLink", the example of PJLink's own specification.
                    let digest = "5d8409bc1c3fa39749434aa3a5c38682"
                    guard line.hasPrefix(digest) else { return Array("PJLINK ERRA\r".utf8) }
                    line.removeFirst(digest.count)
                    self.isOpen = true
                }
                let replies = [
                    "%1POWR ?": "%1POWR=1", "%1INPT ?": "%1INPT=31", "%1AVMT ?": "%1AVMT=30",
                    "%1ERST ?": "%1ERST=000010", "%1LAMP ?": "%1LAMP=1248 1", "%1NAME ?": "%1NAME=A101",
                ]
                return Array("\(replies[line] ?? "%1\(line.dropFirst(2).prefix(4))=ERR1")\r".utf8)
            }
        }

        func makeSession() -> any LineSession { Session() }
    }

    private func site(_ port: UInt16, _ more: String = "") -> String {
        """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        buses:
          - {id: projector, line: {host: 127.0.0.1, port: \(port), passwordFile: secret}}
        devices:
          - {id: pj, node: r1, profile: pjlink-class-1, bus: projector}
        \(more)
        """
    }

    @Test func aProjectorWithAPasswordIsReadAndAWrongPasswordIsTold() async throws {
        let server = LineServer(bank: Projector())
        let port = try server.listen(port: 0)
        defer { server.stop() }
        let gateway = try RunningGateway(site: self.site(port), settings: "polling: {normal: 200 ms, slow: 1 s}")
        defer { gateway.stop() }
        let secret = "\(gateway.folder)/secret"
        try "JBMIAProjectorLink\n".write(toFile: secret, atomically: true, encoding: .utf8)
        try await gateway.start()
        try await eventually("the lamp's hours are read") { (try? await gateway.latest("pj/lamp-hours")) == 1248 }
        #expect(try await gateway.latest("pj/power") == 1)
        #expect(try await gateway.latest("pj/filter-error") == 1)
        #expect(try await gateway.json(Device.self, "/api/v1/devices/pj").state == "online")
        #expect(try await gateway.metric("campus_line_requests_total") > 0)
        try "wrong\n".write(toFile: secret, atomically: true, encoding: .utf8)
        try await eventually("the wrong password is told") {
            (try? await gateway.json(Device.self, "/api/v1/devices/pj"))?.lastFault?.message.contains("password")
                == true
        }
        #expect(!gateway.log.contains("JBMIAProjectorLink"))
    }

    @Test func aLateProjectorNeverTellsTheAnswerOfAnotherRequest() async throws {
        let server = LineServer(bank: Projector())
        let port = try server.listen(port: 0)
        defer { server.stop() }
        let site = self.site(port).replacing("passwordFile: secret}}", with: "passwordFile: secret}, timeout: 100 ms}")
        let gateway = try RunningGateway(site: site, settings: "polling: {normal: 100 ms, slow: 1 s}")
        defer { gateway.stop() }
        try "JBMIAProjectorLink\n".write(toFile: "\(gateway.folder)/secret", atomically: true, encoding: .utf8)
        server.setChooser { number in number % 7 == 0 ? .late(milliseconds: 80 + number % 50) : .none }
        try await gateway.start()
        try await eventually("it was late a few times", seconds: 60) {
            (try? await gateway.metric("campus_line_timeouts_total")) ?? 0 >= 5
        }
        for (point, value) in [("pj/power", 1.0), ("pj/mute", 30), ("pj/filter-error", 1), ("pj/fan-error", 0)] {
            let samples = try await gateway.samples(point).filter { $0.quality == "good" }
            #expect(!samples.isEmpty)
            #expect(samples.allSatisfy { $0.value == value }, "\(point)")
        }
    }

    @Test func aSerialBalanceIsReadFromTheSimulator() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-balance-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ends = ["\(folder)/left", "\(folder)/right"]
        let pair = try Child("/usr/bin/socat", ends.map { "pty,raw,echo=0,link=\($0)" })
        defer {
            pair.end(SIGKILL)
            try? FileManager.default.removeItem(atPath: folder)
        }
        try await eventually("socat has made the line") {
            ends.allSatisfy { FileManager.default.fileExists(atPath: $0) }
        }
        let site = """
            site: {id: s, name: {vi: Trường, en: School}}
            nodes:
              - {id: lab, kind: room, room: laboratory, name: {vi: Phòng, en: Laboratory}}
            buses:
              - {id: can, line: {device: \(ends[0])}}
            devices:
              - {id: can, node: lab, profile: mettler-toledo-mt-sics, bus: can}
            """
        let gateway = try RunningGateway(site: site, settings: "polling: {fast: 100 ms}")
        defer { gateway.stop() }
        try await gateway.start()
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(gateway.folder)/site.yaml", "--profiles", Checkout.profiles, "--broker-port",
                gateway.brokerPort, "--username", "devices", "--password-file",
                "\(gateway.state)/devices.password", "--serial", "can=\(ends[1])",
            ],
            output: "\(gateway.folder)/simulator.log"
        )
        defer { simulator.end(SIGTERM) }
        try await eventually("the balance is weighed", seconds: 60) {
            ((try? await gateway.latest("can/weight")) ?? nil) != nil
        }
        #expect(try await gateway.json(Device.self, "/api/v1/devices/can").state == "online")
    }

    @Test func aLineDeviceOnAModbusBusIsAConfigurationProblem() async throws {
        let site = self.site(4352, "  - {id: meter, node: r1, profile: eastron-sdm120, bus: projector}")
        let gateway = try RunningGateway(site: site)
        defer { gateway.stop() }
        let output = "\(gateway.folder)/check"
        let code = try await Child(
            "\(Checkout.programs)/campusctl",
            ["check", "--config", "\(gateway.folder)/gateway.yaml"],
            output: output
        )
        .wait()
        #expect(code != 0)
        #expect(try String(contentsOfFile: output, encoding: .utf8).contains("bus 'projector' has 'line'"))
    }
}
