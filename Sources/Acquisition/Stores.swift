package import CampusModel

/// Where samples go.
///
/// Called from several ingest threads; must not block on anything slower than memory.
package protocol SampleStoring: Sendable {
    /// Finds or registers the series of a point; throws when the store is full.
    ///
    /// - Parameter hasDeviceClock: whether its ticks are UTC as the device tells it, rather than the gateway's axis.
    func series(named name: String, hasDeviceClock: Bool) throws -> SeriesIndex
    /// Appends a batch.
    func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>)
}

/// Where events become records.
package protocol EventStoring: Sendable {
    /// Commits all events once; returns only when they are durable. Throws when nothing was committed.
    func store(_ events: [Event], received: Tick) throws
}
