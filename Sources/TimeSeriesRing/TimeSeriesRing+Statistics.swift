internal import CPlatform
internal import Synchronization

extension TimeSeriesRing {
    /// What happened since the ring was opened, and how large it is.
    package var statistics: RingStatistics {
        func oldest(_ tier: Tier) -> Int64? { self.segments.segments(tier).map(\.header.first).min() }
        return RingStatistics(
            appended: self.counters.appended.load(ordering: .relaxed),
            duplicates: self.counters.duplicates.load(ordering: .relaxed),
            reordered: self.counters.reordered.load(ordering: .relaxed),
            late: self.counters.late.load(ordering: .relaxed),
            rejected: self.counters.rejected.load(ordering: .relaxed),
            rejectedSeries: self.counters.rejectedSeries.load(ordering: .relaxed),
            writeFailures: self.counters.writeFailures.load(ordering: .relaxed),
            unjournaled: self.journal.refused.load(ordering: .relaxed),
            dropped: self.counters.dropped.load(ordering: .relaxed),
            damaged: self.segments.damaged.load(ordering: .relaxed),
            commits: self.counters.commits.load(ordering: .relaxed),
            seals: self.counters.seals.load(ordering: .relaxed),
            bytesWritten: self.counters.bytesWritten.load(ordering: .relaxed),
            seriesCount: self.seriesCount,
            seriesMax: self.memory.geometry.seriesMax,
            bytesOnDisk: self.segments.geometry.totalBytes,
            oldestRaw: oldest(.raw),
            oldestMinute: oldest(.minute),
            oldestQuarter: oldest(.quarter),
            trouble: self.trouble.withLock { $0 }
        )
    }

    /// Bytes of the segments of each tier, with their headers and indexes.
    package var tierBytes: (raw: Int, minute: Int, quarter: Int) {
        func bytes(_ tier: Tier) -> Int { self.segments.segments(tier).reduce(0) { $0 + Int($1.header.byteCount) } }
        return (bytes(.raw), bytes(.minute), bytes(.quarter))
    }

    /// Lets large allocations of this process go back to the kernel when they are freed; before anything else is done.
    package static func returnLargeAllocations() { campus_map_large_allocations() }

    /// Gives memory back to the kernel: mapped pages, of the ring and of the program, which stay where their files are,
    /// and what a seal needed of the heap.
    package func trimResidentPages() {
        self.memory.trim()
        campus_trim_heap()
        campus_trim_code()
    }
}
