import Acquisition
import CampusModel
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

    @Test func oneFailureIsLateAndThreeAreOffline() {
        var health = DeviceHealth(since: self.tick(0))
        health.heard(at: self.tick(1))
        #expect(health.failed(.timeout, at: self.tick(2)) == false)
        #expect(health.state == .late)
        #expect(health.failed(.timeout, at: self.tick(3)) == false)
        #expect(health.failed(.timeout, at: self.tick(4)) == true)
        #expect(health.state == .offline)
        #expect(health.failed(.timeout, at: self.tick(5)) == false, "it goes offline once")
        #expect(health.since == self.tick(4))
        health.heard(at: self.tick(6))
        #expect(health.state == .online)
        #expect(health.failed(.timeout, at: self.tick(7)) == false)
        #expect(health.state == .late, "the count of failures starts anew")
    }

    @Test func aDeviceThatNeverAnsweredGoesOfflineToo() {
        var health = DeviceHealth(since: self.tick(0))
        #expect(health.failed(.notConnected, at: self.tick(1)) == false)
        #expect(health.state == .waiting)
        #expect(health.reason == .notConnected)
        #expect(health.failed(.notConnected, at: self.tick(2)) == false)
        #expect(health.failed(.notConnected, at: self.tick(3)) == true)
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
        #expect(health.failed(.timeout, at: self.tick(5)) == false)
        #expect(health.state == .quarantined)
        health.heard(at: self.tick(6))
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
