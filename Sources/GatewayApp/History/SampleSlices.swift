internal import CampusModel
internal import TimeSeriesRing

/// The samples of one series, a few thousand at a time, with nothing held in the ring between two slices.
///
/// A slice is a span of time, not a count of samples: the ring turns each span into a span of its own axis, and spans
/// that meet stay spans that meet, even where the clock was set back and the same hour is there twice. Counting samples
/// would repeat or skip some there.
struct SampleSlices {
    /// Samples of a slice; more only where one millisecond has more.
    private static let slice = 4_096
    private static let spanMax: Int64 = 3_650 * 86_400_000

    private let ring: TimeSeriesRing
    private let series: SeriesIndex
    private var start: Int64
    private let end: Int64
    private var span: Int64 = 3_600_000

    private(set) var ticks: [Int64]
    private(set) var values: [Double]
    private(set) var qualities: [UInt8]

    init(_ ring: TimeSeriesRing, _ series: SeriesIndex, _ range: Range<Tick>) {
        self.ring = ring
        self.series = series
        self.start = range.lowerBound.rawValue
        self.end = range.upperBound.rawValue
        self.ticks = Array(repeating: 0, count: Self.slice)
        self.values = Array(repeating: 0, count: Self.slice)
        self.qualities = Array(repeating: 0, count: Self.slice)
    }

    /// Reads the next slice into ``ticks``, ``values`` and ``qualities``; how many there are, 0 at the end.
    mutating func next() -> Int {
        while self.start < self.end {
            let upper = min(self.end, self.start + self.span)
            let count = self.read(self.start..<upper)
            if count == 0 {
                self.start = upper
                self.span = min(self.span * 4, Self.spanMax)
                continue
            }
            if count < self.ticks.count {
                self.start = upper
                if count < Self.slice / 4 { self.span = min(self.span * 2, Self.spanMax) }
                return count
            }
            // More than fits.
            if let kept = self.cut() { return kept }
            if upper - self.start > 1 {
                self.span = max(1, (upper - self.start) / 2)
            } else {
                self.grow()
            }
        }
        return 0
    }

    /// What of a full slice is before its last instant, which may go on; `nil` when the slice cannot be parted so.
    private mutating func cut() -> Int? {
        var kept = self.ticks.count - 1
        let last = self.ticks[kept]
        guard last > self.start else { return nil }
        for index in 1...kept where self.ticks[index] < self.ticks[index - 1] { return nil }
        while kept > 0, self.ticks[kept - 1] == last { kept -= 1 }
        guard kept > 0 else { return nil }
        self.span = max(1, (last - self.start) * 2)
        self.start = last
        return kept
    }

    /// An instant, as UTC tells it, has more samples than a slice: the clock was set back there.
    private mutating func grow() {
        let count = self.ticks.count * 2
        self.ticks = Array(repeating: 0, count: count)
        self.values = Array(repeating: 0, count: count)
        self.qualities = Array(repeating: 0, count: count)
    }

    private mutating func read(_ range: Range<Int64>) -> Int {
        let range = Tick(rawValue: range.lowerBound)..<Tick(rawValue: range.upperBound)
        return self.ticks.withUnsafeMutableBufferPointer { ticks in
            self.values.withUnsafeMutableBufferPointer { values in
                self.qualities.withUnsafeMutableBufferPointer { qualities in
                    self.ring.read(self.series, in: range, ticks: ticks, values: values, qualities: qualities)
                }
            }
        }
    }
}
