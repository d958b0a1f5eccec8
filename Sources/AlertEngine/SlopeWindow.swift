/// The straight line through the last values of a signal, from sixteen that represent them.
///
/// In memory: count, then pairs of instant (milliseconds after the first) and value, oldest first; the last is the
/// instant that the others are told from.
enum SlopeWindow {
    static let slots = 16
    static let size = 2 + 2 * slots

    /// Adds a value.
    ///
    /// - Returns: The slope, units per millisecond; `nil` while less than half of the window is known.
    static func add(
        _ memory: inout [Double],
        _ start: Int,
        _ value: Double,
        _ tick: Int64,
        window: Int64
    ) -> Double? {
        var count = Int(memory[start])
        if count == 0 { memory[start + 1] = Double(tick) }
        let origin = memory[start + 1]
        let time = Double(tick) - origin
        let first = start + 2
        let spacing = Double(window) / Double(self.slots - 1)
        // The newest slot follows the value until the next slot begins.
        let begun = count < 2 ? -Double.infinity : memory[first + 2 * (count - 2)]
        if count >= 2, time - begun < spacing { count -= 1 }
        var drop = 0
        while drop < count, time - memory[first + 2 * drop] > Double(window) { drop += 1 }
        if count - drop == self.slots { drop += 1 }
        if drop > 0 {
            for index in drop..<max(count, drop) {
                memory[first + 2 * (index - drop)] = memory[first + 2 * index]
                memory[first + 2 * (index - drop) + 1] = memory[first + 2 * index + 1]
            }
            count -= drop
        }
        memory[first + 2 * count] = time
        memory[first + 2 * count + 1] = value
        count += 1
        memory[start] = Double(count)
        guard count >= 2, time - memory[first] >= Double(window) / 2 else { return nil }
        return self.slope(memory, first, count)
    }

    private static func slope(_ memory: [Double], _ first: Int, _ count: Int) -> Double {
        var meanTime = 0.0
        var meanValue = 0.0
        for index in 0..<count {
            meanTime += memory[first + 2 * index]
            meanValue += memory[first + 2 * index + 1]
        }
        meanTime /= Double(count)
        meanValue /= Double(count)
        var above = 0.0
        var below = 0.0
        for index in 0..<count {
            let time = memory[first + 2 * index] - meanTime
            above += time * (memory[first + 2 * index + 1] - meanValue)
            below += time * time
        }
        return below > 0 ? above / below : 0
    }
}

/// Since when a signal has not changed, and what its partner was then.
enum StuckMemory {
    static let size = 4

    /// Notes a value; whether it differs from the one that is kept.
    static func changed(
        _ memory: inout [Double],
        _ start: Int,
        _ value: Double,
        _ partner: Double,
        _ tick: Int64,
        tolerance: Double
    ) -> Bool {
        guard memory[start] == 0 || abs(value - memory[start + 1]) > tolerance else { return false }
        memory[start] = 1
        memory[start + 1] = value
        memory[start + 2] = Double(tick)
        memory[start + 3] = partner
        return true
    }

    static func since(_ memory: [Double], _ start: Int) -> Int64 { Int64(exactly: memory[start + 2]) ?? 0 }

    static func partnerMoved(_ memory: [Double], _ start: Int, _ partner: Double, tolerance: Double) -> Bool {
        abs(partner - memory[start + 3]) > tolerance
    }
}

/// The increase of a counter within a window, in 24 parts.
enum CounterWindow {
    static let buckets = 24
    static let size = 3 + buckets

    /// Adds a reading.
    ///
    /// - Returns: The increase within the window.
    static func add(
        _ memory: inout [Double],
        _ start: Int,
        _ value: Double,
        _ tick: Int64,
        width: Int64,
        counts: Bool
    ) -> Double {
        _ = self.roll(&memory, start, tick, width: width)
        let last = memory[start]
        memory[start] = value
        guard !last.isNaN, counts else { return memory[start + 2] }
        // A counter that is lower than before began anew.
        let increase = value >= last ? value - last : max(value, 0)
        let bucket = start + 3 + Int(truncatingIfNeeded: tick / width % Int64(self.buckets))
        memory[bucket] += increase
        memory[start + 2] += increase
        return memory[start + 2]
    }

    /// Forgets what is older than the window.
    static func roll(_ memory: inout [Double], _ start: Int, _ tick: Int64, width: Int64) -> Double {
        let present = tick / width
        let newest = Int64(exactly: memory[start + 1]) ?? present
        if memory[start + 1] == 0 || present - newest >= Int64(self.buckets) {
            for index in 0..<self.buckets { memory[start + 3 + index] = 0 }
            memory[start + 2] = 0
        } else if present > newest {
            for past in (newest + 1)...present {
                let bucket = start + 3 + Int(truncatingIfNeeded: past % Int64(self.buckets))
                memory[bucket] = 0
            }
            var sum = 0.0
            for index in 0..<self.buckets { sum += memory[start + 3 + index] }
            memory[start + 2] = sum
        }
        memory[start + 1] = Double(max(present, newest))
        return memory[start + 2]
    }
}

/// A sum over time: the total in rate × milliseconds, the instant it is true at, the rate since, and since when it has
/// been 0.
enum Integral {
    static let size = 4

    /// Adds what the last rate made until `tick`, for `longest` milliseconds at most, and goes on with `rate`.
    static func advance(
        _ memory: inout [Double],
        _ start: Int,
        to tick: Int64,
        rate: Double,
        longest: Int64
    ) {
        let last = memory[start + 1]
        if last > 0 {
            memory[start] += memory[start + 2] * min(max(Double(tick) - last, 0), Double(longest))
        }
        memory[start + 1] = Double(tick)
        memory[start + 2] = rate
    }

    /// Nothing is known until the next value.
    static func pause(_ memory: inout [Double], _ start: Int) {
        memory[start + 1] = 0
        memory[start + 2] = 0
    }

    /// Begins anew when it was within the limit for long enough.
    static func forget(_ memory: inout [Double], _ start: Int, at tick: Int64, within: Bool, after: Int64) {
        if !within {
            memory[start + 3] = 0
        } else if memory[start + 3] == 0 {
            memory[start + 3] = Double(tick)
        } else if Double(tick) - memory[start + 3] >= Double(after) {
            memory[start] = 0
        }
    }
}
