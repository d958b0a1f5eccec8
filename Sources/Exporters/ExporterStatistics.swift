package import CampusModel

/// What became of an outage: nothing of it is left to guess.
package struct LossStatement: Sendable, Hashable {
    /// Since when samples waited.
    package var from: Tick
    /// When it acknowledged again.
    package var to: Tick
    /// Samples that were never sent.
    package var lost: UInt64 = 0
    /// Samples that waited and were sent afterwards.
    package var replayed: UInt64 = 0
    /// Samples that were sent twice because nobody knew whether the first time had arrived; the receiver knows them by
    /// series and time.
    package var duplicates: UInt64 = 0

    package init(from: Tick, to: Tick) {
        self.from = from
        self.to = to
    }
}

extension LossStatement: CustomStringConvertible {
    package var description: String {
        "\(self.lost) lost, \(self.replayed) replayed, \(self.duplicates) duplicates, from "
            + "\(UTCText.rfc3339(self.from)) to \(UTCText.rfc3339(self.to))"
    }
}

/// What an exporter did and where it stands.
package struct ExporterStatistics: Sendable, Hashable {
    package var name = ""
    package var kind = ""
    /// Samples that the receiver acknowledged, since the cursor was made.
    package var sent: UInt64 = 0
    /// Those of them that had waited.
    package var replayed: UInt64 = 0
    /// Samples that were never sent, since the cursor was made.
    package var dropped: UInt64 = 0
    /// Requests that failed, since the gateway started.
    package var retries: UInt64 = 0
    /// Samples that wait.
    package var backlogSamples = 0
    /// About how many bytes they are as they will be sent.
    package var backlogBytes = 0
    /// How long the oldest of them waits.
    package var backlogSeconds = 0.0
    /// Series that have a backlog.
    package var backlogSeries = 0
    /// The last failure in words; stays after it is over.
    package var lastError: String?
    /// Since when every request was acknowledged; `nil` while the receiver is away.
    package var connectedSince: Tick?
    package var lastAcknowledged: Tick?
    /// The newest first.
    package var statements: [LossStatement] = []
    /// The series that lost most, with their counts.
    package var droppedSeries: [DroppedSeries] = []

    package init() {}

    /// A series of which samples were dropped.
    package struct DroppedSeries: Sendable, Hashable {
        package var name: String
        package var count: UInt32
    }
}
