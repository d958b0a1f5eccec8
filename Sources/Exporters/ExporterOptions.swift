package import CampusModel

/// How an exporter sends.
package struct ExporterOptions: Sendable, Hashable {
    /// Time between two rounds of live data.
    package var intervalMilliseconds: Int64 = 1_000
    /// Most samples in one request.
    package var requestSamplesMax = 5_000
    /// Most bytes in one request, as far as the bytes of earlier samples tell.
    package var requestBytesMax = 1 << 20
    /// Most samples of backlog a second.
    package var replaySamplesPerSecond = 25_000
    /// Longest time between two writes of the cursor while it moves.
    package var checkpointMilliseconds: Int64 = 5_000
    /// Back-off after a failure, doubled each time, between these.
    package var backoffInitialMilliseconds: Int64 = 200
    package var backoffMaxMilliseconds: Int64 = 5_000
    /// A receiver that acknowledges nothing for this long while samples wait is an outage.
    package var outageMilliseconds: Int64 = 10_000
    /// The oldest of the backlog is thinned beyond this many bytes, as they would be sent.
    package var backlogBytesMax: Int64 = 1 << 30
    /// Samples older than this are dropped once a receiver was away for longer.
    package var maximumAgeMilliseconds: Int64 = 30 * 86_400_000

    package init() {}

    /// A series with more samples waiting than this has a backlog.
    var liveSamplesMax: Int { Int(clamping: max(256, 256 * self.intervalMilliseconds / 1_000)) }
}

/// Tells the time and lets it pass; tests bring a manual one.
package protocol ExportTimer: Sendable {
    /// The present instant on the ring's axis; it never steps.
    func now() -> Tick
    /// Returns after this long.
    ///
    /// - Throws: When the task is cancelled.
    func sleep(milliseconds: Int64) async throws
}

/// The timer of a running gateway.
package struct SystemExportTimer: ExportTimer {
    private let clock: any TickClock

    package init(clock: any TickClock) { self.clock = clock }

    package func now() -> Tick { self.clock.now() }

    package func sleep(milliseconds: Int64) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }
}
