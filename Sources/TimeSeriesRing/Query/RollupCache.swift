internal import CampusModel
internal import Synchronization

/// Roll-ups of segments as queries unpacked them, kept until the segments change: charts are looked at again and again.
///
/// Bounded; when it is full it begins anew.
final class RollupCache: Sendable {
    /// What the card has of a series from an instant of the stored axis on, in order, each start once.
    struct Run: Sendable {
        var from: Int64
        var rows: [Rollup]
    }

    /// Which segments there are; runs of others are of no use.
    struct Stamp: Sendable, Equatable {
        private var minutes: (count: Int, first: UInt64, last: UInt64)
        private var quarters: (count: Int, first: UInt64, last: UInt64)

        init(_ minutes: [SegmentStore.Segment], _ quarters: [SegmentStore.Segment]) {
            self.minutes = Self.ends(minutes)
            self.quarters = Self.ends(quarters)
        }

        private static func ends(_ list: [SegmentStore.Segment]) -> (Int, UInt64, UInt64) {
            (list.count, list.first?.header.sequence ?? 0, list.last?.header.sequence ?? 0)
        }

        static func == (left: Stamp, right: Stamp) -> Bool {
            left.minutes == right.minutes && left.quarters == right.quarters
        }
    }

    private struct State {
        var stamp = Stamp([], [])
        var runs: [UInt64: Run] = [:]
        var rows = 0
    }

    private let rowsMax: Int
    private let state = Mutex(State())

    init(bytes: Int) { self.rowsMax = bytes / MemoryLayout<Rollup>.stride }

    private static func key(_ tier: Tier, _ series: Int) -> UInt64 {
        UInt64(tier.rawValue) << 32 | UInt64(truncatingIfNeeded: series)
    }

    /// The run of a series, if it reaches back to `from`.
    func run(_ tier: Tier, _ series: Int, _ stamp: Stamp, from: Int64) -> Run? {
        self.state.withLock { state in
            guard state.stamp == stamp, let run = state.runs[Self.key(tier, series)], run.from <= from else {
                return nil
            }
            return run
        }
    }

    func keep(_ run: Run, _ tier: Tier, _ series: Int, _ stamp: Stamp) {
        // One long run must not push all others out.
        guard run.rows.count <= self.rowsMax / 4 else { return }
        let key = Self.key(tier, series)
        self.state.withLock { state in
            state.rows -= state.runs.removeValue(forKey: key)?.rows.count ?? 0
            if state.stamp != stamp || state.rows + run.rows.count > self.rowsMax {
                state.runs.removeAll()
                state.rows = 0
                state.stamp = stamp
            }
            state.runs[key] = run
            state.rows += run.rows.count
        }
    }

    /// Gives the memory back.
    func removeAll() {
        self.state.withLock { state in
            state.runs = [:]
            state.rows = 0
        }
    }
}
