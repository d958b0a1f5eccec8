package import CampusModel

/// Consecutive samples of one series, oldest first.
package struct SeriesRun: Sendable, Hashable {
    package var series: Int
    package var identity: SeriesIdentity
    package var samples: [Sample]
    /// Whether they are history: sent after they waited for the receiver.
    package var isReplay: Bool
    /// The watermark of the series once these are acknowledged.
    package var through: Tick
    /// Samples that were passed over in favour of these; dropped once these are acknowledged.
    package var thinned: Int
    /// The first so many of the samples are means of minutes that the ring has overwritten.
    package var means = 0

    package init(
        series: Int,
        identity: SeriesIdentity,
        samples: [Sample],
        isReplay: Bool = false,
        through: Tick? = nil,
        thinned: Int = 0
    ) {
        self.series = series
        self.identity = identity
        self.samples = samples
        self.isReplay = isReplay
        self.through = through ?? samples.last?.tick ?? Tick(rawValue: .min)
        self.thinned = thinned
    }
}

/// Why the receiver did not take something.
package struct SinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it means for the samples.
    package enum Kind: String, Sendable {
        /// Nobody knows whether they arrived; they are sent again.
        case retryable
        /// The receiver cannot read this content; another content it may.
        case poison
        /// The receiver does not want anything from us as we are configured.
        case refused
    }

    package var kind: Kind
    /// For the operator: what happened and what to do.
    package var description: String
    /// Whether the receiver may have taken them nevertheless.
    package var mayHaveArrived: Bool

    package init(_ kind: Kind, _ description: String, mayHaveArrived: Bool = false) {
        self.kind = kind
        self.description = description
        self.mayHaveArrived = mayHaveArrived
    }
}

/// What a receiver took.
package struct SinkReceipt: Sendable, Hashable {
    /// As they were sent.
    package var bytes: Int
    /// Samples that it may have got twice on the way.
    package var repeatedSamples: Int

    package init(bytes: Int, repeatedSamples: Int = 0) {
        self.bytes = bytes
        self.repeatedSamples = repeatedSamples
    }
}

/// A receiver in its own form.
package protocol ExportSink: Sendable {
    /// Keeps what the sink needs (a connection) alive until cancelled.
    func run() async

    /// Returns when the receiver has taken everything.
    ///
    /// - Throws: ``SinkError``; then everything is taken as not sent.
    func send(_ runs: [SeriesRun]) async throws -> SinkReceipt

    /// Why nothing can be sent now, in words; `nil` when it can, or when only a try can tell.
    var problem: String? { get }
}

extension ExportSink {
    package var problem: String? { nil }
}

/// Writes request bodies to a server; the adapter of line protocol.
package protocol LineSink: Sendable {
    /// Sends one body and returns when the server has confirmed it.
    ///
    /// - Throws: ``SinkError``, also when the server says nothing before the deadline.
    func write(_ body: [UInt8]) async throws

    /// Closes what is open.
    func close() async
}

/// Publishes messages; the adapter of MQTT.
package protocol MessagePublishing: Sendable {
    /// Keeps the connection until cancelled.
    func run() async

    /// Publishes with quality of service 1 and returns when the broker has acknowledged.
    ///
    /// - Returns: How often it was sent, at least once; the receiver may have got it as often.
    /// - Throws: ``SinkError``.
    func publish(topic: String, payload: [UInt8]) async throws -> Int

    /// Why there is no connection, in words; `nil` while there is one.
    var problem: String? { get }
}
