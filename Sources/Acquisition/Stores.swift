package import CampusModel

/// Where samples go.
///
/// Called from several ingest threads; but for ``commit()`` nothing may block on anything slower than memory.
package protocol SampleStoring: Sendable {
    /// Finds or registers the series of a point; throws when the store is full.
    ///
    /// - Parameters:
    ///   - hasDeviceClock: whether its ticks are UTC as the device tells it, rather than the gateway's axis.
    ///   - durability: how soon its samples must outlive a power cut, from now on.
    func series(named name: String, hasDeviceClock: Bool, durability: Durability) throws -> SeriesIndex
    /// Appends a batch.
    ///
    /// - Returns: the strictest class of its series. Who delivers ``Durability/critical`` samples calls ``commit()``.
    func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) -> Durability
    /// Waits for the card: all that was appended before is durable when it returns.
    func commit() throws
}

/// Where events become records.
package protocol EventStoring: Sendable {
    /// Commits all events once; returns only when they are durable. Throws when nothing was committed.
    func store(_ events: [Event], received: Tick) throws
}
