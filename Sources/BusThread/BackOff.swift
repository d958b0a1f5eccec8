/// When something that failed may be tried again: a value state machine over nanoseconds.
package struct BackOff: Sendable, Hashable {
    package private(set) var failuresInRow = 0
    private var waitNanoseconds: UInt64 = 0
    private var untilNanoseconds: UInt64 = 0

    package init() {}

    /// Whether it is left alone at `now`.
    package func isWaiting(at now: UInt64) -> Bool { now < self.untilNanoseconds }

    /// It failed; from the `threshold`th time in a row on it is left alone, each time twice as long.
    package mutating func failed(at now: UInt64, threshold: Int, firstMilliseconds: Int, maximumMilliseconds: Int) {
        self.failuresInRow = min(self.failuresInRow + 1, 1_000_000)
        guard self.failuresInRow >= threshold else { return }
        let first = UInt64(max(firstMilliseconds, 0)) &* 1_000_000
        let maximum = UInt64(max(maximumMilliseconds, 0)) &* 1_000_000
        self.waitNanoseconds = min(self.waitNanoseconds == 0 ? first : self.waitNanoseconds &* 2, maximum)
        self.untilNanoseconds = now &+ self.waitNanoseconds
    }

    package mutating func succeeded() { self = BackOff() }
}
