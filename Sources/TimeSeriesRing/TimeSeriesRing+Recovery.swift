internal import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// Takes over the memory of a killed process: repairs what was under way, and asks for a seal, since nobody knows
    /// which units it had still to write.
    func adoptMemory(_ report: inout RingOpenReport) {
        let head = self.memory.head
        for series in 0..<self.seriesCount {
            let slot = self.memory.slot(series)
            guard self.isSane(slot.pointee) else {
                report.problems.append("the memory of series \(series) is damaged; its newest samples are lost")
                self.memory.clear(series, half: Int(truncatingIfNeeded: head.pointee.half))
                continue
            }
            slot.pointee.version = 0
            guard slot.pointee.state == SeriesSlot.State.live else { continue }
            self.dropDoubled(series)
        }
        self.keeper.withLock { keeper in
            if head.pointee.sealing != 0, keeper.superblock.generation >= head.pointee.sealing {
                // The superblock was written: what was sealed is on the card.
                self.release(Int(truncatingIfNeeded: 1 - head.pointee.half))
            } else if head.pointee.sealing != 0 {
                do throws(RingError) {
                    try self.finishSeal(&keeper)
                } catch {
                    self.trouble.withLock { $0 = error.description }
                }
            }
        }
        for series in 0..<self.seriesCount where self.memory.slot(series).pointee.state == SeriesSlot.State.live {
            self.recountMinute(series)
        }
        self.isSealWanted.store(true, ordering: .relaxed)
        self.keeper.withLock { $0.owesSeal = true }
    }

    private func isSane(_ slot: SeriesSlot) -> Bool {
        let chain = Int(slot.word.chain) * 8
        let sealed = Int(slot.sealedChain) * 8
        return slot.state <= SeriesSlot.State.live && slot.head < 1 << 56
            && slot.word.pending(slot.head) <= self.memory.geometry.window
            && slot.word.minutes <= self.memory.geometry.minutes
            && chain < self.memory.geometry.halfBytes && sealed < self.memory.geometry.halfBytes
            && (slot.head == 0 || Tick.storable.contains(Tick(rawValue: slot.lastTick)) || slot.lastTick == .min)
    }

    /// A process killed while it put a late sample in order left one sample twice, side by side.
    private func dropDoubled(_ series: Int) {
        let slot = self.memory.slot(series)
        let window = self.memory.window(series)
        let mask = self.memory.geometry.window - 1
        let head = slot.pointee.head
        guard head > 0 else { return }
        let pending = UInt64(slot.pointee.word.pending(head))
        for number in (head - pending + (pending > 0 ? 1 : 0))..<head {
            let place = Int(truncatingIfNeeded: number) & mask
            let before = Int(truncatingIfNeeded: number - 1) & mask
            guard window[place].isSame(as: window[before]) else { continue }
            for moved in number..<(head - 1) {
                window[Int(truncatingIfNeeded: moved) & mask] = window[Int(truncatingIfNeeded: moved + 1) & mask]
            }
            slot.pointee.head = head - 1
            break
        }
        slot.pointee.lastTick = window[Int(truncatingIfNeeded: slot.pointee.head - 1) & mask].tick
    }

    /// Makes the minute under way agree with the samples that are in this half and in the window.
    private func recountMinute(_ series: Int) {
        let slot = self.memory.slot(series)
        let word = slot.pointee.word
        let start = word.minuteIndex == 0 ? slot.pointee.minutes.0.start : slot.pointee.minutes.1.start
        guard start != .min else { return }
        var minute = StoredRollup(start: start)
        let decode = DecodeScratch()
        let columns = SampleColumns()
        var chain = word.chain
        while chain != 0 {
            let base = self.memory.record(chain, half: word.half)
            let record = StagedRecord(base)
            if record.kind != StagedRecord.Kind.rollup, record.last >= start {
                let reader = ByteReader(base + StagedRecord.headBytes, count: record.length)
                _ = SampleBlock.decode(reader, first: record.first, into: columns, decode)
            }
            chain = record.next
        }
        let pending = word.pending(slot.pointee.head)
        for number in (slot.pointee.head - UInt64(pending))..<slot.pointee.head {
            columns.append(
                self.memory.window(series)[Int(truncatingIfNeeded: number) & (self.memory.geometry.window - 1)]
            )
        }
        for index in 0..<columns.count where columns.ticks[index] >= start && columns.ticks[index] - 60_000 < start {
            minute.add(columns.values[index], isBad: columns.qualities[index] >= StoredSample.badQuality)
        }
        if word.minuteIndex == 0 { slot.pointee.minutes.0 = minute } else { slot.pointee.minutes.1 = minute }
    }

    /// Reads one lap of the journal and appends what no segment has.
    func replayJournal(_ report: inout RingOpenReport) {
        let units = self.unitsToReplay()
        let checkpoint = self.keeper.withLock { $0.superblock.checkpoint }
        guard let last = units.last else { return }
        report.journalUnits = units.count
        report.journalHoles = last.sequence - checkpoint + 1 - UInt64(units.count)
        if report.journalHoles > 0 {
            report.problems.append("\(report.journalHoles) units of the journal are missing; their samples are lost")
        }
        self.keeper.withLock { keeper in
            keeper.nextUnit = last.sequence + 1
            self.memory.head.pointee.nextUnit = last.sequence + 1
        }
        let scratch = DecodeScratch()
        let geometry = self.segments.geometry
        let buffer = ByteBuffer(capacity: geometry.unitBytes)
        for unit in units {
            guard (try? self.device.read(into: buffer.resized(to: geometry.unitBytes), at: unit.place)) != nil else {
                continue
            }
            self.replayedUnit.store(unit.sequence, ordering: .relaxed)
            let isWhole = JournalUnit.forEachRun(buffer.bytes, scratch) { series, _, samples in
                report.journalSamples += UInt64(samples.count)
                self.append(
                    samples.map { SeriesSample(series: SeriesIndex(rawValue: series), sample: $0.sample) }
                )
            }
            if !isWhole { report.problems.append("unit \(unit.sequence) of the journal ends in the middle") }
        }
        // All of it is in the journal already.
        self.forgetUnits()
        self.replayedUnit.store(0, ordering: .relaxed)
    }

    private func unitsToReplay() -> [(sequence: UInt64, place: Int)] {
        let geometry = self.segments.geometry
        let checkpoint = self.keeper.withLock { $0.superblock.checkpoint }
        var found: [(sequence: UInt64, place: Int)] = []
        let perChunk = (1 << 20) / geometry.unitBytes
        let buffer = ByteBuffer(capacity: 1 << 20)
        for start in stride(from: 0, to: geometry.journalUnits, by: perChunk) {
            let count = min(perChunk, geometry.journalUnits - start)
            let target = buffer.resized(to: count * geometry.unitBytes)
            guard (try? self.device.read(into: target, at: geometry.journal + start * geometry.unitBytes)) != nil else {
                continue
            }
            for index in 0..<count {
                let place = geometry.journal + (start + index) * geometry.unitBytes
                let unit = UnsafeRawBufferPointer(
                    start: buffer.base + index * geometry.unitBytes,
                    count: geometry.unitBytes
                )
                guard let sequence = JournalUnit.sequence(unit, at: place, ring: self.segments.ring),
                    sequence >= checkpoint, sequence % UInt64(geometry.journalUnits) == UInt64(start + index)
                else { continue }
                found.append((sequence, place))
            }
        }
        return found.sorted { $0.sequence < $1.sequence }
    }

    /// What was appended from the journal need not go there again; late runs were put into units at once.
    private func forgetUnits() {
        self.forEachGroup { _, range in
            for series in range {
                let slot = self.memory.slot(series)
                slot.pointee.journaled = UInt32(truncatingIfNeeded: slot.pointee.head)
            }
        }
        _ = self.journal.take(into: ByteBuffer(capacity: 4_096))
    }
}
