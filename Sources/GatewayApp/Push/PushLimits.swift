internal import Synchronization

/// How often one address may ask: a bucket for each, refilled with time.
final class PushLimits: Sendable {
    private struct Bucket {
        var tokens: Double
        var nanoseconds: UInt64
    }

    /// Addresses that are remembered; more make all be forgotten.
    private static let addressesMax = 1_024

    private let perSecond: Double
    private let state = Mutex<[String: Bucket]>([:])

    init(perSecond: Int) { self.perSecond = Double(perSecond) }

    /// Whether another request of the address is taken; ten seconds' worth may come at once.
    func admits(_ address: String, at nanoseconds: UInt64) -> Bool {
        self.state.withLock { buckets in
            if buckets[address] == nil, buckets.count >= Self.addressesMax { buckets.removeAll() }
            let capacity = self.perSecond * 10
            var bucket = buckets[address] ?? Bucket(tokens: capacity, nanoseconds: nanoseconds)
            let passed = nanoseconds > bucket.nanoseconds ? Double(nanoseconds - bucket.nanoseconds) / 1e9 : 0
            bucket.tokens = min(capacity, bucket.tokens + passed * self.perSecond)
            bucket.nanoseconds = nanoseconds
            let isAdmitted = bucket.tokens >= 1
            if isAdmitted { bucket.tokens -= 1 }
            buckets[address] = bucket
            return isAdmitted
        }
    }
}

/// What was pushed since the start.
struct PushCounters: Sendable {
    var requests: UInt64 = 0
    /// Messages that were taken and committed.
    var messages: UInt64 = 0
    /// Answered with another status than 200, by it.
    var refused: [Int: UInt64] = [:]
    /// Bodies that were thrown away unread: pictures, templates.
    var dropped: UInt64 = 0
}
