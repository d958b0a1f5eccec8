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

    /// Making a value of another module is a call each; a copy that is filled in is none.
    private static let blank = Sample(tick: Tick(rawValue: 0), value: 0)

    @inline(__always)
    var sample: Sample {
        var sample = Self.blank
        sample.tick.rawValue = self.tick
        sample.value = self.value
        // Most are good, and then nothing has to be looked up.
        if self.quality != 0 { sample.quality = Quality(rawValue: self.quality) }
        return sample
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

    init(_ rollup: Rollup) {
        self.start = rollup.start.rawValue
        self.minimum = rollup.minimum
        self.maximum = rollup.maximum
        self.sum = rollup.sum
        self.count = rollup.count
        self.badCount = rollup.badCount
    }

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

    /// Adds samples that follow each other, four sums beside each other.
    mutating func add(_ values: UnsafePointer<Double>, _ qualities: UnsafePointer<UInt8>, _ count: Int) {
        var flags: UInt8 = 0
        for index in 0..<count { flags |= qualities[index] }
        guard flags < StoredSample.badQuality, count >= 8 else {
            for index in 0..<count { self.add(values[index], isBad: qualities[index] >= StoredSample.badQuality) }
            return
        }
        func four(_ index: Int) -> SIMD4<Double> {
            UnsafeRawPointer(values + index).loadUnaligned(as: SIMD4<Double>.self)
        }
        var lowest = four(0)
        var highest = lowest
        var sums = lowest
        var index = 4
        while index &+ 4 <= count {
            let next = four(index)
            lowest.replace(with: next, where: next .< lowest)
            highest.replace(with: next, where: next .> highest)
            sums += next
            index &+= 4
        }
        var part = StoredRollup(start: self.start)
        part.minimum = lowest.min()
        part.maximum = highest.max()
        part.sum = sums.sum()
        part.count = UInt32(truncatingIfNeeded: index)
        while index < count {
            part.add(values[index], isBad: false)
            index &+= 1
        }
        self.merge(part)
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
