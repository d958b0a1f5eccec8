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
        let gateway = try RunningGateway(site: try String(contentsOfFile: "\(folder)/site.yaml", encoding: .utf8))
        try await gateway.start()
        let simulator = try Child(
            "\(Checkout.programs)/campus-simulator",
            [
                "run", "\(folder)/site.yaml", "--profiles", Checkout.profiles, "--broker-port", gateway.brokerPort,
                "--username", "devices", "--password-file", "\(gateway.state)/devices.password", "--every", "2000",
                "--control", "\(folder)/control",
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
    func theDescriptionOfTheAPIIsValidOpenAPI() async throws {
        let python = try Checkout.peers()
        let gateway = try RunningGateway(
            site: "site: {id: s, name: {vi: Trường, en: School}}\nnodes: []\n"
        )
        try await gateway.start()
        let (document, status) = try await gateway.get("/api/openapi.json")
        #expect(status == 200)
        let path = "\(gateway.folder)/openapi.json"
        try document.write(to: URL(fileURLWithPath: path))
        let check = try Child(
            python,
            [
                "-c",
                "import json,sys;from openapi_spec_validator import validate;validate(json.load(open(sys.argv[1])))",
                path,
            ],
            output: "\(gateway.folder)/validator.log"
        )
        let code = await check.wait()
        #expect(code == 0, "\((try? String(contentsOfFile: "\(gateway.folder)/validator.log", encoding: .utf8)) ?? "")")
        gateway.stop()
    }

    @Test func everyDescribedPathAnswersAndStrangersAreRefused() async throws {
        try await self.withSchool { gateway, _ in
            try await eventually("devices are online") {
                (try? await gateway.metric("campus_ring_samples_total")) ?? 0 > 100
            }
            for path in [
                "/api/v1/status", "/api/v1/nodes", "/api/v1/devices", "/api/v1/devices/a101-khi", "/api/v1/latest",
                "/api/v1/devices/a101-khi/points", "/api/v1/points/a101-khi/co2/samples", "/api/v1/events",
                "/api/v1/points/a101-khi/co2/rollups?step=1min", "/api/v1/points/a101-khi/co2/chart?span=hour",
                "/api/v1/points/a101-khi/co2/summaries?period=hour&from=-7d", "/api/v1/quarantine", "/api/v1/users",
                "/metrics",
            ] {
                #expect(try await gateway.get(path).1 == 200, "\(path)")
                #expect(try await gateway.get(path, authorized: false).1 == 401, "\(path)")
            }
            for path in [
                "/api/v1/devices/nobody", "/api/v1/points/a101-khi/nothing/samples", "/api/v1/nothing",
            ] {
                let (body, status) = try await gateway.get(path)
                #expect(status == 404, "\(path)")
                #expect(String(decoding: body, as: UTF8.self).contains("\"status\""), "problem+json")
            }
            for path in [
                "/api/v1/points/a101-khi/co2/samples?limit=0", "/api/v1/points/a101-khi/co2/samples?from=yesterday",
                "/api/v1/points/a101-khi/co2/rollups?step=7", "/api/v1/points/a101-khi/co2/chart?span=year",
                "/api/v1/devices?limit=x",
            ] {
                #expect(try await gateway.get(path).1 == 400, "\(path)")
            }
        }
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
