/// How to reach a broker, and as whom.
package struct MQTTConfiguration: Sendable {
    /// A version of the protocol.
    package enum Version: Sendable {
        case v3
        case v5
    }

    /// Trust in the broker, and our own certificate where it asks for one.
    package struct TLS: Sendable, Hashable {
        /// PEM file of the authority that must have signed the broker's certificate.
        package var authorityFile: String
        package var certificateFile: String?
        package var keyFile: String?

        package init(authorityFile: String, certificateFile: String? = nil, keyFile: String? = nil) {
            self.authorityFile = authorityFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// What others are told about us.
    package struct Announcement: Sendable, Hashable {
        package var topic: String
        package var payload: [UInt8]
        package var isRetained: Bool

        package init(topic: String, payload: [UInt8], isRetained: Bool) {
            self.topic = topic
            self.payload = payload
            self.isRetained = isRetained
        }

        package init(topic: String, payload: String, isRetained: Bool) {
            self.init(topic: topic, payload: Array(payload.utf8), isRetained: isRetained)
        }
    }

    package var host: String
    package var port: UInt16
    package var clientID: String
    package var version = Version.v5
    package var username: String?
    package var password: String?
    package var tls: TLS?
    /// How long the broker keeps subscriptions and unacknowledged messages of a lost session; 0 = not at all.
    package var sessionExpirySeconds: UInt32 = 3_600
    package var keepAliveSeconds = 30
    /// Published by the connection after each welcome, before anything else.
    package var birth: Announcement?
    /// Published by the broker when the connection is lost, and by us before we close it.
    package var lastWill: Announcement?
    /// Makes the last will anew for each connection, in place of ``lastWill``; called on the connection's thread.
    package var lastWillOfConnection: (@Sendable () -> Announcement)?
    /// Whether messages that were not acknowledged go out again over the next connection; without it they fail at the
    /// end of theirs.
    package var keepsUnacknowledged = true
    /// Topic filters, subscribed with quality of service 1.
    package var subscriptions: [String] = []
    /// Messages that the broker may send before the first of them is acknowledged (version 5).
    package var inFlightMax = 100
    /// Messages waiting to be published; more are refused.
    package var publishQueueMax = 10_000
    /// Full-jitter exponential back-off between these, milliseconds.
    package var backoffInitialMilliseconds = 200
    package var backoffMaxMilliseconds = 4_000
    /// Longest wait for the connection and the broker's welcome.
    package var connectDeadlineMilliseconds = 10_000

    package init(host: String, port: UInt16, clientID: String) {
        self.host = host
        self.port = port
        self.clientID = clientID
    }
}

/// A message from the broker.
///
/// libmosquitto 2.0.11 does not hand the duplicate flag to its callback (`struct mosquitto_message` has no such
/// member),
/// so a redelivery is known by its content, further on.
package struct MQTTMessage: Sendable {
    package var topic: String
    package var payload: [UInt8]
    package var qos: UInt8
    package var isRetained: Bool
    /// `CLOCK_BOOTTIME` when it was read from the socket, nanoseconds.
    package var receivedNanoseconds: UInt64
}

/// Where a connection is.
package enum MQTTConnectionState: Sendable, Hashable {
    case connecting
    case connected
    /// Not connected; the text says why and is fit for the operator.
    case disconnected(String)
}

/// Takes messages from a connection, on its thread.
package protocol MQTTBatchReceiver: Sendable {
    /// Takes a batch. The broker gets its acknowledgements after this returned; when it throws, it gets none, the
    /// connection is closed and the messages come again.
    func receive(_ batch: [MQTTMessage]) throws
    /// The state changed.
    func connectionChanged(_ state: MQTTConnectionState)
}

/// Why a message cannot be published.
package struct MQTTError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of failure.
    package enum Code: String, Sendable {
        case queueFull
        case invalidTopic
        case payloadTooLarge
        case closed
        case broker
        /// There is no connection; the message was not sent and will not be.
        case notConnected
        /// The connection ended before the broker acknowledged; the message may have arrived and is not sent again.
        case unanswered
    }

    package var code: Code
    package var description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// What a connection did since it was made.
package struct MQTTStatistics: Sendable, Hashable {
    package internal(set) var received: UInt64 = 0
    package internal(set) var published: UInt64 = 0
    /// Messages that came with a topic that is not UTF-8; the topic was repaired.
    package internal(set) var repairedTopics: UInt64 = 0
    /// Batches whose receiver failed, so that they were not acknowledged.
    package internal(set) var refusedBatches: UInt64 = 0
    package internal(set) var connects: UInt64 = 0
    package internal(set) var state = MQTTConnectionState.connecting
    package internal(set) var lastError: String?
}
