internal import Glibc
internal import Synchronization

/// The ring's memory: a file that is mapped, so that what is stored there outlives a killed process at once.
///
/// In a folder in memory (`/run`, `/dev/shm`) it costs the card nothing.
final class RingMemory: @unchecked Sendable {
    // @unchecked: the mapping lives as long as the value; who may touch which bytes is the ring's business.
    static let magic: UInt64 = 0x3330_4D45_4D52_5243  // "CRRMEM03"

    /// The first page.
    struct Head: BitwiseCopyable {
        var magic: UInt64
        var ring: UInt64
        var boot: (UInt64, UInt64)
        var seriesMax: UInt64
        /// The generation that the superblock will have when the half under way is sealed; 0 = none is.
        var sealing: UInt64
        /// Bytes taken in each half of the arena; 48 bytes from the beginning.
        var used: (UInt64, UInt64)
        /// The half in use.
        var half: UInt64
        /// The next unit of the journal.
        var nextUnit: UInt64
        /// The first unit with samples that are not in the half being sealed.
        var sealCheckpoint: UInt64
    }

    let base: UnsafeMutableRawPointer
    let geometry: MemoryGeometry
    private let isFile: Bool

    /// - Parameter path: `nil` for memory that dies with the process.
    init(path: String?, geometry: MemoryGeometry) throws(RingError) {
        self.geometry = geometry
        self.isFile = path != nil
        let size = geometry.totalBytes
        guard let path else {
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let base, base != MAP_FAILED else { throw RingError.system("cannot get memory for", "the ring") }
            self.base = base
            return
        }
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RingError.system("cannot open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw RingError.system("cannot look at", path) }
        // Of another size it is no memory of this ring; emptied, it is filled with zeros.
        if Int(status.st_size) != size, ftruncate(descriptor, 0) != 0 { throw RingError.system("cannot empty", path) }
        var result: Int32
        repeat { result = posix_fallocate(descriptor, 0, size) } while result == EINTR
        guard result == 0 else {
            throw RingError(
                .inputOutput,
                "\(path) needs \(size >> 20) MiB and cannot have them (\(String(cString: strerror(result)))); make "
                    + "ring.series smaller, or name another folder in ring.memory"
            )
        }
        let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let base, base != MAP_FAILED else { throw RingError.system("cannot map", path) }
        self.base = base
    }

    deinit { munmap(self.base, self.geometry.totalBytes) }

    var head: UnsafeMutablePointer<Head> { self.base.assumingMemoryBound(to: Head.self) }

    /// Whether this is what the last process of this ring on this boot left.
    func isOf(ring: UInt64, boot: (UInt64, UInt64)) -> Bool {
        let head = self.head.pointee
        return head.magic == Self.magic && head.ring == ring && head.boot == boot
            && head.seriesMax == UInt64(self.geometry.seriesMax) && head.half < 2
            && head.used.0 <= UInt64(self.geometry.halfBytes) && head.used.1 <= UInt64(self.geometry.halfBytes)
    }

    /// Empties everything.
    func reset(ring: UInt64, boot: (UInt64, UInt64), nextUnit: UInt64) {
        for series in 0..<self.geometry.seriesMax {
            (self.base + self.geometry.slot(series)).assumingMemoryBound(to: SeriesSlot.self).pointee.state =
                SeriesSlot.State.free
        }
        self.head.pointee = Head(
            magic: Self.magic,
            ring: ring,
            boot: boot,
            seriesMax: UInt64(self.geometry.seriesMax),
            sealing: 0,
            used: (8, 8),
            half: 0,
            nextUnit: nextUnit,
            sealCheckpoint: 0
        )
    }

    /// Empties one slot; only its window is left as it was.
    func clear(_ series: Int, half: Int) {
        self.slot(series).pointee = SeriesSlot(
            head: 0,
            lastTick: 0,
            word: SlotWord(chain: 0, half: half, minuteIndex: 0, minutes: 0, staged: 0),
            minutes: (StoredRollup(start: 0), StoredRollup(start: 0)),
            journaled: 0,
            sealedChain: 0,
            version: 0,
            state: SeriesSlot.State.cold
        )
    }

    @inline(__always)
    func slot(_ series: Int) -> UnsafeMutablePointer<SeriesSlot> {
        (self.base + self.geometry.slot(series)).assumingMemoryBound(to: SeriesSlot.self)
    }

    @inline(__always)
    func window(_ series: Int) -> UnsafeMutablePointer<StoredSample> {
        (self.base + self.geometry.slot(series) + MemoryGeometry.slotBytes)
            .assumingMemoryBound(to: StoredSample.self)
    }

    func closedMinutes(_ series: Int) -> UnsafeMutablePointer<StoredRollup> {
        (self.base + self.geometry.slot(series) + MemoryGeometry.slotBytes
            + self.geometry.window * MemoryLayout<StoredSample>.stride)
            .assumingMemoryBound(to: StoredRollup.self)
    }

    /// Takes `bytes` of a half; `nil` when it is full.
    func allocate(_ bytes: Int, half: Int) -> UInt32? {
        let used = UnsafePointer(self.used(half))
        let size = UInt64((bytes + 7) / 8 * 8)
        let start = used.pointee.add(size, ordering: .relaxed).oldValue
        // Whoever reads packed bits reads a few bytes behind them, which the mapping must have.
        guard start + size + UInt64(ByteReader.paddingBytes) <= UInt64(self.geometry.halfBytes) else {
            used.pointee.subtract(size, ordering: .relaxed)
            return nil
        }
        return UInt32(truncatingIfNeeded: start / 8)
    }

    func usedBytes(_ half: Int) -> Int {
        Int(truncatingIfNeeded: self.used(half).pointee.load(ordering: .relaxed))
    }

    func free(_ half: Int) { self.used(half).pointee.store(8, ordering: .relaxed) }

    private func used(_ half: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (self.base + 48 + half * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    func record(_ chain: UInt32, half: Int) -> UnsafeMutableRawPointer {
        self.base + self.geometry.half(half) + Int(chain) * 8
    }

    /// Gives pages of a file back to the kernel; what they hold stays where the file is.
    func trim() { if self.isFile { madvise(self.base, self.geometry.totalBytes, MADV_DONTNEED) } }

    /// The identity of this boot, from the kernel.
    static func bootIdentity() -> (UInt64, UInt64) {
        let descriptor = Glibc.open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 36)
        let count = read(descriptor, &bytes, bytes.count)
        guard count == bytes.count else { return (0, 0) }
        return bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(as: UInt64.self) ^ $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                    ^ $0.loadUnaligned(fromByteOffset: 28, as: UInt64.self)
            )
        }
    }
}
