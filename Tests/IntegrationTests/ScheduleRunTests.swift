import CampusModel
import Foundation
import ModbusTransport
import Synchronization
import Testing

/// Schedules of a real gateway on real registers.
@Suite(.serialized)
struct ScheduleRunTests {
    private struct Item: Decodable {
        struct Run: Decodable {
            var dueAt: String
            var sent: Int
            var confirmed: Int
            var heldOff: Int
            var failed: Int
            var missed: Int
            var state: String
        }

        var name: String
        var nextAt: String?
        var last: Run?
    }

    /// A relay board with one schedule; `when` says its time.
    private func site(_ port: UInt16, _ when: String, _ value: String = "1") -> String {
        """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        buses:
          - {id: b, tcp: {host: 127.0.0.1, port: \(port)}}
        devices:
          - {id: den, node: r1, profile: waveshare-relay-8ch, bus: b, unit: 1}
        schedules:
          - name: den
            title: {vi: Bật đèn, en: Lights}
            \(when)
            days: all
            grace: 1 min
            actions:
              - {node: r1, control: relay-1, value: \(value)}
              - {device: den, control: relay-2, value: \(value)}
        """
    }

    /// `time` and `offset` of an instant so many seconds from now.
    private static func when(secondsFromNow seconds: Int64) -> String {
        let local = Int64(Date().timeIntervalSince1970) + 25_200 + seconds
        let inDay = (local % 86_400)
        let (hour, minute, second) = (inDay / 3_600, inDay % 3_600 / 60, inDay % 60)
        let time = "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
        return "time: \"\(time)\"\n    offset: \(second) s"
    }

    private func schedule(_ gateway: RunningGateway) async throws -> Item? {
        try await gateway.json(RunningGateway.Page<Item>.self, "/api/v1/schedules").items.first
    }

    private func actions(_ gateway: RunningGateway) async throws -> [String] {
        try await gateway.json(RunningGateway.Page<AuditLine>.self, "/api/v1/audit?limit=200").items.map(\.action)
    }

    @Test func aRunSetsItsControlsOnceAndLeavesAloneWhatIsHeld() async throws {
        let bank = RelayBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        let port = try server.listen(port: 0)
        let gateway = try RunningGateway(site: self.site(port, "time: \"03:00\""))
        defer { gateway.stop() }
        try await gateway.start()
        try await eventually("it has begun") { (try? await self.actions(gateway).contains("schedule.begin")) == true }
        let held = try await gateway.call(
            "POST",
            "/api/v1/devices/den/controls/relay-2",
            #"{"value": 0, "reason": "đang chiếu phim", "hold": 3600}"#
        )
        #expect(held.status == 200, "\(held.text)")
        // Another time is another schedule; it is due in some seconds.
        try self.site(port, Self.when(secondsFromNow: 6))
            .write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await eventually("it ran", seconds: 30) {
            (try? await self.schedule(gateway)?.last?.state) == "ended"
        }
        let last = try #require(try await self.schedule(gateway)?.last)
        #expect(last.confirmed == 1 && last.heldOff == 1 && last.failed == 0 && last.missed == 0)
        #expect(bank.coils == [0: 1, 1: 0])
        let audit =
            try await gateway.json(
                RunningGateway.Page<AuditLine>.self,
                "/api/v1/audit?actor=schedule:den&limit=50"
            )
            .items
        #expect(
            audit.map(\.action) == [
                "schedule.end", "control.result", "control.intent", "schedule.start", "schedule.begin",
                "schedule.begin",
            ]
        )
        let intent = try #require(audit.first { $0.action == "control.intent" })
        #expect(intent.subject == "den/relay-1" && intent.detail["priority"] == "schedule")

        // After a kill it is not run a second time.
        gateway.kill9()
        try await gateway.start()
        let next = try #require(try await self.schedule(gateway)?.nextAt)
        #expect(next > last.dueAt)
        #expect(try await self.actions(gateway).count { $0 == "schedule.start" } == 1)
    }

    @Test func aRunThatAKillInterruptedIsToldSoAndNotRunAgain() async throws {
        let bank = RelayBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        let port = try server.listen(port: 0)
        let gateway = try RunningGateway(site: self.site(port, "time: \"03:00\""))
        defer { gateway.stop() }
        try await gateway.start()
        try await eventually("it has begun") { (try? await self.actions(gateway).contains("schedule.begin")) == true }
        server.set(.late(milliseconds: 900), unit: 1)
        try self.site(port, Self.when(secondsFromNow: 4))
            .write(toFile: "\(gateway.folder)/site.yaml", atomically: true, encoding: .utf8)
        gateway.hangUp()
        try await eventually("it is under way", seconds: 30) {
            (try? await self.schedule(gateway)?.last?.state) == "running"
        }
        gateway.kill9()
        server.set(.none, unit: 1)
        try await gateway.start()
        #expect(try await self.schedule(gateway)?.last?.state == "interrupted")
        #expect(try await self.actions(gateway).count { $0 == "schedule.start" } == 1)
    }

    @Test func aRunThatWasMissedByMoreThanItsGraceIsToldAndNotMadeUpFor() async throws {
        let bank = RelayBank()
        let server = RegisterServer(bank: bank)
        defer { server.stop() }
        let port = try server.listen(port: 0)
        // It ran half an hour ago, which this gateway could not know: it is put back to before that.
        let gateway = try RunningGateway(site: self.site(port, Self.when(secondsFromNow: -1_800)))
        defer { gateway.stop() }
        try await gateway.start()
        try await eventually("it has begun") { (try? await self.actions(gateway).contains("schedule.begin")) == true }
        gateway.kill9()
        let hourAgo = Int64(Date().timeIntervalSince1970 - 3_600) * 1_000
        let code = try await Child(
            "/usr/bin/python3",
            [
                "-c",
                "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(\"UPDATE settings SET value="
                    + "json_set(value,'$.items[0].until',\(hourAgo)) WHERE key='control.schedules'\"); c.commit()",
                "\(gateway.state)/records.sqlite",
            ]
        )
        .wait()
        #expect(code == 0)
        try await gateway.start()
        try await eventually("it is told") { (try? await self.schedule(gateway)?.last?.missed) == 1 }
        #expect(try await self.schedule(gateway)?.last?.sent == 0)
        #expect(bank.coils.isEmpty)
        #expect(try await self.actions(gateway).contains("schedule.missed"))
    }

    @Test func whatNoDeviceCanDoIsAProblemOfTheConfiguration() async throws {
        struct Status: Decodable { var configurationProblems: [String] }
        let gateway = try RunningGateway(site: self.site(1, "time: \"03:00\"", "7"))
        defer { gateway.stop() }
        try await gateway.start()
        let problems = try await gateway.json(Status.self, "/api/v1/status").configurationProblems
        #expect(problems.count { $0.contains("schedule den") && $0.contains("must be 0 or 1") } == 2, "\(problems)")
    }
}

/// Eight coils.
private final class RelayBank: RegisterBank {
    private let state = Mutex<[UInt16: UInt16]>([:])

    /// What was written.
    var coils: [UInt16: UInt16] { self.state.withLock { $0 } }

    func isPresent(unit: UInt8) -> Bool { unit == 1 }

    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        .success(self.state.withLock { coils in (0..<count).map { coils[address &+ $0] ?? 0 } })
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        self.state.withLock { coils in
            for (offset, value) in values.enumerated() { coils[address + UInt16(offset)] = value }
        }
        return nil
    }
}
