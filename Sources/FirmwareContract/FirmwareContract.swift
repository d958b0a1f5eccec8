package import DeviceProfile

/// What one major version of a firmware family promises to publish: an AsyncAPI 3 document, checked and ready to
/// validate with.
///
/// The format is described in `docs/formats/firmware-contract.md`; values of this type are only made by the reader, so
/// every reference is known to resolve.
package struct FirmwareContract: Sendable, Hashable {
    /// Who sends on a channel, seen from the device.
    package enum Direction: String, Sendable, CaseIterable {
        case send
        case receive
    }

    /// A topic with what may come there.
    package struct Channel: Sendable, Hashable {
        /// The key in `channels`.
        package var name: String
        package var address: TopicTemplate
        package var direction: Direction
        package var qualityOfService: Int
        /// Whether the broker keeps the last message.
        package var isRetained: Bool
        /// The member that says which of several messages it is.
        package var discriminator: JSONPointer?
        /// Indices into ``FirmwareContract/messages``.
        package var messages: [Int]
        package var line: Int
    }

    /// What the payload is.
    package enum Content: String, Sendable, CaseIterable {
        case json = "application/json"
        case text = "text/plain"
    }

    /// The device's own clock in a payload.
    package struct Clock: Sendable, Hashable {
        package var pointer: JSONPointer
        package var format: MQTTWire.Clock.Format
    }

    /// The payload that says of itself that it is history.
    package struct Replay: Sendable, Hashable {
        package var pointer: JSONPointer
        package var accepted: [String]
    }

    /// What a retained message means.
    package enum Retained: String, Sendable, CaseIterable {
        /// The firmware never sets the flag.
        case never
        /// The last known state, of unknown age.
        case state
        /// Nothing: it must be ignored.
        case ignore
    }

    /// What the schema cannot say.
    package struct Semantics: Sendable, Hashable {
        package var clock: Clock?
        /// A number that counts up with each message.
        package var sequence: JSONPointer?
        /// The same text in two messages means that they are one.
        package var deduplicate: JSONPointer?
        package var replay: Replay?
        package var retained: Retained = .never
        /// Whether an absent member keeps its old value.
        package var absent: PayloadSource.Absent = .unchanged
        /// The message comes at least this often; `nil`: when something changes.
        package var heartbeatMilliseconds: Int64?
        /// Heartbeats that may be missed before the device is offline.
        package var offlineAfter = 3
        /// Where the payload says `major.minor` of the contract that it follows.
        package var version: JSONPointer?
    }

    /// What a payload may cost.
    package struct Bounds: Sendable, Hashable {
        package var bytesMax: Int
        package var depthMax: Int
        /// Messages of this kind in a minute, at most; `nil`: not promised.
        package var perMinuteMax: Int?
    }

    /// One kind of message.
    package struct Message: Sendable, Hashable {
        /// The key in `components.messages`.
        package var name: String
        package var title: String?
        package var content: Content
        package var schema: PayloadSchema
        package var bounds: Bounds
        package var semantics: Semantics
        package var line: Int
    }

    package var name: ContractName
    package var version: ContractVersion
    package var title: String
    package var channels: [Channel]
    package var messages: [Message]
    /// The largest files and trees that are read.
    package static let schemaNodesMax = 2_000
    package static let payloadBytesMax = 65_536

    /// The channel called `name`.
    package func channel(_ name: String) -> Channel? { self.channels.first { $0.name == name } }

    /// The message called `name`.
    package func message(_ name: String) -> Message? { self.messages.first { $0.name == name } }
}
