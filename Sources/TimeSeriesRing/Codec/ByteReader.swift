/// Reads what ``ByteWriter`` wrote; nothing that it meets makes it leave its memory or trap.
///
/// A read behind the end gives zero and sets ``isBroken``. ``paddingBytes`` behind the end must be readable, so that
/// packed bits can be loaded eight bytes at a time.
struct ByteReader {
    static let paddingBytes = 16

    let base: UnsafeRawPointer
    let count: Int
    private(set) var offset = 0
    private(set) var isBroken = false

    init(_ base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    mutating func fail() { self.isBroken = true }

    /// Takes the next `bytes`; `nil` when there are fewer.
    @inline(__always)
    mutating func take(_ bytes: Int) -> UnsafeRawPointer? {
        guard bytes >= 0, !self.isBroken, self.count - self.offset >= bytes else {
            self.isBroken = true
            return nil
        }
        defer { self.offset += bytes }
        return self.base + self.offset
    }

    @inline(__always)
    mutating func get8() -> UInt8 { self.take(1)?.load(as: UInt8.self) ?? 0 }

    @inline(__always)
    mutating func get32() -> UInt32 { UInt32(littleEndian: self.take(4)?.loadUnaligned(as: UInt32.self) ?? 0) }

    @inline(__always)
    mutating func get64() -> UInt64 { UInt64(littleEndian: self.take(8)?.loadUnaligned(as: UInt64.self) ?? 0) }

    @inline(__always)
    mutating func varint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = self.get8()
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
        self.isBroken = true
        return 0
    }

    @inline(__always)
    mutating func signed() -> Int64 { ZigZag.decode(self.varint()) }

    /// A count between 1 and `limit`; anything else breaks the reader and reads as 0.
    mutating func length(upTo limit: Int) -> Int {
        let value = self.varint()
        guard value >= 1, value <= UInt64(limit) else {
            self.isBroken = true
            return 0
        }
        return Int(truncatingIfNeeded: value)
    }
}
