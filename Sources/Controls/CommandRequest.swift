package import CampusModel
package import DeviceProfile

/// Who wants something of a device.
package struct CommandActor: Sendable, Hashable {
    /// What somebody may do.
    package enum Standing: Sendable, Hashable {
        /// Every control.
        case administrator
        /// The controls that name this role.
        case role(ControlDefinition.Role)
        /// None.
        case viewer
        /// A schedule of the configuration, which an administrator wrote.
        case automation
    }

    /// A user's name, a token's label, or the schedule's name; as the audit has it.
    package var name: String
    package var standing: Standing

    package init(name: String, standing: Standing) {
        self.name = name
        self.standing = standing
    }

    func may(use control: ControlDefinition) -> Bool {
        switch self.standing {
        case .administrator, .automation: true
        case .role(let role): control.roles.contains(role)
        case .viewer: false
        }
    }
}

/// What somebody wants a control to do.
package struct CommandRequest: Sendable, Hashable {
    /// How strong a command is: a stronger one is not undone by a weaker one.
    package enum Priority: String, Sendable, Hashable, Codable, CaseIterable {
        /// A time of the timetable.
        case schedule
        /// A person or a program, once.
        case manual
        /// Somebody who is there and wants it to stay so for a while.
        case override
    }

    package var key: ControlKey
    /// In the control's unit; `nil` for buttons.
    package var value: Double?
    package var actor: CommandActor
    package var priority: Priority
    /// Why, in the person's own words; 3 to 200 characters.
    package var reason: String
    /// Whether the control's question was answered with yes.
    package var isConfirmed: Bool
    /// How long an override holds, milliseconds.
    package var holdMilliseconds: Int64?

    package init(
        key: ControlKey,
        value: Double?,
        actor: CommandActor,
        priority: Priority = .manual,
        reason: String,
        isConfirmed: Bool = false,
        holdMilliseconds: Int64? = nil
    ) {
        self.key = key
        self.value = value
        self.actor = actor
        self.priority = priority
        self.reason = reason
        self.isConfirmed = isConfirmed
        self.holdMilliseconds = holdMilliseconds
    }
}

/// Why a command is not sent.
package struct CommandRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable words of the API.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case unknownDevice = "unknown-device"
        case unknownControl = "unknown-control"
        /// The device protects lives; nothing is written to it.
        case readOnly = "read-only"
        case roleNeeded = "role-needed"
        case reasonNeeded = "reason-needed"
        case confirmationNeeded = "confirmation-needed"
        case valueRefused = "value-refused"
        case tooSoon = "too-soon"
        /// Somebody else's override holds.
        case overridden
        /// The device is locked.
        case locked
        /// The device still works on another command, or too many are under way.
        case busy
        /// The device cannot be reached now; nothing is kept for later.
        case unreachable
        /// The audit cannot be written, so nothing is sent.
        case notRecorded = "not-recorded"
    }

    package var code: Code
    package var text: LocalizedText
    /// When it is worth another try; `nil` where time changes nothing.
    package var retryAfterMilliseconds: Int64?

    package init(_ code: Code, vi: String, en: String, retryAfterMilliseconds: Int64? = nil) {
        self.code = code
        self.text = LocalizedText(vi: vi, en: en)
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    package var description: String { "\(self.code.rawValue): \(self.text.en)" }

    /// Whether somebody wanted what they may not, rather than made a mistake.
    var isDenial: Bool {
        switch self.code {
        case .readOnly, .roleNeeded, .locked, .overridden: true
        default: false
        }
    }
}
