internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import Foundation
internal import SchoolRecords
internal import SiteConfiguration
internal import Synchronization
internal import TimeSeriesRing

extension AlertWatch {
    /// How far back conditions are learnt again at a start, at most, milliseconds.
    private static let memoryMax: Int64 = 3_600_000
    /// How much of a downtime is looked at afterwards, at most, milliseconds.
    private static let catchUpMax: Int64 = 6 * 3_600_000
    private static let slice: Int64 = 300_000

    /// Takes up rules and site, at the start or again: alerts go on as they were.
    ///
    /// What the ring kept since samples were looked at last is looked at now, so that nothing is missed by a restart.
    /// - Returns: What of the rules does not fit the site.
    func load(_ files: ConfigurationFiles) -> [ConfigurationProblem] {
        let site = files.watchedSite
        let binding = RuleBinding(files.rules.templates, on: site)
        var problems = binding.problems.map { problem in
            ConfigurationProblem(
                "\(files.rules.pack(of: problem.rule)?.file ?? ""):\(problem.line)",
                vi: "luật \(problem.rule): \(problem.text.vi)",
                en: "rule \(problem.rule): \(problem.text.en)"
            )
        }
        let series = site.points.map { self.ring.existingSeries(named: $0.id.description) }
        self.state.withLock { state in
            do {
                try self.rebuild(&state, binding.set, series)
                state.templates = files.rules.templates
                state.packs = files.rules.packs
                state.isLoaded = true
            } catch {
                problems.append(
                    ConfigurationProblem(
                        vi: "Không đọc được trạng thái cảnh báo: \(error)",
                        en: "the states of alerts cannot be read: \(error)"
                    )
                )
            }
        }
        self.feed.open()
        return problems
    }

    private func rebuild(_ state: inout State, _ set: RuleSet, _ series: [SeriesIndex?]) throws {
        let now = self.clock.now()
        var known: [(key: AlertKey, node: NodeID, snapshot: AlertSnapshot)]
        var progress: AlertProgress
        if state.isLoaded {
            let engine = state.engine
            let gathering = Set(engine.gathering)
            known = engine.set.instances.indices
                .filter {
                    engine.memory($0).activation > 0 || engine.memory($0).isSetAside || gathering.contains($0)
                }
                .map { (engine.key($0), engine.set.instances[$0].node, engine.snapshot($0)) }
            progress = AlertProgress(
                sequence: engine.sequence,
                processed: engine.now,
                incident: engine.newestIncident
            )
        } else {
            let read = try self.records.alertStates()
            progress = read.progress
            known = read.states.compactMap { row in
                guard let text = row.snapshot,
                    let snapshot = try? JSONDecoder().decode(AlertSnapshot.self, from: Data(text.utf8))
                else { return nil }
                return (AlertKey(rule: row.rule, instance: row.instance), row.node, snapshot)
            }
        }
        // At the very first start only what comes from now on counts.
        let isFirst = progress.processed.rawValue == 0
        let processed = isFirst ? now : min(progress.processed, now)
        let start = max(processed, now.advanced(byMilliseconds: -Self.catchUpMax))
        let memory = set.rules.map(\.onDelay).max().map { min($0, Self.memoryMax) } ?? 0
        var learning = isFirst ? start : start.advanced(byMilliseconds: -max(memory, 600_000))
        // Before the ring had anything, nobody was silent.
        if let oldest = self.ring.oldest { learning = min(max(learning, oldest), start) }
        if isFirst {
            // A start that is cut short before anything happened goes on from here all the same.
            let begun = AlertProgress(sequence: progress.sequence, processed: now, incident: progress.incident)
            try self.records.commit(alerts: [], states: [], progress: begun)
        }
        var engine = AlertEngine(set, at: learning)
        engine.setClock(correctionMilliseconds: state.correction, now: learning)
        self.replay(into: &engine, series, learning..<start)
        engine.restore(
            known.map { ($0.key, $0.snapshot) },
            sequence: progress.sequence,
            newestIncident: progress.incident
        )
        self.replay(into: &engine, series, start..<now)
        for (key, node, snapshot) in known where engine.index(of: key) == nil {
            engine.retire(key, snapshot, node: node)
            state.retired.append(
                AlertStateRow(rule: key.rule, instance: key.instance, node: node, snapshot: nil)
            )
        }
        state.pending += engine.takeTransitions()
        state.engine = engine
        state.series = series
        state.signals = []
        for (signal, series) in series.enumerated() {
            guard let series else { continue }
            let index = Int(series.rawValue)
            while state.signals.count <= index { state.signals.append(-1) }
            state.signals[index] = Int32(clamping: signal)
        }
    }

    /// Plays what the ring has kept, in the order of its instants.
    private func replay(into engine: inout AlertEngine, _ series: [SeriesIndex?], _ range: Range<Tick>) {
        let map = self.ring.clock
        var from = range.lowerBound
        while from < range.upperBound {
            let to = min(from.advanced(byMilliseconds: Self.slice), range.upperBound)
            var found: [(tick: Int64, signal: Int, sample: Sample)] = []
            for (signal, series) in series.enumerated() {
                guard let series else { continue }
                self.ring.forEachSample(series, in: map.utc(from)..<map.utc(to)) { sample in
                    var sample = sample
                    sample.tick = map.tick(sample.tick)
                    found.append((sample.tick.rawValue, signal, sample))
                    return found.count < 2_000_000
                }
            }
            found.sort { ($0.tick, $0.signal) < ($1.tick, $1.signal) }
            for entry in found { engine.accept([(entry.signal, entry.sample)], now: Tick(rawValue: entry.tick)) }
            engine.advance(to: to)
            from = to
        }
    }
}
