package import AlertEngine
internal import AlertRules
internal import CampusModel
internal import Foundation
internal import Logging
internal import SchoolRecords
internal import SiteConfiguration
internal import Synchronization
internal import TimeSeriesRing

/// The rules of the site at work: fed by what the ring stores, its transitions committed to the records.
package final class AlertWatch: Sendable {
    /// Transitions that may wait for the records; with more, rules wait until they are written.
    private static let pendingMax = 10_000

    struct State: Sendable {
        var engine: AlertEngine
        var templates: [RuleTemplate] = []
        var packs: [RulePack] = []
        /// The ring's series of each signal; `nil` where it has none.
        var series: [SeriesIndex?] = []
        /// The signal of each series; -1 where no rule asks for it.
        var signals: [Int32] = []
        var pending: [AlertTransition] = []
        /// States that are written with the pending transitions, besides those they name.
        var retired: [AlertStateRow] = []
        var correction: Int64 = 0
        var commitFailures: UInt64 = 0
        var isLoaded = false
    }

    let ring: TimeSeriesRing
    let records: Records
    let clock: any TickClock
    let logger: Logger
    let feed = AlertFeed()
    let state: Mutex<State>
    /// Held while transitions are written, so that they are written in order.
    private let writing = Mutex(false)

    init(ring: TimeSeriesRing, records: Records, clock: any TickClock, logger: Logger) {
        self.ring = ring
        self.records = records
        self.clock = clock
        self.logger = logger
        let hours = SchoolHours(weekdays: [], lessons: [], utcOffsetSeconds: 0)
        let nothing = RuleSet(signals: [], rules: [], instances: [], hours: hours)
        self.state = Mutex(State(engine: AlertEngine(nothing, at: clock.now())))
    }

    /// Looks at what came and at what time has made due; returns whether there is something to write.
    func step() -> Bool {
        let now = self.clock.now()
        let correction = self.ring.clock.utc(now).rawValue - now.rawValue
        return self.state.withLock { state in
            guard state.isLoaded else { return false }
            // What cannot be written stays; the feed then holds what it can, and counts the rest.
            guard state.pending.count < Self.pendingMax else { return true }
            if correction != state.correction {
                state.correction = correction
                state.engine.setClock(correctionMilliseconds: correction, now: now)
            }
            let (samples, hasGap) = self.feed.take()
            state.engine.advance(to: now)
            if hasGap { self.resynchronize(&state) }
            for sample in samples {
                let series = Int(sample.series.rawValue)
                guard series < state.signals.count, state.signals[series] >= 0 else { continue }
                state.engine.accept(Int(state.signals[series]), sample.sample)
            }
            state.pending += state.engine.takeTransitions()
            return !state.pending.isEmpty
        }
    }

    /// After samples were left out: the newest of each signal is what counts.
    private func resynchronize(_ state: inout State) {
        for (signal, series) in state.series.enumerated() {
            guard let series, let latest = self.ring.latest(series) else { continue }
            state.engine.accept(signal, latest)
        }
    }

    /// Does what a person asks for, and returns when it is on the disk.
    ///
    /// Blocks; call it where that is allowed.
    package func perform(_ command: AlertCommand, on key: AlertKey, by actor: String) throws {
        try self.state.withLock { state in
            try state.engine.perform(command, on: key, by: actor, now: self.clock.now())
            state.pending += state.engine.takeTransitions()
        }
        try self.commit()
    }

    /// Writes what waits, with the states it led to; blocks until it is on the disk.
    ///
    /// - Parameter withNumbers: Also writes counts and sums that grew without a transition, and how far samples were
    ///   looked at.
    func commit(withNumbers: Bool = false) throws {
        try self.writing.withLock { _ in
            let batch = self.state.withLock { state -> (Batch, [AlertTransition], [AlertStateRow])? in
                guard state.isLoaded, withNumbers || !state.pending.isEmpty || !state.retired.isEmpty else {
                    return nil
                }
                let pending = state.pending
                let retired = state.retired
                state.pending = []
                state.retired = []
                return (Batch(state.engine, pending, retired, withNumbers: withNumbers), pending, retired)
            }
            guard let (batch, pending, retired) = batch else { return }
            do {
                try self.records.commit(alerts: batch.transitions, states: batch.states, progress: batch.progress)
            } catch {
                self.state.withLock { state in
                    state.pending = pending + state.pending
                    state.retired = retired + state.retired
                    state.commitFailures &+= 1
                }
                throw error
            }
        }
    }

    /// What is written at once.
    private struct Batch {
        var transitions: [AlertTransitionRow]
        var states: [AlertStateRow]
        var progress: AlertProgress

        init(
            _ engine: AlertEngine,
            _ pending: [AlertTransition],
            _ retired: [AlertStateRow],
            withNumbers: Bool
        ) {
            self.transitions = pending.map(AlertTransitionRow.init)
            var indexes = Set(pending.compactMap { engine.index(of: $0.key) })
            if withNumbers { indexes.formUnion(engine.gathering) }
            self.states = retired + indexes.sorted().map { AlertStateRow(engine, $0) }
            self.progress = AlertProgress(
                sequence: engine.sequence,
                processed: engine.now,
                incident: engine.newestIncident
            )
        }
    }

    /// What waits and what went wrong, for the metrics page.
    var statistics: Statistics {
        let depth = (try? self.records.outboxDepth()) ?? 0
        return self.state.withLock { state in
            var counts: [AlertState: Int] = [:]
            for index in state.engine.attention { counts[state.engine.memory(index).state, default: 0] += 1 }
            return Statistics(
                instances: state.engine.set.instances.count,
                counters: state.engine.counters,
                states: counts,
                sequence: state.engine.sequence,
                pending: state.pending.count,
                commitFailures: state.commitFailures,
                dropped: self.feed.droppedCount,
                outboxDepth: depth
            )
        }
    }

    struct Statistics: Sendable {
        var instances: Int
        var counters: AlertCounters
        var states: [AlertState: Int]
        var sequence: Int64
        var pending: Int
        var commitFailures: UInt64
        var dropped: UInt64
        var outboxDepth: Int
    }
}

extension AlertTransitionRow {
    init(_ transition: AlertTransition) {
        self.init(
            sequence: transition.sequence,
            tick: transition.tick,
            rule: transition.key.rule,
            instance: transition.key.instance,
            kind: transition.kind.rawValue,
            activation: transition.activation,
            state: transition.state.rawValue,
            isActive: transition.isActive,
            isAcknowledged: transition.isAcknowledged,
            priority: transition.priority.word,
            isLifeSafety: transition.isLifeSafety,
            node: transition.node,
            incident: transition.incident,
            value: transition.value,
            limit: transition.limit,
            timetable: transition.timetable.word,
            actor: transition.actor,
            note: transition.note,
            until: transition.until
        )
    }
}

extension AlertStateRow {
    /// An alert that was never active and has gathered nothing is not kept.
    init(_ engine: AlertEngine, _ index: Int) {
        let key = engine.key(index)
        let snapshot = engine.snapshot(index)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = (try? encoder.encode(snapshot)).map { String(decoding: $0, as: UTF8.self) }
        self.init(
            rule: key.rule,
            instance: key.instance,
            node: engine.set.instances[index].node,
            snapshot: text
        )
    }
}
