import Foundation
import Testing

/// The simulated school in a real browser, and the API's description through a validator that is not ours.
@Suite(.serialized)
struct PagesAndAPITests {
    /// A small simulated school with its gateway.
    private func withSchool(_ body: (RunningGateway, String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-school-\(UUID().uuidString)")
            .path
        let port = try Checkout.freePort()
        let written = try Child(
            "\(Checkout.programs)/campus-simulator",
            ["school", folder, "--rooms", "2", "--modbus-port", "\(port)", "--profiles", Checkout.profiles]
        )
        #expect(await written.wait() == 0)
        try FileManager.default.createDirectory(atPath: "\(folder)/rules", withIntermediateDirectories: true)
        try TestRules.text.write(toFile: "\(folder)/rules/test.yaml", atomically: true, encoding: .utf8)
        let gateway = try RunningGateway(
            site: try String(contentsOfFile: "\(folder)/site.yaml", encoding: .utf8),
            settings: "polling: {normal: 1 s}\npush: {port: 0}\nrules: [\(folder)/rules]"
        )
        try await gateway.start()
        try await eventually("the listener is there") { !gateway.text("push-port").isEmpty }
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(folder)/site.yaml", "--profiles", Checkout.profiles, "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password", "--every", "2000",
                "--control", "\(folder)/control", "--push-port", gateway.text("push-port"), "--announce",
            ]
        )
        defer {
            simulator.end(SIGTERM)
            gateway.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
        try await body(gateway, folder)
    }

    @Test(.needsPeers)
    func aBrowserSeesTheSchoolLiveAndAKeyboardIsEnough() async throws {
        let python = try Checkout.peers()
        try await self.withSchool { gateway, folder in
            for stranger in ["by-click", "by-key"] {
                try await gateway.publish(
                    "campus/\(stranger)/telemetry",
                    #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 20}"#
                )
            }
            guard let line = gateway.log.split(separator: "\n").first(where: { $0.contains("First login") }),
                let password = line.split(separator: " ").last
            else { throw TestFailure("no first login") }
            let output = "\(gateway.folder)/browser.log"
            let test = try Child(
                python,
                [
                    "\(Checkout.root)/Tests/Scripts/browser-test.py", gateway.text("address"), "admin",
                    String(password), "a101", "\(folder)/control", "\(gateway.folder)/gateway.yaml",
                ],
                output: output
            )
            let code = await test.wait()
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            #expect(code == 0, "\(text)")
        }
    }

    @Test(.needsPeers)
    func everyDescribedOperationAnswersAsDescribedPageByPage() async throws {
        let python = try Checkout.peers()
        try await self.withSchool { gateway, _ in
            for stranger in 1...5 {
                try await gateway.publish(
                    "campus/stranger-\(stranger)/telemetry",
                    #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 20}"#
                )
            }
            try await eventually("the room's sensor has a history") {
                ((try? await gateway.samples("a101-khi/co2").count) ?? 0) > 3
            }
            let output = "\(gateway.folder)/api.log"
            let script = "\(Checkout.root)/Tests/Scripts/api-test.py"
            let test = try Child(
                python,
                [script, gateway.text("address"), gateway.state, "a101-khi", "a101"],
                output: output
            )
            let code = await test.wait()
            #expect(code == 0, "\((try? String(contentsOfFile: output, encoding: .utf8)) ?? "")")
        }
    }

    @Test func metricsAreForThoseWhoMayLookAndReadinessIsForAll() async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        #expect(try await gateway.get("/metrics").1 == 200)
        #expect(try await gateway.get("/metrics", authorized: false).1 == 401)
        for path in ["/healthz", "/readyz"] { #expect(try await gateway.get(path, authorized: false).1 == 200) }
    }

    @Test func aUnitThatGoesSilentBecomesOfflineSaysWhyAndComesBack() async throws {
        try await self.withSchool { gateway, folder in
            struct Device: Decodable {
                var state: String
                var reason: String?
            }
            func device(_ id: String) async -> Device? { try? await gateway.json(Device.self, "/api/v1/devices/\(id)") }
            try await eventually("both are online") {
                let relay = await device("a101-den")
                let air = await device("a101-khi")
                return relay?.state == "online" && air?.state == "online"
            }
            try Data("fault a101-den silence\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/control"))
            try await eventually("the relay is offline", seconds: 60) { await device("a101-den")?.state == "offline" }
            let silent = await device("a101-den")
            #expect(silent?.reason == "timeout", "an offline device says why")
            let neighbour = await device("a101-khi")
            #expect(neighbour?.state == "online", "its neighbour on the bus answers")
            try Data("fault a101-den silence\nfault a101-den none\n".utf8)
                .write(to: URL(fileURLWithPath: "\(folder)/control"))
            try await eventually("the relay is back", seconds: 60) { await device("a101-den")?.state == "online" }
        }
    }
}
