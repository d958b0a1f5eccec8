internal import CampusModel
internal import TimeSeriesRing

/// The statistics of one series by equal steps, a few thousand rows at a time.
///
/// Slices meet where the ring's quarters of an hour do, on its own axis. A step that reaches over a seam is put
/// together again.
struct RollupSlices {
    private static let quarter: Int64 = 900_000
    private static let rows: Int64 = 2_048
    private static let rowsMax = 16_384
    /// Where only samples are left, a slice reads all samples of this span.
    private static let spanMax: Int64 = 31 * 86_400_000
    private static let emptySpanMax: Int64 = 3_650 * 86_400_000

    private let ring: TimeSeriesRing
    private let series: SeriesIndex
    /// What dates the series; `nil` where its ticks are UTC.
    private let clock: ClockMap?
    private let step: Int64
    private var start: Int64
    private let end: Int64
    private let standardSpan: Int64
    private var span: Int64
    /// The last row of a slice, which the next one may go on with.
    private var open: Rollup?

    /// - Parameter step: Milliseconds, 1,000 to those of a year.
    init(_ ring: TimeSeriesRing, _ series: SeriesIndex, _ range: Range<Tick>, step: Int64, clock: ClockMap?) {
        self.ring = ring
        self.series = series
        self.clock = clock
        self.step = step
        let range = TimeSeriesRing.widened(range, stepMilliseconds: step)
        self.start = range.lowerBound.rawValue
        self.end = range.upperBound.rawValue
        self.standardSpan = min(max(Self.quarter, step * Self.rows), Self.spanMax)
        self.span = self.standardSpan
    }

    /// The next rows; none at the end.
    mutating func next() -> [Rollup] {
        while self.start < self.end {
            let upper = min(self.end, self.seam(from: self.start + self.span))
            let range = Tick(rawValue: self.start)..<Tick(rawValue: upper)
            var rows = self.rows(range)
            if rows.count >= Self.rowsMax, self.span > Self.quarter {
                self.span = max(Self.quarter, self.span / 8)
                continue
            }
            self.start = upper
            guard !rows.isEmpty else {
                self.span = min(self.span * 4, Self.emptySpanMax)
                continue
            }
            self.span = self.standardSpan
            if let open {
                if open.start == rows[0].start {
                    rows[0] = open.merged(with: rows[0])
                } else {
                    rows.insert(open, at: 0)
                }
            }
            self.open = rows.removeLast()
            if !rows.isEmpty { return rows }
        }
        defer { self.open = nil }
        return self.open.map { [$0] } ?? []
    }

    private func rows(_ range: Range<Tick>) -> [Rollup] {
        var found: [Rollup] = []
        self.ring.forEachRollup(self.series, in: range, stepMilliseconds: self.step) { rows in
            found.append(contentsOf: rows.prefix(Self.rowsMax - found.count))
            return found.count < Self.rowsMax
        }
        return found
    }

    /// The first seam of the ring's axis that is not before `utc`.
    private func seam(from utc: Int64) -> Int64 {
        guard let clock else { return Self.roundedUp(utc) }
        let seam = clock.utc(Tick(rawValue: Self.roundedUp(clock.tick(Tick(rawValue: utc)).rawValue))).rawValue
        // Where the clock was set back, UTC may tell a seam as an earlier time.
        return seam > self.start ? seam : utc
    }

    private static func roundedUp(_ tick: Int64) -> Int64 {
        let rest = tick % self.quarter
        return rest == 0 ? tick : tick - rest + (rest < 0 ? 0 : self.quarter)
    }
}

extension Rollup {
    /// The statistics of both, under the start of the first.
    func merged(with other: Rollup) -> Rollup {
        var sum = self
        sum.badCount = self.badCount &+ other.badCount
        guard other.count > 0 else { return sum }
        sum.minimum = self.count > 0 ? min(self.minimum, other.minimum) : other.minimum
        sum.maximum = self.count > 0 ? max(self.maximum, other.maximum) : other.maximum
        sum.sum = (self.count > 0 ? self.sum : 0) + other.sum
        sum.count = self.count &+ other.count
        return sum
    }
}
