/// When each of many things wants to be looked at: finding what is due costs one comparison for 128 that are not.
struct TimerBlocks: Sendable {
    private static let width = 128
    private var due: [Int64]
    private var earliest: [Int64]

    init(count: Int) {
        self.due = Array(repeating: .max, count: count)
        self.earliest = Array(repeating: .max, count: (count + Self.width - 1) / Self.width)
    }

    subscript(index: Int) -> Int64 { self.due[index] }

    /// Sets when `index` is due; `Int64.max` is never.
    mutating func set(_ index: Int, _ tick: Int64) {
        self.due[index] = tick
        let block = index / Self.width
        if tick < self.earliest[block] { self.earliest[block] = tick }
    }

    /// Removes and returns the earliest that is due at `tick`; the lower index of two.
    mutating func next(until tick: Int64) -> (index: Int, tick: Int64)? {
        var found = -1
        var best = Int64.max
        for block in self.earliest.indices where self.earliest[block] <= tick && self.earliest[block] < best {
            let earliest = self.refreshed(block)
            if earliest <= tick, earliest < best {
                best = earliest
                found = block
            }
        }
        guard found >= 0 else { return nil }
        let start = found * Self.width
        for index in start..<min(start + Self.width, self.due.count) where self.due[index] == best {
            self.due[index] = .max
            return (index, best)
        }
        return nil
    }

    /// The true earliest of a block, which may be later than what is noted.
    private mutating func refreshed(_ block: Int) -> Int64 {
        let start = block * Self.width
        var earliest = Int64.max
        for index in start..<min(start + Self.width, self.due.count) { earliest = min(earliest, self.due[index]) }
        self.earliest[block] = earliest
        return earliest
    }
}
