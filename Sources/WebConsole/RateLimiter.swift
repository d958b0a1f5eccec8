internal import Synchronization

/// Token buckets by key in bounded memory: a key may act `burst` times at once, then once every `refill`.
///
/// Keys live in two generations of at most half the capacity; a key used again moves to the young one, and when that is
/// full the old one is forgotten: the least recently used go first, in constant time.
package final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var updated: ContinuousClock.Instant
    }

    private struct State {
        var young: [String: Bucket] = [:]
        var old: [String: Bucket] = [:]
        var refused: UInt64 = 0
    }

    private let burst: Double
    private let refillSeconds: Double
    private let capacity: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// Makes a limiter for at most `capacity` keys.
    package init(
        burst: Int,
        refill: Duration,
        capacity: Int = 4096,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.burst = Double(max(1, burst))
        self.refillSeconds = max(0.001, refill / .seconds(1))
        self.capacity = max(2, capacity)
        self.now = now
    }

    /// Takes one token of `key`; nil when there was one, else the seconds to wait, at least 1.
    package func secondsToWait(_ key: String) -> Int? {
        let now = self.now()
        return self.state.withLock { state in
            var bucket = state.young[key] ?? state.old[key] ?? Bucket(tokens: self.burst, updated: now)
            let passed = max(0, bucket.updated.duration(to: now) / .seconds(1))
            bucket.tokens = min(self.burst, bucket.tokens + passed / self.refillSeconds)
            bucket.updated = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 } else { state.refused += 1 }
            if state.young[key] == nil, state.young.count >= self.capacity / 2 {
                state.old = state.young
                state.young = [:]
            }
            state.young[key] = bucket
            state.old[key] = nil
            if isAllowed { return nil }
            let seconds = ((1 - bucket.tokens) * self.refillSeconds).rounded(.up)
            return max(1, Int(exactly: seconds) ?? 1)
        }
    }

    /// How many keys are remembered, and how often one was refused.
    package var counts: (keys: Int, refused: UInt64) {
        self.state.withLock { ($0.young.count + $0.old.count, $0.refused) }
    }
}
