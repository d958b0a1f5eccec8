import CampusModel
import Testing

@testable import TimeSeriesRing

struct ClockTests {
    private let hour: Int64 = 3_600_000

    @Test func ticksAndUTCAgreeInBothDirections() {
        var map = ClockMap()
        #expect(map.isIdentity && map.utc(Tick(rawValue: 5)) == Tick(rawValue: 5))
        map.set(.init(from: 1_000, offset: 100, source: .boot))
        map.set(.init(from: 5_000, offset: 10_000, source: .synchronized))
        for tick in [0, 999, 1_000, 4_999, 5_000, 9_000].map({ Tick(rawValue: $0) }) {
            #expect(map.tick(map.utc(tick)) == tick)
        }
        // UTC that no tick has is the next one that has.
        #expect(map.tick(Tick(rawValue: 9_000)) == Tick(rawValue: 5_000))
        map.set(.init(from: 3_000, offset: 7, source: .manual))
        #expect(map.rows.map(\.from) == [1_000, 3_000], "what was said from later on is no longer true")
    }

    @Test func moreBootsThanRowsForgetTheOldest() {
        var map = ClockMap()
        for boot in 0..<500 { map.set(.init(from: Int64(boot) * 1_000, offset: Int64(boot), source: .step)) }
        #expect(map.rows.count == ClockMap.rowsMax)
        #expect(map.utc(Tick(rawValue: 499_000)).rawValue == 499_499)
    }

    @Test(arguments: [false, true])
    func aClockThatIsSetIsNoticed(wasSynchronized: Bool) {
        let state = ManualClock(utc: 10 * self.hour, isSynchronized: wasSynchronized)
        let watch = ClockWatch(
            started: Tick(rawValue: 10 * self.hour),
            utcMilliseconds: { state.utc },
            isSynchronized: { state.isSynchronized }
        )
        var map = ClockMap()
        let now = Tick(rawValue: 11 * self.hour)
        state.utc = now.rawValue + 200
        #expect(watch.look(now: now, map: map) == nil, "a clock that is slewed")
        state.utc = now.rawValue + 5 * self.hour
        state.isSynchronized = true
        let row = watch.look(now: now, map: map)
        // Until now it was wrong all the time, or right until somebody set it.
        let from = wasSynchronized ? now.rawValue : 10 * self.hour
        #expect(row == .init(from: from, offset: 5 * self.hour, source: .synchronized))
        if let row { map.set(row) }
        #expect(watch.look(now: now, map: map) == nil, "once is enough")
    }
}

/// A system clock that a test sets.
private final class ManualClock: @unchecked Sendable {
    // @unchecked: a test asks it on one thread.
    var utc: Int64
    var isSynchronized: Bool

    init(utc: Int64, isSynchronized: Bool) {
        self.utc = utc
        self.isSynchronized = isSynchronized
    }
}
