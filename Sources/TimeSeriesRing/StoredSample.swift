internal import CampusModel

/// A sample as it is kept in memory: tick × 256 + quality, and the value's bits.
struct StoredSample: BitwiseCopyable {
    /// The first quality byte whose level is bad.
    static let badQuality: UInt8 = 128

    var word: Int64
    var value: Double

    /// A bad sample has no value: it is kept as 0.
    init(_ sample: Sample) {
        self.word = sample.tick.rawValue << 8 | Int64(sample.quality.rawValue)
        self.value = sample.quality.rawValue >= Self.badQuality ? 0 : sample.value
    }

    init(tick: Int64, value: Double, quality: UInt8) {
        self.word = tick << 8 | Int64(quality)
        self.value = value
    }

    var tick: Int64 { self.word >> 8 }
    var quality: UInt8 { UInt8(truncatingIfNeeded: self.word) }

    var sample: Sample {
        // Most are good, and then nothing has to be looked up.
        let quality = self.quality == 0 ? Quality.good : Quality(rawValue: self.quality)
        return Sample(tick: Tick(rawValue: self.tick), value: self.value, quality: quality)
    }

    func isSame(as other: StoredSample) -> Bool {
        self.word == other.word && self.value.bitPattern == other.value.bitPattern
    }
}

/// The statistics of a minute or a quarter of an hour, as kept in memory: 40 bytes.
struct StoredRollup: BitwiseCopyable {
    var start: Int64
    var minimum = 0.0
    var maximum = 0.0
    var sum = 0.0
    var count: UInt32 = 0
    var badCount: UInt32 = 0

    init(start: Int64) { self.start = start }

    var isEmpty: Bool { self.count == 0 && self.badCount == 0 }

    @inline(__always)
    mutating func add(_ value: Double, isBad: Bool) {
        if isBad {
            self.badCount = self.badCount &+ (self.badCount < .max ? 1 : 0)
            return
        }
        if self.count == 0 {
            self.minimum = value
            self.maximum = value
        } else {
            if value < self.minimum { self.minimum = value }
            if value > self.maximum { self.maximum = value }
        }
        self.sum += value
        self.count = self.count &+ (self.count < .max ? 1 : 0)
    }

    mutating func merge(_ other: StoredRollup) {
        if other.count > 0 {
            self.minimum = self.count == 0 ? other.minimum : min(self.minimum, other.minimum)
            self.maximum = self.count == 0 ? other.maximum : max(self.maximum, other.maximum)
        }
        self.sum += other.sum
        self.count = self.count.addingReportingOverflow(other.count).partialValue
        self.badCount = self.badCount.addingReportingOverflow(other.badCount).partialValue
    }

    var rollup: Rollup {
        Rollup(
            start: Tick(rawValue: self.start),
            minimum: self.minimum,
            maximum: self.maximum,
            sum: self.sum,
            count: self.count,
            badCount: self.badCount
        )
    }
}
