/// How a device publishes over MQTT.
package struct MQTTWire: Sendable, Hashable {
    /// What the payload is.
    package enum Payload: String, Sendable, CaseIterable {
        case json
        case text
    }

    /// What a retained message means.
    package enum Retained: String, Sendable, CaseIterable {
        case state
        case ignore
    }

    /// When a message is sent.
    package enum Sent: String, Sendable, CaseIterable {
        /// At least once in the device's report period: what it told is stale after several missed ones.
        case regularly
        /// When something changes: what it told holds until the device is offline.
        case onChange = "on-change"
    }

    /// A condition on the payload.
    package struct Condition: Sendable, Hashable {
        package var pointer: JSONPointer
        /// The texts of the JSON scalars that fulfil it (`true`, `5`, `access`).
        package var accepted: [String]
    }

    /// The device's own clock in a payload.
    package struct Clock: Sendable, Hashable {
        package enum Format: String, Sendable, CaseIterable {
            case rfc3339
            case local
            case unixSeconds = "unix-seconds"
            case unixMilliseconds = "unix-milliseconds"
        }

        package var pointer: JSONPointer
        package var format: Format
    }

    /// One kind of message of the device.
    package struct Message: Sendable, Hashable {
        package var name: String
        package var topic: TopicTemplate
        package var payload: Payload
        package var when: Condition?
        package var clock: Clock?
        package var replay: Condition?
        package var sequence: JSONPointer?
        package var retained: Retained
        package var sent: Sent
    }

    /// The last will of the device, as bare text.
    package struct Availability: Sendable, Hashable {
        package var topic: TopicTemplate
        package var online: String
        package var offline: String
    }

    package var messages: [Message]
    package var availability: Availability?
}

/// A value in a payload.
package struct PayloadSource: Sendable, Hashable {
    /// What it means that the member is not there.
    package enum Absent: String, Sendable, CaseIterable {
        case unchanged
        case missing
    }

    /// Index into ``MQTTWire/messages``.
    package var messageIndex: Int
    /// `nil` for bare-text payloads.
    package var pointer: JSONPointer?
    package var absent: Absent
}
