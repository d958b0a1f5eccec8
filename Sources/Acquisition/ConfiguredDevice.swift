package import CampusModel
package import DeviceProfile
package import FirmwareContract

/// A device of the site, bound to its profile and its address.
package struct ConfiguredDevice: Sendable {
    /// Where the device is reached.
    package enum Address: Sendable, Hashable {
        /// Values for the placeholders in the profile's topics.
        case mqtt(parameters: [String: String])
        /// A unit on one of the site's buses.
        case modbus(bus: String, unit: UInt8)
        /// A device on one of the site's line buses.
        case line(bus: String, unit: UInt8)
        /// A device that pushes over HTTP; the serial number by which it names itself.
        case http(serial: String)

        /// The values for topics, of a device whose messages come by themselves.
        var messageParameters: [String: String]? {
            switch self {
            case .mqtt(let parameters): parameters
            case .http(let serial): ["serial": serial]
            case .modbus, .line: nil
            }
        }
    }

    /// What a profile was made of: another revision is read anew.
    package struct Revision: Sendable, Hashable {
        /// The device's own settings.
        package var settings: String
        /// The whole file, which all its devices share.
        package var text: String

        package init(settings: String = "", text: String) {
            self.settings = settings
            self.text = text
        }
    }

    package var id: DeviceID
    package var node: NodeID
    package var name: LocalizedText
    package var profile: DeviceProfile
    package var profileRevision: Revision
    package var address: Address
    /// How often a publisher is expected to say something, milliseconds.
    package var reportMilliseconds: Int64
    /// East of UTC, for device clocks without a zone.
    package var zonelessOffsetSeconds: Int64
    /// What payloads are validated against before they are decoded; `nil`: nothing.
    package var contract: ContractLibrary.Entry?

    package init(
        id: DeviceID,
        node: NodeID,
        name: LocalizedText,
        profile: DeviceProfile,
        profileRevision: Revision,
        address: Address,
        reportMilliseconds: Int64,
        zonelessOffsetSeconds: Int64,
        contract: ContractLibrary.Entry? = nil
    ) {
        self.id = id
        self.node = node
        self.name = name
        self.profile = profile
        self.profileRevision = profileRevision
        self.address = address
        self.reportMilliseconds = reportMilliseconds
        self.zonelessOffsetSeconds = zonelessOffsetSeconds
        self.contract = contract
    }
}

/// The periods of the poll classes and the patience with silent devices.
package struct PollingOptions: Sendable, Hashable {
    package var fastMilliseconds: Int64
    package var normalMilliseconds: Int64
    package var slowMilliseconds: Int64
    package var onceMilliseconds: Int64
    /// Periods that a device may miss before it is offline.
    package var missedMax: Int64
    /// A value that stays inside its deadband is stored again after this time, so that silence is not mistaken.
    package var heartbeatMilliseconds: Int64

    package init(
        fastMilliseconds: Int64 = 1_000,
        normalMilliseconds: Int64 = 10_000,
        slowMilliseconds: Int64 = 60_000,
        onceMilliseconds: Int64 = 3_600_000,
        missedMax: Int64 = 3,
        heartbeatMilliseconds: Int64 = 900_000
    ) {
        self.fastMilliseconds = fastMilliseconds
        self.normalMilliseconds = normalMilliseconds
        self.slowMilliseconds = slowMilliseconds
        self.onceMilliseconds = onceMilliseconds
        self.missedMax = missedMax
        self.heartbeatMilliseconds = heartbeatMilliseconds
    }

    /// The period of a class, milliseconds.
    package func periodMilliseconds(of poll: PointDefinition.PollClass) -> Int64 {
        switch poll {
        case .fast: self.fastMilliseconds
        case .normal: self.normalMilliseconds
        case .slow: self.slowMilliseconds
        case .once: self.onceMilliseconds
        }
    }
}
