package import CampusModel

/// How to read one device model: a file of `DeviceProfiles/`, checked and ready to decode with.
///
/// The format is described in `docs/formats/device-profile.md`; values of this type are only made by the reader, so
/// every reference (messages, points) is known to resolve.
package struct DeviceProfile: Sendable {
    /// What sort of thing the device is, for pages and reports.
    package enum Category: String, Sendable, CaseIterable {
        case environment
        case energy
        case classroom
        case laboratory
        case attendance
        case equipmentTag = "equipment-tag"
        case infrastructure
        /// Fire panels and the like: the gateway reads them and writes nothing to them, ever.
        case lifeSafety = "life-safety"
    }

    /// Where the facts were learnt.
    package struct Source: Sendable, Hashable {
        /// How far the source can be trusted.
        package enum Trust: String, Sendable, CaseIterable {
            case vendor = "A"
            case openDriver = "B"
            case community = "C"
        }

        package var title: String
        package var url: String?
        package var page: String?
        package var trust: Trust
    }

    /// Who has seen the profile work on hardware.
    package struct Verification: Sendable, Hashable {
        package var by: String
        package var date: String
        package var serial: String?
    }

    /// The wire that the device speaks.
    package enum Wire: Sendable {
        case modbus(ModbusWire)
        case mqtt(MQTTWire)
        case line(LineWire)
        case http(HTTPWire)
    }

    package var id: String
    package var vendor: String
    package var model: String
    package var category: Category
    package var title: LocalizedText
    package var notes: String?
    /// The contract that payloads are validated against, `family/v<major>`; `nil`: none.
    package var contract: String?
    package var sources: [Source]
    /// `nil` when nobody has verified it on hardware.
    package var verification: Verification?
    package var wire: Wire
    package var points: [PointDefinition]
    package var events: [EventDefinition]
    package var controls: [ControlDefinition]
    /// What the device does when the gateway is gone; `nil` where that is not known.
    package var failsafe: FailsafeDefinition?
    package var tests: [GoldenCase]
    /// What is asked of whoever installs such a device; `wire`, `points`, `events` and `controls` hold for ``choices``.
    package var settings: [SettingDefinition]
    /// The option of each setting.
    package var choices: [String: String]
    /// All variants; `nil` for a profile without settings.
    var template: ProfileTemplate?

    /// The index of the point called `name` in ``points``.
    package func pointIndex(named name: String) -> Int? { self.points.firstIndex { $0.name == name } }
}
