import CampusModel
import Controls
import DeviceProfile
import Logging
import Synchronization

/// Time that passes only by waiting for it.
final class ManualClock: TickClock {
    private let milliseconds = Mutex<Int64>(1_790_000_000_000)

    func now() -> Tick { Tick(milliseconds: self.milliseconds.withLock { $0 }) }
    func tick(boottimeNanoseconds: UInt64) -> Tick { self.now() }
    func pass(_ milliseconds: Int64) { self.milliseconds.withLock { $0 += milliseconds } }
}

/// Devices that answer what a test says.
final class ScriptedWires: ControlWires {
    struct State: Sendable {
        var writeReply = RegisterWriteReply.accepted(readback: nil)
        var publishReply = PublishReply.acknowledged
        var reads: [[UInt16]?] = []
        var observations: [PointObservation?] = []
        var obstacle: LocalizedText?
        var writes: [ControlWrite] = []
        var topics: [String] = []
        var held: AsyncStream<Void>?
    }

    let state = Mutex(State())

    func set(_ change: (inout State) -> Void) { self.state.withLock { change(&$0) } }
    var writes: [ControlWrite] { self.state.withLock { $0.writes } }
    var topics: [String] { self.state.withLock { $0.topics } }

    func obstacle(of device: ControlledDevice) -> LocalizedText? { self.state.withLock { $0.obstacle } }

    func write(
        _ write: ControlWrite,
        bus: String,
        unit: UInt8,
        readback: RegisterRead?
    ) async -> RegisterWriteReply {
        let held = self.state.withLock { state in
            state.writes.append(write)
            return state.held.take()
        }
        if let held { for await _ in held {} }
        return self.state.withLock { $0.writeReply }
    }

    func read(_ read: RegisterRead, bus: String, unit: UInt8) async -> [UInt16]? {
        self.state.withLock { $0.reads.isEmpty ? nil : $0.reads.removeFirst() }
    }

    func publish(topic: String, payload: String, withinMilliseconds: Int64) async -> PublishReply {
        self.state.withLock { state in
            state.topics.append("\(topic) \(payload)")
            return state.publishReply
        }
    }

    func observation(of point: Int, device: DeviceID) -> PointObservation? {
        self.state.withLock { $0.observations.isEmpty ? nil : $0.observations.removeFirst() }
    }
}

/// A journal in memory, which may refuse.
final class MemoryJournal: ControlJournal {
    struct Refused: Error {}

    struct State: Sendable {
        var next: Int64 = 1
        var lines: [String] = []
        var holds = ControlHolds()
        var refuses = false
    }

    let state = Mutex(State())

    var lines: [String] { self.state.withLock { $0.lines } }
    var holds: ControlHolds { self.state.withLock { $0.holds } }
    func refuse(_ refuses: Bool) { self.state.withLock { $0.refuses = refuses } }

    func begin(_ request: CommandRequest, wire: String) async throws -> Int64 {
        try self.state.withLock { state in
            if state.refuses { throw Refused() }
            defer { state.next += 1 }
            state.lines.append("intent \(state.next) \(request.key) \(request.actor.name): \(request.reason) [\(wire)]")
            return state.next
        }
    }

    func refuse(_ request: CommandRequest, _ refusal: CommandRefusal) async throws {
        self.state.withLock { $0.lines.append("refuse \(request.key) \(request.actor.name) \(refusal.code.rawValue)") }
    }

    func end(_ command: Command) async throws {
        try self.state.withLock { state in
            if state.refuses { throw Refused() }
            state.lines.append("result \(command.id) \(command.outcome.code)")
        }
    }

    func keep(
        _ holds: @escaping @Sendable () -> ControlHolds,
        actor: String,
        action: String,
        subject: String,
        detail: [String: String]
    ) async throws {
        let holds = holds()
        try self.state.withLock { state in
            if state.refuses { throw Refused() }
            state.holds = holds
            state.lines.append("\(action) \(subject) \(actor)")
        }
    }
}

/// Profiles, devices and requests of these tests.
enum Made {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func head(_ category: String) -> String {
        """
        profile: t
        vendor: V
        model: M
        category: \(category)
        title: {vi: T, en: T}
        sources:
          - {title: "by hand", url: "https://example.org", trust: C}
        verified: false

        """
    }

    /// An aircon, which must be fed if `isFed`.
    static func aircon(isFed: Bool = false) throws -> ControlledDevice {
        let fed = try self.fedAircon()
        guard !isFed else { return fed }
        var device = fed
        device.profile.failsafe = nil
        return device
    }

    private static func fedAircon() throws -> ControlledDevice {
        let profile = try DeviceProfile.read(
            yaml: self.head("classroom")
                + """
                modbus: {unit: 1}
                failsafe: {title: {vi: Tắt, en: "Off"}, after: {seconds: 30}, feed: {table: holding, address: 60, type: uint16, values: [1, 2], everySeconds: 5}}
                points:
                  - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: holding, address: 4, type: int16}, scale: {divide: 10}, invalid: [-32768]}
                  - {name: power, title: {vi: P, en: P}, kind: boolean, wire: {table: coil, address: 0}}
                controls:
                  - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: holding, address: 4, type: int16}, scale: {divide: 10}, range: {min: 16, max: 30}, step: 0.5, roles: [facility, lab], minimumIntervalSeconds: 5, readback: {point: setpoint, withinSeconds: 10}}
                  - {name: power, title: {vi: P, en: P}, kind: boolean, wire: {table: coil, address: 0}, minimumIntervalSeconds: 0, readback: none, confirm: {vi: "Thật?", en: "Really?"}}
                  - {name: reset, title: {vi: R, en: R}, kind: command, wire: {table: coil, address: 9}, value: 1, roles: [], readback: none}
                tests:
                  - name: none
                    modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
                    expectEvents: []

                """,
            file: "t.yaml"
        )
        return ControlledDevice(
            id: DeviceID(rawValue: "ac"),
            node: NodeID(rawValue: "r1"),
            name: LocalizedText(vi: "Máy lạnh", en: "Aircon"),
            profile: profile,
            address: .registers(bus: "b", unit: 3)
        )
    }

    static func lamp() throws -> ControlledDevice {
        let profile = try DeviceProfile.read(
            yaml: self.head("classroom")
                + """
                mqtt:
                  messages:
                    - {name: state, topic: "lamp/{device}/state"}
                points:
                  - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {pointer: /on}}
                controls:
                  - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: {topic: "lamp/{device}/set", payload: '{"on":{value}}'}, readback: {point: relay, withinSeconds: 5}}
                tests:
                  - {name: none, mqtt: {topic: "lamp/x/state", payload: "{}"}, parameters: {device: x}, expectEvents: []}

                """,
            file: "t.yaml"
        )
        return ControlledDevice(
            id: DeviceID(rawValue: "lamp"),
            node: NodeID(rawValue: "r1"),
            name: LocalizedText(vi: "Đèn", en: "Lamp"),
            profile: profile,
            address: .messages(parameters: ["device": "l1"])
        )
    }

    static func request(
        _ control: String,
        _ value: Double?,
        device: String = "ac",
        by name: String = "lan",
        _ standing: CommandActor.Standing = .role(.facility),
        priority: CommandRequest.Priority = .manual,
        reason: String = "phòng họp",
        isConfirmed: Bool = false,
        hold: Int64? = nil
    ) -> CommandRequest {
        CommandRequest(
            key: ControlKey(DeviceID(rawValue: device), control),
            value: value,
            actor: CommandActor(name: name, standing: standing),
            priority: priority,
            reason: reason,
            isConfirmed: isConfirmed,
            holdMilliseconds: hold
        )
    }
}
