import Acquisition
import DeviceProfile
import Testing

struct PollScheduleTests {
    private let second: UInt64 = 1_000_000_000

    @Test func dueTimesStayOnTheirGridHoweverLateAPollIs() throws {
        var schedule = PollSchedule()
        schedule.add(device: 0, poll: .fast, periodNanoseconds: self.second, phase: 0, now: 0)
        for count in 0..<1_000 {
            let due = try #require(schedule.nextDueNanoseconds)
            #expect(due == UInt64(count) * self.second)
            #expect(schedule.takeDue(now: due + UInt64(count % 7) * 100_000_000)?.device == 0)
        }
        #expect(schedule.skippedPeriods == 0)
    }

    @Test func missedPeriodsAreSkippedAndCounted() throws {
        var schedule = PollSchedule()
        schedule.add(device: 3, poll: .normal, periodNanoseconds: self.second, phase: 0, now: 0)
        #expect(schedule.takeDue(now: 3_400_000_000)?.device == 3)
        #expect(schedule.skippedPeriods == 3)
        #expect(schedule.nextDueNanoseconds == 4 * self.second)
        #expect(schedule.takeDue(now: 3_500_000_000) == nil)
    }

    @Test func whatDidNotAnswerIsAskedAgainSoon() throws {
        var schedule = PollSchedule()
        schedule.add(device: 0, poll: .once, periodNanoseconds: 3_600 * self.second, phase: 0, now: 0)
        schedule.add(device: 0, poll: .fast, periodNanoseconds: self.second, phase: 0.5, now: 0)
        let first = schedule.takeDue(now: 0)
        let once = try #require(first)
        #expect(once.poll == .once)
        schedule.retry(once, now: self.second)
        let second = schedule.takeDue(now: self.second)
        let fast = try #require(second)
        schedule.retry(fast, now: self.second)
        #expect(schedule.entries.map(\.dueNanoseconds) == [11 * self.second, self.second * 3 / 2])
        _ = schedule.takeDue(now: self.second * 3 / 2)
        // Answered now: an hour until the next time.
        #expect(schedule.takeDue(now: 12 * self.second)?.poll == .fast)
        _ = schedule.takeDue(now: 12 * self.second)
        #expect(schedule.entries[0].dueNanoseconds == 3_611 * self.second)
    }

    @Test func phasesSpreadTheDevicesOverThePeriod() {
        var schedule = PollSchedule()
        for device in 0..<10 {
            schedule.add(
                device: device,
                poll: .fast,
                periodNanoseconds: self.second,
                phase: Double(device) / 10,
                now: 5
            )
        }
        #expect(Set(schedule.entries.map(\.dueNanoseconds)).count == 10)
        #expect(schedule.entries.allSatisfy { $0.dueNanoseconds < self.second + 5 })
    }

    @Test func theEntryThatWaitedLongestComesFirst() {
        var schedule = PollSchedule()
        schedule.add(device: 0, poll: .slow, periodNanoseconds: 60 * self.second, phase: 0.5, now: 0)
        schedule.add(device: 1, poll: .fast, periodNanoseconds: self.second, phase: 0.25, now: 0)
        #expect(schedule.takeDue(now: 10 * self.second)?.device == 1)
        #expect(schedule.takeDue(now: 10 * self.second)?.device == 0)
    }
}
