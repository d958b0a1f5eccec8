/// One value of one point at one instant.
///
/// Enumerations and booleans are stored as their number (false 0, true 1).
package struct Sample: Hashable, Sendable {
    package var tick: Tick
    /// In the point's unit.
    ///
    /// `0` when ``quality`` is bad; never NaN or infinite.
    package var value: Double
    package var quality: Quality

    package init(tick: Tick, value: Double, quality: Quality = .good) {
        self.tick = tick
        self.value = value
        self.quality = quality
    }
}

/// The dense number of a series in the ring, given out when the series is registered.
package struct SeriesIndex: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static func < (left: SeriesIndex, right: SeriesIndex) -> Bool { left.rawValue < right.rawValue }
}

/// A sample with the series it belongs to; batches of these cross modules.
package struct SeriesSample: Hashable, Sendable {
    package var series: SeriesIndex
    package var sample: Sample

    package init(series: SeriesIndex, sample: Sample) {
        self.series = series
        self.sample = sample
    }
}

/// The statistics of one series over one period, over its good and uncertain samples.
package struct Rollup: Hashable, Sendable {
    /// The start of the period.
    package var start: Tick
    package var minimum: Double
    package var maximum: Double
    package var sum: Double
    /// The number of samples that count; 0 only where nothing usable arrived.
    package var count: UInt32
    /// The number of bad samples, which count in nothing else.
    package var badCount: UInt32

    package init(
        start: Tick,
        minimum: Double,
        maximum: Double,
        sum: Double,
        count: UInt32,
        badCount: UInt32
    ) {
        self.start = start
        self.minimum = minimum
        self.maximum = maximum
        self.sum = sum
        self.count = count
        self.badCount = badCount
    }

    /// The arithmetic mean, or `nil` where nothing usable arrived.
    package var mean: Double? { self.count > 0 ? self.sum / Double(self.count) : nil }
}
