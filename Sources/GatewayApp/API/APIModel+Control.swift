internal import CampusModel
internal import Controls
internal import DeviceProfile

/// What the API tells of controls.
extension APIModel {
    struct Control: Encodable {
        struct Choice: Encodable {
            var value: Double
            var label: LocalizedText
        }

        /// `device/control`.
        var id: String
        var name: String
        var title: LocalizedText
        var kind: String
        var unit: String
        var minimum: Double?
        var maximum: Double?
        var step: Double?
        var choices: [Choice]
        /// Who may use it beside administrators.
        var roles: [String]
        var minimumIntervalSeconds: Double
        /// The point that shows what the device did; absent where nothing does.
        var readback: String?
        /// The value that does no harm.
        var safe: Double?
        /// What must be answered with `confirmed: true`.
        var confirm: LocalizedText?
        var isBusy: Bool
        var override: Hold?
        var lock: Hold?
        /// The newest first, ten at most.
        var commands: [CommandItem]

        init(_ status: ControlStatus, utc: (Tick) -> Tick) {
            let control = status.definition
            self.id = "\(status.device.id)/\(control.name)"
            self.name = control.name
            self.title = control.title
            self.kind = control.kind.rawValue
            self.unit = control.unit
            self.minimum = control.range?.lowerBound
            self.maximum = control.range?.upperBound
            self.step = control.step
            self.choices = control.choices.map { Choice(value: $0, label: control.words(for: $0)) }
            self.roles = control.roles.map(\.rawValue).sorted()
            self.minimumIntervalSeconds = Double(control.minimumIntervalMilliseconds) / 1_000
            if case .point(let index, _, _) = control.readback {
                self.readback = "\(status.device.id)/\(status.device.profile.points[index].name)"
            }
            self.safe = control.safe
            self.confirm = control.confirmation
            self.isBusy = status.isBusy
            self.override = status.override.map { Hold($0, utc: utc) }
            self.lock = status.lock.map { Hold($0, utc: utc) }
            self.commands = status.commands.map { CommandItem($0, utc: utc) }
        }
    }

    struct Hold: Encodable {
        var actor: String
        var reason: String
        var since: String
        var until: String?
        var value: Double?

        init(_ hold: ControlHold, utc: (Tick) -> Tick) {
            self.actor = hold.actor
            self.reason = hold.reason
            self.since = UTCText.rfc3339(utc(hold.since))
            self.until = hold.until.map { UTCText.rfc3339(utc($0)) }
            self.value = hold.value
        }
    }

    struct CommandItem: Encodable {
        var id: Int64
        var control: String
        var value: Double?
        var actor: String
        var reason: String
        var priority: String
        var at: String
        /// `pending`, `confirmed`, `not-confirmed`, `acknowledged`, `refused`, `not-sent`, `unknown`.
        var outcome: String
        /// What was read back.
        var readBack: Double?
        var detail: LocalizedText?
        var milliseconds: Double?

        init(_ command: Command, utc: (Tick) -> Tick) {
            self.id = command.id
            self.control = command.key.description
            self.value = command.value
            self.actor = command.actor
            self.reason = command.reason
            self.priority = command.priority.rawValue
            self.at = UTCText.rfc3339(utc(command.sent))
            self.outcome = command.outcome.code
            self.readBack = command.outcome.value
            self.detail = command.outcome.detail
            self.milliseconds = command.milliseconds
        }
    }

    /// What would be sent.
    struct DryRun: Encodable {
        var control: String
        var value: Double?
        /// `modbus`, `mqtt`.
        var wire: String
        /// The request without unit and checksum, hexadecimal, or the payload.
        var payload: String
        /// MQTT: where it goes.
        var topic: String?

        init(_ key: ControlKey, _ value: Double?, _ write: ControlWrite) {
            self.control = key.description
            self.value = value
            switch write {
            case .registers:
                self.wire = "modbus"
                self.payload = HexText.text(write.pdu)
            case .message(let topic, let payload):
                self.wire = "mqtt"
                self.payload = payload
                self.topic = topic
            }
        }
    }
}

extension ControlDefinition {
    /// The only values; empty for numbers and buttons.
    var choices: [Double] {
        if !self.enumeration.isEmpty { return self.enumeration.map(\.value) }
        return self.kind == .boolean ? [0, 1] : []
    }
}
