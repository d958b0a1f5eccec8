import CampusModel
import Testing

@testable import AlertEngine

/// The same inputs give the same transitions, whatever they are.
struct AlertReplayTests {
    /// One thing that goes into an engine.
    private enum Input {
        case samples([(signal: Int, sample: Sample)], now: Tick)
        case time(Tick)
        case command(AlertCommand, AlertKey, Tick)
    }

    private static func set() -> RuleSet {
        var plain = Watch.rule("plain")
        plain.flapWindow = 600_000
        plain.onDelay = 60_000
        plain.offDelay = 30_000
        plain.realarm = 1_800_000
        plain.suppressedBy = [.power]
        var cause = Watch.rule("cause", .high)
        cause.cause = .power
        var gas = Watch.rule("gas", .critical)
        gas.isLifeSafety = true
        gas.isLatching = true
        let kinds: [AlertCondition] = [
            .threshold(Watch.input(0), Limits(.above, 50, deadband: 2, severe: 80)),
            .rate(Watch.input(1), Limits(.above, 20), window: 600_000, per: 600_000),
            .stuck(Watch.input(2), span: 900_000, tolerance: 1, partner: Watch.input(3), partnerTolerance: 5),
            .missing([Watch.input(4)], span: 300_000),
            .quality(Watch.input(5), reasons: [.range, .sentinel], uncertainToo: true),
            .aggregate((0..<6).map { Watch.input($0) }, .mean, Limits(.above, 55), quorum: 3),
            .join([
                .init(inputs: [Watch.input(0)], .above, 30, held: 120_000),
                .init(inputs: [Watch.input(1), Watch.input(2)], .below, 60),
            ]),
            .counter(Watch.input(3), Limits(.above, 400), window: 1_800_000),
            .runHours(Watch.input(4), Limits(.above, 3)),
            .excess(Watch.input(5), over: 60, isBelow: false, Limits(.above, 200)),
            .forecast(Watch.input(0), Limits(.above, 70), step: 60_000, season: 30, horizon: 6),
            .anomaly(Watch.input(1), Limits(.above, 5)),
        ]
        var instances = kinds.enumerated()
            .map {
                RuleInstance(
                    rule: 0,
                    instance: "k\($0)",
                    node: NodeID(rawValue: "p\($0 % 3)"),
                    condition: $1,
                    places: ["site"]
                )
            }
        instances.append(
            RuleInstance(
                rule: 1,
                instance: "power",
                node: NodeID(rawValue: "site"),
                condition: .threshold(Watch.input(5), Limits(.above, 90)),
                reach: ["site"],
                places: ["site"]
            )
        )
        instances.append(
            RuleInstance(
                rule: 2,
                instance: "gas",
                node: NodeID(rawValue: "p1"),
                condition: .threshold(Watch.input(2), Limits(.above, 95))
            )
        )
        return RuleSet(
            signals: (0..<6)
                .map {
                    RuleSet.Signal(
                        point: PointID(device: DeviceID(rawValue: "d\($0)"), name: "v"),
                        staleAfter: 180_000
                    )
                },
            rules: [plain, cause, gas],
            instances: instances,
            hours: Watch.hours
        )
    }

    private static func log(seed: UInt64, _ set: RuleSet) -> [Input] {
        var noise = Noise(seed: seed)
        var now = Watch.start
        var values = [50.0, 50, 50, 0, 1, 50]
        var log: [Input] = []
        for _ in 0..<1_500 {
            now = now.advanced(byMilliseconds: Int64(noise.below(40_000)))
            switch noise.below(20) {
            case 0: log.append(.time(now))
            case 1:
                let instance = set.instances[noise.below(set.instances.count)]
                let key = AlertKey(rule: set.rules[instance.rule].id, instance: instance.instance)
                let commands: [AlertCommand] = [
                    .acknowledge(activation: Int64(noise.below(4)), note: nil), .reset(note: nil), .unshelve,
                    .shelve(until: now.advanced(byMilliseconds: 600_000), reason: "x", second: "y"),
                    .takeOutOfService(reason: "x", second: "y"), .returnToService, .restart(note: nil),
                ]
                log.append(.command(commands[noise.below(commands.count)], key, now))
            default:
                var batch: [(signal: Int, sample: Sample)] = []
                for _ in 0...noise.below(6) {
                    let signal = noise.below(6)
                    values[signal] += signal == 3 ? abs(noise.next()) * 20 : noise.next() * 12
                    if signal == 4 { values[4] = Double(noise.below(2)) }
                    values[signal] = min(max(values[signal], 0), signal == 3 ? 1e9 : 100)
                    let late = Int64(noise.below(5_000)) - 500
                    let quality: Quality = noise.below(12) == 0 ? .bad(.range) : .good
                    let tick = now.advanced(byMilliseconds: -late)
                    batch.append((signal, Sample(tick: tick, value: values[signal], quality: quality)))
                }
                log.append(.samples(batch, now: now))
            }
        }
        return log
    }

    private static func run(_ log: [Input], _ set: RuleSet) -> AlertEngine {
        var engine = AlertEngine(set, at: Watch.start)
        for input in log {
            switch input {
            case .samples(let batch, let now): engine.accept(batch, now: now)
            case .time(let now): engine.advance(to: now)
            case .command(let command, let key, let now):
                try? engine.perform(command, on: key, by: "lan", now: now)
            }
        }
        return engine
    }

    @Test(arguments: 1...40)
    func theSameInputsGiveTheSameTransitions(seed: Int) {
        let set = Self.set()
        let log = Self.log(seed: UInt64(seed), set)
        var first = Self.run(log, set)
        var second = Self.run(log, set)
        let transitions = first.takeTransitions()
        #expect(transitions == second.takeTransitions())
        #expect(transitions.count > 50)
        Self.check(transitions)
    }

    /// Time may pass in other steps than the log's: whatever waits for time happens at its own instant.
    @Test(arguments: 1...20)
    func lookingMoreOftenChangesNothing(seed: Int) {
        let set = Self.set()
        let log = Self.log(seed: UInt64(1_000 + seed), set)
        var plain = Self.run(log, set)
        var often = AlertEngine(set, at: Watch.start)
        var noise = Noise(seed: UInt64(seed))
        for input in log {
            let now: Tick =
                switch input {
                case .samples(_, let now), .time(let now), .command(_, _, let now): now
                }
            for _ in 0..<noise.below(4) {
                let gap = now.rawValue - often.now.rawValue
                guard gap > 1 else { break }
                often.advance(to: often.now.advanced(byMilliseconds: 1 + Int64(noise.below(Int(gap)))))
            }
            switch input {
            case .samples(let batch, let now): often.accept(batch, now: now)
            case .time(let now): often.advance(to: now)
            case .command(let command, let key, let now): try? often.perform(command, on: key, by: "lan", now: now)
            }
        }
        #expect(plain.takeTransitions() == often.takeTransitions())
    }

    /// What must hold of any sequence of transitions.
    private static func check(_ transitions: [AlertTransition]) {
        #expect(transitions.map(\.sequence) == Array(1...Int64(transitions.count)))
        #expect(zip(transitions, transitions.dropFirst()).allSatisfy { $0.tick <= $1.tick })
        var active: [AlertKey: Bool] = [:]
        var activation: [AlertKey: Int64] = [:]
        for transition in transitions {
            switch transition.kind {
            case .raised:
                #expect(active[transition.key, default: false] == false)
                #expect(transition.activation == activation[transition.key, default: 0] + 1)
                activation[transition.key] = transition.activation
                active[transition.key] = true
            case .cleared:
                #expect(active[transition.key] == true)
                active[transition.key] = false
            case .annunciated: #expect([.unacknowledged, .returnedUnacknowledged, .latched].contains(transition.state))
            case .suppressed: #expect(!transition.isLifeSafety)
            default: break
            }
        }
    }
}

/// What is due when.
struct TimerBlocksTests {
    @Test func theEarliestComesFirstAndTheLowerIndexOfTwo() {
        var timers = TimerBlocks(count: 1_000)
        timers.set(900, 50)
        timers.set(10, 70)
        timers.set(11, 50)
        timers.set(500, 60)
        timers.set(500, 80)
        #expect(timers.next(until: 49) == nil)
        var found: [Int] = []
        while let next = timers.next(until: 75) { found.append(next.index) }
        #expect(found == [11, 900, 10])
        #expect(timers[500] == 80)
    }

    @Test(arguments: 1...20)
    func anyOrderComesOutSorted(seed: Int) {
        var noise = Noise(seed: UInt64(seed))
        var timers = TimerBlocks(count: 700)
        var due: [Int: Int64] = [:]
        for _ in 0..<2_000 {
            let index = noise.below(700)
            let tick = Int64(noise.below(1_000))
            timers.set(index, tick)
            due[index] = tick
        }
        var found: [(Int64, Int)] = []
        while let next = timers.next(until: 600) { found.append((next.tick, next.index)) }
        let expected = due.filter { $0.value <= 600 }.map { ($0.value, $0.key) }.sorted { $0 < $1 }
        #expect(found.elementsEqual(expected, by: ==))
    }
}
