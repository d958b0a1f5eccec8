/// Finding a series' blocks in segments of many series, whose indexes are too large to be kept.
extension SegmentStore {
    /// Indexes of more entries are searched where they are, an entry at a time.
    static let keptIndexMax = 256

    /// Hands over the index entries of a series' blocks, in order; none when the index is damaged.
    func forEachBlock(of series: UInt32, in segment: Segment, _ body: (IndexEntry) -> Void) {
        let count = Int(segment.header.entries)
        guard count > Self.keptIndexMax else {
            guard let index = self.index(segment) else { return }
            for place in index.blocks(of: series) { body(index[place]) }
            return
        }
        guard self.isIndexWhole(segment) else { return }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let entry = self.entries(segment, middle..<(middle + 1)).first else { return }
            if entry.series < series { low = middle + 1 } else { high = middle }
        }
        while low < count {
            for entry in self.entries(segment, low..<min(low + 4, count)) {
                guard entry.series == series else { return }
                body(entry)
            }
            low += 4
        }
    }

    /// A few entries of an index, as they are on the card.
    func entries(_ segment: Segment, _ places: Range<Int>) -> [IndexEntry] {
        let size = places.count * IndexEntry.bytes
        let position = self.indexPosition(segment) + places.lowerBound * IndexEntry.bytes
        return withUnsafeTemporaryAllocation(byteCount: size + ByteReader.paddingBytes, alignment: 16) { memory in
            let target = UnsafeMutableRawBufferPointer(rebasing: memory[0..<size])
            guard let base = memory.baseAddress, (try? self.device.read(into: target, at: position)) != nil else {
                return []
            }
            var reader = ByteReader(base, count: size)
            return places.map { _ in IndexEntry(&reader) }
        }
    }

    /// Reads a piece of a segment as it is on the card.
    func read(_ segment: Segment, at offset: Int, into target: UnsafeMutableRawBufferPointer) -> Bool {
        let position = self.position(segment.header.tier, page: segment.page)
        return (try? self.device.read(into: target, at: position + offset)) != nil
    }

    func indexPosition(_ segment: Segment) -> Int {
        self.position(segment.header.tier, page: segment.page) + Int(segment.header.indexOffset)
    }
}

/// Reads an index from its begin to its end, for whoever asks for one series after the other.
struct IndexCursor {
    private static let chunk = 128
    private static let readBytes = 16_384

    let segment: SegmentStore.Segment
    private let store: SegmentStore
    private var entries: [IndexEntry] = []
    /// A piece of the blocks, which lie in the order of the index, and where it begins.
    private let blocks = ByteBuffer(capacity: Self.readBytes)
    private var blocksStart = 0
    private var place = 0
    private var next = 0

    /// - Returns: `nil` when the index is damaged.
    init?(_ segment: SegmentStore.Segment, in store: SegmentStore) {
        guard store.isIndexWhole(segment) else { return nil }
        self.segment = segment
        self.store = store
    }

    /// The next entry of a series, which must not be lower than that of the last call.
    mutating func next(of series: UInt32) -> IndexEntry? {
        while let entry = self.current, entry.series <= series {
            self.place += 1
            if entry.series == series { return entry }
        }
        return nil
    }

    /// The bytes of a block, good until the next call; `nil` when it is damaged or overwritten.
    mutating func block(_ entry: IndexEntry) -> ByteReader? {
        let start = Int(entry.offset)
        let length = Int(entry.length)
        let end = Int(self.segment.header.indexOffset)
        guard start + length <= end else { return nil }
        if start < self.blocksStart || start + length > self.blocksStart + self.blocks.count {
            let size = min(max(length, Self.readBytes), end - start)
            self.blocksStart = start
            guard self.store.read(self.segment, at: start, into: self.blocks.resized(to: size)) else {
                self.blocks.count = 0
                return nil
            }
        }
        let base = self.blocks.base + (start - self.blocksStart)
        guard Checksum.of(UnsafeRawBufferPointer(start: base, count: length)) == entry.checksum else {
            self.store.note(self.segment)
            return nil
        }
        return ByteReader(base, count: length)
    }

    private var current: IndexEntry? {
        mutating get {
            if self.place == self.entries.count {
                let count = Int(self.segment.header.entries)
                guard self.next < count else { return nil }
                let places = self.next..<min(self.next + Self.chunk, count)
                self.entries = self.store.entries(self.segment, places)
                self.next = places.upperBound
                self.place = 0
            }
            return self.place < self.entries.count ? self.entries[self.place] : nil
        }
    }
}
