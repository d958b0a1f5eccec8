internal import CampusModel
internal import Synchronization

/// The recent past of all points: fixed memory, fixed files, nothing lost when the process is killed, and what was
/// committed not lost when the power goes.
///
/// - Memory: a window of the newest samples for each series and an arena of packed older ones, in a mapped file.
/// - Journal: ``commit()`` writes what is new since the last one; what it wrote is durable when it returns.
/// - Segments: full arenas are packed once more and written once, minutes beside them, quarters of an hour from these.
///
/// Several threads may append and read; ``maintain()`` is for one thread that may wait for the card.
/// `docs/formats/ring.md` has every byte.
package final class TimeSeriesRing: Sendable {
    /// How large the ring is; its files have their final size from the start.
    package struct Configuration: Sendable, Hashable {
        /// Folder of the ring on the card.
        package var directory: String
        /// Folder of the ring's memory, best one that is in memory itself; `nil` keeps it with the process, so that a
        /// killed process loses what was not committed.
        package var memoryDirectory: String?
        package var seriesMax: Int
        /// What a commit is rounded up to: 4096, or 16384 for SD cards, which program that much at once.
        package var unitBytes = 4_096
        package var journalBytes = 16 << 20
        package var rawBytes = 256 << 20
        package var minuteBytes = 128 << 20
        package var quarterBytes = 64 << 20
        /// Most bytes of unpacked roll-ups that are kept between queries.
        package var cacheBytes = 8 << 20

        package init(directory: String, memoryDirectory: String?, seriesMax: Int) {
            self.directory = directory
            self.memoryDirectory = memoryDirectory
            self.seriesMax = seriesMax
        }
    }

    /// Series that share a lock.
    static let groupSeries = 16
    /// Series whose blocks share a segment.
    static let segmentSeries = 16_384

    let memory: RingMemory
    let device: any BlockDevice
    let segments: SegmentStore
    let journal: JournalBuilder
    let catalogue: Catalogue
    let series: Mutex<SeriesList>
    let locks: GroupLocks
    let counters = RingCounters()
    let keeper: Mutex<Keeper>
    /// Why the last attempt to write failed; `nil` when it did not.
    ///
    /// Apart from the keeper, who may be waiting for the card.
    let trouble = Mutex<String?>(nil)
    let clockMap: Mutex<ClockMap>
    /// Whether ticks are not UTC as they are; asked for each sample that is read.
    let hasClockOffsets = Atomic<Bool>(false)
    let scratches = ScratchPool()
    let rollupCache: RollupCache
    /// The first segment of the seal under way; a series whose old half is not released yet looks no further.
    let sealingSegment = Atomic<UInt64>(.max)
    /// The half that is being sealed; 2 = none.
    let sealingHalf = Atomic<Int>(2)
    let isSealWanted = Atomic<Bool>(false)
    /// The unit being read at the start: a seal in that time must not free it, or those behind it; 0 = none.
    let replayedUnit = Atomic<UInt64>(0)
    private let report = Mutex(RingOpenReport())
    let lateObserver = Mutex<(@Sendable (SeriesIndex, Tick) -> Void)?>(nil)

    struct SeriesList: Sendable {
        var index: [String: SeriesIndex] = [:]
        var all: [Catalogue.Series?] = []
        /// Series of which a copy on the card is missing, with the bits of those that are whole.
        var dirty: [Int: UInt8] = [:]
    }

    /// What only the keeper changes; whoever holds the lock is the keeper.
    struct Keeper: Sendable {
        var superblock: Superblock
        var nextUnit: UInt64
        /// Whether the card says whose it is; nothing on it counts before.
        var isRooted: Bool
        /// Whether samples count as journaled that are in no unit on the card.
        ///
        /// A write was refused, or a process was killed before it. Only a seal makes them durable.
        var owesSeal = false
        /// How many samples the journal had refused when the last seal began.
        var sealedRefusals: UInt64 = 0
    }

    /// Opens the ring in a folder, or makes it.
    ///
    /// Damaged or differently sized files are set aside, never a reason to refuse.
    package convenience init(configuration: Configuration) throws(RingError) {
        let geometry = try RingGeometry(configuration)
        var report = RingOpenReport()
        let path = try RingFiles.prepare(configuration, geometry, &report)
        let device = try FileDevice(path: path, size: geometry.totalBytes, zeroed: geometry.rewrittenBytes)
        let memory = try RingMemory(
            path: configuration.memoryDirectory.map { "\($0)/ring.memory" },
            geometry: MemoryGeometry(seriesMax: geometry.seriesMax)
        )
        self.init(
            device: device,
            memory: memory,
            geometry: geometry,
            boot: RingMemory.bootIdentity(),
            cacheBytes: configuration.cacheBytes,
            report: report
        )
    }

    /// Opens the ring on a device; what is on it is believed as far as its checksums go.
    init(
        device: any BlockDevice,
        memory: RingMemory,
        geometry: RingGeometry,
        boot: (UInt64, UInt64),
        cacheBytes: Int = 1 << 20,
        report: RingOpenReport = RingOpenReport()
    ) {
        var report = report
        let opening = RingOpening(device: device, geometry: geometry, report: &report)
        self.device = opening.device
        self.memory = memory
        self.segments = opening.segments
        self.rollupCache = RollupCache(bytes: cacheBytes)
        self.catalogue = opening.catalogue
        self.journal = JournalBuilder(unitBytes: geometry.unitBytes, seriesMax: geometry.seriesMax)
        self.locks = GroupLocks(window: memory.geometry.window)
        self.series = Mutex(opening.series)
        self.clockMap = Mutex(opening.superblock.clock)
        self.hasClockOffsets.store(!opening.superblock.clock.isIdentity, ordering: .relaxed)
        let ring = opening.superblock.ring
        let isAdopted = memory.isOf(ring: ring, boot: boot)
        if !isAdopted { memory.reset(ring: ring, boot: boot, nextUnit: opening.superblock.checkpoint) }
        self.keeper = Mutex(
            Keeper(
                superblock: opening.superblock,
                nextUnit: max(memory.head.pointee.nextUnit, opening.superblock.checkpoint),
                isRooted: opening.isRooted
            )
        )
        // Before anything is appended: by the superblock the memory of a killed process is known again. Where the card
        // does not take it now, the first commit tries once more.
        self.keeper.withLock { keeper in try? self.root(&keeper) }
        report.seriesRestored = opening.series.index.count
        self.registerSlots(count: opening.series.all.count, isAdopted: isAdopted)
        if isAdopted {
            report.mode = .adopted
            self.adoptMemory(&report)
        } else {
            report.mode = .recovered
            self.replayJournal(&report)
        }
        report.samplesRestored = self.segments.segments(.raw).reduce(0) { $0 + $1.header.samples }
        self.report.withLock { $0 = report }
    }

    /// What was found when the ring was opened.
    package var openReport: RingOpenReport { self.report.withLock { $0 } }
}
