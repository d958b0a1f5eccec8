internal import Synchronization

/// Memory of one query; kept for the next one, so that a query allocates nothing.
final class QueryScratch: @unchecked Sendable {
    // @unchecked: belongs to the one query that took it from the pool.
    let decode = DecodeScratch()
    let columns = SampleColumns()
    /// A block that was read from the card.
    let block = ByteBuffer(capacity: 16_384)
    /// Records that were copied out of memory.
    let copied = ByteBuffer(capacity: 16_384)
    var pieces: [Piece] = []
    var rollups: [StoredRollup] = []

    /// A part of a series' past, in its packed form.
    struct Piece {
        enum Place {
            case segment(SegmentStore.Segment, IndexEntry)
            /// In ``QueryScratch/copied``.
            case copied(offset: Int, length: Int)
            /// In ``QueryScratch/copied`` as ``StoredSample`` values.
            case window(offset: Int, count: Int)
        }

        var first: Int64
        var last: Int64
        var place: Place

        /// Samples, where the place tells without being unpacked.
        var count: Int? {
            switch self.place {
            case .segment(_, let entry): Int(entry.count)
            case .copied: nil
            case .window(_, let count): count
            }
        }
    }
}

/// A few scratches for queries that come one after another.
final class ScratchPool: Sendable {
    private static let kept = 2
    private let free = Mutex<[QueryScratch]>([])

    func with<Result>(_ body: (QueryScratch) -> Result) -> Result {
        let scratch = self.free.withLock { $0.popLast() } ?? QueryScratch()
        defer {
            scratch.pieces.removeAll(keepingCapacity: true)
            scratch.rollups.removeAll(keepingCapacity: true)
            scratch.copied.count = 0
            scratch.columns.count = 0
            self.free.withLock { if $0.count < Self.kept { $0.append(scratch) } }
        }
        return body(scratch)
    }
}
