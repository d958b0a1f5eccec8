import Foundation
import Testing

/// `campusctl` as an operator uses it: the built program against a running gateway, wrong arguments included.
@Suite(.serialized)
struct CampusctlTests {
    private struct Answer {
        var code: Int32
        var output: String

        var lines: [Substring] { self.output.split(separator: "\n") }
    }

    private let folder: String

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("campusctl-\(UUID())").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    private func clean() { try? FileManager.default.removeItem(atPath: self.folder) }

    private func run(_ arguments: String...) async throws -> Answer {
        let output = "\(self.folder)/\(UUID())"
        let code = try await Child("\(Checkout.programs)/campusctl", arguments, output: output).wait()
        return Answer(code: code, output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    private func publish(_ gateway: RunningGateway, topic: String, _ payload: String) async throws {
        try await gateway.publish(topic, payload)
    }

    @Test func whatIsExportedCanBeImportedElsewhereAndAgain() async throws {
        defer { self.clean() }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        try await ExporterTests.play(0..<300, to: gateway)
        let file = "\(self.folder)/history.csv"
        let from = "2026-01-01T00:00:00Z"
        let export = try await self.run(
            "export",
            "--state",
            gateway.state,
            "--from",
            from,
            "--points",
            "room/s1-temperature",
            "--csv",
            file
        )
        #expect(export.code == 0, "\(export.output)")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 301)
        #expect(text.hasPrefix("point,at,value,quality\nroom/s1-temperature,2026-09-21T14:13:20.000Z,0,good\n"))

        let other = try RunningGateway(site: RunningGateway.oneRoom)
        defer { other.stop() }
        try await other.start()
        let dry = try await self.run("import", "--state", other.state, file, "--dry-run")
        #expect(dry.output == "300 would be stored, 0 there already, 0 refused\n")
        #expect(try await other.samples("room/s1-temperature").isEmpty)
        let first = try await self.run("import", "--state", other.state, file)
        #expect(first.output == "300 stored, 0 there already, 0 refused\n")
        let again = try await self.run("import", "--state", other.state, file)
        #expect(again.output == "0 stored, 300 there already, 0 refused\n")
        let copy = try await self.run("export", "--state", other.state, "--from", from, "--csv", "-")
        #expect(copy.output == text)
        // Between two that are there: late, and welcome.
        let mistakes = """
            quality,value,at,point
            good,7.5,2026-09-21T14:18:10.500Z,room/s1-temperature
            good,x,2026-09-21T14:13:21Z,room/s1-temperature
            good,1,yesterday,room/s1-temperature
            splendid,1,2026-09-21T14:13:21Z,room/s1-temperature
            good,1,2026-09-21T14:13:21Z,room/nothing
            good,1
            bad:sentinel,,2026-09-21T14:20:00Z,room/s1-temperature
            """
        try mistakes.write(toFile: file, atomically: true, encoding: .utf8)
        let refused = try await self.run("import", "--state", other.state, file)
        #expect(refused.code == 1)
        #expect(
            refused.lines == [
                "\(file):3: 'x' is not a number",
                "\(file):4: 'yesterday' is not a time such as 2026-11-24T07:00:00.000Z",
                "\(file):5: 'splendid' is not a quality such as good, uncertain:stale or bad:sentinel",
                "\(file):6: there is no point 'room/nothing'", "\(file):7: has 2 fields; the header has 4",
                "2 stored, 0 there already, 5 refused",
            ]
        )
    }

    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    @Test func aGatewayIsAskedInEveryForm() async throws {
        defer { self.clean() }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        for second in 0..<5 {
            try await self.publish(
                gateway,
                topic: "campus/room/telemetry",
                #"{"time": "2026-11-24T07:00:0\#(second)Z", "S1_Temp": 2\#(second).5, "S5_CO2": 400}"#
            )
        }
        try await eventually("all five are there") {
            (try? await gateway.samples("room/s1-temperature").count) == 5
        }
        let state = gateway.state

        let status = try await self.run("status", "--state", state)
        #expect(status.code == 0)
        #expect(try self.json(await self.run("status", "--state", state, "--json").output) is [String: Any])

        let devices = try await self.run("devices", "--state", state)
        #expect(devices.lines.first?.contains("DEVICE") == true)
        #expect(devices.output.contains("room"))
        #expect(try await self.run("devices", "--state", state, "--room", "r1").output.contains("room"))
        #expect(try await self.run("devices", "--state", state, "--room", "nowhere").output.contains("nowhere"))
        #expect(try await self.run("devices", "--state", state, "--only", "sleeping").code != 0)

        let latest = try await self.run("latest", "room", "--state", state)
        #expect(latest.output.contains("s1-temperature") && latest.output.contains("24.5"))
        let unknown = try await self.run("latest", "nobody", "--state", state)
        #expect(unknown.code == 1)
        #expect(unknown.output.hasPrefix("campusctl: "))

        let window = ["--from", "2026-11-24T07:00:00Z", "--to", "2026-11-24T07:00:03Z"]
        func query(_ more: String...) async throws -> Answer {
            let output = "\(self.folder)/\(UUID())"
            let arguments = ["query", "room/s1-temperature", "--state", state] + window + more
            let code = try await Child("\(Checkout.programs)/campusctl", arguments, output: output).wait()
            return Answer(code: code, output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
        }
        let csv = try await query("--format", "csv")
        #expect(csv.lines.dropFirst().map { $0.split(separator: ",")[1] } == ["20.5", "21.5", "22.5"])
        let items = try #require(try self.json(await query("--format", "json").output) as? [[String: Any]])
        #expect(items.compactMap { $0["value"] as? Double } == [20.5, 21.5, 22.5])
        #expect(try await query().lines.count == 4)
        #expect(try await query("--format", "xml").code == 64)
        let steps = try await query("--step", "1min", "--format", "csv")
        #expect(steps.code == 0)
        #expect(steps.lines.count == 2)
        #expect(try await query("--step", "often").code != 0)
        let back = try await self.run("query", "room/s1-temperature", "--from", "-365d", "--state", state)
        #expect(back.code == 0, "a time back from now is no option: \(back.output)")

        async let tail = self.run("tail", "room", "--state", state, "--seconds", "4")
        var second = 10
        for _ in 0..<20 {
            try await self.publish(
                gateway,
                topic: "campus/room/telemetry",
                #"{"time": "2026-11-24T07:00:\#(second)Z", "S1_Temp": 30.\#(second)}"#
            )
            second += 1
            await pause(milliseconds: 100)
        }
        let tailed = try await tail
        #expect(tailed.code == 0)
        #expect(tailed.output.contains("30."), "\(tailed.output)")
    }

    @Test func aStrangerIsAdoptedAndUsersAreMade() async throws {
        defer { self.clean() }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let state = gateway.state
        try await self.publish(
            gateway,
            topic: "campus/new/telemetry",
            #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 20}"#
        )
        struct Entry: Decodable { var id: UInt64 }
        try await eventually("it is in quarantine") {
            (try? await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items.count) == 1
        }
        let entry = try await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items[0].id
        let nowhere = try await self.run("adopt", "\(entry)", "--device", "new", "--room", "nowhere", "--state", state)
        #expect(nowhere.code == 1)
        #expect(nowhere.output.contains("nowhere"))
        let adopted = try await self.run("adopt", "\(entry)", "--device", "new", "--room", "r1", "--state", state)
        #expect(adopted.code == 0, "\(adopted.output)")
        try await self.publish(
            gateway,
            topic: "campus/new/telemetry",
            #"{"time": "2026-11-24T07:00:01Z", "S1_Temp": 21}"#
        )
        try await eventually("it is a device now") { (try? await gateway.latest("new/s1-temperature")) == 21 }

        let user = try await self.run("user", "add", "lan", "--role", "facility", "--state", state, "--json")
        let login = try #require(try self.json(user.output) as? [String: String])
        #expect(login["user"] == "lan")
        #expect((login["password"] ?? "").count >= 10)
        let again = try await self.run("user", "add", "lan", "--state", state)
        #expect(again.code == 1)
        let role = try await self.run("user", "add", "minh", "--role", "king", "--state", state)
        #expect(role.code == 1 && role.output.contains("administrator, facility, lab, viewer"))
        let file = "\(self.folder)/password"
        try "short\n".write(toFile: file, atomically: true, encoding: .utf8)
        let weak = try await self.run("user", "add", "minh", "--password-file", file, "--state", state)
        #expect(weak.code == 1 && weak.output.contains("at least 10 characters"), "\(weak.output)")
        try "bốn mùa hoa nở\n".write(toFile: file, atomically: true, encoding: .utf8)
        let own = try await self.run("user", "add", "minh", "--password-file", file, "--state", state)
        #expect(own.code == 0 && !own.output.contains("password"), "\(own.output)")
        let reset = try await self.run("user", "reset", "lan", "--state", state)
        #expect(reset.code == 0 && reset.output.contains("told this once"))
        #expect(try await self.run("user", "reset", "nobody", "--state", state).code == 1)
    }

    @Test func tokensAndUsersAreLookedAfter() async throws {
        defer { self.clean() }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let state = gateway.state
        let file = "\(self.folder)/token"
        let made = try await self.run("token", "add", "dashboard", "--state", state, "--secret-file", file, "--json")
        #expect(made.code == 0, "\(made.output)")
        let token = try #require(try self.json(made.output) as? [String: String])
        #expect(token["role"] == "viewer" && token["secret"] == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let address = gateway.text("address")
        func withToken(_ arguments: String...) async throws -> Answer {
            let output = "\(self.folder)/\(UUID())"
            let more = ["--address", address, "--token-file", file]
            let code = try await Child("\(Checkout.programs)/campusctl", arguments + more, output: output).wait()
            return Answer(code: code, output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
        }
        #expect(try await withToken("devices").code == 0)
        let forbidden = try await withToken("user", "list")
        #expect(forbidden.code == 1 && forbidden.output.contains("administrator"), "\(forbidden.output)")
        let shown = try await self.run("token", "add", "second", "--role", "facility", "--state", state)
        #expect(shown.code == 0 && shown.output.contains("secret cgt_"))
        #expect(try await self.run("token", "add", "second", "--state", state).code == 1)
        let listed = try await self.run("token", "list", "--state", state)
        #expect(listed.output.contains("dashboard") && !listed.output.contains("cgt_"), "\(listed.output)")
        let tokens = try #require(
            try self.json(await self.run("token", "list", "--state", state, "--json").output) as? [[String: Any]]
        )
        #expect(tokens.count == 3)
        #expect(try await self.run("token", "revoke", "dashboard", "--state", state).code == 0)
        #expect(try await withToken("devices").code == 1)
        #expect(try await self.run("token", "revoke", "dashboard", "--state", state).output.contains("token list"))

        #expect(try await self.run("user", "add", "lan", "--state", state).code == 0)
        let role = try await self.run("user", "role", "lan", "facility", "--state", state, "--json")
        let user = try #require(try self.json(role.output) as? [String: Any])
        #expect(user["role"] as? String == "facility")
        let disabled = try await self.run("user", "disable", "lan", "--state", state)
        #expect(disabled.code == 0 && disabled.output.contains("disabled"))
        #expect(try await self.run("user", "list", "--state", state).output.contains("disabled"))
        #expect(try await self.run("user", "enable", "lan", "--state", state).code == 0)
        let last = try await self.run("user", "disable", "admin", "--state", state)
        #expect(last.code == 1 && last.output.contains("last administrator"), "\(last.output)")
        #expect(try await self.run("user", "remove", "lan", "--state", state).code == 0)
        #expect(try await self.run("user", "disable", "lan", "--state", state).code == 1)
    }

    /// A broker that nobody runs is a problem, in every form of the answer.
    @Test func aProblemIsAnExitCodeAlsoInJSON() async throws {
        defer { self.clean() }
        let port = try Checkout.freePort()
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            broker: "mode: external, host: 127.0.0.1, port: \(port)"
        )
        defer { gateway.stop() }
        try gateway.spawn()
        try await eventually("it is asked") { (try? await gateway.get("/healthz"))?.1 == 200 }
        #expect(try await self.run("status", "--state", gateway.state).code == 1)
        let status = try await self.run("status", "--state", gateway.state, "--json")
        #expect(status.code == 1)
        let facts = try #require(try self.json(status.output) as? [String: Any])
        #expect(facts["brokerConnected"] as? Bool == false)
        let empty = try await self.run("adopt", "--state", gateway.state, "--json")
        #expect(empty.code == 0)
        #expect(try self.json(empty.output) is [Any])
        let reloaded = try await self.run("reload", "--state", gateway.state, "--json")
        #expect(reloaded.code == 0)
        #expect(try self.json(reloaded.output) is [String: [String]])
        try (RunningGateway.oneRoom + "\n  - {id: second, node: r1, profile: uci-room-nod}\n")
            .write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
        for command in ["reload", "check"] {
            let place =
                command == "check" ? ["--config", "\(gateway.folder)/gateway.yaml"] : ["--state", gateway.state]
            let output = "\(self.folder)/\(command)"
            let child = try Child("\(Checkout.programs)/campusctl", [command, "--json"] + place, output: output)
            #expect(await child.wait() == 1)
            let text = try String(contentsOfFile: output, encoding: .utf8)
            let answer = try #require(try self.json(text) as? [String: Any])
            let problems = try #require(answer["problems"] as? [String])
            #expect(problems.contains { $0.contains("did you mean 'uci-room-node'?") }, "\(text)")
        }
    }

    @Test func configurationsAndProfilesAreCheckedBeforeUse() async throws {
        defer { self.clean() }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        let config = "\(gateway.folder)/gateway.yaml"
        #expect(try await self.run("check", "--config", config).code == 0)
        #expect(try await self.run("check", "--config", "\(self.folder)/none.yaml").output.contains("cannot be read"))
        let bad: [(String, [String])] = [
            ("profile: uci-room-nod, parameters: {device: x}", ["site.yaml:6", "did you mean 'uci-room-node'?"]),
            ("profile: uci-room-node-modbus, parameters: {device: x}", ["site.yaml:6", "give the device a 'bus'"]),
            ("profil: uci-room-node, parameters: {device: x}", ["site.yaml:6", "profile"]),
            ("profile: uci-room-node, parameters: {}", ["site.yaml:6", "device"]),
        ]
        for (device, words) in bad {
            try (RunningGateway.oneRoom + "\n  - {id: second, node: r1, \(device)}\n")
                .write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
            let answer = try await self.run("check", "--config", config)
            #expect(answer.code == 1)
            for word in words { #expect(answer.output.contains(word), "\(device): \(answer.output)") }
        }
        try RunningGateway.oneRoom.write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
        let secured = try String(contentsOfFile: config, encoding: .utf8)
            .replacingOccurrences(of: "web: {port: 0}", with: "web: {port: 0, tls: {certificate: no.pem, key: no.key}}")
        try secured.write(toFile: config, atomically: true, encoding: .utf8)
        let missing = try await self.run("check", "--config", config)
        #expect(missing.code == 1 && missing.output.contains("web.tls.certificate: "), "\(missing.output)")

        let profile = "\(Checkout.profiles)/uci-room-node.yaml"
        let good = try await self.run("profile", "check", profile)
        #expect(good.code == 0 && good.output.contains("17 points"))
        let text = try String(contentsOfFile: profile, encoding: .utf8)
        let broken = "\(self.folder)/broken.yaml"
        try text.replacingOccurrences(of: "vendor:", with: "vendr:")
            .write(toFile: broken, atomically: true, encoding: .utf8)
        let refused = try await self.run("profile", "check", broken)
        #expect(refused.code == 1 && refused.output.contains("broken.yaml:3"), "\(refused.output)")
        #expect(refused.output.contains("vendor"))

        let payload = #"{"time": "2026-11-24T07:00:00Z", "S1_Temp": 21.25, "S2_Temp": null}"#
        let tried = try await self.run("profile", "try", profile, "--topic", "campus/x/telemetry", "--payload", payload)
        #expect(tried.code == 0 && tried.output.contains("21.25"), "\(tried.output)")
        let structured = try await self.run(
            "profile",
            "try",
            profile,
            "--topic",
            "campus/x/telemetry",
            "--payload",
            payload,
            "--json"
        )
        let explained = try #require(try self.json(structured.output) as? [String: Any])
        #expect(structured.code == 0 && explained["time"] as? String == "2026-11-24T07:00:00.000Z", "\(explained)")
        #expect((explained["points"] as? [[String: Any]])?.contains { $0["value"] as? Double == 21.25 } == true)
        let card = try await self.run(
            "profile",
            "try",
            "\(Checkout.profiles)/esp-rfid-v1.yaml",
            "--topic",
            "gate1",
            "--payload",
            #"{"type":"access","time":1790000000,"isKnown":"true","access":"Always","username":"Lan","uid":"1234abcd"}"#,
            "--json"
        )
        let events = try #require((try self.json(card.output) as? [String: Any])?["events"] as? [[String: Any]])
        #expect(!events.isEmpty && !card.output.contains("1234abcd"), "\(card.output)")
        let foreign = try await self.run(
            "profile",
            "try",
            profile,
            "--topic",
            "else",
            "--payload",
            "x",
            "--json"
        )
        #expect(foreign.code == 1)
        #expect((try self.json(foreign.output) as? [String: Any])?["problem"] is String, "\(foreign.output)")
        let checked = try await self.run("profile", "check", "--json", profile, broken)
        #expect(checked.code == 1)
        let results = try #require(try self.json(checked.output) as? [[String: Any]])
        #expect(results.compactMap { $0["good"] as? Bool } == [true, false])
        let meter = "\(Checkout.profiles)/xy-md02.yaml"
        let frame = try await self.run(
            "profile",
            "try",
            meter,
            "--frame",
            "01 04 00 01 00 01 60 0A",
            "01 04 02 01 31 79 74"
        )
        #expect(frame.code == 0 && frame.output.contains("30.5"), "\(frame.output)")
        let damaged = try await self.run(
            "profile",
            "try",
            meter,
            "--frame",
            "01 04 00 01 00 01 60 0A",
            "01 04 02 01 31 79 75"
        )
        #expect(damaged.code == 1 && damaged.output.contains("CRC"), "\(damaged.output)")
    }

    @Test func wrongArgumentsAndAMissingGatewaySayWhatToDo() async throws {
        defer { self.clean() }
        #expect(try await self.run().output.contains("SUBCOMMANDS"))
        #expect(try await self.run("statu").code == 64)
        #expect(try await self.run("query").code == 64)
        let absent = try await self.run("status", "--state", "\(self.folder)/nothing")
        #expect(absent.code == 1 && absent.output.contains("--state"), "\(absent.output)")
        let state = "\(self.folder)/state"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try "http://127.0.0.1:\(try Checkout.freePort())\n"
            .write(toFile: "\(state)/address", atomically: true, encoding: .utf8)
        try "token".write(toFile: "\(state)/operator.token", atomically: true, encoding: .utf8)
        let down = try await self.run("status", "--state", state)
        #expect(down.code == 1 && down.output.contains("is the gateway running?"), "\(down.output)")
        for shell in ["bash", "zsh", "fish"] {
            #expect(try await self.run("--generate-completion-script", shell).output.contains("campusctl"))
        }
    }
}
