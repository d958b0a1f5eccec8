package import CampusModel

/// Looks at a ring's file without changing it, while a gateway runs or after one died.
package struct RingInspector: Sendable {
    private let device: FileDevice
    private let opening: RingOpening
    /// What did not fit when it was opened.
    package let problems: [String]

    /// - Parameters:
    ///   - configuration: the sizes to believe where both superblocks are damaged.
    /// - Throws: ``RingError`` when there is no such file, or no superblock and no sizes.
    package init(directory: String, configuration: TimeSeriesRing.Configuration?) throws(RingError) {
        let path = "\(directory)/\(RingFiles.dataName)"
        let size = RingFiles.size(of: path)
        guard size > 0 else {
            throw RingError(.inputOutput, "there is no ring in \(directory): \(path) is missing or empty")
        }
        let device = try FileDevice(path: path, size: size, zeroed: 0, isReadOnly: true)
        var geometry = RingOpening.superblock(on: device)?.geometry
        if geometry == nil, let configuration { geometry = try RingGeometry(configuration) }
        guard let geometry, geometry.totalBytes <= size else {
            throw RingError(
                .configuration,
                "both superblocks of \(path) are damaged; say its sizes with --config gateway.yaml"
            )
        }
        var report = RingOpenReport()
        self.device = device
        self.opening = RingOpening(device: device, geometry: geometry, report: &report)
        self.problems = report.problems
    }

    package struct TierFacts: Sendable {
        package var name: String
        package var segments: Int
        package var blocks: Int
        /// Samples or roll-ups.
        package var count: UInt64
        package var bytes: Int
        package var capacity: Int
        package var oldest: Tick?
        package var newest: Tick?
    }

    package struct Facts: Sendable {
        package var ring: UInt64
        package var generation: UInt64
        package var bytes: Int
        package var unitBytes: Int
        package var seriesMax: Int
        package var series: [String]
        package var journalUnits: Int
        package var journalUnitsUsed: Int
        package var checkpoint: UInt64
        package var tiers: [TierFacts]
        package var clock: [ClockMap.Row]
    }

    package var facts: Facts {
        let superblock = self.opening.superblock
        return Facts(
            ring: superblock.ring,
            generation: superblock.generation,
            bytes: superblock.geometry.totalBytes,
            unitBytes: superblock.geometry.unitBytes,
            seriesMax: superblock.geometry.seriesMax,
            series: self.opening.series.all.map { $0?.name ?? "?" },
            journalUnits: superblock.geometry.journalUnits,
            journalUnitsUsed: self.units { _, _ in },
            checkpoint: superblock.checkpoint,
            tiers: Tier.allCases.map(self.tier),
            clock: superblock.clock.rows
        )
    }

    private func tier(_ tier: Tier) -> TierFacts {
        let segments = self.opening.segments.segments(tier)
        let clock = self.opening.superblock.clock
        return TierFacts(
            name: "\(tier)",
            segments: segments.count,
            blocks: segments.reduce(0) { $0 + Int($1.header.entries) },
            count: segments.reduce(0) { $0 + $1.header.samples },
            bytes: segments.reduce(0) { $0 + Int($1.header.byteCount) },
            capacity: self.opening.superblock.geometry.bytes(tier),
            oldest: segments.map(\.header.first).min().map { clock.utc(Tick(rawValue: $0)) },
            newest: segments.map(\.header.last).max().map { clock.utc(Tick(rawValue: $0)) }
        )
    }

    /// Hands over the valid units from the checkpoint on, in their order; returns how many there are.
    @discardableResult
    private func units(_ body: (_ sequence: UInt64, _ unit: UnsafeRawBufferPointer) -> Void) -> Int {
        let superblock = self.opening.superblock
        let geometry = superblock.geometry
        let buffer = ByteBuffer(capacity: geometry.unitBytes)
        var found: [(UInt64, Int)] = []
        for index in 0..<geometry.journalUnits {
            let place = geometry.journal + index * geometry.unitBytes
            guard (try? self.device.read(into: buffer.resized(to: geometry.unitBytes), at: place)) != nil,
                let sequence = JournalUnit.sequence(buffer.bytes, at: place, ring: superblock.ring),
                sequence >= superblock.checkpoint
            else { continue }
            found.append((sequence, place))
        }
        for (sequence, place) in found.sorted(by: { $0.0 < $1.0 })
        where (try? self.device.read(into: buffer.resized(to: geometry.unitBytes), at: place)) != nil {
            body(sequence, buffer.bytes)
        }
        return found.count
    }

    /// What ``verify(progress:)`` read.
    package struct Verdict: Sendable {
        package var segments = 0
        package var blocks = 0
        package var samples: UInt64 = 0
        package var units = 0
        package var problems: [String] = []
    }

    /// Reads every header, index, block and unit, and unpacks it.
    ///
    /// - Parameter progress: called with how much of all segments was read, 0 to 1.
    package func verify(progress: (Double) -> Void) -> Verdict {
        var verdict = Verdict()
        verdict.problems = self.problems
        let all = Tier.allCases.reduce(0) { $0 + self.opening.segments.segments($1).count }
        for tier in Tier.allCases {
            for segment in self.opening.segments.segments(tier) {
                self.verify(segment, tier, &verdict)
                progress(Double(verdict.segments) / Double(max(all, 1)))
            }
        }
        let scratch = DecodeScratch()
        let problems = Collected()
        verdict.units = self.units { sequence, unit in
            if !JournalUnit.forEachRun(unit, scratch, { _, _, samples in problems.samples += UInt64(samples.count) }) {
                problems.lines.append("unit \(sequence) of the journal cannot be read to its end")
            }
        }
        verdict.samples += problems.samples
        verdict.problems += problems.lines
        return verdict
    }

    private final class Collected {
        var lines: [String] = []
        var samples: UInt64 = 0
    }

    private func verify(_ segment: SegmentStore.Segment, _ tier: Tier, _ verdict: inout Verdict) {
        verdict.segments += 1
        guard let index = self.opening.segments.index(segment) else {
            verdict.problems.append("segment \(segment.header.sequence) (\(tier)): its index is damaged")
            return
        }
        let buffer = ByteBuffer(capacity: 16_384)
        let scratch = DecodeScratch()
        let columns = SampleColumns()
        for entry in index {
            columns.count = 0
            var rollups: [StoredRollup] = []
            var isWhole = self.opening.segments.read(entry, of: segment, into: buffer)
            if isWhole {
                let reader = ByteReader(buffer.base, count: buffer.count)
                isWhole =
                    tier == .raw
                    ? SampleBlock.decode(reader, first: entry.first, into: columns, scratch)
                    : RollupBlock.decode(reader, first: entry.first, into: &rollups, scratch)
            }
            let count = tier == .raw ? columns.count : rollups.count
            if isWhole, count == Int(entry.count) {
                verdict.blocks += 1
                verdict.samples += tier == .raw ? UInt64(count) : 0
            } else {
                let name = self.name(entry.series)
                verdict.problems.append(
                    "segment \(segment.header.sequence) (\(tier)): a block of \(entry.count) of \(name) is damaged"
                )
            }
        }
    }

    private func name(_ series: UInt32) -> String {
        let all = self.opening.series.all
        guard Int(series) < all.count, let found = all[Int(series)] else { return "series-\(series)" }
        return found.name
    }

    /// Hands over every sample that can still be read, segments first, the journal after them.
    ///
    /// One that is in both comes twice.
    ///
    /// - Returns: what could not be read.
    package func salvage(
        progress: (Double) -> Void,
        into body: (_ series: String, _ sample: Sample) throws -> Void
    ) rethrows -> [String] {
        let found = RingSalvage.scan(self.device, self.opening.superblock.geometry)
        var lists = SegmentStore.Lists()
        var problems: [String] = []
        let ring = found.ring ?? self.opening.superblock.ring
        let raw = found.directories[Int(Tier.raw.rawValue)].entries
        for entry in raw {
            guard let segment = RingOpening.segment(entry, .raw, self.device, self.opening.superblock.geometry, ring)
            else { continue }
            lists.tiers[Int(Tier.raw.rawValue)].append(segment)
        }
        let store = SegmentStore(
            device: self.device,
            geometry: self.opening.superblock.geometry,
            ring: ring,
            lists: lists
        )
        let buffer = ByteBuffer(capacity: 16_384)
        let scratch = DecodeScratch()
        let columns = SampleColumns()
        for (number, segment) in store.segments(.raw).enumerated() {
            guard let index = store.index(segment) else {
                problems.append("segment \(segment.header.sequence): its index is damaged, its samples are lost")
                continue
            }
            for entry in index {
                columns.count = 0
                guard store.read(entry, of: segment, into: buffer),
                    SampleBlock.decode(
                        ByteReader(buffer.base, count: buffer.count),
                        first: entry.first,
                        into: columns,
                        scratch
                    )
                else {
                    problems.append(
                        "segment \(segment.header.sequence): \(entry.count) samples of \(self.name(entry.series)) are lost"
                    )
                    continue
                }
                for row in 0..<columns.count { try self.hand(entry.series, columns[row], body) }
            }
            progress(Double(number + 1) / Double(raw.count))
        }
        var runs: [(UInt32, [StoredSample])] = []
        self.units { _, unit in
            _ = JournalUnit.forEachRun(unit, scratch) { series, _, samples in runs.append((series, samples)) }
        }
        for (series, samples) in runs { for sample in samples { try self.hand(series, sample.sample, body) } }
        return problems
    }

    private func hand(_ series: UInt32, _ sample: Sample, _ body: (String, Sample) throws -> Void) rethrows {
        var sample = sample
        let all = self.opening.series.all
        let hasDeviceClock = Int(series) < all.count && all[Int(series)]?.hasDeviceClock == true
        if !hasDeviceClock { sample.tick = self.opening.superblock.clock.utc(sample.tick) }
        try body(self.name(series), sample)
    }
}
