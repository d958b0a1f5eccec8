internal import CampusModel

/// What opening reads from the card before there is a ring.
struct RingOpening {
    let superblock: Superblock
    /// Whether a superblock on the card says so.
    let isRooted: Bool
    let segments: SegmentStore
    let catalogue: Catalogue
    let series: TimeSeriesRing.SeriesList
    /// The device, or one that refuses everything in its place.
    var device: any BlockDevice { self.segments.device }

    init(device: any BlockDevice, geometry: RingGeometry, report: inout RingOpenReport) {
        var superblock: Superblock
        var device = device
        var isRooted = true
        let (newest, isUnreadable) = Self.newestSuperblock(on: device)
        if let newest, newest.geometry == geometry {
            superblock = newest
        } else if isUnreadable {
            // There may well be a ring that cannot be read now: it must not be written over.
            report.problems.append("the card cannot be read; the ring lives in memory only until the next start")
            device = RefusingDevice(size: geometry.totalBytes)
            superblock = Superblock(ring: UInt64.random(in: 1 ... .max), geometry: geometry)
        } else {
            superblock = Self.rebuilt(device, geometry, &report)
            isRooted = false
        }
        var lists = SegmentStore.Lists()
        for tier in Tier.allCases {
            let directory = superblock.directories[Int(tier.rawValue)]
            lists.heads[Int(tier.rawValue)] = directory.head
            for entry in directory.entries {
                if let segment = Self.segment(entry, tier, device, geometry, superblock.ring) {
                    lists.tiers[Int(tier.rawValue)].append(segment)
                } else if !Self.isBeingOverwritten(entry, directory, geometry, tier) {
                    report.damagedSegments += 1
                    report.problems.append("segment \(entry.sequence) (\(tier)) is damaged; what was in it is lost")
                }
            }
        }
        self.segments = SegmentStore(device: device, geometry: geometry, ring: superblock.ring, lists: lists)
        self.catalogue = Catalogue(geometry: geometry, ring: superblock.ring)
        var series = TimeSeriesRing.SeriesList()
        (series.all, series.dirty) = self.catalogue.read(from: device)
        for (index, found) in series.all.enumerated() {
            guard let found else {
                report.problems.append("the name of series \(index) is damaged; its samples cannot be attributed")
                continue
            }
            series.index[found.name] = SeriesIndex(rawValue: UInt32(index))
        }
        self.series = series
        self.superblock = superblock
        self.isRooted = isRooted
    }

    /// The valid superblock of the highest generation.
    static func superblock(on device: any BlockDevice) -> Superblock? { self.newestSuperblock(on: device).newest }

    /// The same, and whether a place where one may be could not be read.
    private static func newestSuperblock(on device: any BlockDevice) -> (newest: Superblock?, isUnreadable: Bool) {
        var best: Superblock?
        var isUnreadable = false
        let head = ByteBuffer(capacity: 4_096)
        // Where the second slot is follows from the first one's geometry, or has to be looked for.
        var places: Set<Int> = [0]
        var place = 16_384
        while place <= min(1 << 20, device.size - 4_096) {
            places.insert(place)
            place += 16_384
        }
        for place in places.sorted() {
            guard (try? device.read(into: head.resized(to: 4_096), at: place)) != nil else {
                isUnreadable = true
                continue
            }
            guard let geometry = Superblock.geometry(head.bytes), place % geometry.superblockBytes == 0,
                place / geometry.superblockBytes < 2, place + geometry.superblockBytes <= device.size
            else { continue }
            let buffer = ByteBuffer(capacity: geometry.superblockBytes)
            guard (try? device.read(into: buffer.resized(to: geometry.superblockBytes), at: place)) != nil else {
                isUnreadable = true
                continue
            }
            guard let found = Superblock(buffer.bytes) else { continue }
            if found.generation > best?.generation ?? 0 { best = found }
        }
        return (best, isUnreadable)
    }

    /// The segment that an entry names; `nil` when it is not there whole.
    static func segment(
        _ entry: Superblock.Entry,
        _ tier: Tier,
        _ device: any BlockDevice,
        _ geometry: RingGeometry,
        _ ring: UInt64
    ) -> SegmentStore.Segment? {
        let place = geometry.offset(tier) + Int(entry.page) * RingGeometry.pageBytes
        guard Int(entry.page) + Int(entry.pages) <= geometry.bytes(tier) / RingGeometry.pageBytes else { return nil }
        let buffer = ByteBuffer(capacity: SegmentHeader.bytes)
        guard (try? device.read(into: buffer.resized(to: SegmentHeader.bytes), at: place)) != nil,
            let header = SegmentHeader(buffer.bytes, at: place, ring: ring),
            header.sequence == entry.sequence, header.tier == tier
        else { return nil }
        return SegmentStore.Segment(header: header, page: entry.page, pages: entry.pages)
    }

    /// Whether a segment lies where the next one goes: the power may have gone while it was overwritten.
    private static func isBeingOverwritten(
        _ entry: Superblock.Entry,
        _ directory: Superblock.Directory,
        _ geometry: RingGeometry,
        _ tier: Tier
    ) -> Bool {
        // Segments follow one another, so the oldest of all is the first one to go; so are those behind it that a large
        // one takes with it.
        let pages = UInt32(geometry.bytes(tier) / RingGeometry.pageBytes)
        let distance = entry.page >= directory.head ? entry.page - directory.head : entry.page + pages - directory.head
        return distance < pages / 2
    }

    /// A superblock made from what is found, where both are gone or there never was one.
    private static func rebuilt(
        _ device: any BlockDevice,
        _ geometry: RingGeometry,
        _ report: inout RingOpenReport
    ) -> Superblock {
        let found = RingSalvage.scan(device, geometry)
        guard let ring = found.ring else {
            return Superblock(ring: UInt64.random(in: 1 ... .max), geometry: geometry)
        }
        report.problems.append("both superblocks are damaged; \(found.segmentCount) segments were found by searching")
        var superblock = Superblock(ring: ring, geometry: geometry)
        superblock.generation = 1
        superblock.directories = found.directories
        superblock.nextSegment = found.nextSegment
        superblock.quarteredThrough = found.quarteredThrough
        return superblock
    }
}
