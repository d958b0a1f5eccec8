internal import CPlatform

/// CRC-32C of what is stored, together with where it is stored: a block that landed elsewhere has a wrong checksum.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer, at position: Int, of ring: UInt64) -> UInt32 {
        self.of(bytes, after: self.start(at: position, of: ring))
    }

    /// What the checksum of bytes that come in parts begins with.
    static func start(at position: Int, of ring: UInt64) -> UInt32 {
        var place = (UInt64(bitPattern: Int64(position)).littleEndian, ring.littleEndian)
        return withUnsafeBytes(of: &place) { campus_crc32c(0, $0.baseAddress, $0.count) }
    }

    static func of(_ bytes: UnsafeRawBufferPointer, after sum: UInt32) -> UInt32 {
        campus_crc32c(sum, bytes.baseAddress, bytes.count)
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 { campus_crc32c(0, bytes.baseAddress, bytes.count) }
}

/// Memory that is given back when the last user is gone, with room behind it for the readers of packed bits.
final class ByteBuffer: @unchecked Sendable {
    // @unchecked: belongs to whoever made it.
    private(set) var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        self.base = .allocate(byteCount: self.capacity + ByteReader.paddingBytes, alignment: 4_096)
    }

    deinit { self.base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.count) }

    /// Memory for exactly `count` bytes, whose content is undefined.
    func resized(to count: Int) -> UnsafeMutableRawBufferPointer {
        if count > self.capacity {
            self.base.deallocate()
            self.capacity = count + count / 4
            self.base = .allocate(byteCount: self.capacity + ByteReader.paddingBytes, alignment: 4_096)
        }
        self.count = count
        return UnsafeMutableRawBufferPointer(start: self.base, count: count)
    }

    /// Room for `more` bytes and a writer's slack behind ``count``.
    func makeRoom(for more: Int) {
        let needed = self.count + more + ByteWriter.slackBytes
        guard needed > self.capacity else { return }
        let capacity = max(self.capacity * 2, needed)
        let new = UnsafeMutableRawPointer.allocate(
            byteCount: capacity + ByteReader.paddingBytes,
            alignment: 4_096
        )
        new.copyMemory(from: self.base, byteCount: self.count)
        self.base.deallocate()
        self.base = new
        self.capacity = capacity
    }

    func append(_ source: UnsafeRawBufferPointer) {
        self.makeRoom(for: source.count)
        if let from = source.baseAddress { (self.base + self.count).copyMemory(from: from, byteCount: source.count) }
        self.count += source.count
    }

    /// Zeros up to a multiple of `alignment`.
    func pad(to alignment: Int) {
        let rest = (alignment - self.count % alignment) % alignment
        self.makeRoom(for: rest)
        (self.base + self.count).initializeMemory(as: UInt8.self, repeating: 0, count: rest)
        self.count += rest
    }
}
