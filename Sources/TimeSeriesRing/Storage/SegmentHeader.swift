/// The first 128 bytes of a segment.
struct SegmentHeader: Sendable, Hashable {
    static let magic: UInt64 = 0x3130_4745_5352_5243  // "CRRSEG01"
    static let bytes = 128
    static let ringOffset = 64

    var sequence: UInt64
    var tier: Tier
    var entries: UInt32
    /// Bytes of header, blocks and index.
    var byteCount: UInt32
    var indexOffset: UInt32
    var first: Int64
    var last: Int64
    var samples: UInt64
    var indexChecksum: UInt32 = 0
    var bodyChecksum: UInt32 = 0
    /// The lowest and the highest series in it; both 0 where it does not say.
    var lowestSeries: UInt32 = 0
    var highestSeries: UInt32 = 0

    /// Whether blocks of a series may be in it.
    func mayHave(_ series: UInt32) -> Bool {
        self.highestSeries == 0 || (self.lowestSeries...self.highestSeries).contains(series)
    }

    /// Writes the header where it belongs; the position is part of its checksum.
    func encode(to base: UnsafeMutableRawPointer, at position: Int, ring: UInt64) {
        base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.bytes)
        var writer = ByteWriter(base, capacity: Self.bytes + ByteWriter.slackBytes)
        writer.put64(Self.magic)
        writer.put64(self.sequence)
        writer.put32(UInt32(self.tier.rawValue))
        writer.put32(self.entries)
        writer.put32(self.byteCount)
        writer.put32(self.indexOffset)
        writer.put64(UInt64(bitPattern: self.first))
        writer.put64(UInt64(bitPattern: self.last))
        writer.put64(self.samples)
        writer.put32(self.indexChecksum)
        writer.put32(self.bodyChecksum)
        writer.put64(ring)
        writer.put32(self.lowestSeries)
        writer.put32(self.highestSeries)
        let sum = Checksum.of(UnsafeRawBufferPointer(start: base, count: Self.bytes - 4), at: position, of: ring)
        base.storeBytes(of: sum.littleEndian, toByteOffset: Self.bytes - 4, as: UInt32.self)
    }

    /// Reads a header that was written at `position` of this ring; `nil` when it was not, or is damaged.
    init?(_ bytes: UnsafeRawBufferPointer, at position: Int, ring: UInt64) {
        guard let base = bytes.baseAddress, bytes.count >= Self.bytes else { return nil }
        let sum = Checksum.of(UnsafeRawBufferPointer(start: base, count: Self.bytes - 4), at: position, of: ring)
        guard UInt32(littleEndian: base.loadUnaligned(fromByteOffset: Self.bytes - 4, as: UInt32.self)) == sum else {
            return nil
        }
        var reader = ByteReader(base, count: Self.bytes)
        guard reader.get64() == Self.magic else { return nil }
        self.sequence = reader.get64()
        guard let tier = Tier(rawValue: UInt8(truncatingIfNeeded: reader.get32())) else { return nil }
        self.tier = tier
        self.entries = reader.get32()
        self.byteCount = reader.get32()
        self.indexOffset = reader.get32()
        self.first = Int64(bitPattern: reader.get64())
        self.last = Int64(bitPattern: reader.get64())
        self.samples = reader.get64()
        self.indexChecksum = reader.get32()
        self.bodyChecksum = reader.get32()
        guard reader.get64() == ring else { return nil }
        self.lowestSeries = reader.get32()
        self.highestSeries = reader.get32()
        guard self.lowestSeries <= self.highestSeries,
            UInt64(self.indexOffset) + UInt64(self.entries) * UInt64(IndexEntry.bytes) == UInt64(self.byteCount)
        else { return nil }
    }

    init(sequence: UInt64, tier: Tier, entries: Int, indexOffset: Int, byteCount: Int, first: Int64, last: Int64) {
        self.sequence = sequence
        self.tier = tier
        self.entries = UInt32(truncatingIfNeeded: entries)
        self.indexOffset = UInt32(truncatingIfNeeded: indexOffset)
        self.byteCount = UInt32(truncatingIfNeeded: byteCount)
        self.first = first
        self.last = last
        self.samples = 0
    }
}

/// Where a block is in its segment, and what is in it: 64 bytes.
struct IndexEntry: Sendable, Hashable {
    static let bytes = 64

    var series: UInt32
    var isLate: Bool
    var first: Int64
    var last: Int64
    var offset: UInt32
    var length: UInt32
    var checksum: UInt32
    /// Samples, or roll-ups.
    var count: UInt32
    var minimum: Double
    var maximum: Double
    var sum: Double

    func encode(into writer: inout ByteWriter) {
        writer.put32(self.series)
        writer.put32(self.isLate ? 1 : 0)
        writer.put64(UInt64(bitPattern: self.first))
        writer.put64(UInt64(bitPattern: self.last))
        writer.put32(self.offset)
        writer.put32(self.length)
        writer.put32(self.checksum)
        writer.put32(self.count)
        writer.put64(self.minimum.bitPattern)
        writer.put64(self.maximum.bitPattern)
        writer.put64(self.sum.bitPattern)
    }

    init(_ reader: inout ByteReader) {
        self.series = reader.get32()
        self.isLate = reader.get32() != 0
        self.first = Int64(bitPattern: reader.get64())
        self.last = Int64(bitPattern: reader.get64())
        self.offset = reader.get32()
        self.length = reader.get32()
        self.checksum = reader.get32()
        self.count = reader.get32()
        self.minimum = Double(bitPattern: reader.get64())
        self.maximum = Double(bitPattern: reader.get64())
        self.sum = Double(bitPattern: reader.get64())
    }

    init(series: UInt32, isLate: Bool, first: Int64, last: Int64, statistics: StoredRollup, count: Int) {
        self.series = series
        self.isLate = isLate
        self.first = first
        self.last = last
        self.offset = 0
        self.length = 0
        self.checksum = 0
        self.count = UInt32(truncatingIfNeeded: count)
        self.minimum = statistics.minimum
        self.maximum = statistics.maximum
        self.sum = statistics.sum
    }
}
