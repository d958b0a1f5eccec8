internal import ArgumentParser
internal import Foundation

/// The command `campusctl control`.
struct ControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control",
        abstract: "What may be written to devices, and writing it.",
        discussion: """
            Every command is written down with who, when and why before it is sent, and with what became of it.
            Exit codes: 0 confirmed or acknowledged, or a dry run that would be sent; 1 anything else.
            """,
        subcommands: [
            ControlListCommand.self, ControlSetCommand.self, ControlReleaseCommand.self, ControlLockCommand.self,
            ControlUnlockCommand.self,
        ]
    )
}

/// A command and what became of it, as the API tells it.
private struct SentCommand: Codable {
    var id: Int64
    var control: String
    var value: Double?
    var actor: String
    var reason: String
    var priority: String
    var at: String
    var outcome: String
    var readBack: Double?
    var milliseconds: Double?
}

/// The command `campusctl control list`.
struct ControlListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The controls of a device, who holds them, and their last command."
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device.")
    var device: String

    private struct Hold: Codable {
        var actor: String
        var reason: String
        var until: String?
    }

    private struct Choice: Codable { var value: Double }

    private struct Control: Codable {
        var name: String
        var kind: String
        var unit: String
        var minimum: Double?
        var maximum: Double?
        var step: Double?
        var choices: [Choice]
        var roles: [String]
        var readback: String?
        var override: Hold?
        var lock: Hold?
        var commands: [SentCommand]

        var values: String {
            if let minimum, let maximum { return "\(minimum)...\(maximum)\(step.map { " by \($0)" } ?? "")" }
            return self.choices.isEmpty ? "(a button)" : self.choices.map { "\($0.value)" }.joined(separator: ", ")
        }

        var held: String {
            if let lock { return "locked by \(lock.actor): \(lock.reason)" }
            return self.override.map { "\($0.actor) until \($0.until ?? "-")" } ?? "-"
        }
    }

    func run() async throws {
        let controls = try await self.gateway.client()
            .get(Listing<Control>.self, "devices/\(ControlPath.part(self.device))/controls").items
        if self.gateway.json { return print(try JSONOutput.text(controls)) }
        TextTable.print(
            ["CONTROL", "VALUES", "UNIT", "ROLES", "SHOWS AT", "HELD", "LAST"],
            controls.map { control in
                [
                    control.name, control.values, control.unit,
                    (control.roles + ["administrator"]).joined(separator: " "), control.readback ?? "nowhere",
                    control.held, control.commands.first.map { "\($0.outcome) \($0.at)" } ?? "-",
                ]
            }
        )
    }
}

/// The command `campusctl control set`.
struct ControlSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Send a value to a control, and wait for what becomes of it."
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device.")
    var device: String

    @Argument(help: "One of its controls.")
    var control: String

    @Argument(help: "The value: a number, on or off; none for a button.")
    var value: String?

    @Option(help: "Why, in 3 to 200 characters; it is written down.")
    var reason: String

    @Option(help: "Keep schedules and others away: seconds (60 to 43200), or lesson.")
    var hold: String?

    @Flag(help: "Answer the control's question with yes.")
    var confirm = false

    @Flag(help: "Only tell what would be sent.")
    var dryRun = false

    @Option(help: "Wait so many seconds for the outcome, 0 to 20.")
    var wait = 20.0

    private struct Body: Encodable {
        var value: Double?
        var reason: String
        var confirmed: Bool
        var hold: Hold?
        var dryRun: Bool
        var waitSeconds: Double

        enum Hold: Encodable {
            case seconds(Double)
            case lesson

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                switch self {
                case .seconds(let seconds): try container.encode(seconds)
                case .lesson: try container.encode("lesson")
                }
            }
        }
    }

    private struct DryRun: Codable {
        var wire: String
        var payload: String
        var topic: String?
    }

    func validate() throws {
        if let value, ControlPath.number(value) == nil {
            throw ValidationError("the value is a number, on or off; it is '\(value)'")
        }
        if let hold, hold != "lesson", Double(hold).map({ (60...43_200).contains($0) }) != true {
            throw ValidationError("--hold is lesson, or 60 to 43200 seconds; it is '\(hold)'")
        }
        guard (0...20).contains(self.wait) else { throw ValidationError("--wait is 0 to 20 seconds") }
    }

    func run() async throws {
        let body = Body(
            value: self.value.flatMap(ControlPath.number),
            reason: self.reason,
            confirmed: self.confirm,
            hold: self.hold.map { $0 == "lesson" ? .lesson : .seconds(Double($0) ?? 0) },
            dryRun: self.dryRun,
            waitSeconds: self.wait
        )
        let path = "devices/\(ControlPath.part(self.device))/controls/\(ControlPath.part(self.control))"
        let data = try await self.gateway.client().call(path, method: "POST", body: try JSONEncoder().encode(body))
        if self.dryRun {
            let dry = try JSONDecoder().decode(DryRun.self, from: data)
            if self.gateway.json { return print(try JSONOutput.text(dry)) }
            return print("would send (\(dry.wire)\(dry.topic.map { " " + $0 } ?? "")): \(dry.payload)")
        }
        let sent = try JSONDecoder().decode(SentCommand.self, from: data)
        if self.gateway.json {
            print(try JSONOutput.text(sent))
        } else {
            let shown = sent.readBack.map { ", the device shows \($0)" } ?? ""
            let time = sent.milliseconds.map { " after \(Int(exactly: $0.rounded()) ?? 0) ms" } ?? ""
            print("\(sent.control): \(sent.outcome)\(time)\(shown) (number \(sent.id) in the audit)")
        }
        guard sent.outcome == "confirmed" || sent.outcome == "acknowledged" else { throw ExitCode(1) }
    }
}

/// The command `campusctl control release`.
struct ControlReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "release", abstract: "End an override.")

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device.")
    var device: String

    @Argument(help: "One of its controls.")
    var control: String

    func run() async throws {
        let path = "devices/\(ControlPath.part(self.device))/controls/\(ControlPath.part(self.control))/override"
        _ = try await self.gateway.client().call(path, method: "DELETE")
        if !self.gateway.json { print("\(self.device)/\(self.control) is not held") }
    }
}

/// The command `campusctl control lock`.
struct ControlLockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Let nothing be sent to a device, by nobody, until it is unlocked."
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device.")
    var device: String

    @Option(help: "Why, in 3 to 200 characters.")
    var reason: String

    func run() async throws {
        _ = try await self.gateway.client()
            .call(
                "devices/\(ControlPath.part(self.device))/lock",
                method: "POST",
                body: try JSONEncoder().encode(["reason": self.reason])
            )
        if !self.gateway.json { print("\(self.device) is locked") }
    }
}

/// The command `campusctl control unlock`.
struct ControlUnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unlock", abstract: "Unlock a device.")

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device.")
    var device: String

    func run() async throws {
        let path = "devices/\(ControlPath.part(self.device))/lock"
        _ = try await self.gateway.client().call(path, method: "DELETE")
        if !self.gateway.json { print("\(self.device) is not locked") }
    }
}

private enum ControlPath {
    private static let plain = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
    )

    /// A name as one part of a path.
    static func part(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? name
    }

    static func number(_ text: String) -> Double? {
        switch text.lowercased() {
        case "on", "true": 1
        case "off", "false": 0
        default: Double(text).flatMap { $0.isFinite ? $0 : nil }
        }
    }
}
