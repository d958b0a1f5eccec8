internal import CampusModel

/// How failed logins slow down further ones: never a permanent lock, and a restart forgets nothing.
package struct LoginLimits: Sendable, Hashable {
    /// Failures of one account before it is locked.
    package var userFailuresMax = 5
    /// Failures from one source address before it is locked.
    package var sourceFailuresMax = 20
    /// The first lock; doubles with every further failure.
    package var lockMilliseconds: Int64 = 60_000
    /// The longest lock.
    package var lockMillisecondsMax: Int64 = 900_000
    /// Failures are forgotten this long after the last one.
    package var forgetMilliseconds: Int64 = 86_400_000
    /// Accounts and sources that are remembered; the oldest go first.
    package var entriesMax = 10_000

    package init() {}
}

/// The failures of one account or one source.
struct LoginFailures: Sendable, Hashable {
    var count: Int
    var last: Tick
    var lockedUntil: Tick?

    /// The milliseconds that remain of a lock; `nil` when there is none.
    ///
    /// Never more than the longest lock, even after a board without a clock started in the past.
    func remainingMilliseconds(at now: Tick, limits: LoginLimits) -> Int64? {
        guard let lockedUntil, lockedUntil > now else { return nil }
        return min(lockedUntil.rawValue - now.rawValue, limits.lockMillisecondsMax)
    }

    /// These failures and one more.
    func adding(at now: Tick, failuresMax: Int, limits: LoginLimits) -> LoginFailures {
        let isForgotten = now > self.last.advanced(byMilliseconds: limits.forgetMilliseconds)
        let count = isForgotten ? 1 : min(self.count, 1_000_000) + 1
        guard count >= failuresMax else { return LoginFailures(count: count, last: now, lockedUntil: nil) }
        let doublings = min(count - failuresMax, 20)
        let length = min(limits.lockMilliseconds << Int64(doublings), limits.lockMillisecondsMax)
        return LoginFailures(count: count, last: now, lockedUntil: now.advanced(byMilliseconds: length))
    }
}
