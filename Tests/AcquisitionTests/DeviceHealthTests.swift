import Acquisition
import CampusModel
import DeviceProfile
import Testing

struct DeviceHealthTests {
    private func tick(_ seconds: Int64) -> Tick { Tick(milliseconds: seconds * 1_000) }

    @Test func aNewDeviceWaitsUntilItIsHeard() {
        var health = DeviceHealth(since: self.tick(0))
        #expect(health.state == .waiting)
        health.heard(at: self.tick(5))
        #expect(health.state == .online)
        #expect(health.since == self.tick(5))
        #expect(health.lastSeen == self.tick(5))
    }

    private func fail(
        _ health: inout DeviceHealth,
        _ part: DeviceHealth.Part = .points(.fast),
        _ reason: DeviceHealth.Reason = .timeout,
        missedMax: Int64 = 3,
        at seconds: Int64
    ) -> DeviceHealth.Consequence {
        health.failed(part, reason, missedMax: missedMax, at: self.tick(seconds))
    }

    @Test func oneFailureIsLateAndThreeAreOffline() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard(at: self.tick(1))
        #expect(self.fail(&health, at: 2) == .none)
        #expect(health.state == .late)
        #expect(self.fail(&health, at: 3) == .none)
        #expect(self.fail(&health, at: 4) == .wentOffline)
        #expect(health.state == .offline)
        #expect(self.fail(&health, at: 5) == .none, "it goes offline once")
        #expect(health.since == self.tick(4))
        health.heard([.points(.fast)], at: self.tick(6))
        #expect(health.state == .online)
        #expect(self.fail(&health, at: 7) == .none)
        #expect(health.state == .late, "the count of failures starts anew")
    }

    @Test(arguments: [2, 3, 7] as [Int64]) func patienceIsWhatTheConfigurationSays(missedMax: Int64) {
        var health = DeviceHealth(since: self.tick(0))
        health.heard([.points(.fast)], at: self.tick(1))
        for second in 1..<missedMax { #expect(self.fail(&health, missedMax: missedMax, at: second) == .none) }
        #expect(self.fail(&health, missedMax: missedMax, at: missedMax) == .wentOffline)
    }

    @Test func aPartThatFailsBesideOneThatAnswersIsMissingOnceAndTheDeviceStaysLate() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard([.points(.fast), .points(.slow)], at: self.tick(1))
        var consequences: [DeviceHealth.Consequence] = []
        var states: Set<DeviceHealth.State> = []
        for minute in Int64(1)...10 {
            consequences.append(self.fail(&health, .points(.slow), at: minute * 60))
            states.insert(health.state)
            for second in Int64(1)...59 {
                health.heard([.points(.fast)], at: self.tick(minute * 60 + second))
                states.insert(health.state)
            }
        }
        #expect(consequences == [.none, .none, .partIsMissing] + Array(repeating: .none, count: 7))
        #expect(states == [.late], "it does not flap")
        #expect(health.reason == .timeout)
        #expect(health.since == self.tick(60))
        health.heard([.points(.slow)], at: self.tick(700))
        #expect(health.state == .online)
    }

    @Test func aPartThatIsMissingAlreadyDoesNotTakeTheRestOffline() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard([.points(.fast), .points(.slow)], at: self.tick(1))
        #expect((2...4).map { self.fail(&health, at: $0) } == [.none, .none, .wentOffline])
        // The slow class answers, the fast one does not: they are different parts, and this one is known to be missing.
        health.heard([.points(.slow)], at: self.tick(60))
        for second in Int64(61)...119 { #expect(self.fail(&health, at: second) == .none) }
        #expect(health.state == .late)
        #expect((120...122).map { self.fail(&health, .points(.slow), at: $0) } == [.none, .none, .wentOffline])
    }

    @Test func aDeviceThatNeverAnsweredGoesOfflineToo() {
        var health = DeviceHealth(since: self.tick(0))
        #expect(self.fail(&health, .points(.fast), .notConnected, at: 1) == .none)
        #expect(health.state == .waiting)
        #expect(health.reason == .notConnected)
        #expect(self.fail(&health, .points(.slow), .notConnected, at: 2) == .none)
        #expect(self.fail(&health, .points(.fast), .notConnected, at: 3) == .wentOffline)
        #expect(health.state == .offline)
    }

    @Test func aSilentPublisherIsLateAfterOneAndAHalfPeriodsAndOfflineAfterThree() {
        var health = DeviceHealth(since: self.tick(0))
        #expect(health.waited(until: self.tick(1_000), periodMilliseconds: 10_000, missedMax: 3) == false)
        #expect(health.state == .waiting)
        health.heard(at: self.tick(1_000))
        #expect(health.waited(until: self.tick(1_015), periodMilliseconds: 10_000, missedMax: 3) == false)
        #expect(health.state == .online)
        #expect(health.waited(until: self.tick(1_016), periodMilliseconds: 10_000, missedMax: 3) == false)
        #expect(health.state == .late)
        #expect(health.waited(until: self.tick(1_030), periodMilliseconds: 10_000, missedMax: 3) == false)
        #expect(health.waited(until: self.tick(1_031), periodMilliseconds: 10_000, missedMax: 3) == true)
        #expect(health.state == .offline)
        #expect(health.reason == .silent)
    }

    @Test func brokenPayloadsQuarantineUntilAGoodOneComes() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard(at: self.tick(1))
        #expect(health.violated(at: self.tick(2)) == false)
        #expect(health.violated(at: self.tick(3)) == false)
        #expect(health.violated(at: self.tick(4)) == true)
        #expect(health.state == .quarantined)
        #expect(self.fail(&health, at: 5) == .none)
        #expect(health.state == .quarantined)
        health.heard([.points(.fast)], at: self.tick(6))
        #expect(health.state == .online)
    }

    @Test func theLastWillIsBelievedAtOnce() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard(at: self.tick(1))
        #expect(health.saidGoodbye(at: self.tick(2)) == true)
        #expect(health.state == .offline)
        #expect(health.reason == .lastWill)
        #expect(health.saidGoodbye(at: self.tick(3)) == false)
        #expect(health.since == self.tick(2))
    }
}
