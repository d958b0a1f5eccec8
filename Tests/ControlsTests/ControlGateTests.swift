import CampusModel
import Controls
import DeviceProfile
import StrictYAML
import Testing

/// Which commands may be sent.
struct ControlGateTests {
    private let start = Tick(milliseconds: 1_790_000_000_000)

    private func refusal(
        _ request: CommandRequest,
        _ gate: ControlGate = ControlGate(),
        at tick: Tick? = nil
    ) throws -> CommandRefusal? {
        let device = try Made.aircon()
        do throws(CommandRefusal) {
            _ = try gate.check(
                request,
                device: request.key.device == device.id ? device : nil,
                at: tick ?? self.start
            )
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            (Made.request("setpoint", 26), nil), (Made.request("setpoint", 26, .role(.lab)), nil),
            (Made.request("setpoint", 26, .viewer), .roleNeeded), (Made.request("setpoint", 31), .valueRefused),
            (Made.request("setpoint", 26.2), .valueRefused), (Made.request("setpoint", .nan), .valueRefused),
            (Made.request("setpoint", .infinity), .valueRefused), (Made.request("setpoint", nil), .valueRefused),
            (Made.request("setpoint", 26, reason: "ok"), .reasonNeeded),
            (Made.request("setpoint", 26, reason: String(repeating: "á", count: 201)), .reasonNeeded),
            (Made.request("setpoint", 26, .automation, reason: ""), nil),
            (Made.request("power", 1), .confirmationNeeded), (Made.request("power", 1, isConfirmed: true), nil),
            (Made.request("power", 1, .role(.lab), isConfirmed: true), .roleNeeded),
            (Made.request("power", 1, .automation, reason: ""), nil), (Made.request("reset", nil), .roleNeeded),
            (Made.request("reset", nil, .administrator), nil),
            (Made.request("reset", 1, .administrator), .valueRefused),
            (Made.request("colour", 1), .unknownControl), (Made.request("power", 1, device: "tv"), .unknownDevice),
        ] as [(CommandRequest, CommandRefusal.Code?)]
    )
    func aRequestIsJudgedByRoleValueAndWords(request: CommandRequest, expected: CommandRefusal.Code?) throws {
        #expect(try self.refusal(request)?.code == expected)
    }

    @Test func aDeviceThatProtectsLivesIsNeverWritten() throws {
        var panel = try Made.aircon()
        // No file can say this; if one could, the gate would still refuse.
        panel.profile.category = .lifeSafety
        let refusal = #expect(throws: CommandRefusal.self) {
            try ControlGate().check(Made.request("setpoint", 26, .administrator), device: panel, at: self.start)
        }
        #expect(refusal?.code == .readOnly)
    }

    @Test func theReaderRefusesAControlOfSuchADevice() throws {
        let text = """
            profile: panel
            vendor: V
            model: M
            category: life-safety
            title: {vi: T, en: T}
            sources: [{title: "by hand", url: "https://example.org", trust: C}]
            verified: false
            modbus: {unit: 1}
            points:
              - {name: zone, title: {vi: Z, en: Z}, kind: boolean, wire: {table: coil, address: 0}}
            controls:
              - {name: silence, title: {vi: S, en: S}, kind: boolean, wire: {table: coil, address: 0}, readback: none}
            tests:
              - {name: none, modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}], expectEvents: []}
            """
        func problems(_ text: String) -> [String] {
            do throws(YAMLProblems) {
                _ = try DeviceProfile.read(yaml: text, file: "panel.yaml")
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        #expect(problems(text).contains { $0.contains("panel.yaml:12") && $0.contains("read-only") })
        #expect(problems(text.replacing("life-safety", with: "classroom")) == [])
        let event = """
            events:
              - {name: e, title: {vi: E, en: E}, fields: [{name: f, table: holding, address: 1, type: uint16}], capture: {newFlag: {table: coil, address: 1}, clear: {table: coil, address: 1, value: 0}}}
            tests:
            """
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains("silence") && $0 != "controls:" }.joined(separator: "\n")
        #expect(problems(lines) == [])
        #expect(problems(lines.replacing("tests:", with: event)).contains { $0.contains("read-only") })
    }

    @Test func aControlHasALeastTimeAndADeviceABurst() throws {
        var gate = ControlGate()
        let device = try Made.aircon()
        _ = try gate.admit(Made.request("setpoint", 26), device: device, at: self.start)
        #expect(try self.refusal(Made.request("power", 1, isConfirmed: true), gate)?.code == .busy)
        gate.finished(device.id)
        let soon = try self.refusal(Made.request("setpoint", 25), gate, at: self.start.advanced(byMilliseconds: 4_000))
        #expect(soon?.code == .tooSoon && soon?.retryAfterMilliseconds == 1_000)
        #expect(
            try self.refusal(Made.request("setpoint", 25), gate, at: self.start.advanced(byMilliseconds: 5_000)) == nil
        )
        // Nine more at once are let through, the tenth is not; a second later one is again.
        for _ in 0..<9 {
            _ = try gate.admit(Made.request("power", 1, isConfirmed: true), device: device, at: self.start)
            gate.finished(device.id)
        }
        #expect(try self.refusal(Made.request("power", 1, isConfirmed: true), gate)?.code == .tooSoon)
        let later = self.start.advanced(byMilliseconds: 1_000)
        #expect(try self.refusal(Made.request("power", 1, isConfirmed: true), gate, at: later) == nil)
    }

    @Test func whatIsStrongerIsNotUndoneByWhatIsWeaker() throws {
        var gate = ControlGate()
        let device = try Made.aircon()
        let hold = gate.hold(
            Made.request("setpoint", 24, by: "thầy Minh", .role(.lab), priority: .override, hold: 2_700_000),
            at: self.start
        )
        #expect(hold.until == self.start.advanced(byMilliseconds: 2_700_000))
        let schedule = Made.request("setpoint", 27, by: "buổi sáng", .automation, priority: .schedule)
        let facility = Made.request("setpoint", 27, by: "lan")
        #expect(try self.refusal(schedule, gate)?.code == .overridden)
        #expect(try self.refusal(facility, gate)?.code == .overridden)
        // The holder may, another override may, another control is free, and a lock beats them all.
        #expect(try self.refusal(Made.request("setpoint", 25, by: "thầy Minh", .role(.lab)), gate) == nil)
        #expect(try self.refusal(Made.request("setpoint", 25, by: "lan", priority: .override), gate) == nil)
        #expect(try self.refusal(Made.request("power", 0, .automation, priority: .schedule), gate) == nil)
        gate.lock(device.id, ControlHold(actor: "an", reason: "sửa", since: self.start, until: nil))
        let taken = Made.request("setpoint", 25, by: "thầy Minh", .administrator, priority: .override)
        #expect(try self.refusal(taken, gate)?.code == .locked)
        #expect(gate.unlock(device.id) && !gate.unlock(device.id))
        // It ends by itself.
        let end = self.start.advanced(byMilliseconds: 2_700_000)
        #expect(try self.refusal(schedule, gate, at: end.advanced(byMilliseconds: -1))?.code == .overridden)
        #expect(try self.refusal(schedule, gate, at: end) == nil)
        #expect(gate.takeExpired(at: end).keys.map(\.control) == ["setpoint"])
        #expect(gate.takeExpired(at: end).isEmpty)
    }

    @Test func aSingleCommandKeepsSchedulesAwayForAWhile() throws {
        var gate = ControlGate()
        _ = try gate.admit(Made.request("setpoint", 24), device: try Made.aircon(), at: self.start)
        gate.finished(DeviceID(rawValue: "ac"))
        let schedule = Made.request("setpoint", 27, .automation, priority: .schedule)
        let minutes: (Int64) -> Tick = { self.start.advanced(byMilliseconds: $0 * 60_000) }
        #expect(try self.refusal(schedule, gate, at: minutes(14))?.code == .overridden)
        #expect(try self.refusal(schedule, gate, at: minutes(15)) == nil)
        // One of a schedule does not.
        var other = ControlGate()
        _ = try other.admit(schedule, device: try Made.aircon(), at: self.start)
        other.finished(DeviceID(rawValue: "ac"))
        #expect(try self.refusal(schedule, other, at: minutes(1)) == nil)
    }

    @Test func aHoldIsNeverLongerThanHalfADayNorShorterThanAMinute() {
        var gate = ControlGate()
        let long = gate.hold(Made.request("power", 1, priority: .override, hold: .max), at: self.start)
        #expect(long.until == self.start.advanced(byMilliseconds: 43_200_000))
        let short = gate.hold(Made.request("power", 1, priority: .override, hold: -5), at: self.start)
        #expect(short.until == self.start.advanced(byMilliseconds: 60_000))
    }

    @Test func whatAnEarlierLifeLeftStillCounts() throws {
        var gate = ControlGate()
        var holds = ControlHolds()
        holds.locks[DeviceID(rawValue: "tv")] = ControlHold(actor: "an", reason: "sửa", since: self.start, until: nil)
        let command = Command(
            id: 1,
            key: ControlKey(DeviceID(rawValue: "ac"), "setpoint"),
            value: 25,
            actor: "lan",
            reason: "nóng",
            priority: .manual,
            sent: self.start,
            outcome: .confirmed(25),
            milliseconds: 3
        )
        gate.restore(holds, commands: [command])
        #expect(try self.refusal(Made.request("setpoint", 26), gate)?.code == .tooSoon)
        #expect(gate.holds.locks.count == 1)
    }
}
