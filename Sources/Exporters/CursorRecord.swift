package import CampusModel

/// Where an exporter stands in one series.
package struct SeriesPlace: Sendable, Hashable {
    /// Everything up to this tick has been acknowledged.
    package var watermark: Tick
    /// Samples up to this tick are counted in ``pending``.
    package var counted: Tick
    /// Samples after ``watermark`` and up to ``counted``.
    package var pending: UInt32
    /// Samples that were never sent, since the cursor was made.
    package var dropped: UInt32

    package init(watermark: Tick, counted: Tick, pending: UInt32 = 0, dropped: UInt32 = 0) {
        self.watermark = watermark
        self.counted = counted
        self.pending = pending
        self.dropped = dropped
    }

    /// Before everything.
    package static let start = SeriesPlace(watermark: Tick(rawValue: -1), counted: Tick(rawValue: -1))
}

/// What one slot of a cursor file holds.
package struct CursorRecord: Sendable, Hashable {
    /// When the receiver acknowledged last; `nil`: never.
    package var lastAcknowledged: Tick?
    package var sent: UInt64 = 0
    package var replayed: UInt64 = 0
    package var dropped: UInt64 = 0
    /// By the hash of the series' name, ``nameHash(_:)``.
    package var places: [UInt64: SeriesPlace] = [:]

    package init() {}

    /// FNV-1a, 64 bits.
    ///
    /// The ring may number its series anew when it is set aside; names stay.
    package static func nameHash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
