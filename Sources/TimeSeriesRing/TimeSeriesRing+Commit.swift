internal import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// Writes what is new to the journal; all that was appended before the call is durable when it returns.
    ///
    /// Waits for the card: for a thread that may.
    package func commit() throws(RingError) {
        let result: Result<Void, RingError> = self.keeper.withLock { keeper in
            self.pullAll(&keeper)
            do throws(RingError) {
                try self.writeJournal(&keeper)
                // What the journal did not take, now or before, counts as journaled: it would never be written.
                if keeper.owesSeal || self.journal.refused.load(ordering: .relaxed) > keeper.sealedRefusals {
                    try self.sealLocked(&keeper)
                }
                self.trouble.withLock { $0 = nil }
                return .success(())
            } catch {
                self.note(error)
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Whether ``maintain()`` should not wait for its time.
    package var isSealDue: Bool { self.isSealWanted.load(ordering: .relaxed) }

    /// Seals when the memory or the journal is nearly full, or when asked to; commits otherwise.
    ///
    /// - Returns: whether it sealed.
    @discardableResult
    package func maintain() throws(RingError) -> Bool {
        let isNeeded =
            self.isSealWanted.load(ordering: .relaxed)
            || self.keeper.withLock { self.isJournalNearlyFull($0) }
        if isNeeded { try self.seal() } else { try self.commit() }
        return isNeeded
    }

    /// Moves all that is in memory into segments.
    ///
    /// After it, memory and journal hold nothing that the card has not.
    package func seal() throws(RingError) {
        let result: Result<Void, RingError> = self.keeper.withLock { keeper in
            do throws(RingError) {
                try self.sealLocked(&keeper)
                self.trouble.withLock { $0 = nil }
                return .success(())
            } catch {
                self.note(error)
                return .failure(error)
            }
        }
        try result.get()
    }

    private func note(_ error: RingError) {
        self.trouble.withLock { $0 = error.description }
        self.counters.writeFailures.add(1, ordering: .relaxed)
    }

    /// Called by whoever appends when the arena is full: waits for a seal, and where the card takes nothing, gives the
    /// oldest half up, so that what is new is still served.
    func makeRoom() {
        self.keeper.withLock { keeper in
            let half = Int(truncatingIfNeeded: self.memory.head.pointee.half)
            guard self.memory.usedBytes(half) > self.memory.geometry.halfBytes / 2 else { return }
            do throws(RingError) {
                try self.sealLocked(&keeper)
            } catch {
                self.note(error)
                if self.memory.head.pointee.sealing != 0 { self.giveUpSealed(&keeper) }
            }
        }
    }

    func isJournalNearlyFull(_ keeper: Keeper) -> Bool {
        let units = UInt64(keeper.superblock.geometry.journalUnits)
        return keeper.nextUnit - keeper.superblock.checkpoint + UInt64(self.journal.filledUnits) > units * 3 / 4
    }

    /// Gives the journal everything that it does not have, group by group; where that is more than fits, it is written
    /// in between.
    func pullAll(_ keeper: inout Keeper) {
        let count = self.seriesCount
        for group in 0..<((count + Self.groupSeries - 1) / Self.groupSeries) {
            let range = group * Self.groupSeries..<min((group + 1) * Self.groupSeries, count)
            self.locks.withLock(group) {
                for series in range where self.memory.slot(series).pointee.state == SeriesSlot.State.live {
                    self.journalPending(series, group)
                }
            }
            // Where the card refuses, a seal is owed.
            if self.journal.isWorthWriting { try? self.writeJournal(&keeper) }
        }
    }

    /// Writes the units that are filled, each at the place of its number, and waits until they are durable.
    func writeJournal(_ keeper: inout Keeper) throws(RingError) {
        try self.root(&keeper)
        try self.writeNames()
        let buffer = ByteBuffer(capacity: 4_096)
        let taken = self.journal.take(into: buffer)
        // At the start, what comes from the journal is not written to it again.
        guard !taken.used.isEmpty, self.replayedUnit.load(ordering: .relaxed) == 0 else { return }
        let geometry = keeper.superblock.geometry
        var lastError: RingError?
        let owedSeal = keeper.owesSeal
        keeper.owesSeal = true
        // A place that cannot be written may be a bad one: the same units are tried at the next places.
        for _ in 0..<3 {
            let free = UInt64(geometry.journalUnits) - (keeper.nextUnit - keeper.superblock.checkpoint)
            guard UInt64(taken.used.count) <= free else {
                self.isSealWanted.store(true, ordering: .relaxed)
                throw RingError(.inputOutput, "the journal is full; its samples reach the card with the next segment")
            }
            do throws(RingError) {
                let first = keeper.nextUnit
                keeper.nextUnit += UInt64(taken.used.count)
                // Before the write: a killed process must not use a number twice.
                self.memory.head.pointee.nextUnit = keeper.nextUnit
                try self.write(taken, buffer, first: first, geometry, ring: keeper.superblock.ring)
                try self.device.flush()
                self.counters.commits.add(1, ordering: .relaxed)
                keeper.owesSeal = owedSeal
                return
            } catch {
                lastError = error
            }
        }
        self.isSealWanted.store(true, ordering: .relaxed)
        if let lastError { throw lastError }
    }

    private func write(
        _ taken: (used: [Int], bases: [Int64]),
        _ buffer: ByteBuffer,
        first: UInt64,
        _ geometry: RingGeometry,
        ring: UInt64
    ) throws(RingError) {
        let unitBytes = geometry.unitBytes
        var index = 0
        while index < taken.used.count {
            // As many as lie side by side.
            let slot = Int((first + UInt64(index)) % UInt64(geometry.journalUnits))
            let count = min(taken.used.count - index, geometry.journalUnits - slot)
            for unit in index..<(index + count) {
                JournalUnit.seal(
                    buffer.base + unit * unitBytes,
                    used: taken.used[unit],
                    sequence: first + UInt64(unit),
                    base: taken.bases[unit],
                    at: geometry.journal + (slot + unit - index) * unitBytes,
                    ring: ring
                )
            }
            let bytes = UnsafeRawBufferPointer(start: buffer.base + index * unitBytes, count: count * unitBytes)
            try self.device.write(bytes, at: geometry.journal + slot * unitBytes)
            self.counters.bytesWritten.add(UInt64(bytes.count), ordering: .relaxed)
            index += count
        }
    }

    /// Makes new names durable before anything that needs them: the first copy, then the second.
    ///
    /// A copy that is whole is not written again: where the other one is damaged, it is the only one.
    func writeNames() throws(RingError) {
        for copy in 0..<2 {
            let bit: UInt8 = 1 << UInt8(copy)
            let missing: [(Int, Catalogue.Series)] = self.series.withLock { list in
                list.dirty.filter { $0.value & bit == 0 }.keys.sorted()
                    .compactMap { index in list.all[index].map { (index, $0) } }
            }
            guard !missing.isEmpty else { continue }
            for (index, series) in missing { try self.catalogue.write(series, index, copy: copy, to: self.device) }
            try self.device.flush()
            self.series.withLock { list in
                for (index, _) in missing {
                    let whole = (list.dirty[index] ?? 0) | bit
                    list.dirty[index] = whole == 3 ? nil : whole
                }
                if list.dirty.isEmpty { list.dirty = [:] }
            }
        }
    }

    /// Says from when on the axis was worth what; durable when it returns.
    package func setClock(_ row: ClockMap.Row) throws(RingError) {
        let result: Result<Void, RingError> = self.keeper.withLock { keeper in
            keeper.superblock.clock.set(row)
            let clock = keeper.superblock.clock
            self.clockMap.withLock { $0 = clock }
            self.hasClockOffsets.store(!clock.isIdentity, ordering: .releasing)
            do throws(RingError) {
                try self.writeSuperblock(&keeper)
                return .success(())
            } catch {
                self.note(error)
                return .failure(error)
            }
        }
        try result.get()
    }

    /// What the axis is worth.
    package var clock: ClockMap { self.clockMap.withLock { $0 } }

    /// Writes the next superblock into the slot that is not the newest, and waits.
    func writeSuperblock(_ keeper: inout Keeper) throws(RingError) {
        var next = keeper.superblock
        next.generation += 1
        for tier in Tier.allCases { next.directories[Int(tier.rawValue)] = self.segments.directory(tier) }
        let encoded = next.encoded()
        let place = Int(next.generation & 1) * next.geometry.superblockBytes
        try self.device.write(encoded.bytes, at: place)
        try self.device.flush()
        self.counters.bytesWritten.add(UInt64(encoded.count), ordering: .relaxed)
        keeper.superblock = next
        keeper.isRooted = true
    }

    /// Makes sure that a superblock is on the card.
    func root(_ keeper: inout Keeper) throws(RingError) {
        if !keeper.isRooted { try self.writeSuperblock(&keeper) }
    }
}
