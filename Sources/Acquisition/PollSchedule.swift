package import DeviceProfile

/// When each device of a bus is to be read next: due times stay on their grid, so nothing drifts; a missed period is
/// skipped and counted, never queued.
package struct PollSchedule: Sendable {
    /// One device in one poll class.
    package struct Entry: Sendable {
        /// Index of the device in the poller's list.
        package var device: Int
        package var poll: PointDefinition.PollClass
        package var periodNanoseconds: UInt64
        package var dueNanoseconds: UInt64
    }

    package private(set) var entries: [Entry] = []
    /// Periods that were due while the bus was still busy.
    package private(set) var skippedPeriods: UInt64 = 0

    package init() {}

    /// Adds a device.
    ///
    /// Its first reading is due within one period of `now`, at a phase of its own, so that a bus is not asked
    /// everything at once; `once` entries and classes slower than a minute start within two seconds.
    package mutating func add(
        device: Int,
        poll: PointDefinition.PollClass,
        periodNanoseconds: UInt64,
        phase: Double,
        now: UInt64
    ) {
        precondition(periodNanoseconds > 0, "a period is positive")
        let spread = min(periodNanoseconds, 2_000_000_000)
        let offset = UInt64(exactly: (Double(spread) * min(max(phase, 0), 0.999)).rounded()) ?? 0
        self.entries.append(
            Entry(device: device, poll: poll, periodNanoseconds: periodNanoseconds, dueNanoseconds: now &+ offset)
        )
    }

    /// The earliest due time, or `nil` when the bus has nothing to read.
    package var nextDueNanoseconds: UInt64? { self.entries.lazy.map(\.dueNanoseconds).min() }

    /// The entry that ``takeDue(now:)`` would take.
    package func nextDue(now: UInt64) -> Entry? {
        let earliest = self.entries.min { $0.dueNanoseconds < $1.dueNanoseconds }
        return earliest.flatMap { $0.dueNanoseconds <= now ? $0 : nil }
    }

    /// Takes the entry that is due longest at `now`, and sets its next due time on its grid.
    package mutating func takeDue(now: UInt64) -> Entry? {
        guard
            let index = self.entries.indices.min(by: {
                self.entries[$0].dueNanoseconds < self.entries[$1].dueNanoseconds
            }),
            self.entries[index].dueNanoseconds <= now
        else { return nil }
        let entry = self.entries[index]
        let behind = now - entry.dueNanoseconds
        let missed = behind / entry.periodNanoseconds
        self.skippedPeriods &+= missed
        self.entries[index].dueNanoseconds = entry.dueNanoseconds + (missed + 1) * entry.periodNanoseconds
        return entry
    }

    /// What is read once is asked for again after that long, while the device does not answer.
    package static let retryNanoseconds: UInt64 = 10_000_000_000

    /// Asks for a part of a device again soon that did not answer.
    ///
    /// A serial number that is read once an hour must not be missing for an hour because the device started last.
    package mutating func retry(_ entry: Entry, now: UInt64) {
        let soon = now &+ Self.retryNanoseconds
        for index in self.entries.indices
        where self.entries[index].device == entry.device && self.entries[index].poll == entry.poll {
            self.entries[index].dueNanoseconds = min(self.entries[index].dueNanoseconds, soon)
        }
    }
}
