/// Why a request has no answer.
package struct LineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of failure.
    package enum Code: String, Sendable, CaseIterable {
        /// No whole reply in time.
        case timeout
        /// No connection, or it broke.
        case notConnected
        /// Bytes that are no reply to the request.
        case badReply
        /// The device says that it does not do it, or does not want us.
        case refused
        /// The unit or endpoint was down a moment ago and is left alone a while.
        case backedOff
    }

    package var code: Code
    /// What the operator reads.
    package var description: String
    /// What was sent, and what had come back when it was given up; `nil` when nothing was sent.
    package internal(set) var exchange: Exchange?

    /// The bytes on the wire.
    package struct Exchange: Sendable, Hashable {
        package var sent: [UInt8]
        package var received: [UInt8]
    }

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether asking the unit again at once would only cost another time-out.
    var meansSilence: Bool { self.code == .timeout || self.code == .notConnected || self.code == .backedOff }
}
