internal import CampusModel

/// How seldom a signal has such a value at such a time, in bits: histograms of four widths for lessons, for the rest of
/// the day and for the night, and how far the value jumps from its slow mean; told only when it is the most of its last
/// 200 samples.
///
/// In memory: samples seen, least and most of the first ones, slow mean and variance, place in the block, block; eight
/// maxima of 25 scores each; then for each of three times a total and the four histograms. 1,160 bytes; only what came
/// before is used.
enum Rarity {
    private static let learning = 200.0
    private static let blocks = 8
    private static let blockLength = 25.0
    private static let bins = [6, 9, 12, 15]
    private static let binsTotal = 42
    private static let maxima = 7
    private static let tables = maxima + blocks
    static let size = tables + 3 * (1 + binsTotal)

    /// Adds a value.
    ///
    /// - Returns: Its score; 0 while too little is known and where it is not the most for long.
    static func add(_ memory: inout [Double], _ start: Int, _ value: Double, _ state: TimetableState) -> Double {
        let seen = memory[start]
        memory[start] = seen + 1
        if seen < self.learning {
            memory[start + 1] = seen == 0 ? value : min(memory[start + 1], value)
            memory[start + 2] = seen == 0 ? value : max(memory[start + 2], value)
            _ = self.jump(&memory, start, value, isFirst: seen == 0)
            return 0
        }
        let jump = self.jump(&memory, start, value, isFirst: false)
        let rarity = self.histograms(&memory, start, value, state)
        let score = rarity + max(0, jump - 3)
        return self.emitted(&memory, start, score)
    }

    /// How many standard deviations the value is from its slow mean.
    private static func jump(_ memory: inout [Double], _ start: Int, _ value: Double, isFirst: Bool) -> Double {
        if isFirst {
            memory[start + 3] = value
            return 0
        }
        let error = value - memory[start + 3]
        let spread = memory[start + 4].squareRoot()
        memory[start + 3] += 0.02 * error
        memory[start + 4] += 0.01 * (error * error - memory[start + 4])
        return spread > 0 ? min(abs(error) / spread, 20) : 0
    }

    private static func histograms(
        _ memory: inout [Double],
        _ start: Int,
        _ value: Double,
        _ state: TimetableState
    ) -> Double {
        let least = memory[start + 1]
        let span = max(memory[start + 2] - least, 1e-9)
        // The range of the first values and a quarter more on each side.
        let place = (value - (least - span / 4)) / (span * 1.5)
        let time: Int =
            switch state {
            case .lesson, .exam: 0
            case .pause, .empty: 1
            case .night, .holiday: 2
            }
        let table = start + self.tables + time * (1 + self.binsTotal)
        let total = memory[table]
        memory[table] = total + 1
        var bits = 0.0
        var first = table + 1
        for width in self.bins {
            let bin = first + min(max(Int((place * Double(width)).rounded(.down).clamped), 0), width - 1)
            let isOutside = place < 0 || place >= 1
            let count = isOutside ? 0 : memory[bin]
            bits += Logarithm.base2((total + Double(width)) / (count + 1))
            if !isOutside { memory[bin] += 1 }
            first += width
        }
        // Until a time of day is known, nothing is strange in it.
        return total < self.learning / 2 ? 0 : bits / Double(self.bins.count)
    }

    private static func emitted(_ memory: inout [Double], _ start: Int, _ score: Double) -> Double {
        let first = start + self.maxima
        var most = 0.0
        for block in 0..<self.blocks { most = max(most, memory[first + block]) }
        memory[start + 5] += 1
        if memory[start + 5] > self.blockLength {
            memory[start + 5] = 1
            memory[start + 6] = (memory[start + 6] + 1).truncatingRemainder(dividingBy: Double(self.blocks))
            memory[first + Int(memory[start + 6])] = 0
        }
        let block = first + Int(memory[start + 6])
        memory[block] = max(memory[block], score)
        return score > most ? score : 0
    }
}

extension Double {
    /// Within what a whole number can be.
    fileprivate var clamped: Double { self.isNaN ? 0 : Swift.min(Swift.max(self, -1e6), 1e6) }
}

/// The logarithm, without a library: the exponent, and a polynomial for the rest (error below 0.0001).
enum Logarithm {
    static func base2(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 0 }
        let significand = value.significand
        let x = (significand - 1) / (significand + 1)
        let square = x * x
        // 2 / ln 2 × (x + x³/3 + x⁵/5 + x⁷/7), for 1 ≤ significand < 2.
        let series = x * (1 + square * (1 / 3.0 + square * (1 / 5.0 + square * (1 / 7.0 + square / 9))))
        return Double(value.exponent) + 2.885_390_081_777_926_8 * series
    }
}
