import CampusModel
import Testing

@testable import AlertEngine

/// Each kind of condition.
struct AlertConditionTests {
    @Test func aThresholdHasADeadbandAndDelays() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 1_000, deadband: 50))) {
            $0.onDelay = 600_000
            $0.offDelay = 120_000
        }
        for _ in 0..<10 { watch.feed(1_001) }
        #expect(watch.state == .normal)
        watch.feed(1_001)
        #expect(watch.state == .unacknowledged)
        watch.feed(960)
        watch.feed(960)
        watch.feed(960)
        #expect(watch.engine.memory(0).isActive, "within the deadband")
        watch.feed(940)
        watch.feed(940)
        #expect(watch.engine.memory(0).isActive, "within the off-delay")
        watch.feed(940)
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func theOnDelayEndsBetweenTwoSamples() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30))) { $0.onDelay = 90_000 }
        watch.feed(31)
        watch.feed(31)
        watch.wait(31)
        #expect(watch.transitions.first?.tick == Watch.start.advanced(byMilliseconds: 150_000))
    }

    @Test func aShortExcursionIsNoAlert() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30))) { $0.onDelay = 120_000 }
        for value in [31.0, 29, 31, 29, 31, 29] { watch.feed(value) }
        #expect(watch.transitions.isEmpty)
    }

    @Test(arguments: [
        (Limits(.below, 10), [11.0, 10], [9.0]), (Limits(.equal, 1), [0, 2], [1]), (Limits(.notEqual, 1), [1], [0]),
        (Limits(.outside, 207, upper: 253), [207, 253], [206.9]), (Limits(.outside, 207, upper: 253), [230], [253.1]),
    ])
    func comparisons(limits: Limits, quiet: [Double], loud: [Double]) {
        var watch = Watch(.threshold(Watch.input(), limits))
        for value in quiet { watch.feed(value) }
        #expect(watch.activations == 0)
        for value in loud { watch.feed(value) }
        #expect(watch.activations == 1)
    }

    @Test func limitsFollowTheTimetable() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 1_500, byState: [.lesson: 1_000])))
        watch.feed(1_200, after: 30)
        #expect(watch.activations == 1, "a lesson until 08:35")
        for _ in 0..<35 { watch.feed(1_200) }
        #expect(watch.engine.timetable == .pause)
        #expect(!watch.engine.memory(0).isActive)
        for _ in 0..<20 { watch.feed(1_200) }
        #expect(watch.activations == 2)
    }

    @Test func aRuleCountsInItsStatesOnly() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30)), states: [.pause])
        for _ in 0..<34 { watch.feed(31) }
        #expect(watch.activations == 0)
        for _ in 0..<4 { watch.feed(31) }
        #expect(watch.activations == 1)
        for _ in 0..<20 { watch.feed(31) }
        #expect(!watch.engine.memory(0).isActive, "the lesson has begun")
    }

    @Test func silenceNeitherRaisesNorClears() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30))) { $0.onDelay = 600_000 }
        watch.feed(31)
        watch.wait(3_600)
        #expect(watch.activations == 0, "silent since the first value")
        for _ in 0..<11 { watch.feed(31) }
        #expect(watch.activations == 1)
        watch.wait(86_400)
        #expect(watch.engine.memory(0).isActive)
        watch.feed(0, quality: .bad(.communication))
        #expect(watch.engine.memory(0).isActive)
    }

    @Test func aRateNeedsHalfOfItsWindow() {
        var watch = Watch(.rate(Watch.input(), Limits(.above, 6), window: 600_000, per: 3_600_000))
        for step in 0..<5 { watch.feed(20 + Double(step) * 0.2) }
        #expect(watch.activations == 0, "4 minutes are known")
        watch.feed(21)
        #expect(watch.activations == 1, "12 degrees an hour")
        for _ in 0..<12 { watch.feed(21) }
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func aSlowRateIsNone() {
        var watch = Watch(.rate(Watch.input(), Limits(.above, 6), window: 600_000, per: 3_600_000))
        for step in 0..<600 { watch.feed(20 + Double(step) * 0.09) }
        #expect(watch.activations == 0)
    }

    @Test func aStuckSignalStandsWhileItsPartnerMoves() {
        let condition = AlertCondition.stuck(
            Watch.input(),
            span: 3_600_000,
            tolerance: 0.05,
            partner: Watch.input(1),
            partnerTolerance: 0.5
        )
        var watch = Watch(condition, signals: 2)
        for _ in 0..<70 {
            watch.feed(21, after: 30)
            watch.feed(50, after: 30, signal: 1)
        }
        #expect(watch.activations == 0, "its partner stands, too")
        for step in 0..<10 {
            watch.feed(21.02, after: 30)
            watch.feed(50 + Double(step), after: 30, signal: 1)
        }
        #expect(watch.activations == 1)
        watch.feed(21.2)
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func aStuckSignalIsFoundWithoutAPartner() {
        let condition = AlertCondition.stuck(
            Watch.input(),
            span: 600_000,
            tolerance: 0,
            partner: nil,
            partnerTolerance: 0
        )
        var watch = Watch(condition)
        for _ in 0..<10 { watch.feed(5) }
        #expect(watch.activations == 0)
        watch.feed(5)
        #expect(watch.activations == 1)
    }

    @Test func missingIsWhenNothingComesFromAnyOfThem() {
        var watch = Watch(.missing([Watch.input(), Watch.input(1)], span: 300_000), signals: 2)
        for _ in 0..<10 { watch.feed(1, signal: 1) }
        #expect(watch.activations == 0)
        watch.wait(299)
        #expect(watch.activations == 0)
        watch.wait(2)
        #expect(watch.activations == 1)
        watch.feed(0, quality: .bad(.communication))
        #expect(watch.engine.memory(0).isActive, "what is bad is not heard")
        watch.feed(1)
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func missingFromTheBeginningIsFound() {
        var watch = Watch(.missing([Watch.input()], span: 300_000))
        watch.wait(301)
        #expect(watch.activations == 1)
    }

    @Test func qualityTellsItsReasons() {
        var watch = Watch(.quality(Watch.input(), reasons: [.range, .sentinel], uncertainToo: false))
        watch.feed(0, quality: .bad(.communication))
        watch.feed(1, quality: .uncertain(.range))
        #expect(watch.activations == 0)
        watch.feed(0, quality: .bad(.range))
        #expect(watch.activations == 1)
        watch.feed(20)
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test(arguments: [
        (AlertCondition.Aggregate.mean, 21.0), (.minimum, 18), (.maximum, 24), (.sum, 63), (.spread, 6), (.count, 3),
    ])
    func aggregates(aggregate: AlertCondition.Aggregate, expected: Double) {
        let inputs = (0..<3).map { Watch.input($0) }
        var watch = Watch(.aggregate(inputs, aggregate, Limits(.above, expected - 0.01), quorum: 3), signals: 3)
        watch.feed(18, after: 1)
        watch.feed(21, after: 1, signal: 1)
        #expect(watch.activations == 0, "two of three are no quorum")
        watch.feed(24, after: 1, signal: 2)
        #expect(watch.activations == 1)
        #expect(watch.transitions.first?.value == expected)
    }

    @Test func silentSignalsAreLeftOutAndTheQuorumHolds() {
        let inputs = (0..<2).map { Watch.input($0) }
        var watch = Watch(.aggregate(inputs, .mean, Limits(.above, 30), quorum: 2), signals: 2)
        watch.feed(40, after: 1)
        watch.feed(10, after: 1, signal: 1)
        for _ in 0..<5 { watch.feed(40) }
        #expect(watch.activations == 0, "the other one has been silent for 5 minutes")
    }

    @Test func theShareOfSilentSignals() {
        let inputs = (0..<4).map { Watch.input($0) }
        var watch = Watch(.aggregate(inputs, .silent, Limits(.above, 50), quorum: 1), signals: 4)
        for _ in 0..<4 {
            watch.feed(1, after: 30)
            watch.feed(1, after: 30, signal: 1)
        }
        #expect(watch.activations == 0, "2 of 4 are 50 %")
        for _ in 0..<4 { watch.feed(1) }
        #expect(watch.activations == 1)
    }

    @Test func manySignalsAreLookedAtOnceASecond() {
        let inputs = (0..<20).map { Watch.input($0) }
        var watch = Watch(.aggregate(inputs, .maximum, Limits(.above, 30), quorum: 1), signals: 20)
        watch.feed(40, after: 1, signal: 19)
        #expect(watch.activations == 0)
        watch.wait(1)
        #expect(watch.activations == 1)
    }

    @Test func airconOnInAnEmptyRoomAfterTheLesson() {
        let condition = AlertCondition.join([
            .init(inputs: [Watch.input()], .above, 200),
            .init(inputs: [Watch.input(1)], .equal, 0, held: 900_000),
        ])
        var watch = Watch(condition, signals: 2, states: [.pause, .empty])
        for _ in 0..<70 {
            watch.feed(900, after: 30)
            watch.feed(0, after: 30, signal: 1)
        }
        // 08:35 is the end of the lesson, and the room has been empty all the time.
        let raised = watch.transitions.first
        #expect(raised?.kind == .raised)
        #expect(raised?.timetable == .pause)
        #expect(raised?.tick == Watch.start.advanced(byMilliseconds: 35 * 60_000))
    }

    @Test func aJoinWithAPartNobodyKnowsStaysAsItIs() {
        let condition = AlertCondition.join([
            .init(inputs: [Watch.input()], .above, 10), .init(inputs: [Watch.input(1)], .equal, 0),
        ])
        var watch = Watch(condition, signals: 2)
        watch.feed(20)
        #expect(watch.activations == 0)
        watch.feed(0, signal: 1)
        #expect(watch.activations == 1)
        for _ in 0..<9 { watch.feed(20) }
        #expect(watch.engine.memory(0).isActive)
        watch.feed(5)
        #expect(!watch.engine.memory(0).isActive, "a part that does not hold decides")
    }

    @Test func everyAndAnyOfSeveral() {
        let every = AlertCondition.join([.init(inputs: [Watch.input(), Watch.input(1)], isEvery: true, .equal, 1)])
        let any = AlertCondition.join([.init(inputs: [Watch.input(), Watch.input(1)], .equal, 1)])
        for (condition, expected) in [(every, 0), (any, 1)] {
            var watch = Watch(condition, signals: 2)
            watch.feed(1)
            watch.feed(0, signal: 1)
            #expect(watch.activations == expected)
        }
    }

    @Test func aCounterCountsWithinItsWindowAndSurvivesAReset() {
        var watch = Watch(.counter(Watch.input(), Limits(.above, 10), window: 3_600_000))
        for step in 0..<8 { watch.feed(500 + Double(step)) }
        watch.feed(2)
        #expect(watch.activations == 0, "7, and 2 after the reset")
        watch.feed(4)
        #expect(watch.activations == 1)
        #expect(watch.transitions.first?.value == 11)
    }

    @Test func aCounterForgets() {
        var watch = Watch(.counter(Watch.input(), Limits(.above, 5), window: 1_800_000))
        for step in 0..<7 { watch.feed(Double(step)) }
        #expect(watch.activations == 1)
        for _ in 0..<40 { watch.feed(6) }
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func runHoursCountUntilSomebodyRestartsThem() throws {
        var watch = Watch(.runHours(Watch.input(), Limits(.above, 2)))
        for _ in 0..<60 { watch.feed(1) }
        for _ in 0..<60 { watch.feed(0) }
        for _ in 0..<60 { watch.feed(1) }
        #expect(watch.activations == 0)
        for _ in 0..<4 { watch.feed(1) }
        #expect(watch.activations == 1)
        try watch.perform(.restart(note: "đã thay lọc"))
        #expect(!watch.engine.memory(0).isActive)
    }

    @Test func degreeMinutesAboveALimit() {
        var watch = Watch(.excess(Watch.input(), over: 8, isBelow: false, Limits(.above, 60))) {
            $0.offDelay = 600_000
        }
        for _ in 0..<30 { watch.feed(10) }
        #expect(watch.activations == 0, "58 degree-minutes")
        for _ in 0..<3 { watch.feed(10) }
        #expect(watch.activations == 1)
    }

    @Test func aDoorThatIsOpenedBrieflyIsForgotten() {
        var watch = Watch(.excess(Watch.input(), over: 8, isBelow: false, Limits(.above, 60))) {
            $0.offDelay = 600_000
        }
        for _ in 0..<10 {
            for _ in 0..<10 { watch.feed(10) }
            for _ in 0..<15 { watch.feed(5) }
        }
        #expect(watch.activations == 0)
    }

    @Test func unitsAreConverted() throws {
        let conversion = try #require(UnitConversion(from: "[degF]", to: "Cel"))
        var watch = Watch(.threshold(RuleInput(signal: 0, conversion: conversion), Limits(.above, 30)))
        watch.feed(85)
        #expect(watch.activations == 0)
        watch.feed(87)
        #expect(watch.activations == 1)
        #expect(abs((watch.transitions.first?.value ?? 0) - 30.56) < 0.01)
    }

    @Test func whatIsOlderThanTheNewestIsHistory() {
        var watch = Watch(.threshold(Watch.input(), Limits(.above, 30)))
        watch.feed(20)
        watch.engine.accept([(0, Sample(tick: Watch.start, value: 99))], now: watch.now)
        #expect(watch.state == .normal)
        #expect(watch.engine.counters.late == 1)
    }
}
