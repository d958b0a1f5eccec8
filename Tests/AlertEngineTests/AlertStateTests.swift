import CampusModel
import Testing

@testable import AlertEngine

/// The states of ISA-18.2, each row of its table.
struct AlertStateTests {
    private static func watch(_ change: (inout AlertRule) -> Void = { _ in }) -> Watch {
        Watch(.threshold(Watch.input(), Limits(.above, 30)), change: change)
    }

    @Test func aConditionThatHoldsIsUnacknowledgedThenAcknowledgedThenNormal() throws {
        var watch = Self.watch()
        watch.feed(20)
        #expect(watch.state == .normal)
        watch.feed(31)
        #expect(watch.state == .unacknowledged)
        try watch.perform(.acknowledge(activation: 1, note: "đang xem"))
        #expect(watch.state == .acknowledged)
        watch.feed(20)
        #expect(watch.state == .normal)
        #expect(watch.kinds == [.raised, .acknowledged, .cleared])
    }

    @Test func whatIsOverUnseenStaysUntilSomebodyKnows() throws {
        var watch = Self.watch()
        watch.feed(31)
        watch.feed(20)
        #expect(watch.state == .returnedUnacknowledged)
        watch.feed(31)
        #expect(watch.state == .unacknowledged)
        #expect(watch.engine.memory(0).activation == 2)
        watch.feed(20)
        try watch.perform(.acknowledge(activation: 2, note: nil))
        #expect(watch.state == .normal)
    }

    @Test func alertsOfAClassMayAcknowledgeThemselves() {
        var watch = Self.watch { $0.acknowledgesItself = true }
        watch.feed(31)
        watch.feed(20)
        #expect(watch.state == .normal)
    }

    @Test func acknowledgingAnActivationNeverSilencesTheNext() throws {
        var watch = Self.watch()
        watch.feed(31)
        watch.feed(20)
        watch.feed(31)
        #expect(throws: AlertCommandError.superseded(present: 2)) {
            try watch.perform(.acknowledge(activation: 1, note: nil))
        }
        #expect(watch.state == .unacknowledged)
        try watch.perform(.acknowledge(activation: 2, note: nil))
        #expect(throws: AlertCommandError.alreadySo) { try watch.perform(.acknowledge(activation: 2, note: nil)) }
        watch.feed(20)
        watch.feed(31)
        #expect(watch.state == .unacknowledged)
    }

    @Test func aLatchedAlertNeedsAcknowledgementAndReset() throws {
        var watch = Self.watch { $0.isLatching = true }
        watch.feed(31)
        #expect(throws: AlertCommandError.notResettable) { try watch.perform(.reset(note: nil)) }
        watch.feed(20)
        #expect(watch.state == .latched)
        #expect(throws: AlertCommandError.notResettable) { try watch.perform(.reset(note: nil)) }
        try watch.perform(.acknowledge(activation: 1, note: nil))
        #expect(watch.state == .latched)
        try watch.perform(.reset(note: "đã thông gió"))
        #expect(watch.state == .normal)
    }

    @Test func aShelfEndsAndWhatIsStillActiveIsCalledAgain() throws {
        var watch = Self.watch()
        watch.feed(31)
        try watch.perform(.acknowledge(activation: 1, note: nil))
        try watch.perform(
            .shelve(until: watch.now.advanced(byMilliseconds: 600_000), reason: "sửa cảm biến", second: nil)
        )
        #expect(watch.state == .shelved)
        for _ in 0..<4 { watch.feed(32, after: 120) }
        #expect(watch.state == .shelved)
        watch.feed(32, after: 121)
        #expect(watch.state == .unacknowledged)
        #expect(watch.kinds.suffix(2).first == .unshelved || watch.kinds.contains(.unshelved))
    }

    @Test func whatHappensOnTheShelfIsRememberedAndNobodyIsCalled() throws {
        var watch = Self.watch()
        watch.feed(20)
        try watch.perform(.shelve(until: watch.now.advanced(byMilliseconds: 3_600_000), reason: "thử", second: nil))
        watch.feed(31)
        watch.feed(31)
        #expect(watch.state == .shelved)
        #expect(watch.engine.memory(0).activation == 1)
        #expect(!watch.kinds.contains(.annunciated))
        try watch.perform(.unshelve)
        #expect(watch.state == .unacknowledged)
        watch.wait(6)
        #expect(watch.kinds.contains(.annunciated))
    }

    @Test func shelvesHaveAReasonAndALongestTime() {
        var watch = Self.watch { $0.shelfMax = 3_600_000 }
        let hour = watch.now.advanced(byMilliseconds: 3_600_000)
        #expect(throws: AlertCommandError.reasonMissing) {
            try watch.perform(.shelve(until: hour, reason: "  ", second: nil))
        }
        #expect(throws: AlertCommandError.shelfLength(longest: 3_600_000)) {
            try watch.perform(.shelve(until: hour.advanced(byMilliseconds: 1), reason: "x", second: nil))
        }
        #expect(throws: AlertCommandError.shelfLength(longest: 3_600_000)) {
            try watch.perform(.shelve(until: Watch.start, reason: "x", second: nil))
        }
    }

    @Test func settingLifeSafetyAsideNeedsTwoPersons() throws {
        var watch = Self.watch {
            $0.priority = .critical
            $0.isLifeSafety = true
        }
        let until = watch.now.advanced(byMilliseconds: 600_000)
        for second in [nil, "", "lan"] {
            #expect(throws: AlertCommandError.secondPersonMissing) {
                try watch.perform(.shelve(until: until, reason: "thử chuông", second: second))
            }
            #expect(throws: AlertCommandError.secondPersonMissing) {
                try watch.perform(.takeOutOfService(reason: "hỏng", second: second))
            }
        }
        try watch.perform(.shelve(until: until, reason: "thử chuông", second: "minh"))
        #expect(watch.transitions.last?.actor == "lan, minh")
    }

    @Test func outOfServiceAndBack() throws {
        var watch = Self.watch()
        watch.feed(31)
        try watch.perform(.acknowledge(activation: 1, note: nil))
        try watch.perform(.takeOutOfService(reason: "chờ thay", second: nil))
        #expect(watch.state == .outOfService)
        try watch.perform(.returnToService)
        #expect(watch.state == .unacknowledged)
        #expect(throws: AlertCommandError.alreadySo) { try watch.perform(.returnToService) }
    }

    @Test func theSevereLimitCallsAgain() throws {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30, deadband: 1, severe: 35))) {
            $0.severePriority = .high
        }
        watch.feed(31)
        try watch.perform(.acknowledge(activation: 1, note: nil))
        watch.feed(36)
        #expect(watch.state == .unacknowledged)
        #expect(watch.engine.priority(0) == .high)
        #expect(watch.engine.memory(0).activation == 1)
        watch.feed(34.5)
        #expect(watch.engine.priority(0) == .high, "within the deadband")
        watch.feed(33)
        #expect(watch.engine.priority(0) == .medium)
        watch.feed(28)
        #expect(watch.kinds == [.raised, .acknowledged, .escalated, .annunciated, .eased, .cleared])
    }

    @Test func whatIsKnownAndStaysIsCalledAgain() throws {
        var watch = Self.watch { $0.realarm = 3_600_000 }
        watch.feed(31)
        try watch.perform(.acknowledge(activation: 1, note: nil))
        for _ in 0..<59 { watch.feed(31) }
        #expect(watch.state == .acknowledged)
        watch.feed(31)
        #expect(watch.state == .unacknowledged)
        #expect(watch.kinds.contains(.realarmed))
    }

    @Test func anUnknownAlertIsRefused() {
        var watch = Self.watch()
        #expect(throws: AlertCommandError.unknown) {
            try watch.engine.perform(.unshelve, on: AlertKey(rule: "no", instance: "x"), by: "lan", now: watch.now)
        }
    }

    @Test func sequenceNumbersHaveNoGap() throws {
        var watch = Self.watch()
        for value in [31.0, 20, 31, 20, 31] { watch.feed(value) }
        try watch.perform(.acknowledge(activation: 3, note: nil))
        #expect(watch.transitions.map(\.sequence) == Array(1...Int64(watch.transitions.count)))
    }
}
