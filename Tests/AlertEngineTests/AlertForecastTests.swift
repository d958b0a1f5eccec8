import CampusModel
import Testing

@testable import AlertEngine

/// What will be, and what is strange.
struct AlertForecastTests {
    private static let step = 300.0

    @Test func aRiseIsSeenBeforeTheLimit() {
        let condition = AlertCondition.forecast(
            Watch.input(),
            Limits(.above, 8),
            step: 300_000,
            season: 0,
            horizon: 6
        )
        var watch = Watch(condition, staleAfter: 900_000)
        var noise = Noise(seed: 1)
        for _ in 0..<40 { watch.feed(5 + noise.next() * 0.05, after: Self.step) }
        #expect(watch.activations == 0)
        var value = 5.0
        var raisedAt: Double?
        while value < 8 {
            value += 0.1
            watch.feed(value + noise.next() * 0.05, after: Self.step)
            if watch.activations > 0, raisedAt == nil { raisedAt = value }
        }
        let seen = raisedAt ?? 99
        #expect(seen > 7.0 && seen < 7.9, "seen at \(seen): not at once, and before the limit")
    }

    @Test func aDailyWaveThatStaysBelowTheLimitIsNoAlert() {
        let condition = AlertCondition.forecast(
            Watch.input(),
            Limits(.above, 32),
            step: 300_000,
            season: 288,
            horizon: 6
        )
        var watch = Watch(condition, staleAfter: 900_000)
        var noise = Noise(seed: 2)
        for step in 0..<(288 * 6) {
            watch.feed(27 + 4 * Sine.value(Double(step) / 288) + noise.next() * 0.2, after: Self.step)
        }
        #expect(watch.activations == 0)
    }

    @Test func aForecastCancelsItself() {
        let condition = AlertCondition.forecast(
            Watch.input(),
            Limits(.above, 8),
            step: 300_000,
            season: 0,
            horizon: 6
        )
        var watch = Watch(condition, staleAfter: 900_000)
        for step in 0..<43 { watch.feed(5 + min(Double(max(step - 12, 0)) * 0.1, 2.95), after: Self.step) }
        #expect(watch.activations == 1)
        for _ in 0..<60 { watch.feed(7.0, after: Self.step) }
        #expect(!watch.engine.memory(0).isActive)
        #expect(watch.activations == 1)
    }

    @Test func aStrangeValueIsFoundAndUsualOnesAreNot() {
        var watch = Watch(.anomaly(Watch.input(), Limits(.above, 7))) { $0.priority = .low }
        var noise = Noise(seed: 3)
        for step in 0..<3_000 { watch.feed(20 + 3 * Sine.value(Double(step) / 288) + noise.next(), after: 300) }
        let usual = watch.activations
        #expect(usual <= 4, "\(usual) in ten days")
        watch.transitions = []
        watch.feed(45, after: 300)
        #expect(watch.activations == 1)
    }

    @Test func strangenessIsToldOnceInTwoHundredSamples() {
        var watch = Watch(.anomaly(Watch.input(), Limits(.above, 7)))
        var noise = Noise(seed: 4)
        for _ in 0..<2_000 { watch.feed(20 + noise.next(), after: 60) }
        watch.transitions = []
        for _ in 0..<50 {
            watch.feed(60, after: 60)
            watch.feed(20, after: 60)
        }
        #expect(watch.activations <= 2)
    }

    @Test func aSeriesTakesLittleMemory() {
        #expect(Rarity.size * MemoryLayout<Double>.size <= 4_096)
        #expect(HoltWinters.size(season: 288) * MemoryLayout<Double>.size <= 4_096)
    }

    @Test func logarithmsAreRight() {
        for (value, expected) in [(1.0, 0.0), (2, 1), (8, 3), (0.5, -1), (3, 1.584_962_5), (1_000, 9.965_784_28)] {
            #expect(abs(Logarithm.base2(value) - expected) < 0.000_1)
        }
    }
}
