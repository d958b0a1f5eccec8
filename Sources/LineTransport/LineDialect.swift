/// How a kind of device cuts its bytes and greets; a profile says it, so that nothing of a maker is in this module.
package protocol LineDialect: Sendable {
    /// How long the frame at the beginning of `buffer` is, and its terminator; `nil` while that cannot be told; 0 and 0
    /// for what cannot become a frame.
    func frameLength(in buffer: ArraySlice<UInt8>) -> (frame: Int, end: Int)?
    /// A frame without what does not count.
    func trimmed(_ frame: ArraySlice<UInt8>) -> ArraySlice<UInt8>
    /// Whether a frame says nothing at all.
    func isEmpty(_ frame: ArraySlice<UInt8>) -> Bool
    /// Whether the device speaks first when a connection is made.
    var hasGreeting: Bool { get }
    /// What a greeting means.
    func response(to greeting: ArraySlice<UInt8>) -> LineGreeting
}

/// What a greeting means.
package enum LineGreeting: Sendable, Hashable {
    /// Requests may follow, the first one led by these bytes.
    case ready(prefix: [UInt8])
    /// The device does not want us; what the operator should do.
    case refused(String)
    /// No greeting of such a device.
    case other
}

/// What a frame is for whoever waits for the reply to a request.
package enum LineVerdict: Sendable, Hashable {
    case reply
    /// The device does not do it.
    case refusal
    /// No reply: go on waiting.
    case ignored
    /// Nothing that may come here.
    case other
}

/// One request.
package struct LineRequest: Sendable {
    /// The device's address on its line; the same for all that have none.
    package var unit: UInt8
    /// Which request of the unit it is.
    package var name: String
    package var bytes: [UInt8]
    /// What a frame is for this request.
    package var verdict: @Sendable (ArraySlice<UInt8>) -> LineVerdict

    package init(
        unit: UInt8,
        name: String,
        bytes: [UInt8],
        verdict: @escaping @Sendable (ArraySlice<UInt8>) -> LineVerdict
    ) {
        self.unit = unit
        self.name = name
        self.bytes = bytes
        self.verdict = verdict
    }
}

/// The reply to a request.
package struct LineReply: Sendable, Hashable {
    /// Without what does not count of it.
    package var frame: [UInt8]
    /// `CLOCK_BOOTTIME` when it was whole.
    package var receivedNanoseconds: UInt64
    package var latencyNanoseconds: UInt64
}
