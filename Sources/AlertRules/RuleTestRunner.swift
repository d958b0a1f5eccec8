package import AlertEngine
internal import CampusModel

/// Runs the tests of a file.
package enum RuleTestRunner {
    /// What one test found.
    package struct Result: Sendable {
        package var name: String
        package var line: Int
        /// Empty when all went as expected.
        package var failures: [String]
        package var transitions: [AlertTransition]
    }

    /// What happens at one instant, in the order of the cases.
    private enum Moment {
        case sample(Int, Sample)
        case deed(RuleTestFile.Deed)
        case look(RuleTestFile.Expectation)

        var rank: Int {
            switch self {
            case .sample: 0
            case .deed: 1
            case .look: 2
            }
        }
    }

    package static func run(_ file: RuleTestFile, rules: [RuleTemplate]) -> (results: [Result], binding: RuleBinding) {
        let binding = RuleBinding(rules, on: file.site)
        return (file.tests.map { self.run($0, binding.set) }, binding)
    }

    private static func run(_ test: RuleTestFile.Test, _ set: RuleSet) -> Result {
        var engine = AlertEngine(set, at: test.start)
        var moments: [(at: Int64, moment: Moment)] = []
        for series in test.series {
            for (position, step) in series.steps.enumerated() {
                let at = Int64(position) * series.every
                let tick = test.start.advanced(byMilliseconds: at)
                switch step {
                case .nothing: continue
                case .value(let value): moments.append((at, .sample(series.point, Sample(tick: tick, value: value))))
                case .quality(let quality):
                    moments.append((at, .sample(series.point, Sample(tick: tick, value: 0, quality: quality))))
                }
            }
        }
        moments += test.deeds.map { ($0.at, .deed($0)) }
        moments += test.expectations.map { ($0.at, .look($0)) }
        var failures: [String] = []
        let ordered = moments.enumerated()
            .sorted {
                ($0.element.at, $0.element.moment.rank, $0.offset) < ($1.element.at, $1.element.moment.rank, $1.offset)
            }
        for (_, entry) in ordered {
            let now = test.start.advanced(byMilliseconds: entry.at)
            switch entry.moment {
            case .sample(let signal, let sample): engine.accept([(signal, sample)], now: now)
            case .deed(let deed):
                if let failure = self.perform(deed, on: &engine, now: now) { failures.append(failure) }
            case .look(let expectation):
                engine.advance(to: now)
                if let failure = self.failure(expectation, engine) { failures.append(failure) }
            }
        }
        return Result(name: test.name, line: test.line, failures: failures, transitions: engine.takeTransitions())
    }

    private static func perform(_ deed: RuleTestFile.Deed, on engine: inout AlertEngine, now: Tick) -> String? {
        engine.advance(to: now)
        let activation = engine.index(of: deed.key).map { engine.memory($0).activation } ?? 0
        let reason = "test"
        let command: AlertCommand =
            switch deed.command {
            case .acknowledge: .acknowledge(activation: activation, note: nil)
            case .reset: .reset(note: nil)
            case .restart: .restart(note: nil)
            case .shelve(let milliseconds, let second):
                .shelve(until: now.advanced(byMilliseconds: milliseconds), reason: reason, second: second)
            case .unshelve: .unshelve
            case .takeOutOfService(let second): .takeOutOfService(reason: reason, second: second)
            case .returnToService: .returnToService
            }
        do throws(AlertCommandError) {
            try engine.perform(command, on: deed.key, by: deed.actor, now: now)
            return nil
        } catch {
            return "at \(self.span(deed.at)): \(deed.key) refused '\(deed.command)': \(error)"
        }
    }

    private static func failure(_ expectation: RuleTestFile.Expectation, _ engine: AlertEngine) -> String? {
        let place = "line \(expectation.line), at \(self.span(expectation.at))"
        switch expectation.subject {
        case .alert(let key, let state, let activations):
            guard let index = engine.index(of: key) else {
                let known = engine.set.instances.indices.map { engine.key($0).description }.sorted().prefix(8)
                return "\(place): there is no alert \(key); there are \(known.joined(separator: ", "))"
            }
            let memory = engine.memory(index)
            if memory.state != state {
                return "\(place): \(key) is \(memory.state.rawValue), expected \(state.rawValue)"
            }
            if let activations, memory.activation != activations {
                return "\(place): \(key) was active \(memory.activation) times, expected \(activations)"
            }
            return nil
        case .active(let expected):
            let active = Set(
                engine.set.instances.indices.filter { engine.memory($0).isActive }.map { engine.key($0).description }
            )
            if active == expected { return nil }
            let text = active.sorted().joined(separator: ", ")
            return "\(place): active are \(text.isEmpty ? "none" : text), "
                + "expected \(expected.isEmpty ? "none" : expected.sorted().joined(separator: ", "))"
        case .calls(let count):
            let calls = engine.counters.annunciated
            return calls == UInt64(count) ? nil : "\(place): people were called \(calls) times, expected \(count)"
        }
    }

    /// A span in its largest whole unit, such as `90 min`.
    private static func span(_ milliseconds: Int64) -> String {
        for (factor, unit) in [(3_600_000, "h"), (60_000, "min"), (1_000, "s")]
        where milliseconds >= factor && milliseconds % Int64(factor) == 0 {
            return "\(milliseconds / Int64(factor)) \(unit)"
        }
        return "\(milliseconds) ms"
    }
}
