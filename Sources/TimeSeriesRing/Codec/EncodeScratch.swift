/// Memory that encoding needs for itself; one for each lock that encoding happens under.
final class EncodeScratch: @unchecked Sendable {
    // @unchecked: used by whoever holds the lock that it belongs to.
    let capacity: Int
    let values: UnsafeMutablePointer<Double>
    let integers: UnsafeMutablePointer<Int64>
    let moreIntegers: UnsafeMutablePointer<Int64>
    let numbers: UnsafeMutablePointer<UInt64>

    init(capacity: Int) {
        self.capacity = capacity
        // Roll-ups look for one form for two rows.
        self.values = .allocate(capacity: capacity * 2)
        self.integers = .allocate(capacity: capacity * 2)
        self.moreIntegers = .allocate(capacity: capacity)
        self.numbers = .allocate(capacity: capacity * 2)
    }

    deinit {
        self.values.deallocate()
        self.integers.deallocate()
        self.moreIntegers.deallocate()
        self.numbers.deallocate()
    }
}
