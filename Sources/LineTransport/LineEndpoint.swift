/// Where lines are spoken.
package enum LineEndpoint: Sendable, Hashable {
    /// The parity of a serial line.
    package enum Parity: String, Sendable {
        case none = "N"
        case even = "E"
        case odd = "O"
    }

    /// The host is a name or an address, of IPv4 or IPv6.
    case tcp(host: String, port: UInt16)
    /// A serial line, best named as under `/dev/serial/by-id`.
    case serial(device: String, baud: Int, parity: Parity, dataBits: Int, stopBits: Int)

    /// `host:port`, or the device file.
    package var name: String {
        switch self {
        case .tcp(let host, let port): "\(host):\(port)"
        case .serial(let device, _, _, _, _): device
        }
    }

    var isTCP: Bool { if case .tcp = self { true } else { false } }
}

/// How patient a line bus is.
package struct LineOptions: Sendable, Hashable {
    /// Longest wait for a whole reply; a connection and its greeting have as long again.
    package var timeoutMilliseconds: Int
    /// Least quiet time between two requests.
    package var pauseMilliseconds: Int
    /// Quiet time after connecting, before the first request.
    package var connectPauseMilliseconds: Int
    /// Whether the connection is given up after each batch.
    package var closesAfterBatch: Bool
    /// Serial: how long the line must be silent after a failure before anything is sent.
    package var quietMilliseconds: Int
    /// The same for a unit that has no request to fence with.
    package var quietWithoutFenceMilliseconds: Int
    /// Time-outs or unfit replies in a row after which a unit is left alone.
    package var timeoutsToBackOff: Int
    /// How long a unit is left alone the first time; it doubles up to the maximum.
    package var backoffMilliseconds: Int
    package var backoffMaxMilliseconds: Int
    /// Least time between two connections, and how long an endpoint that refuses them is left alone the first time.
    package var reconnectMilliseconds: Int
    package var reconnectMaxMilliseconds: Int

    /// Bytes of one reply at most, what is before it included.
    package static let replyBytesMax = 4_096

    package init(
        timeoutMilliseconds: Int = 1_000,
        pauseMilliseconds: Int = 0,
        connectPauseMilliseconds: Int = 0,
        closesAfterBatch: Bool = false,
        quietMilliseconds: Int = 300,
        quietWithoutFenceMilliseconds: Int = 1_500,
        timeoutsToBackOff: Int = 2,
        backoffMilliseconds: Int = 5_000,
        backoffMaxMilliseconds: Int = 60_000,
        reconnectMilliseconds: Int = 100,
        reconnectMaxMilliseconds: Int = 5_000
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.pauseMilliseconds = pauseMilliseconds
        self.connectPauseMilliseconds = connectPauseMilliseconds
        self.closesAfterBatch = closesAfterBatch
        self.quietMilliseconds = quietMilliseconds
        self.quietWithoutFenceMilliseconds = quietWithoutFenceMilliseconds
        self.timeoutsToBackOff = timeoutsToBackOff
        self.backoffMilliseconds = backoffMilliseconds
        self.backoffMaxMilliseconds = backoffMaxMilliseconds
        self.reconnectMilliseconds = reconnectMilliseconds
        self.reconnectMaxMilliseconds = reconnectMaxMilliseconds
    }
}

/// What a line bus did since it was made.
package struct LineStatistics: Sendable, Hashable {
    /// Requests sent, fences included.
    package internal(set) var requests: UInt64 = 0
    /// Requests without a whole reply in time.
    package internal(set) var timeouts: UInt64 = 0
    /// Replies that say that the device does not do it.
    package internal(set) var refusals: UInt64 = 0
    /// Bytes that were no reply to their request: another one's, too long, controls in a line, a wrong checksum.
    package internal(set) var badReplies: UInt64 = 0
    /// Times the connection was made or the line opened.
    package internal(set) var connects: UInt64 = 0
    /// Requests whose answer was thrown away, sent after a failure on a serial line.
    package internal(set) var fences: UInt64 = 0
    /// Replies that came after their request was given up, and bytes that nobody had asked for.
    package internal(set) var late: UInt64 = 0
    /// Requests not sent because their unit or endpoint was down.
    package internal(set) var backedOff: UInt64 = 0
    /// Whether there is a connection, as far as is known.
    package internal(set) var isConnected = false
}
