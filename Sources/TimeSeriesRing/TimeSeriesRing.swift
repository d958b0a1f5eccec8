package import CampusModel
internal import Glibc
internal import Synchronization

/// The recent past of all points: fixed memory, fixed files, nothing lost when the process is killed.
///
/// Each series has a header and a hot block of 16 samples in a file that is mapped into memory; a full block goes to a
/// file that is only read and written by position. Minutes are summed up as samples arrive. Everything is in the page
/// cache the moment ``append(contentsOf:)`` returns, so `kill -9` loses nothing; ``synchronize()`` bounds what a power
/// cut loses. Several threads may append and read; the order of one series is its ticks.
package final class TimeSeriesRing: Sendable {
    /// How large the ring is; its files have their final size from the start.
    package struct Configuration: Sendable, Hashable {
        package var directory: String
        package var seriesMax: Int
        /// Rounded up to whole blocks of 16; up to 16 more are kept.
        package var samplesPerSeries: Int
        package var minuteRollupsPerSeries: Int

        package init(directory: String, seriesMax: Int, samplesPerSeries: Int, minuteRollupsPerSeries: Int) {
            self.directory = directory
            self.seriesMax = seriesMax
            self.samplesPerSeries = samplesPerSeries
            self.minuteRollupsPerSeries = minuteRollupsPerSeries
        }
    }

    package let openReport: RingOpenReport
    let layout: RingLayout
    let hot: MappedRingFile
    let cold: RingFile
    let minutes: RingFile
    let names: RingFile
    private let directory: Mutex<Directory>
    /// One lock for each 64th group of neighbours; a lock guards headers, hot blocks and the cold places of its series.
    let locks = StripeLocks()
    let counters = RingCounters()
    /// Told of late samples, see ``observeLate(_:)``.
    let lateObserver = Mutex<(@Sendable (SeriesIndex, Tick) -> Void)?>(nil)

    struct Directory: Sendable {
        var index: [String: SeriesIndex] = [:]
    }

    /// Opens the ring, or makes it.
    ///
    /// Damaged or differently sized files are set aside, never a reason to refuse.
    package init(configuration: Configuration) throws(RingError) {
        let layout = try RingLayout(configuration)
        self.layout = layout
        var report = RingOpenReport()
        let folder = configuration.directory
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw RingFile.error("cannot make", folder) }
        RingOpening.setAsideIfOther(folder: folder, layout: layout, report: &report)
        self.hot = try MappedRingFile(path: "\(folder)/hot", size: layout.hotBytes)
        self.cold = try RingFile(path: "\(folder)/cold", size: layout.coldBytes)
        self.minutes = try RingFile(path: "\(folder)/minutes", size: layout.minuteBytes)
        self.names = try RingFile(path: "\(folder)/names", size: layout.nameFileBytes)
        RingOpening.writeGeometry(layout, to: self.hot.base)
        let directory = RingOpening.restore(layout, hot: self.hot.base, names: self.names, report: &report)
        self.directory = Mutex(directory)
        self.openReport = report
        for index in 0..<directory.index.count { self.repair(index) }
    }

    /// Makes a head agree with its samples: a process may have been killed between storing a sample and summing it up.
    private func repair(_ index: Int) {
        let header = self.headerPointer(index)
        let stored = header.pointee.stored
        if stored > 0, stored % UInt64(RingLayout.blockSamples) == 0, header.pointee.flushed != stored {
            // Killed after the block's last sample and before the block was written.
            var pending = PendingBlocks(
                first: index,
                count: 1,
                number: stored / UInt64(RingLayout.blockSamples) - 1
            )
            self.flush(&pending)
        }
        header.pointee.hasRunning = 0
        guard stored > 0, let newest = self.stored(number: stored - 1, index, stored: stored) else { return }
        header.pointee.lastTick = newest.tick
        let start = newest.sample.tick.floored(toMilliseconds: 60_000).rawValue
        let closed = header.pointee.minutes
        if closed > 0, self.rollup(number: closed - 1, index)?.start == start { return }
        var running = StoredRollup(start: start)
        for number in self.upperBound(index, stored: stored, tick: start - 1)..<stored {
            if let sample = self.stored(number: number, index, stored: stored) { running.add(sample.sample) }
        }
        header.pointee.running = running
        header.pointee.hasRunning = 1
    }

    /// Finds the series called `name`, or registers it.
    ///
    /// - Throws: ``RingError/Code/seriesLimit`` when the ring is full, ``RingError/Code/name`` for a name that is empty
    ///   or longer than 160 bytes.
    package func series(named name: String) throws(RingError) -> SeriesIndex {
        let bytes = Array(name.utf8)
        guard (1...160).contains(bytes.count) else {
            throw RingError(.name, "a series' name has 1 to 160 bytes; '\(name.prefix(40))…' has \(bytes.count)")
        }
        let result: Result<SeriesIndex, RingError> = self.directory.withLock { directory in
            if let known = directory.index[name] { return .success(known) }
            guard directory.index.count < self.layout.seriesMax else {
                self.counters.rejectedSeries.add(1, ordering: .relaxed)
                return .failure(
                    RingError(
                        .seriesLimit,
                        "all \(self.layout.seriesMax) series of the ring are taken; raise ring.series in gateway.yaml"
                    )
                )
            }
            let index = directory.index.count
            guard RingOpening.writeName(bytes, index, to: self.names) else {
                return .failure(RingFile.error("cannot write", self.names.path))
            }
            var header = SeriesHeader.empty
            header.isUsed = 1
            self.headerPointer(index).pointee = header
            directory.index[name] = SeriesIndex(rawValue: UInt32(index))
            return .success(SeriesIndex(rawValue: UInt32(index)))
        }
        return try result.get()
    }

    /// The series called `name`, if it is registered.
    package func existingSeries(named name: String) -> SeriesIndex? {
        self.directory.withLock { $0.index[name] }
    }

    /// The names of all series, in the order of their numbers.
    package var seriesNames: [String] {
        self.directory.withLock { $0.index }.sorted { $0.value.rawValue < $1.value.rawValue }.map(\.key)
    }

    /// Calls `observer` before a sample is stored that is not newer than the newest of its series.
    ///
    /// It is called on the thread that appends, with the series locked: it must be quick and not ask the ring. A reader
    /// that asks the series afterwards waits until the sample is there.
    package func observeLate(_ observer: @escaping @Sendable (SeriesIndex, Tick) -> Void) {
        self.lateObserver.withLock { $0 = observer }
    }

    /// Writes everything back to the card.
    ///
    /// Call it every few seconds from a thread that may block.
    package func synchronize() throws(RingError) {
        // The heads last: they must not point at blocks that are not on the card yet.
        try self.cold.synchronize()
        try self.minutes.synchronize()
        try self.names.synchronize()
        try self.hot.synchronize()
    }

    /// Gives mapped pages back to the kernel; what they hold stays in the page cache.
    ///
    /// Keeps the resident size small when many series are rarely written.
    package func trimResidentPages() { madvise(self.hot.base, self.hot.file.size, MADV_DONTNEED) }

    /// What happened since the ring was opened, and how large it is.
    package var statistics: RingStatistics {
        RingStatistics(
            appended: self.counters.appended.load(ordering: .relaxed),
            duplicates: self.counters.duplicates.load(ordering: .relaxed),
            late: self.counters.late.load(ordering: .relaxed),
            rejected: self.counters.rejected.load(ordering: .relaxed),
            rejectedSeries: self.counters.rejectedSeries.load(ordering: .relaxed),
            writeFailures: self.counters.writeFailures.load(ordering: .relaxed),
            seriesCount: self.directory.withLock { $0.index.count },
            seriesMax: self.layout.seriesMax,
            bytesOnDisk: self.layout.hotBytes + self.layout.coldBytes + self.layout.minuteBytes
                + self.layout.nameFileBytes
        )
    }

    /// The newest tick of all series; a clock must not start before it.
    package var newestTick: Tick? {
        let count = self.directory.withLock { $0.index.count }
        var newest: Int64?
        for index in 0..<count {
            let header = self.headerPointer(index).pointee
            if header.stored > 0 { newest = max(newest ?? header.lastTick, header.lastTick) }
        }
        return newest.map { Tick(rawValue: $0) }
    }

    @inline(__always)
    func headerPointer(_ series: Int) -> UnsafeMutablePointer<SeriesHeader> {
        (self.hot.base + self.layout.header(series)).assumingMemoryBound(to: SeriesHeader.self)
    }

    @inline(__always)
    func hotBlock(_ series: Int) -> UnsafeMutablePointer<StoredSample> {
        (self.hot.base + self.layout.hotBlock(series)).assumingMemoryBound(to: StoredSample.self)
    }

    func isRegistered(_ series: SeriesIndex) -> Bool {
        series.rawValue < self.layout.seriesMax && self.headerPointer(Int(series.rawValue)).pointee.isUsed == 1
    }

    func withSeriesLock<Result: Sendable>(_ series: Int, _ body: () -> Result) -> Result {
        self.locks.withLock(series / RingLayout.groupSeries, body)
    }
}

/// 64 locks that guard memory outside Swift's view: the headers and blocks of every 64th group of series each.
final class StripeLocks: Sendable {
    private let mutexes = InlineArray<64, Mutex<Void>> { _ in Mutex(()) }

    func withLock<Result: Sendable>(_ group: Int, _ body: () -> Result) -> Result {
        self.mutexes[group & 63].withLock { _ in body() }
    }
}

/// Counters that several threads raise.
final class RingCounters: Sendable {
    let appended = Atomic<UInt64>(0)
    let duplicates = Atomic<UInt64>(0)
    let late = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
    let rejectedSeries = Atomic<UInt64>(0)
    let writeFailures = Atomic<UInt64>(0)
}

/// What the ring found when it was opened.
package struct RingOpenReport: Sendable, Hashable {
    /// Series that were there already.
    package internal(set) var seriesRestored = 0
    /// Samples that were there already.
    package internal(set) var samplesRestored: UInt64 = 0
    /// What was set aside or lost, one line each; empty when everything was well.
    package internal(set) var problems: [String] = []
}

/// Counts and sizes of the ring.
package struct RingStatistics: Sendable, Hashable {
    /// Samples stored since the ring was opened.
    package var appended: UInt64
    /// Samples that were there already.
    package var duplicates: UInt64
    /// Samples too old to be put in order any more.
    package var late: UInt64
    /// Samples whose value or tick cannot be stored.
    package var rejected: UInt64
    /// Series that found no room.
    package var rejectedSeries: UInt64
    /// Blocks that the file system did not take.
    package var writeFailures: UInt64
    package var seriesCount: Int
    package var seriesMax: Int
    package var bytesOnDisk: Int
}
