package import CampusModel
internal import Synchronization

extension TimeSeriesRing {
    /// Finds the series called `name`, or registers it.
    ///
    /// - Parameter hasDeviceClock: whether its ticks are UTC as the device tells it; then no later knowledge of the
    ///   board's clock dates them anew.
    /// - Throws: ``RingError/Code/seriesLimit`` when the ring is full, ``RingError/Code/name`` for a name that is empty
    ///   or longer than 160 bytes.
    package func series(named name: String, hasDeviceClock: Bool = false) throws(RingError) -> SeriesIndex {
        guard (1...Catalogue.nameMax).contains(name.utf8.count) else {
            throw RingError(
                .name,
                "a series' name has 1 to \(Catalogue.nameMax) bytes; '\(name.prefix(40))…' has \(name.utf8.count)"
            )
        }
        let result: Result<SeriesIndex, RingError> = self.series.withLock { list in
            if let known = list.index[name] { return .success(known) }
            guard list.all.count < self.memory.geometry.seriesMax else {
                self.counters.rejectedSeries.add(1, ordering: .relaxed)
                return .failure(
                    RingError(
                        .seriesLimit,
                        "all \(self.memory.geometry.seriesMax) series of the ring are taken; raise ring.series in "
                            + "gateway.yaml"
                    )
                )
            }
            let index = list.all.count
            let series = Catalogue.Series(name: name, hasDeviceClock: hasDeviceClock)
            do throws(RingError) {
                try self.catalogue.write(series, index, copy: 0, to: self.device)
            } catch {
                return .failure(error)
            }
            list.dirty[index] = 0
            list.all.append(series)
            let new = SeriesIndex(rawValue: UInt32(index))
            list.index[name] = new
            self.locks.withLock(index / Self.groupSeries) {
                self.memory.clear(index, half: Int(truncatingIfNeeded: self.memory.head.pointee.half))
                self.startEmpty(index)
                WindowAccess.state(self.memory.slot(index)).pointee.store(SeriesSlot.State.live, ordering: .releasing)
            }
            return .success(new)
        }
        return try result.get()
    }

    /// The series called `name`, if it is registered.
    package func existingSeries(named name: String) -> SeriesIndex? { self.series.withLock { $0.index[name] } }

    /// The names of all series, in the order of their numbers.
    package var seriesNames: [String] { self.series.withLock { $0.all.map { $0?.name ?? "" } } }

    package var seriesCount: Int { self.series.withLock { $0.all.count } }

    func isRegistered(_ series: SeriesIndex) -> Bool {
        Int(series.rawValue) < self.memory.geometry.seriesMax
            && WindowAccess.state(self.memory.slot(Int(series.rawValue))).pointee.load(ordering: .acquiring)
                != SeriesSlot.State.free
    }

    /// Gives each known series its slot; those of a killed process stay as they are.
    func registerSlots(count: Int, isAdopted: Bool) {
        for index in 0..<min(count, self.memory.geometry.seriesMax) {
            if isAdopted, self.memory.slot(index).pointee.state != SeriesSlot.State.free { continue }
            self.memory.clear(index, half: Int(truncatingIfNeeded: self.memory.head.pointee.half))
        }
    }

    /// A slot without any sample: everything is newer than its last one.
    func startEmpty(_ index: Int) {
        self.memory.slot(index).pointee.lastTick = .min
        self.memory.slot(index).pointee.minutes.0.start = .min
        self.memory.slot(index).pointee.minutes.1.start = .min
    }

    /// Tells of samples that are not newer than the newest one of their series: from which tick on something is new.
    ///
    /// Called before they are stored, so that a process killed in between has told too much, never too little; on the
    /// thread that appends, under a lock of the ring: it must not call the ring and must not wait.
    package func observeLate(_ body: @escaping @Sendable (_ series: SeriesIndex, _ tick: Tick) -> Void) {
        self.lateObserver.withLock { $0 = body }
    }
}
