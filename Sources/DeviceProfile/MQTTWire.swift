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
        package enum Test: Sendable, Hashable {
            /// The texts of the JSON scalars that fulfil it (`true`, `5`, `access`).
            case oneOf([String])
            /// Whether the member is there and not null.
            case present(Bool)
        }

        package var pointer: JSONPointer
        package var test: Test
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

    /// What says that a message is history, not live.
    package enum Replay: Sendable, Hashable {
        /// Every message of the kind is.
        case always
        case when(Condition)
    }

    /// One kind of message of the device.
    package struct Message: Sendable, Hashable {
        package var name: String
        package var topic: TopicTemplate
        package var payload: Payload
        package var when: Condition?
        /// The list whose elements are one message each; everything but ``when`` is relative to the element.
        package var each: JSONPointer?
        package var clock: Clock?
        package var replay: Replay?
        package var sequence: JSONPointer?
        package var retained: Retained
        package var sent: Sent
    }

    /// The last will of the device, as bare text or in a JSON payload.
    package struct Availability: Sendable, Hashable {
        package var topic: TopicTemplate
        /// Where the text is in a JSON payload; `nil`: the payload is the text.
        package var pointer: JSONPointer?
        package var online: String
        package var offline: String
    }

    package var messages: [Message]
    package var availability: Availability?
}

/// A place of a value in a payload.
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
