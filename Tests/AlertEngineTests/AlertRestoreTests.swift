import CampusModel
import Foundation
import Testing

@testable import AlertEngine

/// What a new engine knows of the old one's alerts.
struct AlertRestoreTests {
    /// A new engine with the memories of an old one, as they come back from JSON.
    private static func restarted(_ watch: Watch, after seconds: Double = 1) throws -> Watch {
        var next = watch
        next.now = watch.now.advanced(byMilliseconds: Int64(seconds * 1_000))
        next.engine = AlertEngine(watch.engine.set, at: next.now)
        next.transitions = []
        let snapshots = try watch.engine.set.instances.indices
            .map { index in
                let data = try JSONEncoder().encode(watch.engine.snapshot(index))
                return (watch.engine.key(index), try JSONDecoder().decode(AlertSnapshot.self, from: data))
            }
        next.engine.restore(
            snapshots,
            sequence: watch.engine.sequence,
            newestIncident: watch.engine.newestIncident
        )
        next.transitions += next.engine.takeTransitions()
        return next
    }

    private static func watch(_ change: (inout AlertRule) -> Void = { _ in }) -> Watch {
        Watch(.threshold(Watch.input(), Limits(.above, 30, deadband: 1)), change: change)
    }

    @Test func anAcknowledgedAlertStaysAcknowledgedAndIsNotRaisedAgain() throws {
        var watch = Self.watch()
        watch.feed(31)
        try watch.perform(.acknowledge(activation: 1, note: "đang xem"))
        var next = try Self.restarted(watch)
        #expect(next.state == .acknowledged)
        #expect(next.engine.remark(0)?.text == "đang xem")
        next.feed(32)
        #expect(next.transitions.isEmpty)
        next.feed(29.5)
        #expect(next.state == .acknowledged, "the deadband is remembered")
        next.feed(20)
        #expect(next.state == .normal)
        #expect(next.transitions.map(\.sequence) == [watch.engine.sequence + 1])
    }

    @Test func whatEndedMeanwhileEndsAtTheFirstValue() throws {
        var watch = Self.watch()
        watch.feed(31)
        var next = try Self.restarted(watch, after: 3_600)
        #expect(next.state == .unacknowledged, "nothing is known yet")
        next.feed(20)
        #expect(next.state == .returnedUnacknowledged)
    }

    @Test func aShelfEndsWhenItShouldEvenIfNobodyWasThere() throws {
        var watch = Self.watch()
        watch.feed(31)
        try watch.perform(.shelve(until: watch.now.advanced(byMilliseconds: 600_000), reason: "x", second: nil))
        var early = try Self.restarted(watch, after: 60)
        #expect(early.state == .shelved)
        early.wait(541)
        #expect(early.state == .unacknowledged)
        var late = try Self.restarted(watch, after: 6_000)
        late.wait(1)
        #expect(late.state == .unacknowledged)
    }

    @Test func latchedAndOutOfServiceStaySo() throws {
        var latched = Self.watch { $0.isLatching = true }
        latched.feed(31)
        latched.feed(20)
        #expect(try Self.restarted(latched).state == .latched)
        var out = Self.watch()
        try out.perform(.takeOutOfService(reason: "hỏng", second: nil))
        #expect(try Self.restarted(out).state == .outOfService)
    }

    @Test func nobodyIsCalledAgainForWhatTheyWereCalledFor() throws {
        var watch = Self.watch()
        watch.feed(31)
        watch.wait(10)
        #expect(watch.kinds.contains(.annunciated))
        var next = try Self.restarted(watch)
        next.feed(32)
        next.wait(60)
        #expect(!next.kinds.contains(.annunciated))
    }

    @Test func aCallThatWasDueIsMade() throws {
        var watch = Self.watch()
        watch.feed(31)
        var next = try Self.restarted(watch, after: 2)
        next.wait(10)
        #expect(next.kinds == [.annunciated])
    }

    @Test func runHoursAndCountersGoOn() throws {
        var hours = Watch(.runHours(Watch.input(), Limits(.above, 2)))
        for _ in 0..<100 { hours.feed(1) }
        var next = try Self.restarted(hours)
        for _ in 0..<25 { next.feed(1) }
        #expect(next.activations == 1)
        var counter = Watch(.counter(Watch.input(), Limits(.above, 5), window: 3_600_000))
        #expect(try Self.restarted(counter).engine.snapshot(0).numbers.first == .some(nil), "no value yet")
        counter.feed(10)
        counter.feed(14)
        var counted = try Self.restarted(counter)
        counted.feed(16)
        #expect(counted.activations == 1)
    }

    @Test func whatFollowsFromAnActiveCauseStaysSuppressed() throws {
        var power = Watch.rule("power", .high)
        power.cause = .power
        var hot = Watch.rule("hot")
        hot.suppressedBy = [.power]
        let instances = [
            RuleInstance(
                rule: 0,
                instance: "mains",
                node: NodeID(rawValue: "s"),
                condition: .threshold(Watch.input(), Limits(.equal, 0)),
                reach: ["s"],
                places: ["s"]
            ),
            RuleInstance(
                rule: 1,
                instance: "x",
                node: NodeID(rawValue: "p"),
                condition: .threshold(Watch.input(1), Limits(.above, 30)),
                places: ["p", "s"]
            ),
        ]
        var watch = Watch(rules: [power, hot], instances: instances, signals: 2)
        watch.feed(0)
        watch.feed(31, signal: 1)
        #expect(watch.engine.memory(1).state == .suppressed)
        var next = try Self.restarted(watch)
        #expect(next.engine.memory(1).state == .suppressed)
        next.feed(1)
        #expect(next.engine.memory(1).state == .unacknowledged)
    }

    @Test func anAlertThatIsNotWatchedAnyMoreIsRetired() throws {
        var watch = Self.watch()
        watch.feed(31)
        let snapshot = watch.engine.snapshot(0)
        let key = AlertKey(rule: "gone", instance: "x")
        watch.engine.retire(key, snapshot, node: NodeID(rawValue: "p"))
        watch.engine.retire(watch.engine.key(0), snapshot, node: NodeID(rawValue: "p"))
        let retired = watch.engine.takeTransitions()
        #expect(retired.map(\.kind) == [.retired])
        #expect(retired.first?.key == key)
        #expect(retired.first?.isActive == false)
    }
}
