/// The root of everything on the card: which segments there are and from which journal unit on the journal counts.
///
/// Two slots take turns; the valid one of the higher generation is true. Nothing else on the card is believed unless a
/// superblock names it.
struct Superblock: Sendable, Hashable {
    static let magic: UInt64 = 0x3330_474E_4952_5243  // "CRRING03"
    static let headBytes = 128 + ClockMap.rowsMax * ClockMap.rowBytes

    /// A segment of a tier.
    struct Entry: Sendable, Hashable {
        var page: UInt32
        var pages: UInt32
        var sequence: UInt64
    }

    struct Directory: Sendable, Hashable {
        /// The page where the next segment goes.
        var head: UInt32 = 0
        /// Oldest first.
        var entries: [Entry] = []
    }

    var generation: UInt64 = 0
    var ring: UInt64
    var geometry: RingGeometry
    /// The first journal unit whose samples are in no segment.
    var checkpoint: UInt64 = 1
    /// The number of the next segment, over all tiers.
    var nextSegment: UInt64 = 1
    /// Minute segments up to this number are in the quarter tier.
    var quarteredThrough: UInt64 = 0
    var clock = ClockMap()
    var directories = [Directory](repeating: Directory(), count: Tier.allCases.count)

    func encoded() -> ByteBuffer {
        let size = self.geometry.superblockBytes
        let buffer = ByteBuffer(capacity: size + ByteWriter.slackBytes)
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var writer = ByteWriter(buffer.base, capacity: size + ByteWriter.slackBytes)
        writer.put64(Self.magic)
        writer.put64(0)
        writer.put64(self.generation)
        writer.put64(self.ring)
        for word in self.geometry.words { writer.put64(word) }
        writer.put64(self.checkpoint)
        writer.put64(self.nextSegment)
        writer.put64(self.quarteredThrough)
        self.clock.encode(into: &writer)
        for directory in self.directories {
            writer.put32(directory.head)
            writer.put32(UInt32(truncatingIfNeeded: directory.entries.count))
            writer.put64(0)
            for entry in directory.entries {
                writer.put32(entry.page)
                writer.put32(entry.pages)
                writer.put64(entry.sequence)
            }
        }
        buffer.count = size
        let sum = Checksum.of(UnsafeRawBufferPointer(rebasing: buffer.bytes[16...]))
        buffer.base.storeBytes(of: UInt64(sum).littleEndian, toByteOffset: 8, as: UInt64.self)
        return buffer
    }

    /// The geometry that a slot claims, before its size and with it its checksum are known.
    static func geometry(_ head: UnsafeRawBufferPointer) -> RingGeometry? {
        guard let base = head.baseAddress, head.count >= 128 else { return nil }
        var reader = ByteReader(base, count: head.count)
        guard reader.get64() == self.magic else { return nil }
        _ = reader.take(24)
        let geometry = RingGeometry(words: (0..<6).map { _ in reader.get64() })
        return geometry.isSane ? geometry : nil
    }

    init(ring: UInt64, geometry: RingGeometry) {
        self.ring = ring
        self.geometry = geometry
    }

    /// Reads a slot; `nil` when it is damaged or no superblock.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, let geometry = Self.geometry(bytes),
            bytes.count == geometry.superblockBytes
        else { return nil }
        var reader = ByteReader(base, count: bytes.count)
        _ = reader.get64()
        guard reader.get64() == UInt64(Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[16...]))) else { return nil }
        self.geometry = geometry
        self.generation = reader.get64()
        self.ring = reader.get64()
        _ = reader.take(48)
        self.checkpoint = reader.get64()
        self.nextSegment = reader.get64()
        self.quarteredThrough = reader.get64()
        self.clock = ClockMap(&reader)
        for tier in Tier.allCases {
            var directory = Directory(head: reader.get32())
            let count = Int(reader.get32())
            _ = reader.get64()
            guard count <= geometry.segmentsMax(tier) else { return nil }
            for _ in 0..<count {
                directory.entries.append(
                    Entry(page: reader.get32(), pages: reader.get32(), sequence: reader.get64())
                )
            }
            self.directories[Int(tier.rawValue)] = directory
        }
        guard !reader.isBroken else { return nil }
    }
}
