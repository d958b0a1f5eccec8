internal import Synchronization

/// The segments on the card and what is in them.
///
/// Reading takes no lock but for the list itself. A segment that is overwritten while it is read fails its checksums,
/// and is by then no longer in the list.
final class SegmentStore: Sendable {
    struct Segment: Sendable, Hashable {
        var header: SegmentHeader
        var page: UInt32
        var pages: UInt32
    }

    struct Lists: Sendable {
        var tiers = [[Segment]](repeating: [], count: Tier.allCases.count)
        var heads = [UInt32](repeating: 0, count: Tier.allCases.count)
    }

    let device: any BlockDevice
    let geometry: RingGeometry
    let ring: UInt64
    private let lists: Mutex<Lists>
    private let cache = Mutex<IndexCache>(IndexCache())
    /// Blocks and segments that did not hold what they should.
    let damaged = Atomic<UInt64>(0)

    init(device: any BlockDevice, geometry: RingGeometry, ring: UInt64, lists: Lists) {
        self.device = device
        self.geometry = geometry
        self.ring = ring
        self.lists = Mutex(lists)
    }

    /// The segments of a tier, oldest first.
    func segments(_ tier: Tier) -> [Segment] { self.lists.withLock { $0.tiers[Int(tier.rawValue)] } }

    func directory(_ tier: Tier) -> Superblock.Directory {
        self.lists.withLock { lists in
            Superblock.Directory(
                head: lists.heads[Int(tier.rawValue)],
                entries: lists.tiers[Int(tier.rawValue)]
                    .map { .init(page: $0.page, pages: $0.pages, sequence: $0.header.sequence) }
            )
        }
    }

    /// Where a segment of that many pages goes, after what was there has left the list.
    func makeRoom(_ tier: Tier, pages: UInt32) -> UInt32 {
        self.lists.withLock { lists in
            let index = Int(tier.rawValue)
            let total = UInt32(self.geometry.bytes(tier) / RingGeometry.pageBytes)
            if lists.heads[index] + pages > total { lists.heads[index] = 0 }
            let start = lists.heads[index]
            lists.tiers[index].removeAll { $0.page < start + pages && start < $0.page + $0.pages }
            let limit = self.geometry.segmentsMax(tier)
            if lists.tiers[index].count >= limit {
                lists.tiers[index].removeFirst(lists.tiers[index].count - limit + 1)
            }
            return start
        }
    }

    /// Puts a written segment into the list.
    func add(_ segment: Segment) {
        self.lists.withLock { lists in
            let index = Int(segment.header.tier.rawValue)
            lists.tiers[index].append(segment)
            lists.heads[index] = segment.page + segment.pages
        }
    }

    /// Takes the segments of a seal that failed out of the list.
    func removeAll(from sequence: UInt64) {
        self.lists.withLock { lists in
            for index in lists.tiers.indices { lists.tiers[index].removeAll { $0.header.sequence >= sequence } }
        }
    }

    /// Passes over a place that cannot be written.
    func skip(_ tier: Tier, to page: UInt32) { self.lists.withLock { $0.heads[Int(tier.rawValue)] = page } }

    func position(_ tier: Tier, page: UInt32) -> Int {
        self.geometry.offset(tier) + Int(page) * RingGeometry.pageBytes
    }

    /// The index of a segment; `nil` when it is damaged or overwritten.
    func index(_ segment: Segment) -> [IndexEntry]? {
        if let known = self.cache.withLock({ $0.find(segment.header.sequence) }) { return known }
        let header = segment.header
        let size = Int(header.entries) * IndexEntry.bytes
        guard size <= Int(segment.pages) * RingGeometry.pageBytes else { return nil }
        let buffer = ByteBuffer(capacity: size)
        let target = buffer.resized(to: size)
        guard (try? self.device.read(into: target, at: self.indexPosition(segment))) != nil,
            Checksum.of(buffer.bytes, at: self.position(header.tier, page: segment.page), of: self.ring)
                == header.indexChecksum
        else {
            self.note(segment)
            return nil
        }
        var reader = ByteReader(buffer.base, count: size)
        let entries = (0..<Int(header.entries)).map { _ in IndexEntry(&reader) }
        self.cache.withLock { $0.insert(header.sequence, entries) }
        return entries
    }

    /// Whether the index of a segment is as it was written; read once.
    func isIndexWhole(_ segment: Segment) -> Bool {
        let sequence = segment.header.sequence
        if self.cache.withLock({ $0.isWhole(sequence) }) { return true }
        let header = segment.header
        let size = Int(header.entries) * IndexEntry.bytes
        let position = self.indexPosition(segment)
        let buffer = ByteBuffer(capacity: 65_536)
        var sum = Checksum.start(at: self.position(header.tier, page: segment.page), of: self.ring)
        var offset = 0
        while offset < size, size <= Int(segment.pages) * RingGeometry.pageBytes {
            let target = buffer.resized(to: min(65_536, size - offset))
            guard (try? self.device.read(into: target, at: position + offset)) != nil else { break }
            sum = Checksum.of(buffer.bytes, after: sum)
            offset += buffer.count
        }
        guard offset == size, sum == header.indexChecksum else {
            self.note(segment)
            return false
        }
        self.cache.withLock { $0.noteWhole(sequence) }
        return true
    }

    /// Reads a block; `false` when it is damaged or overwritten.
    func read(_ entry: IndexEntry, of segment: Segment, into buffer: ByteBuffer) -> Bool {
        guard Int(entry.offset) + Int(entry.length) <= Int(segment.header.indexOffset) else { return false }
        let position = self.position(segment.header.tier, page: segment.page)
        let target = buffer.resized(to: Int(entry.length))
        guard (try? self.device.read(into: target, at: position + Int(entry.offset))) != nil,
            Checksum.of(buffer.bytes) == entry.checksum
        else {
            self.note(segment)
            return false
        }
        return true
    }

    /// Counts damage, but not that a segment was overwritten while somebody read it.
    func note(_ segment: Segment) {
        let isListed = self.segments(segment.header.tier).contains { $0.header.sequence == segment.header.sequence }
        if isListed { self.damaged.add(1, ordering: .relaxed) }
    }
}

/// The indexes that were read last; bounded in entries.
struct IndexCache: Sendable {
    private static let entriesMax = 16_384

    private var indexes: [UInt64: (entries: [IndexEntry], used: UInt64)] = [:]
    private var entries = 0
    private var clock: UInt64 = 0
    /// Segments whose indexes are too large to be kept, but were checked.
    private var whole: Set<UInt64> = []
    private static let wholeMax = 8_192

    func isWhole(_ sequence: UInt64) -> Bool { self.whole.contains(sequence) }

    mutating func noteWhole(_ sequence: UInt64) {
        if self.whole.count >= Self.wholeMax { self.whole.removeAll() }
        self.whole.insert(sequence)
    }

    mutating func find(_ sequence: UInt64) -> [IndexEntry]? {
        guard let found = self.indexes[sequence] else { return nil }
        self.clock += 1
        self.indexes[sequence]?.used = self.clock
        return found.entries
    }

    mutating func insert(_ sequence: UInt64, _ entries: [IndexEntry]) {
        guard self.indexes[sequence] == nil, entries.count <= Self.entriesMax else { return }
        while self.entries + entries.count > Self.entriesMax,
            let oldest = self.indexes.min(by: { $0.value.used < $1.value.used })
        {
            self.entries -= oldest.value.entries.count
            self.indexes[oldest.key] = nil
        }
        self.clock += 1
        self.indexes[sequence] = (entries, self.clock)
        self.entries += entries.count
    }
}

extension [IndexEntry] {
    /// The places of a series' blocks; the index is sorted by series.
    func blocks(of series: UInt32) -> Range<Int> {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].series < series { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < self.count, self[end].series == series { end += 1 }
        return low..<end
    }
}
