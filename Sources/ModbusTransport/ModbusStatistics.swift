/// What a bus did since it was made.
package struct ModbusStatistics: Sendable, Hashable {
    /// Requests sent, fences included.
    package internal(set) var requests: UInt64 = 0
    /// Requests without a whole reply in time.
    package internal(set) var timeouts: UInt64 = 0
    /// Replies that were exceptions.
    package internal(set) var exceptions: UInt64 = 0
    /// Replies that did not fit their request, or had a wrong checksum.
    package internal(set) var badReplies: UInt64 = 0
    /// Times the connection was made or the line opened.
    package internal(set) var connects: UInt64 = 0
    /// Reads whose answer was thrown away, sent after a failure on a serial line.
    package internal(set) var fences: UInt64 = 0
    /// Requests not sent because their unit or endpoint was down.
    package internal(set) var backedOff: UInt64 = 0
    /// Units that are left alone at the moment, ascending.
    package internal(set) var silentUnits: [UInt8] = []
    /// Whether there is a connection, as far as is known.
    package internal(set) var isConnected = false
}
