internal import Synchronization

/// One series in memory: 128 bytes, then its window of samples, then its closed minutes.
///
/// Written under the lock of its group. `head`, `version` and the window are atomic, so that the newest sample is read
/// without the lock. A killed process leaves at worst one change undone: what belongs together is published by one
/// store, that of `word` or that of `head`.
struct SeriesSlot: BitwiseCopyable {
    /// Samples ever put into the window.
    var head: UInt64
    /// Tick of the newest sample.
    var lastTick: Int64
    var word: SlotWord
    /// The minute under way, in the one of the two that ``SlotWord/minuteIndex`` names.
    var minutes: (StoredRollup, StoredRollup)
    /// Samples that are in the journal, modulo 2^32.
    var journaled: UInt32
    /// The newest record in the half that is being sealed.
    var sealedChain: UInt32
    /// Odd while the window is put in order for a late sample.
    var version: UInt32
    var state: UInt32

    enum State {
        static let free: UInt32 = 0
        /// Registered; whether the card has something of it was not looked up yet.
        static let cold: UInt32 = 1
        static let live: UInt32 = 2
    }
}

/// What must change together in a slot.
struct SlotWord: BitwiseCopyable, Equatable {
    var rawValue: UInt64

    /// - Parameters:
    ///   - chain: the newest record of the series in its half, in units of 8 bytes; 0 = none.
    ///   - half: which half of the arena it uses.
    ///   - minuteIndex: which of the two is the minute under way.
    ///   - minutes: closed minutes in the slot.
    ///   - staged: samples that have left the window, modulo 2^30.
    @inline(__always)
    init(chain: UInt32, half: Int, minuteIndex: Int, minutes: Int, staged: UInt64) {
        self.rawValue =
            UInt64(chain) | UInt64(truncatingIfNeeded: half) << 27 | UInt64(truncatingIfNeeded: minuteIndex) << 28
            | UInt64(truncatingIfNeeded: minutes) << 29 | (staged & 0x3FFF_FFFF) << 34
    }

    @inline(__always)
    var chain: UInt32 { UInt32(truncatingIfNeeded: self.rawValue & 0x7FF_FFFF) }
    @inline(__always)
    var half: Int { Int(truncatingIfNeeded: self.rawValue >> 27 & 1) }
    @inline(__always)
    var minuteIndex: Int { Int(truncatingIfNeeded: self.rawValue >> 28 & 1) }
    @inline(__always)
    var minutes: Int { Int(truncatingIfNeeded: self.rawValue >> 29 & 31) }
    /// Samples between the staged ones and `head`: those in the window that are nowhere else in memory.
    @inline(__always)
    func pending(_ head: UInt64) -> Int { Int(truncatingIfNeeded: (head &- (self.rawValue >> 34)) & 0x3FFF_FFFF) }
}

/// Sizes of everything in memory; they follow from how many series there may be.
struct MemoryGeometry: Sendable, Hashable {
    static let headBytes = 4_096
    static let slotBytes = 128

    let seriesMax: Int
    /// Samples of a window, a power of two.
    let window: Int
    /// Closed minutes kept in a slot before they are staged together.
    let minutes: Int
    let halfBytes: Int
    /// From one slot to the next.
    let stride: Int

    init(seriesMax: Int) {
        self.seriesMax = seriesMax
        self.window = seriesMax <= 8_192 ? 128 : 16
        self.minutes = seriesMax <= 8_192 ? 15 : 0
        // Many series fill a half with their windows alone: it holds about two of each.
        let wanted = max(min(max(seriesMax * 256, 1 << 20), 6 << 20), seriesMax * 176)
        self.halfBytes = (wanted + 65_535) / 65_536 * 65_536
        let rows = self.window * MemoryLayout<StoredSample>.stride + self.minutes * MemoryLayout<StoredRollup>.stride
        self.stride = (Self.slotBytes + rows + 63) / 64 * 64
    }

    func slot(_ series: Int) -> Int { Self.headBytes &+ series &* self.stride }
    var arena: Int { (Self.headBytes + self.seriesMax * self.stride + 4_095) / 4_096 * 4_096 }
    func half(_ half: Int) -> Int { self.arena + half * self.halfBytes }
    var totalBytes: Int { self.arena + 2 * self.halfBytes }
}

/// A piece of the past in the arena: 24 bytes of head, then a ``SampleBlock`` or a ``RollupBlock``.
struct StagedRecord {
    enum Kind {
        static let raw: UInt32 = 0
        static let late: UInt32 = 1
        static let rollup: UInt32 = 2
    }

    static let headBytes = 24

    /// The record before it, in units of 8 bytes; 0 = none.
    var next: UInt32
    var length: Int
    var kind: UInt32
    var first: Int64
    var last: Int64

    init(next: UInt32, length: Int, kind: UInt32, first: Int64, last: Int64) {
        self.next = next
        self.length = length
        self.kind = kind
        self.first = first
        self.last = last
    }

    init(_ base: UnsafeRawPointer) {
        let words = base.load(fromByteOffset: 4, as: UInt32.self)
        self.next = base.load(as: UInt32.self)
        self.length = Int(words & 0xFF_FFFF)
        self.kind = words >> 24
        self.first = base.load(fromByteOffset: 8, as: Int64.self)
        self.last = base.load(fromByteOffset: 16, as: Int64.self)
    }

    func store(to base: UnsafeMutableRawPointer) {
        base.storeBytes(of: self.next, as: UInt32.self)
        base.storeBytes(of: UInt32(truncatingIfNeeded: self.length) | self.kind << 24, toByteOffset: 4, as: UInt32.self)
        base.storeBytes(of: self.first, toByteOffset: 8, as: Int64.self)
        base.storeBytes(of: self.last, toByteOffset: 16, as: Int64.self)
    }
}
