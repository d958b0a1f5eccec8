internal import CampusModel
internal import Exporters

extension APIModel {
    /// An exporter, where it stands and what it lost.
    struct Exporter: Encodable {
        struct Statement: Encodable {
            var from: String
            var to: String
            var lost: UInt64
            var replayed: UInt64
            var duplicates: UInt64
            var text: String
        }

        struct DroppedSeries: Encodable {
            var point: String
            var count: UInt32
        }

        var name: String
        var kind: String
        var sent: UInt64
        var replayed: UInt64
        var dropped: UInt64
        var retries: UInt64
        var backlogSamples: Int
        var backlogBytes: Int
        var backlogSeconds: Double
        var backlogSeries: Int
        var connectedSince: String?
        var lastAcknowledged: String?
        var lastError: String?
        /// The newest first.
        var statements: [Statement]
        var droppedSeries: [DroppedSeries]

        init(_ statistics: ExporterStatistics) {
            self.name = statistics.name
            self.kind = statistics.kind
            self.sent = statistics.sent
            self.replayed = statistics.replayed
            self.dropped = statistics.dropped
            self.retries = statistics.retries
            self.backlogSamples = statistics.backlogSamples
            self.backlogBytes = statistics.backlogBytes
            self.backlogSeconds = statistics.backlogSeconds
            self.backlogSeries = statistics.backlogSeries
            self.connectedSince = statistics.connectedSince.map(UTCText.rfc3339)
            self.lastAcknowledged = statistics.lastAcknowledged.map(UTCText.rfc3339)
            self.lastError = statistics.lastError
            self.statements = statistics.statements.map { statement in
                Statement(
                    from: UTCText.rfc3339(statement.from),
                    to: UTCText.rfc3339(statement.to),
                    lost: statement.lost,
                    replayed: statement.replayed,
                    duplicates: statement.duplicates,
                    text: statement.description
                )
            }
            self.droppedSeries = statistics.droppedSeries.map { DroppedSeries(point: $0.name, count: $0.count) }
        }
    }
}
