import Foundation
import Testing

/// The whole gateway on a serial line with the simulator on its other end.
@Suite(.serialized)
struct SerialLineTests {
    /// A device whose every register has a value of its own, in reads of one shape: what is put in a wrong place is out
    /// of its range.
    private static func profile(_ number: Int, _ wire: String = "") -> String {
        let points = (0..<6)
            .map { index in
                let value = self.value(number, index)
                return "  - {name: p\(index), title: {vi: P, en: P}, unit: \"1\", poll: fast, wire: {table: holding, "
                    + "address: \(index * 10), type: uint16}, range: {min: \(value), max: \(value + 1)}}"
            }
        return """
            profile: unit\(number)
            vendor: V
            model: M
            category: energy
            title: {vi: T, en: T}
            sources: [{title: "by hand", url: "https://example.org", trust: C}]
            verified: false
            modbus: {unit: \(number), gapMax: 0\(wire)}
            points:
            \(points.joined(separator: "\n"))
            tests:
              - name: none
                modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
                expect: {p0: {quality: "bad:range"}}
            """
    }

    private static func value(_ number: Int, _ index: Int) -> Int { number * 1_000 + index * 100 }

    /// A gateway on `bus` with units 1 to 3 and a simulator that plays them.
    private func withLine(
        bus: String,
        wire: String = "",
        simulator arguments: [String],
        _ body: (RunningGateway, _ control: (String) throws -> Void) async throws -> Void
    ) async throws {
        let devices = (1...3).map { "  - {id: d\($0), node: r1, profile: unit\($0), bus: line}" }
        let gateway = try RunningGateway(
            site: """
                site: {id: s, name: {vi: Trường, en: School}}
                nodes:
                  - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
                buses:
                  - \(bus)
                devices:
                \(devices.joined(separator: "\n"))
                """,
            settings: "polling: {fast: 50 ms}",
            profiles: "profiles"
        )
        let folder = "\(gateway.folder)/profiles"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 1...3 {
            try Self.profile(number, wire)
                .write(toFile: "\(folder)/unit\(number).yaml", atomically: true, encoding: .utf8)
        }
        try await gateway.start()
        let file = "\(gateway.folder)/control"
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(gateway.folder)/site.yaml", "--profiles", folder, "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password", "--control", file,
            ] + arguments,
            output: "\(gateway.folder)/simulator.log"
        )
        defer {
            simulator.end(SIGTERM)
            gateway.stop()
        }
        var said = ""
        try await body(gateway) { command in
            said += command + "\n"
            try said.write(toFile: file, atomically: true, encoding: .utf8)
        }
    }

    private struct Device: Decodable {
        struct Fault: Decodable {
            var reason: String
            var frame: String
        }
        var state: String
        var failures: Int
        var latencyMilliseconds: Double
        var lastFault: Fault?
    }

    private func device(_ number: Int, _ gateway: RunningGateway) async -> Device? {
        try? await gateway.json(Device.self, "/api/v1/devices/d\(number)")
    }

    @Test func lateRepliesOnASerialLineNeverBecomeAnotherValue() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-line-\(UUID())").path
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
        try await self.withLine(
            bus: "{id: line, rtu: {device: \(ends[0]), baud: 115200}, timeout: 100 ms}",
            simulator: ["--serial", "line=\(ends[1])"]
        ) { gateway, say in
            for number in 1...3 {
                try await eventually("d\(number) is read") { await self.device(number, gateway)?.state == "online" }
            }
            for round in 0..<6 {
                let number = 1 + round % 3
                let before = await self.device(number, gateway)?.failures ?? 0
                // Late by less than the line is left alone, by more, and by whole polls.
                try say("fault d\(number) late \([130, 900, 1_700][round / 2])")
                try await eventually("a reply of d\(number) was late") {
                    await self.device(number, gateway)?.failures ?? 0 > before
                }
                try say("fault d\(number) none")
                try await eventually("d\(number) answers again", seconds: 60) {
                    await self.device(number, gateway)?.state == "online"
                }
            }
            for number in 1...3 {
                try await eventually("there is enough of d\(number) to judge", seconds: 60) {
                    ((try? await gateway.samples("d\(number)/p5"))?.count { $0.quality == "good" } ?? 0) > 50
                }
                for index in 0..<6 {
                    let samples = try await gateway.samples("d\(number)/p\(index)")
                    let good = samples.filter { $0.quality == "good" }
                    #expect(good.allSatisfy { $0.value == Double(Self.value(number, index)) })
                    #expect(!samples.contains { $0.quality == "bad:range" }, "a value of another register")
                }
                let fault = try #require(await self.device(number, gateway)?.lastFault)
                #expect(["timeout", "badReply"].contains(fault.reason), "\(fault.reason)")
                #expect(fault.frame.contains("\n→ 0\(number) 03 00 "), "the bytes that were sent: \(fault.frame)")
            }
        }
    }

    @Test func aDeviceWhoseProfileAsksForTwoSecondsGetsThem() async throws {
        let port = try Checkout.freePort()
        try await self.withLine(
            bus: "{id: line, tcp: {host: 127.0.0.1, port: \(port)}}",
            wire: ", timeoutMilliseconds: 2000",
            simulator: []
        ) { gateway, say in
            try await eventually("d1 is read") { await self.device(1, gateway)?.state == "online" }
            try say("fault d1 late 1300")
            let before = await self.device(1, gateway)?.failures
            try await eventually("replies take longer than a second") {
                await self.device(1, gateway)?.latencyMilliseconds ?? 0 > 1_000
            }
            #expect(await self.device(1, gateway)?.state == "online")
            #expect(await self.device(1, gateway)?.failures == before)
        }
    }

    @Test func anExceptionIsShownWithItsBytes() async throws {
        let port = try Checkout.freePort()
        try await self.withLine(bus: "{id: line, tcp: {host: 127.0.0.1, port: \(port)}}", simulator: []) {
            gateway,
            say in
            try await eventually("d2 is read") { await self.device(2, gateway)?.state == "online" }
            try say("fault d2 exception 4")
            try await eventually("the fault is told") {
                await self.device(2, gateway)?.lastFault?.reason == "exception4"
            }
            let fault = try #require(await self.device(2, gateway)?.lastFault)
            #expect(fault.frame.contains(" 02 83 04"), "the bytes that came: \(fault.frame)")
            let (page, status) = try await gateway.get("/devices/d2")
            #expect(status == 200)
            let html = String(decoding: page, as: UTF8.self)
            #expect(html.contains(" 02 83 04") && html.contains("exception4"), "the page shows them, too")
        }
    }

    @Test func aPublisherCanBeLateAndAStormPassesOver() async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        try await gateway.start()
        let control = "\(gateway.folder)/control"
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(gateway.folder)/site.yaml", "--profiles", Checkout.profiles, "--broker-port",
                gateway.brokerPort, "--username", "devices", "--password-file", "\(gateway.state)/devices.password",
                "--every", "200", "--control", control,
            ],
            output: "\(gateway.folder)/simulator.log"
        )
        defer {
            simulator.end(SIGTERM)
            gateway.stop()
        }
        struct Latest: Decodable {
            var at: String?
            var receivedAt: String?
        }
        func lateness() async throws -> TimeInterval {
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let page = try await gateway.json(RunningGateway.Page<Latest>.self, "/api/v1/latest?device=room")
            guard let item = page.items.first, let at = item.at, let received = item.receivedAt else { return -1 }
            return try format.parse(received).timeIntervalSince(try format.parse(at))
        }
        // The clock of this device has whole seconds.
        try await eventually("values come in time") { ((try? await lateness()) ?? -1) >= 0 }
        #expect(try await lateness() < 2)
        try Data("fault room late 4000\n".utf8).write(to: URL(fileURLWithPath: control))
        try await eventually("values come late") { ((try? await lateness()) ?? 0) >= 4 }
        try Data("fault room late 4000\nfault room drip 5\nfault room none\nstorm\n".utf8)
            .write(to: URL(fileURLWithPath: control))
        let before = try await gateway.samples("room/s1-temperature").count
        try await eventually("values come again after the storm") {
            ((try? await gateway.samples("room/s1-temperature").count) ?? 0) >= before + 20
        }
        let log = try String(contentsOfFile: "\(gateway.folder)/simulator.log", encoding: .utf8)
        #expect(log.contains("all connections dropped"))
        #expect(log.contains("'drip' is a fault of Modbus devices; room publishes"))
        struct State: Decodable { var state: String }
        try await eventually("the device is online again") {
            (try? await gateway.json(State.self, "/api/v1/devices/room").state) == "online"
        }
    }
}
