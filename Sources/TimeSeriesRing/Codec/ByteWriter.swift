/// Writes into memory of fixed size and remembers when something did not fit.
///
/// Integers are little-endian. ``slackBytes`` behind the limit belong to the writer, so that packed bits can be stored
/// eight bytes at a time.
struct ByteWriter {
    static let slackBytes = 16

    let base: UnsafeMutableRawPointer
    /// Bytes that may count; the memory is ``slackBytes`` longer.
    let limit: Int
    private(set) var count = 0
    private(set) var isOverfull = false

    /// - Parameter capacity: the size of the memory at `base`, more than ``slackBytes``.
    init(_ base: UnsafeMutableRawPointer, capacity: Int) {
        self.base = base
        self.limit = capacity - Self.slackBytes
    }

    /// Takes the next `bytes` for somebody who writes them, and up to ``slackBytes`` behind them, at once.
    @inline(__always)
    mutating func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard self.count + bytes <= self.limit else {
            self.isOverfull = true
            return nil
        }
        defer { self.count += bytes }
        return self.base + self.count
    }

    /// Forgets what was written since `count`.
    mutating func rewind(to count: Int) {
        self.count = count
        self.isOverfull = false
    }

    @inline(__always)
    mutating func put8(_ value: UInt8) { self.reserve(1)?.storeBytes(of: value, as: UInt8.self) }

    @inline(__always)
    mutating func put32(_ value: UInt32) { self.reserve(4)?.storeBytes(of: value.littleEndian, as: UInt32.self) }

    @inline(__always)
    mutating func put64(_ value: UInt64) { self.reserve(8)?.storeBytes(of: value.littleEndian, as: UInt64.self) }

    /// Seven bits a byte, the lowest first; at most ten bytes.
    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var value = value
        while value > 0x7F {
            self.put8(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        self.put8(UInt8(truncatingIfNeeded: value))
    }

    @inline(__always)
    mutating func signed(_ value: Int64) { self.varint(ZigZag.encode(value)) }
}

/// Small numbers of either sign as small unsigned ones: 0, −1, 1, −2, 2 and so on.
enum ZigZag {
    @inline(__always)
    static func encode(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)) }

    @inline(__always)
    static func decode(_ value: UInt64) -> Int64 { Int64(bitPattern: (value &>> 1) ^ (0 &- (value & 1))) }
}
