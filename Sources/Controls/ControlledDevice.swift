package import CampusModel
package import DeviceProfile

/// A device of the site, as far as it may be controlled.
package struct ControlledDevice: Sendable {
    /// Where its commands go.
    package enum Address: Sendable, Hashable {
        case registers(bus: String, unit: UInt8)
        /// Values for the placeholders of topic and payload.
        case messages(parameters: [String: String])
    }

    package var id: DeviceID
    package var node: NodeID
    package var name: LocalizedText
    package var profile: DeviceProfile
    package var address: Address

    package init(
        id: DeviceID,
        node: NodeID,
        name: LocalizedText,
        profile: DeviceProfile,
        address: Address
    ) {
        self.id = id
        self.node = node
        self.name = name
        self.profile = profile
        self.address = address
    }

    /// Whether nothing is ever written to it: a second lock behind the reader of profiles, which lets such a profile
    /// declare no control.
    package var isReadOnly: Bool { self.profile.category == .lifeSafety }

    var parameters: [String: String] {
        if case .messages(let parameters) = self.address { parameters } else { [:] }
    }
}

/// One control of one device.
package struct ControlKey: Sendable, Hashable, CustomStringConvertible {
    package var device: DeviceID
    package var control: String

    package init(_ device: DeviceID, _ control: String) {
        self.device = device
        self.control = control
    }

    /// `device/control`, as the audit has it.
    package var description: String { "\(self.device)/\(self.control)" }

    /// Reads ``description``.
    package init?(_ text: String) {
        guard let point = PointID(text) else { return nil }
        self.init(point.device, point.name)
    }
}
