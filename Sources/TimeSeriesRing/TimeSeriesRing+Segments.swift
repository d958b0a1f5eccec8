internal import Synchronization

/// What a seal writes: segments, and quarters of an hour made of those of minutes.
extension TimeSeriesRing {
    /// Writes a segment where its tier's next one goes; where that fails, behind it.
    ///
    /// - Parameter since: the first segment of the seal; none from there on may be overwritten.
    func write(_ builder: SegmentBuilder, since: UInt64, _ keeper: inout Keeper) throws(RingError) {
        guard !builder.isEmpty else { return }
        let tierPages = keeper.superblock.geometry.bytes(builder.tier) / RingGeometry.pageBytes
        let unitBytes = keeper.superblock.geometry.unitBytes
        // The blocks are padded to 8 bytes before the index.
        let units = (builder.byteCount + 7 + unitBytes) / unitBytes
        let pages = UInt32(units * unitBytes / RingGeometry.pageBytes)
        let others = self.segments.segments(builder.tier).filter { $0.header.sequence >= since }
        let all = others.reduce(Int(pages)) { $0 + Int($1.pages) }
        guard all <= tierPages else { throw Self.tierIsTooSmall(builder.tier, pages: all, of: tierPages) }
        var lastError: RingError?
        for _ in 0..<3 {
            let page = self.segments.makeRoom(builder.tier, pages: pages)
            guard self.segments.segments(builder.tier).count(where: { $0.header.sequence >= since }) == others.count
            else { throw Self.tierIsTooSmall(builder.tier, pages: all, of: tierPages) }
            let position = self.segments.position(builder.tier, page: page)
            let sequence = keeper.superblock.nextSegment
            keeper.superblock.nextSegment += 1
            let (bytes, header) = builder.finish(
                sequence: sequence,
                position: position,
                ring: keeper.superblock.ring,
                unitBytes: unitBytes
            )
            do throws(RingError) {
                try self.device.write(bytes, at: position)
                self.counters.bytesWritten.add(UInt64(bytes.count), ordering: .relaxed)
                let used = UInt32(bytes.count / RingGeometry.pageBytes)
                self.segments.add(.init(header: header, page: page, pages: used))
                return
            } catch {
                lastError = error
                self.segments.skip(builder.tier, to: page + pages)
            }
        }
        if let lastError { throw lastError }
    }

    private static func tierIsTooSmall(_ tier: Tier, pages: Int, of tierPages: Int) -> RingError {
        RingError(
            .inputOutput,
            "segments of \(pages * 4) KiB do not fit the \(tier) tier of \(tierPages * 4) KiB; make it larger in "
                + "gateway.yaml"
        )
    }

    /// Merges minutes into quarters of an hour once enough of them have come together.
    func compactQuarters(_ keeper: inout Keeper, _ scratch: EncodeScratch) throws(RingError) {
        let fresh = self.segments.segments(.minute).filter { $0.header.sequence > keeper.superblock.quarteredThrough }
        let pages = fresh.reduce(0) { $0 + Int($1.pages) }
        let span = (fresh.map(\.header.last).max() ?? 0) - (fresh.map(\.header.first).min() ?? 0)
        let half = keeper.superblock.geometry.minuteBytes / RingGeometry.pageBytes / 2
        guard fresh.count >= 64 || (fresh.count > 1 && span >= 86_400_000) || pages > half else { return }
        let decode = DecodeScratch()
        let first = keeper.superblock.nextSegment
        var cursors = fresh.compactMap { IndexCursor($0, in: self.segments) }
        var rollups: [StoredRollup] = []
        for range in self.seriesOfSegments {
            let builder = SegmentBuilder(tier: .quarter, scratch: scratch)
            for series in range {
                rollups.removeAll(keepingCapacity: true)
                for place in cursors.indices {
                    while let entry = cursors[place].next(of: UInt32(series)) {
                        guard let reader = cursors[place].block(entry) else { continue }
                        _ = RollupBlock.decode(reader, first: entry.first, into: &rollups, decode)
                    }
                }
                for index in rollups.indices {
                    rollups[index].start -= rollups[index].start % Tier.quarter.stepMilliseconds
                }
                rollups.mergeEqualStarts()
                rollups.withUnsafeBufferPointer { builder.add(UInt32(series), $0) }
            }
            try self.write(builder, since: first, &keeper)
        }
        // All minutes of lower number are in it.
        keeper.superblock.quarteredThrough = keeper.superblock.nextSegment - 1
    }
}

extension [StoredRollup] {
    /// Puts them in order and adds up those of one start.
    mutating func mergeEqualStarts() {
        guard self.count > 1 else { return }
        var isAscending = true
        var isSorted = true
        for index in 1..<self.count where self[index].start <= self[index - 1].start {
            isAscending = false
            if self[index].start < self[index - 1].start { isSorted = false }
        }
        guard !isAscending else { return }
        if !isSorted { self.sort { $0.start < $1.start } }
        var target = 0
        for index in 1..<self.count {
            if self[index].start == self[target].start {
                self[target].merge(self[index])
            } else {
                target += 1
                self[target] = self[index]
            }
        }
        self.removeLast(self.count - target - 1)
    }
}
