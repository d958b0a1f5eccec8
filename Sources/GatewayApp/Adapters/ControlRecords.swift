internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import Foundation
internal import Logging
internal import SchoolRecords
internal import Synchronization

/// Writes commands into the audit: `control.intent` before anything is sent, `control.result` when it is known what
/// became of it.
final class ControlRecords: ControlJournal {
    /// How far back in the audit an intent without a result is looked for at the start.
    static let tail = 100_000

    private let records: Records
    /// Held while what is held is written: a later state is never overwritten by an earlier one.
    private let writing = Mutex(())

    init(records: Records) { self.records = records }

    func begin(_ request: CommandRequest, wire: String) async throws -> Int64 {
        var detail = [
            "reason": request.reason, "priority": request.priority.rawValue, "wire": wire,
            "standing": Self.text(of: request.actor.standing),
        ]
        if let value = request.value { detail["value"] = NumberText.text(value) }
        return try await self.records.perform { [detail] records in
            try records.auditNumbered(
                actor: request.actor.name,
                action: "control.intent",
                subject: request.key.description,
                detail: detail
            )
        }
    }

    func refuse(_ request: CommandRequest, _ refusal: CommandRefusal) async throws {
        var detail = [
            "code": refusal.code.rawValue, "reason": request.reason, "standing": Self.text(of: request.actor.standing),
        ]
        if let value = request.value { detail["value"] = NumberText.text(value) }
        try await self.records.perform { [detail] records in
            try records.audit(
                actor: request.actor.name,
                action: "control.refuse",
                subject: request.key.description,
                detail: detail
            )
        }
    }

    func end(_ command: Command) async throws {
        var detail = ["command": "\(command.id)", "outcome": command.outcome.code]
        if let value = command.outcome.value { detail["value"] = NumberText.text(value) }
        if let text = command.outcome.detail { detail["text"] = text.en }
        if let milliseconds = command.milliseconds {
            detail["milliseconds"] = NumberText.text((milliseconds * 10).rounded() / 10)
        }
        try await self.records.perform { [detail] records in
            try records.audit(
                actor: command.actor,
                action: "control.result",
                subject: command.key.description,
                detail: detail
            )
        }
    }

    func keep(
        _ holds: @escaping @Sendable () -> ControlHolds,
        actor: String,
        action: String,
        subject: String,
        detail: [String: String]
    ) async throws {
        try await self.records.perform { records in
            try self.writing.withLock { _ in
                let json = try StoredHolds(holds()).json()
                try records.keepHolds(json: json, actor: actor, action: action, subject: subject, detail: detail)
            }
        }
    }

    private static func text(of standing: CommandActor.Standing) -> String {
        switch standing {
        case .administrator: "administrator"
        case .role(let role): role.rawValue
        case .viewer: "viewer"
        case .automation: "schedule"
        }
    }

    /// What an earlier life left: what is held, and the last commands.
    ///
    /// An intent without a result gets one now: nobody
    /// knows what became of it.
    func restore(logger: Logger) throws -> (holds: ControlHolds, commands: [Command]) {
        let entries = try self.records.auditTail(actions: ["control.intent", "control.result"], within: Self.tail)
        var commands: [Int64: Command] = [:]
        for entry in entries where entry.action == "control.intent" {
            guard let key = ControlKey(entry.subject) else { continue }
            commands[entry.id] = Command(
                id: entry.id,
                key: key,
                value: entry.detail["value"].flatMap(Double.init),
                actor: entry.actor,
                reason: entry.detail["reason"] ?? "",
                priority: entry.detail["priority"].flatMap(CommandRequest.Priority.init) ?? .manual,
                sent: entry.at,
                outcome: .pending,
                milliseconds: nil
            )
        }
        for entry in entries where entry.action == "control.result" {
            guard let id = entry.detail["command"].flatMap({ Int64($0) }) else { continue }
            commands[id]?.outcome = Self.outcome(entry.detail)
            commands[id]?.milliseconds = entry.detail["milliseconds"].flatMap(Double.init)
        }
        for id in commands.keys.sorted() where commands[id]?.outcome == .pending {
            let text = LocalizedText(
                vi: "gateway đã dừng trước khi biết kết quả",
                en: "the gateway ended before the result was known"
            )
            commands[id]?.outcome = .unknown(text)
            guard let command = commands[id] else { continue }
            try self.records.audit(
                actor: "gateway",
                action: "control.result",
                subject: command.key.description,
                detail: ["command": "\(id)", "outcome": command.outcome.code, "text": text.en]
            )
        }
        let ordered = commands.values.sorted { $0.id < $1.id }
        guard let text = try self.records.setting(Records.holdsKey) else { return (ControlHolds(), ordered) }
        do {
            return (try StoredHolds(json: text).holds, ordered)
        } catch {
            // A gateway that reads its devices is worth more; what was locked has to be locked again.
            logger.error("overrides and locks cannot be read, there are none now", metadata: ["error": "\(error)"])
            return (ControlHolds(), ordered)
        }
    }

    private static func outcome(_ detail: [String: String]) -> CommandOutcome {
        let value = detail["value"].flatMap(Double.init)
        let text = LocalizedText(vi: detail["text"] ?? "", en: detail["text"] ?? "")
        return switch detail["outcome"] {
        case "confirmed": value.map { .confirmed($0) } ?? .unknown(text)
        case "not-confirmed": .different(value)
        case "acknowledged": .acknowledged
        case "refused":
            .refused(
                code: String(text.en.prefix { $0 != ":" }),
                LocalizedText(
                    vi: String(text.en.drop { $0 != ":" }.dropFirst(2)),
                    en: String(text.en.drop { $0 != ":" }.dropFirst(2))
                )
            )
        case "not-sent": .notSent(text)
        default: .unknown(text)
        }
    }
}

/// What is held, as the setting `control.holds` has it.
private struct StoredHolds: Codable {
    struct Hold: Codable {
        var device: String
        /// Missing for a lock, which is of the whole device.
        var control: String?
        var actor: String
        var reason: String
        var since: Int64
        var until: Int64?
        var value: Double?
    }

    var items: [Hold]

    init(_ holds: ControlHolds) {
        func stored(_ hold: ControlHold, _ device: DeviceID, _ control: String?) -> Hold {
            Hold(
                device: device.rawValue,
                control: control,
                actor: hold.actor,
                reason: hold.reason,
                since: hold.since.rawValue,
                until: hold.until?.rawValue,
                value: hold.value
            )
        }
        self.items =
            holds.overrides.map { stored($0.value, $0.key.device, $0.key.control) }
            + holds.locks.map { stored($0.value, $0.key, nil) }
    }

    init(json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    func json() throws -> String { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }

    var holds: ControlHolds {
        var holds = ControlHolds()
        for item in self.items {
            let hold = ControlHold(
                actor: item.actor,
                reason: item.reason,
                since: Tick(milliseconds: item.since),
                until: item.until.map { Tick(milliseconds: $0) },
                value: item.value
            )
            let device = DeviceID(rawValue: item.device)
            if let control = item.control {
                holds.overrides[ControlKey(device, control)] = hold
            } else {
                holds.locks[device] = hold
            }
        }
        return holds
    }
}
