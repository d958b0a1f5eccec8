import Synchronization
import Testing

@testable import WebConsole

@Suite struct RateLimiterTests {
    /// A clock that moves when told.
    final class ManualClock: Sendable {
        private let start = ContinuousClock.now
        private let offset = Mutex(Duration.zero)

        var now: ContinuousClock.Instant { self.start + self.offset.withLock { $0 } }

        func advance(_ duration: Duration) { self.offset.withLock { $0 += duration } }
    }

    @Test func burstThenOneEveryRefill() {
        let clock = ManualClock()
        let limiter = RateLimiter(burst: 2, refill: .seconds(6), now: { clock.now })
        #expect(limiter.secondsToWait("a") == nil)
        #expect(limiter.secondsToWait("a") == nil)
        #expect(limiter.secondsToWait("a") == 6)
        #expect(limiter.secondsToWait("b") == nil)
        clock.advance(.seconds(6))
        #expect(limiter.secondsToWait("a") == nil)
        #expect(limiter.secondsToWait("a") == 6)
        #expect(limiter.counts.refused == 2)
    }

    @Test func memoryStaysBoundedAndTheBusyKeyIsNotForgotten() {
        let clock = ManualClock()
        let limiter = RateLimiter(burst: 1, refill: .seconds(3600), capacity: 100, now: { clock.now })
        #expect(limiter.secondsToWait("attacker") == nil)
        for index in 0..<10_000 {
            _ = limiter.secondsToWait("address-\(index)")
            if index % 20 == 0 { #expect(limiter.secondsToWait("attacker") != nil) }
        }
        #expect(limiter.counts.keys <= 100)
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"), ("unknown", "unknown"),
    ])
    func addressesOfOneIPv6NetworkShareAKey(address: String, key: String) {
        #expect(Console.limiterKey(address) == key)
    }
}
