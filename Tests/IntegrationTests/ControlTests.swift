import AsyncHTTPClient
import Foundation
import Logging
import MQTTTransport
import ModbusTransport
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Synchronization
import Testing

extension RunningGateway {
    /// Any call of the API, as whoever has the token.
    func call(_ method: String, _ path: String, _ body: String? = nil, token: String? = nil) async throws -> (
        text: String, status: Int
    ) {
        var request = HTTPClientRequest(url: self.text("address") + path)
        request.method = .RAW(value: method)
        request.headers.add(name: "Authorization", value: "Bearer \(token ?? self.text("operator.token"))")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(40))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (String(buffer: bytes), Int(response.status.code))
    }

    /// A token of this role.
    func token(_ role: String) async throws -> String {
        struct Made: Decodable { var secret: String }
        let answer = try await self.call("POST", "/api/v1/tokens", #"{"label": "\#(role)", "role": "\#(role)"}"#)
        return try JSONDecoder().decode(Made.self, from: Data(answer.text.utf8)).secret
    }
}

struct SentCommand: Decodable {
    var id: Int64
    var outcome: String
    var readBack: Double?
    var priority: String
    var milliseconds: Double?
}

struct AuditLine: Decodable {
    var id: Int64
    var actor: String
    var action: String
    var subject: String
    var detail: [String: String]
}

/// Commands through a real gateway to real registers and a real broker.
@Suite(.serialized)
struct ControlTests {
    private static let actuator = """
        profile: actuator
        vendor: V
        model: M
        category: classroom
        title: {vi: Bộ chấp hành, en: Actuator}
        sources: [{title: "by hand", url: "https://example.org", trust: C}]
        verified: false
        modbus: {unit: 1, timeoutMilliseconds: 500}
        points:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {table: coil, address: 0}, poll: fast}
          - {name: relays, title: {vi: R, en: R}, kind: boolean, wire: {table: coil, address: 1}, poll: fast}
          - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: holding, address: 4, type: int16}, scale: {divide: 10}, poll: fast}
          - {name: level, title: {vi: L, en: L}, unit: "%", wire: {table: holding, address: 8, type: float32}, poll: fast}
        controls:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {table: coil, address: 0}, minimumIntervalSeconds: 0, roles: [facility, lab], readback: {point: relay, withinSeconds: 1}}
          - {name: relays, title: {vi: R, en: R}, kind: boolean, wire: {table: coil, address: 1, function: multiple}, minimumIntervalSeconds: 0, readback: {point: relays}}
          - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: holding, address: 4, type: int16}, scale: {divide: 10}, range: {min: 16, max: 30}, step: 0.5, minimumIntervalSeconds: 0, readback: {point: setpoint, withinSeconds: 1}, confirm: {vi: "Thật không?", en: "Really?"}}
          - {name: level, title: {vi: L, en: L}, unit: "%", wire: {table: holding, address: 8, type: float32}, range: {min: 0, max: 100}, minimumIntervalSeconds: 0, readback: {point: level}}
          - {name: flash, title: {vi: F, en: F}, kind: command, wire: {table: coil, address: 0x0200, type: uint16}, value: 7, readback: none}
        tests:
          - {name: none, modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}], expectEvents: []}
        """

    private static let lamp = """
        profile: lamp
        vendor: V
        model: M
        category: classroom
        title: {vi: Đèn, en: Lamp}
        sources: [{title: "by hand", url: "https://example.org", trust: C}]
        verified: false
        mqtt:
          messages:
            - {name: state, topic: "lamp/{device}/state"}
        points:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {pointer: /on}}
        controls:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {topic: "lamp/{device}/set", payload: '{"on":{value}}'}, minimumIntervalSeconds: 0, readback: {point: relay, withinSeconds: 5}}
        tests:
          - {name: none, mqtt: {topic: "lamp/x/state", payload: "{}"}, parameters: {device: x}, expectEvents: []}
        """

    private static func site(_ port: UInt16) -> String {
        """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        buses:
          - {id: b, tcp: {host: 127.0.0.1, port: \(port)}}
        devices:
          - {id: act, node: r1, profile: actuator, bus: b, unit: 1}
          - {id: lamp, node: r1, profile: lamp, parameters: {device: l1}}
          - {id: panel, node: r1, profile: notifier-modbus-gw, bus: b, unit: 2}
        """
    }

    /// A gateway with one actuator, one lamp and one fire panel.
    private func withGateway(
        port: UInt16,
        broker: String = "port: 0",
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let profiles = FileManager.default.temporaryDirectory.appendingPathComponent("campus-ctl-\(UUID())").path
        try FileManager.default.createDirectory(atPath: profiles, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: profiles) }
        try Self.actuator.write(toFile: "\(profiles)/actuator.yaml", atomically: true, encoding: .utf8)
        try Self.lamp.write(toFile: "\(profiles)/lamp.yaml", atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(
            atPath: "\(Checkout.profiles)/notifier-modbus-gw.yaml",
            toPath: "\(profiles)/notifier-modbus-gw.yaml"
        )
        let gateway = try RunningGateway(site: Self.site(port), broker: broker, profiles: profiles)
        defer { gateway.stop() }
        try await gateway.start()
        try await body(gateway)
    }

    private func send(
        _ gateway: RunningGateway,
        _ control: String,
        _ body: String,
        device: String = "act",
        token: String? = nil
    ) async throws -> (command: SentCommand?, text: String, status: Int) {
        let (text, status) = try await gateway.call(
            "POST",
            "/api/v1/devices/\(device)/controls/\(control)",
            body,
            token: token
        )
        return (try? JSONDecoder().decode(SentCommand.self, from: Data(text.utf8)), text, status)
    }

    private func audit(_ gateway: RunningGateway, _ action: String) async throws -> [AuditLine] {
        try await gateway.json(RunningGateway.Page<AuditLine>.self, "/api/v1/audit?action=\(action)").items
    }

    @Test func everyWayToWriteReachesTheRegistersAndIsReadBack() async throws {
        let bank = WrittenBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            let sent: [(String, String, Double?)] = [
                ("relay", #"{"value": true, "reason": "thử rơ-le"}"#, 1),
                ("relays", #"{"value": 1, "reason": "thử rơ-le"}"#, 1),
                ("setpoint", #"{"value": 25.5, "reason": "nóng quá", "confirmed": true}"#, 25.5),
                ("level", #"{"value": 42.5, "reason": "vừa đủ sáng"}"#, 42.5),
            ]
            for (control, body, value) in sent {
                let answer = try await self.send(gateway, control, body)
                #expect(answer.status == 200 && answer.command?.outcome == "confirmed", "\(answer.text)")
                #expect(answer.command?.readBack == value)
            }
            // Neither on nor off: this server takes no times, and says so.
            let flash = try await self.send(gateway, "flash", #"{"reason": "tìm thiết bị"}"#)
            #expect(flash.command?.outcome == "refused" && flash.text.contains("illegalDataValue"), "\(flash.text)")
            #expect(
                bank.writes == [
                    "coils 0 [1]", "coils 1 [1]", "holdingRegisters 4 [255]", "holdingRegisters 8 [16938, 0]",
                ]
            )
            let intents = try await self.audit(gateway, "control.intent")
            let results = try await self.audit(gateway, "control.result")
            #expect(intents.count == 5 && results.count == 5)
            let last = try #require(intents.first { $0.subject == "act/setpoint" })
            #expect(last.actor == "token:campusctl" && last.detail["reason"] == "nóng quá")
            #expect(last.detail["value"] == "25.5" && last.detail["wire"] == "modbus b 1 06 00 04 00 FF")
            let result = try #require(results.first { $0.detail["command"] == "\(last.id)" })
            #expect(result.detail["outcome"] == "confirmed" && result.id > last.id)
        }
    }

    @Test func whatMayNotBeSentIsRefusedWithTheReason() async throws {
        let bank = WrittenBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            let (viewer, lab) = (try await gateway.token("viewer"), try await gateway.token("lab"))
            let good = #"{"value": 1, "reason": "vì cần"}"#
            let cases: [(String, String, String, String?, Int, String)] = [
                ("act", "relay", good, viewer, 403, "role-refused"),
                ("act", "level", good, lab, 403, "control-role-needed"),
                ("act", "relay", #"{"value": 2, "reason": "vì cần"}"#, nil, 400, "control-value-refused"),
                ("act", "relay", #"{"value": 1}"#, nil, 400, "control-reason-needed"),
                ("act", "relay", #"{"value": 1, "reason": "  x \n "}"#, nil, 400, "control-reason-needed"),
                ("act", "setpoint", #"{"value": 99, "reason": "vì cần", "confirmed": true}"#, nil, 400, "30"),
                ("act", "setpoint", #"{"value": 25.3, "reason": "vì cần", "confirmed": true}"#, nil, 400, "0.5"),
                ("act", "setpoint", #"{"value": 25, "reason": "vì cần"}"#, nil, 400, "control-confirmation-needed"),
                ("act", "level", #"{"value": 1e999, "reason": "vì cần"}"#, nil, 400, "invalid-request"),
                ("act", "level", #"{"value": "50", "reason": "vì cần"}"#, nil, 400, "invalid-request"),
                ("act", "level", #"{"value": [1], "reason": "vì cần"}"#, nil, 400, "invalid-request"),
                ("act", "level", "{", nil, 400, "invalid-request"), ("act", "level", "", nil, 400, "invalid-request"),
                ("act", "relay", #"{"value": 1, "reason": "vì cần", "hold": 5}"#, nil, 400, "60"),
                ("act", "relay", #"{"value": 1, "reason": "vì cần", "hold": "ever"}"#, nil, 400, "invalid-request"),
                ("act", "nothing", good, nil, 404, "control-unknown-control"),
                ("nobody", "relay", good, nil, 404, "control-unknown-device"),
                ("panel", "relay", good, nil, 403, "control-read-only"),
                ("lamp", "relay", good.replacing("1,", with: "7,"), nil, 400, "control-value-refused"),
            ]
            for (device, control, body, token, status, word) in cases {
                let answer = try await self.send(gateway, control, body, device: device, token: token)
                #expect(answer.status == status && answer.text.contains(word), "\(control) \(body): \(answer)")
            }
            let stranger = try await gateway.call("POST", "/api/v1/devices/act/controls/relay", good, token: "nonsense")
            #expect(stranger.status == 401)
            #expect(bank.writes == [])
            #expect(try await self.audit(gateway, "control.intent").isEmpty)
            let denied = try await self.audit(gateway, "control.refuse").map { $0.detail["code"] }
            #expect(denied == ["read-only", "role-needed"])
            let dry = try await self.send(gateway, "relay", #"{"value": 1, "reason": "thử", "dryRun": true}"#)
            #expect(dry.status == 200 && dry.text.contains("05 00 00 FF 00"), "\(dry.text)")
            #expect(bank.writes == [])
            #expect(try await self.audit(gateway, "control.intent").isEmpty)
        }
    }

    @Test func theDeviceSaysNoSaysNothingOrShowsSomethingElse() async throws {
        let bank = WrittenBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            try await eventually("it is polled") { ((try? await gateway.latest("act/relay")) ?? nil) != nil }
            bank.refuse(3)
            let no = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần"}"#)
            #expect(no.command?.outcome == "refused" && no.text.contains("illegalDataValue"), "\(no.text)")
            bank.refuse(0)
            bank.ignore(true)
            let other = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần"}"#)
            #expect(other.command?.outcome == "not-confirmed" && other.command?.readBack == 0, "\(other.text)")
            bank.ignore(false)
            server.set(.silence, unit: 1)
            let silent = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần", "waitSeconds": 20}"#)
            // The write was not answered, or the bus knew already that the unit is silent.
            #expect(["unknown", "not-sent"].contains(silent.command?.outcome), "\(silent.text)")
        }
    }

    @Test func anOverrideBeatsOthersAndOutlivesAKill() async throws {
        let server = RegisterServer(bank: WrittenBank())
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            let (lab, facility) = (try await gateway.token("lab"), try await gateway.token("facility"))
            let hold = try await self.send(
                gateway,
                "relay",
                #"{"value": 1, "reason": "đang thí nghiệm", "hold": 3600}"#,
                token: lab
            )
            #expect(hold.command?.priority == "override" && hold.command?.outcome == "confirmed", "\(hold.text)")
            let off = #"{"value": 0, "reason": "tắt cho đỡ tốn"}"#
            let refused = try await self.send(gateway, "relay", off, token: facility)
            #expect(refused.status == 409 && refused.text.contains("token:lab"), "\(refused)")

            gateway.kill9()
            try await gateway.start()
            #expect(try await self.send(gateway, "relay", off, token: facility).status == 409)
            let path = "/api/v1/devices/act/controls/relay/override"
            #expect(try await gateway.call("DELETE", path, token: facility).status == 204)
            #expect(try await self.send(gateway, "relay", off, token: facility).command?.outcome == "confirmed")

            let lock = "/api/v1/devices/act/lock"
            #expect(try await gateway.call("POST", lock, #"{"reason": "sửa điện"}"#, token: lab).status == 403)
            #expect(try await gateway.call("POST", lock, #"{"reason": "sửa điện"}"#, token: facility).status == 204)
            gateway.kill9()
            try await gateway.start()
            let locked = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần", "hold": 3600}"#)
            #expect(locked.status == 409 && locked.text.contains("sửa điện"), "\(locked)")
            #expect(try await gateway.call("DELETE", lock, token: facility).status == 204)
            let actions = try await gateway.json(RunningGateway.Page<AuditLine>.self, "/api/v1/audit?limit=100").items
                .map(\.action)
            for action in ["control.hold", "control.release", "control.lock", "control.unlock"] {
                #expect(actions.count { $0 == action } == 1, "\(action)")
            }
        }
    }

    @Test func aKillBetweenIntentAndResultIsToldAsUnknown() async throws {
        let bank = WrittenBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            try await eventually("it is polled") { ((try? await gateway.latest("act/relay")) ?? nil) != nil }
            bank.hold()
            let path = "/api/v1/devices/act/controls/relay"
            let sent = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần", "waitSeconds": 0}"#)
            #expect(sent.status == 202 && sent.command?.outcome == "pending", "\(sent.text)")
            try await eventually("the device has the command") { bank.isHeld }
            let intents = try await self.audit(gateway, "control.intent")
            #expect(intents.count == 1)
            #expect(try await self.audit(gateway, "control.result").isEmpty)
            gateway.kill9()
            bank.release()
            try await gateway.start()
            let results = try await self.audit(gateway, "control.result")
            #expect(results.map { $0.detail["outcome"] } == ["unknown"])
            #expect(results.first?.detail["command"] == "\(intents.first?.id ?? 0)")
            let command = try await gateway.json(SentCommand.self, "\(path)/commands/\(intents.first?.id ?? 0)")
            #expect(command.outcome == "unknown")
            // Once, not at every start.
            gateway.kill9()
            try await gateway.start()
            #expect(try await self.audit(gateway, "control.result").count == 1)
        }
    }

    @Test func aPublisherIsToldOnceNotRetainedAndConfirmsWithItsState() async throws {
        try await self.withGateway(port: 1) { gateway in
            let lamp = PlayedLamp()
            let (port, password) = (gateway.brokerPort, gateway.text("devices.password"))
            let task = Task { try await lamp.run(port: port, password: password) }
            defer { task.cancel() }
            try await eventually("the lamp is there") { lamp.isConnected }
            let on = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần"}"#, device: "lamp")
            #expect(on.command?.outcome == "confirmed" && on.command?.readBack == 1, "\(on.text)")
            #expect(lamp.commands == [#"{"on":true}"#])
            #expect(lamp.qualities == [1] && lamp.retained == [false])

            lamp.ignore(true)
            let deaf = try await self.send(gateway, "relay", #"{"value": 0, "reason": "vì cần"}"#, device: "lamp")
            #expect(deaf.command?.outcome == "not-confirmed" && deaf.command?.readBack == nil, "\(deaf.text)")
            // A command comes back to the gateway, which subscribes to everything; it is nobody's data.
            struct Entry: Decodable { var topic: String }
            let entries = try await gateway.json(RunningGateway.Page<Entry>.self, "/api/v1/quarantine").items
            #expect(!entries.contains { $0.topic.hasSuffix("/set") }, "\(entries)")
            // Nobody who comes later gets an old command.
            let late = PlayedLamp()
            let other = Task { try await late.run(port: port, password: password) }
            defer { other.cancel() }
            try await eventually("the other is there") { late.isConnected }
            lamp.ignore(false)
            _ = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần"}"#, device: "lamp")
            try await eventually("both have the new one") { !late.commands.isEmpty }
            #expect(late.commands == [#"{"on":true}"#])
        }
    }

    @Test func withoutABrokerACommandIsRefusedAtOnceAndNeverSentLater() async throws {
        let port = try Checkout.freePort()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-mosq-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "listener \(port) 127.0.0.1\nallow_anonymous true\npersistence false\n"
            .write(toFile: "\(folder)/conf", atomically: true, encoding: .utf8)
        func broker() throws -> Child { try Child("/usr/sbin/mosquitto", ["-c", "\(folder)/conf"]) }
        let first = try broker()
        defer { first.end(SIGTERM) }
        try await self.withGateway(port: 1, broker: "mode: external, port: \(port)") { gateway in
            first.end(SIGKILL)
            try await eventually("the gateway knows") {
                ((try? await gateway.metric("campus_mqtt_connected")) ?? 1) == 0
            }
            let start = ContinuousClock.now
            let refused = try await self.send(gateway, "relay", #"{"value": 1, "reason": "vì cần"}"#, device: "lamp")
            #expect(refused.status == 503 && refused.text.contains("control-unreachable"), "\(refused)")
            #expect(ContinuousClock.now - start < .seconds(2))
            let second = try broker()
            defer { second.end(SIGTERM) }
            let lamp = PlayedLamp()
            let task = Task { try await lamp.run(port: "\(port)", password: nil) }
            defer { task.cancel() }
            try await eventually("both are connected again", seconds: 30) {
                guard lamp.isConnected else { return false }
                return ((try? await gateway.metric("campus_mqtt_connected")) ?? 0) == 1
            }
            let next = try await self.send(gateway, "relay", #"{"value": 0, "reason": "vì cần"}"#, device: "lamp")
            #expect(next.command?.outcome == "confirmed", "\(next.text)")
            #expect(lamp.commands == [#"{"on":false}"#])
        }
    }

    @Test(.needsPeers) func aPeerThatIsNotOursTakesTheWrites() async throws {
        let port = try Checkout.freePort()
        let script = """
            import sys
            from pymodbus.server import StartTcpServer
            from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
            try:
                from pymodbus.datastore import ModbusDeviceContext as Context
            except ImportError:
                from pymodbus.datastore import ModbusSlaveContext as Context
            block = lambda: ModbusSequentialDataBlock(1, [0] * 200)
            device = Context(di=block(), co=block(), hr=block(), ir=block())
            try:
                context = ModbusServerContext(devices=device, single=True)
            except TypeError:
                context = ModbusServerContext(slaves=device, single=True)
            StartTcpServer(context=context, address=("127.0.0.1", int(sys.argv[1])))
            """
        let peer = try Child(try Checkout.peers(), ["-c", script, "\(port)"])
        defer { peer.end(SIGKILL) }
        try await eventually("it listens") { Checkout.accepts(port) }
        try await self.withGateway(port: port) { gateway in
            try await eventually("it is polled") { ((try? await gateway.latest("act/level")) ?? nil) != nil }
            for (control, value) in [("relay", 1.0), ("relays", 1), ("setpoint", 16.5), ("level", 33.25)] {
                let body = #"{"value": \#(value), "reason": "vì cần", "confirmed": true}"#
                let answer = try await self.send(gateway, control, body)
                #expect(answer.command?.outcome == "confirmed" && answer.command?.readBack == value, "\(answer)")
            }
            // Beyond its 200 registers: its own word for no.
            let flash = try await self.send(gateway, "flash", #"{"reason": "vì cần"}"#)
            #expect(flash.command?.outcome == "refused", "\(flash)")
        }
    }

    @Test func anOperatorUsesItFromAShell() async throws {
        let server = RegisterServer(bank: WrittenBank())
        defer { server.stop() }
        try await self.withGateway(port: try server.listen(port: 0)) { gateway in
            func run(_ arguments: String...) async throws -> (code: Int32, text: String) {
                let output = "\(gateway.folder)/\(UUID())"
                let child = try Child(
                    "\(Checkout.programs)/campusctl",
                    ["control"] + arguments + ["--state", gateway.state],
                    output: output
                )
                return (await child.wait(), (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
            }
            let list = try await run("list", "act")
            #expect(list.code == 0 && list.text.contains("16.0...30.0 by 0.5"), "\(list)")
            let dry = try await run("set", "act", "setpoint", "25", "--reason", "nóng", "--confirm", "--dry-run")
            #expect(dry.code == 0 && dry.text.contains("would send (modbus): 06 00 04 00 FA"), "\(dry)")
            let sent = try await run("set", "act", "relay", "on", "--reason", "vì cần", "--hold", "60")
            #expect(sent.code == 0 && sent.text.contains("act/relay: confirmed"), "\(sent)")
            #expect(try await run("list", "act").text.contains("token:campusctl until"))
            #expect(try await run("release", "act", "relay").code == 0)
            let high = try await run("set", "act", "setpoint", "99", "--reason", "nóng", "--confirm")
            #expect(high.code == 1 && high.text.contains("must be from 16 to 30"), "\(high)")
            #expect(try await run("set", "act", "relay", "warm", "--reason", "vì cần").code == 64)
            #expect(try await run("set", "act", "relay", "on").code == 64)
            #expect(try await run("set", "act", "relay", "on", "--reason", "vì cần", "--hold", "5").code == 64)
            #expect(try await run("lock", "act", "--reason", "sửa").code == 0)
            #expect(try await run("set", "act", "relay", "off", "--reason", "vì cần").text.contains("locked by"))
            #expect(try await run("unlock", "act").code == 0)
            let nobody = try await run("list", "no-body_1.x")
            #expect(nobody.code == 1 && nobody.text.contains("“no-body_1.x”"), "\(nobody)")
        }
    }
}

/// Registers that keep what is written, may refuse, ignore or hold it.
private final class WrittenBank: RegisterBank {
    private struct State {
        var words: [UInt32: UInt16] = [:]
        var writes: [String] = []
        var exception: UInt8 = 0
        var ignores = false
        var holds = false
        var isHeld = false
    }

    private let state = Mutex(State())

    var writes: [String] { self.state.withLock { $0.writes } }
    var isHeld: Bool { self.state.withLock { $0.isHeld } }
    func refuse(_ exception: UInt8) { self.state.withLock { $0.exception = exception } }
    func ignore(_ ignores: Bool) { self.state.withLock { $0.ignores = ignores } }
    /// The next write gets no answer until ``release()``.
    func hold() { self.state.withLock { $0.holds = true } }
    func release() { self.state.withLock { $0.holds = false } }

    func isPresent(unit: UInt8) -> Bool { unit <= 2 }

    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        .success(
            self.state.withLock { state in
                (0..<count).map { state.words[UInt32(table.rawValue) << 16 | UInt32(address &+ $0)] ?? 0 }
            }
        )
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        let answer = self.state.withLock { state -> RegisterException? in
            if state.exception > 0 { return RegisterException(code: state.exception) }
            state.writes.append("\(table) \(address) \(values)")
            guard !state.ignores else { return nil }
            for (offset, value) in values.enumerated() {
                state.words[UInt32(table.rawValue) << 16 | (UInt32(address) + UInt32(offset))] = value
            }
            return nil
        }
        // On the server's own thread.
        while self.state.withLock({ state in
            state.isHeld = state.holds
            return state.holds
        }) { sched_yield() }
        return answer
    }
}

/// A lamp at the gateway's broker: tells its state when it is told to change it.
private final class PlayedLamp: MQTTBatchReceiver {
    private struct State {
        var commands: [String] = []
        var qualities: [UInt8] = []
        var retained: [Bool] = []
        var isConnected = false
        var ignores = false
        var connection: MQTTConnection?
    }

    private let state = Mutex(State())

    var commands: [String] { self.state.withLock { $0.commands } }
    var qualities: [UInt8] { self.state.withLock { $0.qualities } }
    var retained: [Bool] { self.state.withLock { $0.retained } }
    var isConnected: Bool { self.state.withLock { $0.isConnected } }
    func ignore(_ ignores: Bool) { self.state.withLock { $0.ignores = ignores } }

    func run(port: String, password: String?) async throws {
        var configuration = MQTTConfiguration(
            host: "127.0.0.1",
            port: UInt16(port) ?? 1_883,
            clientID: "lamp-\(UInt32.random(in: 0...UInt32.max))"
        )
        if let password {
            configuration.username = "devices"
            configuration.password = password
        }
        configuration.subscriptions = ["lamp/l1/set", "lamp/l1/ready"]
        let connection = MQTTConnection(configuration: configuration, receiver: self, logger: Logger(label: "lamp"))
        self.state.withLock { $0.connection = connection }
        // It is there when it hears itself: then it has its subscriptions, too.
        try connection.publish(topic: "lamp/l1/ready", payload: [])
        try await connection.run()
    }

    func receive(_ batch: [MQTTMessage]) throws {
        for message in batch {
            if message.topic.hasSuffix("/ready") {
                self.state.withLock { $0.isConnected = true }
                continue
            }
            let text = String(decoding: message.payload, as: UTF8.self)
            let connection = self.state.withLock { state in
                state.commands.append(text)
                state.qualities.append(message.qos)
                state.retained.append(message.isRetained)
                return state.ignores ? nil : state.connection
            }
            try connection?.publish(topic: "lamp/l1/state", payload: message.payload)
        }
    }

    func connectionChanged(_ state: MQTTConnectionState) {}
}
