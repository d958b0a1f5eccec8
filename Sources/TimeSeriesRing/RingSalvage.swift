/// Finds segments without a superblock.
enum RingSalvage {
    struct Found {
        var ring: UInt64?
        var directories = [Superblock.Directory](repeating: .init(), count: Tier.allCases.count)
        var nextSegment: UInt64 = 1
        var quarteredThrough: UInt64 = 0
        /// Numbers of the segments by what is in them.
        var contents: [Content: UInt64] = [:]
        var segmentCount: Int { self.directories.reduce(0) { $0 + $1.entries.count } }
    }

    /// What two segments have in common when a seal was tried again; only a superblock tells which of them counts.
    struct Content: Hashable {
        var tier: Tier
        var first: Int64
        var last: Int64
        var samples: UInt64
        var bodyChecksum: UInt32
    }

    /// Looks at every page where a segment could begin.
    static func scan(_ device: any BlockDevice, _ geometry: RingGeometry) -> Found {
        var found = Found()
        let chunk = 1 << 20
        let buffer = ByteBuffer(capacity: chunk)
        for tier in Tier.allCases {
            let start = geometry.offset(tier)
            let end = min(start + geometry.bytes(tier), device.size)
            for offset in stride(from: start, to: end, by: chunk) {
                let size = min(chunk, end - offset)
                guard (try? device.read(into: buffer.resized(to: size), at: offset)) != nil else { continue }
                for page in stride(from: 0, to: size, by: RingGeometry.pageBytes) {
                    self.look(at: buffer.base + page, place: offset + page, start, tier, &found)
                }
            }
        }
        for index in found.directories.indices {
            found.directories[index].entries.sort { $0.sequence < $1.sequence }
            if let last = found.directories[index].entries.last {
                found.directories[index].head = last.page + last.pages
            }
        }
        found.quarteredThrough =
            found.directories[Int(Tier.quarter.rawValue)].entries.last
            .map { newest in
                found.directories[Int(Tier.minute.rawValue)].entries.last { $0.sequence < newest.sequence }?.sequence
                    ?? 0
            } ?? 0
        return found
    }

    private static func look(
        at base: UnsafeMutableRawPointer,
        place: Int,
        _ start: Int,
        _ tier: Tier,
        _ found: inout Found
    ) {
        guard base.loadUnaligned(as: UInt64.self) == SegmentHeader.magic.littleEndian else { return }
        let ring = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: SegmentHeader.ringOffset, as: UInt64.self))
        guard found.ring == nil || found.ring == ring,
            let header = SegmentHeader(
                UnsafeRawBufferPointer(start: base, count: SegmentHeader.bytes),
                at: place,
                ring: ring
            ), header.tier == tier
        else { return }
        found.ring = ring
        found.nextSegment = max(found.nextSegment, header.sequence + 1)
        let content = Content(
            tier: tier,
            first: header.first,
            last: header.last,
            samples: header.samples,
            bodyChecksum: header.bodyChecksum
        )
        if let other = found.contents[content] {
            // The newer one is kept.
            guard other < header.sequence else { return }
            found.directories[Int(tier.rawValue)].entries.removeAll { $0.sequence == other }
        }
        found.contents[content] = header.sequence
        found.directories[Int(tier.rawValue)].entries
            .append(
                Superblock.Entry(
                    page: UInt32((place - start) / RingGeometry.pageBytes),
                    pages: (header.byteCount + UInt32(RingGeometry.pageBytes) - 1) / UInt32(RingGeometry.pageBytes),
                    sequence: header.sequence
                )
            )
    }
}
