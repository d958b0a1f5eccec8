internal import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// Puts a sample that is not newer than the last one in order, or tells that it is there already or too old.
    ///
    /// A kill at any line leaves every sample at least once: the newest is moved up first and published, then the
    /// others follow from the newest to the oldest, each copied before its place is taken.
    func insertLate(
        _ index: Int,
        _ header: UnsafeMutablePointer<SeriesHeader>,
        _ sample: Sample
    ) -> AppendOutcome {
        let stored = header.pointee.stored
        let wanted = StoredSample(sample)
        let position = self.upperBound(index, stored: stored, tick: sample.tick.rawValue)
        if self.contains(wanted, before: position, index, stored: stored) { return .duplicate }
        let oldest = self.oldestNumber(stored: stored)
        // Before the oldest sample there is room only while nothing has been overwritten.
        guard stored - position <= UInt64(Self.reorderSamplesMax), position > oldest || oldest == 0 else {
            return position == stored ? self.appendEqual(index, header, sample) : .late
        }
        if position == stored { return self.appendEqual(index, header, sample) }
        self.tellLate(index, sample)
        guard let newest = self.stored(number: stored - 1, index, stored: stored) else { return .late }
        self.put(newest, number: stored, index)
        atomicMemoryFence(ordering: .releasing)
        header.pointee.stored = stored + 1
        var number = stored - 1
        while number > position {
            if let previous = self.stored(number: number - 1, index, stored: stored) {
                self.overwrite(previous, number: number, index, stored: stored + 1)
            }
            number -= 1
        }
        self.overwrite(wanted, number: position, index, stored: stored + 1)
        self.addLate(sample, index, header)
        return .stored
    }

    /// Another value at the newest tick: two messages in one millisecond, or a device clock that counts seconds.
    private func appendEqual(
        _ index: Int,
        _ header: UnsafeMutablePointer<SeriesHeader>,
        _ sample: Sample
    ) -> AppendOutcome {
        let stored = header.pointee.stored
        self.tellLate(index, sample)
        self.put(StoredSample(sample), number: stored, index)
        atomicMemoryFence(ordering: .releasing)
        header.pointee.stored = stored + 1
        if header.pointee.hasRunning == 1 { header.pointee.running.add(sample) }
        return .stored
    }

    private func tellLate(_ index: Int, _ sample: Sample) {
        guard let observer = self.lateObserver.withLock({ $0 }) else { return }
        observer(SeriesIndex(rawValue: UInt32(index)), sample.tick)
    }

    private func contains(_ wanted: StoredSample, before position: UInt64, _ index: Int, stored: UInt64) -> Bool {
        var number = position
        // A device clock that stands still must not make every append slower than the last.
        let oldest = max(
            self.oldestNumber(stored: stored),
            position - min(position, UInt64(Self.reorderSamplesMax))
        )
        while number > oldest {
            number -= 1
            guard let found = self.stored(number: number, index, stored: stored), found.tick == wanted.tick else {
                return false
            }
            if found.word == wanted.word, found.value.bitPattern == wanted.value.bitPattern { return true }
        }
        return false
    }

    /// Replaces a sample that is stored already, in the hot block or in a cold one.
    private func overwrite(_ sample: StoredSample, number: UInt64, _ index: Int, stored: UInt64) {
        if number >= self.hotStart(stored: stored) {
            self.hotBlock(index)[Int(number % UInt64(RingLayout.blockSamples))] = sample
            return
        }
        let offset =
            self.layout.coldBlock(index, number / UInt64(RingLayout.blockSamples))
            + Int(number % UInt64(RingLayout.blockSamples)) * RingLayout.sampleBytes
        var copy = sample
        let isWritten = withUnsafeBytes(of: &copy) { bytes in
            bytes.baseAddress.map { self.cold.write($0, count: RingLayout.sampleBytes, at: offset) } ?? false
        }
        if !isWritten { self.counters.writeFailures.add(1, ordering: .relaxed) }
    }

    /// Corrects the minute that a late sample belongs to, if it is among the newest 256 minutes or still running.
    private func addLate(_ sample: Sample, _ index: Int, _ header: UnsafeMutablePointer<SeriesHeader>) {
        let start = sample.tick.floored(toMilliseconds: 60_000).rawValue
        if header.pointee.hasRunning == 1, header.pointee.running.start == start {
            header.pointee.running.add(sample)
            return
        }
        let closed = header.pointee.minutes
        let window = UInt64(min(self.layout.minutesPerSeries - 1, 256))
        let oldest = closed - min(closed, window)
        var number = closed
        while number > oldest {
            guard var rollup = self.rollup(number: number - 1, index) else { return }
            if rollup.start == start {
                rollup.add(sample)
                self.write(&rollup, number: number - 1, index)
                return
            }
            if rollup.start < start { break }
            number -= 1
        }
        guard number > oldest || oldest == 0 else { return }
        var rollup = StoredRollup(start: start)
        rollup.add(sample)
        self.insertMinute(&rollup, at: number, index, header)
    }

    /// Puts a minute between others; like samples, each is copied before its place is taken.
    private func insertMinute(
        _ rollup: inout StoredRollup,
        at position: UInt64,
        _ index: Int,
        _ header: UnsafeMutablePointer<SeriesHeader>
    ) {
        let closed = header.pointee.minutes
        if position < closed {
            guard var newest = self.rollup(number: closed - 1, index) else { return }
            self.write(&newest, number: closed, index)
            header.pointee.minutes = closed + 1
            var number = closed - 1
            while number > position {
                guard var previous = self.rollup(number: number - 1, index) else { return }
                self.write(&previous, number: number, index)
                number -= 1
            }
            self.write(&rollup, number: position, index)
        } else {
            self.write(&rollup, number: closed, index)
            header.pointee.minutes = closed + 1
        }
    }
}
