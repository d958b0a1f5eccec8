package import CampusModel

/// Decides which runs of schedules are due: each at most once, none late beyond its grace; a value state machine over
/// instants in UTC.
package struct ScheduleBook: Sendable, Hashable {
    /// What is known of one schedule.
    package struct Entry: Sendable, Hashable {
        /// What decides when it runs; another one is a new schedule.
        package var revision: String
        /// Runs up to this instant are dealt with.
        package var until: Tick
        package var last: Run?

        package init(revision: String, until: Tick, last: Run? = nil) {
            self.revision = revision
            self.until = until
            self.last = last
        }
    }

    /// What became of a run.
    package struct Run: Sendable, Hashable, Codable {
        /// When it was due, milliseconds of UTC.
        package var due: Int64
        package var sent = 0
        package var confirmed = 0
        /// Kept away by overrides, locks and people's hands.
        package var heldOff = 0
        package var failed = 0
        /// Runs that were missed and not made up for, this one with them.
        package var missed = 0
        /// Whether all of it was tried; one that was not is under way, or the gateway ended meanwhile.
        package var isEnded = false

        package init(due: Int64) { self.due = due }
    }

    /// What is to be done about a schedule.
    package enum Verdict: Sendable, Hashable {
        /// It is new: from now on it runs.
        case begins
        /// A run is due; `missed` ones before it are not made up for.
        case run(due: Tick, missed: Int)
        /// Runs were missed by more than the grace.
        case missed(count: Int, last: Tick)
    }

    package var entries: [String: Entry]

    package init(entries: [String: Entry] = [:]) { self.entries = entries }

    /// How far back missed runs are counted.
    package static let pastMilliseconds: Int64 = 40 * 86_400_000

    /// Looks whether `name` is due at `now`; from then on what is due is dealt with.
    ///
    /// A clock that was put back fires nothing again.
    ///
    /// - Parameter runs: The runs after the first instant up to the second.
    package mutating func judge(
        _ name: String,
        revision: String,
        now: Tick,
        graceMilliseconds: Int64,
        runs: (Tick, Tick) -> [Tick]
    ) -> Verdict? {
        guard var entry = self.entries[name], entry.revision == revision else {
            self.entries[name] = Entry(revision: revision, until: now, last: self.entries[name]?.last)
            return .begins
        }
        guard now > entry.until else { return nil }
        let start = max(entry.until, now.advanced(byMilliseconds: -Self.pastMilliseconds))
        let due = runs(start, now)
        entry.until = now
        self.entries[name] = entry
        guard let last = due.last else { return nil }
        guard now.rawValue - last.rawValue <= graceMilliseconds else { return .missed(count: due.count, last: last) }
        return .run(due: last, missed: due.count - 1)
    }

    /// Writes down what became of a run.
    package mutating func note(_ run: Run, of name: String) { self.entries[name]?.last = run }

    /// Forgets schedules that are no more.
    package mutating func keep(_ names: Set<String>) { self.entries = self.entries.filter { names.contains($0.key) } }
}
