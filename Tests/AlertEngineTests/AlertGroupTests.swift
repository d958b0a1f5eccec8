import CampusModel
import Testing

@testable import AlertEngine

/// Causes, incidents, floods, chatter.
struct AlertGroupTests {
    /// A school: one mains signal, then `rooms` rooms with one point each that falls silent without power, then gas.
    private static func school(rooms: Int, gas: Int) -> Watch {
        var power = Watch.rule("power", .high)
        power.cause = .power
        power.offDelay = 60_000
        var silent = Watch.rule("silent", .low)
        silent.suppressedBy = [.power]
        var leak = Watch.rule("gas", .critical)
        leak.isLifeSafety = true
        leak.isLatching = true
        func room(_ index: Int) -> NodeID { NodeID(rawValue: "p\(index)") }
        var instances = [
            RuleInstance(
                rule: 0,
                instance: "mains",
                node: NodeID(rawValue: "site"),
                condition: .threshold(Watch.input(), Limits(.equal, 0)),
                reach: ["site"],
                places: ["site"]
            )
        ]
        for index in 1...rooms {
            instances.append(
                RuleInstance(
                    rule: 1,
                    instance: "d\(index)",
                    node: room(index),
                    condition: .missing([Watch.input(index)], span: 60_000),
                    places: ["p\(index)", "site"]
                )
            )
        }
        for index in 0..<gas {
            instances.append(
                RuleInstance(
                    rule: 2,
                    instance: "gas\(index)",
                    node: room(index + 1),
                    condition: .threshold(Watch.input(1 + rooms + index), Limits(.above, 10)),
                    places: ["p\(index + 1)", "site"]
                )
            )
        }
        return Watch(rules: [power, silent, leak], instances: instances, signals: 1 + rooms + gas)
    }

    @Test(arguments: [0.0, 2, 4])
    func aPowerCutIsAFewCallsAndEveryLeakIsOnTop(causeLate: Double) {
        let rooms = 2_200
        var watch = Self.school(rooms: rooms, gas: 5)
        for index in 0...rooms { watch.feed(1, after: 0.001, signal: index) }
        watch.transitions = []
        // Everything is silent from now on; the mains signal says so at once or seconds after the first alerts.
        if causeLate == 0 { watch.feed(0, after: 1) }
        watch.wait(60)
        if causeLate > 0 { watch.feed(0, after: causeLate) }
        for index in 0..<5 { watch.feed(40, after: 0.1, signal: 1 + rooms + index) }
        watch.wait(120)
        let calls = watch.transitions.filter { $0.kind == .annunciated }
        #expect(calls.count { !$0.isLifeSafety } <= 3)
        let leaks = calls.filter(\.isLifeSafety)
        #expect(leaks.count == 5)
        for leak in leaks {
            let raised = watch.transitions.first { $0.key == leak.key && $0.kind == .raised }
            #expect(raised?.tick == leak.tick, "called at once")
        }
        let silent = watch.engine.set.instances.indices.filter { watch.engine.rule($0).id == "silent" }
        #expect(silent.allSatisfy { watch.engine.memory($0).state == .suppressed })
        #expect(Set(silent.map { watch.engine.memory($0).incident }).count == 1, "one incident for one cause")
    }

    @Test func whatFollowsIsLookedAtAgainWhenTheCauseIsOver() {
        var watch = Self.school(rooms: 3, gas: 0)
        for index in 0...3 { watch.feed(1, after: 0.1, signal: index) }
        watch.feed(0, after: 1)
        watch.wait(120)
        #expect(watch.engine.memory(2).state == .suppressed)
        watch.feed(1, after: 1)
        watch.feed(1, after: 1, signal: 1)
        watch.feed(1, after: 1, signal: 3)
        watch.wait(70)
        #expect(watch.engine.memory(2).state == .unacknowledged, "the second one did not come back")
        #expect(watch.engine.memory(0).state == .returnedUnacknowledged)
    }

    @Test func aFloodWithoutACauseIsAFewCallsToo() {
        let rule = Watch.rule("high")
        let instances = (0..<500)
            .map {
                RuleInstance(
                    rule: 0,
                    instance: "d\($0)",
                    node: NodeID(rawValue: "p\($0 / 100)"),
                    condition: .threshold(Watch.input($0), Limits(.above, 30))
                )
            }
        var watch = Watch(rules: [rule], instances: instances, signals: 500)
        for index in 0..<500 { watch.feed(31, after: 0.01, signal: index) }
        watch.wait(60)
        #expect(watch.activations == 500)
        #expect(watch.transitions.count { $0.kind == .annunciated } <= 3)
    }

    @Test func alertsOfOneRoomAreOneCallUnlessOneIsMoreUrgent() {
        let rules = [Watch.rule("a", .low), Watch.rule("b", .low), Watch.rule("c", .high)]
        let instances = (0..<3)
            .map {
                RuleInstance(
                    rule: $0,
                    instance: "x",
                    node: NodeID(rawValue: "p1"),
                    condition: .threshold(Watch.input($0), Limits(.above, 30))
                )
            }
        var watch = Watch(rules: rules, instances: instances, signals: 3)
        watch.feed(31, after: 10)
        watch.feed(31, after: 10, signal: 1)
        watch.feed(31, after: 10, signal: 2)
        watch.wait(10)
        #expect(watch.transitions.filter { $0.kind == .annunciated }.map(\.key.rule) == ["a", "c"])
    }

    /// Sine and noise around a limit, for a day, then a step.
    @Test(arguments: [300.0, 900, 2_400])
    func chatterIsHeldAndATrueStepIsFound(period: Double) {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30, deadband: 0.2, severe: 33))) {
            $0.flapWindow = 3_600_000
            $0.severePriority = .high
            $0.onDelay = 30_000
            $0.offDelay = 30_000
        }
        var noise = Noise(seed: 7)
        for step in 0..<8_640 {
            let time = Double(step) * 10
            watch.feed(30 + Sine.value(time / period) * 0.6 + noise.next() * 0.5, after: 10)
        }
        #expect(watch.activations <= 3)
        #expect(watch.activations >= 1)
        watch.transitions = []
        for _ in 0..<3 { watch.feed(34, after: 10) }
        #expect(watch.transitions.isEmpty)
        watch.feed(34, after: 10)
        #expect(watch.kinds.contains(.escalated), "found within the on-delay and a second")
    }

    @Test func chatterEndsWhenItHasBeenQuietForLong() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30))) { $0.flapWindow = 600_000 }
        for step in 0..<8 { watch.feed(step % 2 == 0 ? 31 : 29) }
        #expect(watch.engine.memory(0).isFlapping)
        #expect(watch.activations == 3)
        for _ in 0..<11 { watch.feed(29) }
        #expect(!watch.engine.memory(0).isActive)
        #expect(!watch.engine.memory(0).isFlapping)
    }
}

/// Random numbers with a seed, from -1 to 1.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func bits() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next() -> Double { Double(self.bits() >> 11) / Double(1 << 52) - 1 }

    mutating func below(_ limit: Int) -> Int { Int(self.bits() % UInt64(limit)) }
}

/// The sine of so many turns, without a library.
enum Sine {
    static func value(_ turns: Double) -> Double {
        let x = turns - turns.rounded(.down)
        // Bhaskara's approximation, within 0.002.
        let half = x < 0.5 ? x * 2 : (x - 0.5) * 2
        let value = 16 * half * (1 - half) / (5 - 4 * half * (1 - half))
        return x < 0.5 ? value : -value
    }
}
