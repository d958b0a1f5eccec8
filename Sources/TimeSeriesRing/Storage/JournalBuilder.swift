internal import Synchronization

/// Units of the journal that are being filled; nothing of it is on the card yet.
///
/// Runs come from under the locks of the groups, the keeper takes what is there. Bounded: when the card does not keep
/// up, runs are refused, and the samples reach the card with the next segment instead.
final class JournalBuilder: Sendable {
    private struct State: @unchecked Sendable {
        // @unchecked: the memory is used under the lock only.
        let memory: UnsafeMutableRawPointer
        var units = 0
        var used: [Int] = []
        var bases: [Int64] = []
        /// A run was refused; so are those after it, until the units are taken.
        var isFull = false
    }

    let unitBytes: Int
    /// Filled units, at most: what some windows of all series take that become full at the same time.
    let unitsMax: Int
    private let state: Mutex<State>
    /// Samples that were refused.
    let refused = Atomic<UInt64>(0)

    init(unitBytes: Int, seriesMax: Int) {
        self.unitBytes = unitBytes
        self.unitsMax = max(256, seriesMax * 64 / unitBytes)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: self.unitsMax * unitBytes, alignment: 4_096)
        self.state = Mutex(State(memory: memory))
    }

    deinit { self.state.withLock { $0.memory.deallocate() } }

    /// Adds samples of one series, at most ``JournalUnit/runMax``; `false` when there is no room.
    @discardableResult
    func add(
        _ samples: UnsafePointer<StoredSample>,
        _ count: Int,
        series: UInt32,
        isLate: Bool,
        _ scratch: EncodeScratch
    ) -> Bool {
        // The pointers cross into the lock's closure and no further.
        nonisolated(unsafe) let samples = samples
        return self.state.withLock { state in
            for _ in 0..<2 where !state.isFull {
                if state.units > 0 {
                    let last = state.units - 1
                    let used = state.used[last]
                    let unit = state.memory + last * self.unitBytes
                    var writer = ByteWriter(unit + used, capacity: self.unitBytes - used)
                    let isIn = JournalUnit.append(
                        samples,
                        count,
                        series: series,
                        isLate: isLate,
                        base: state.bases[last],
                        scratch,
                        to: &writer
                    )
                    if isIn {
                        state.used[last] = used + writer.count
                        return true
                    }
                }
                guard state.units < self.unitsMax else { break }
                state.units += 1
                state.used.append(JournalUnit.headBytes)
                state.bases.append(samples[0].tick)
            }
            state.isFull = true
            self.refused.add(UInt64(count), ordering: .relaxed)
            return false
        }
    }

    /// Takes the units out: copied one behind the other, with what of each is used.
    func take(into buffer: ByteBuffer) -> (used: [Int], bases: [Int64]) {
        self.state.withLock { state in
            let target = buffer.resized(to: state.units * self.unitBytes)
            for index in 0..<state.units {
                guard let to = target.baseAddress.map({ $0 + index * self.unitBytes }) else { break }
                to.copyMemory(from: state.memory + index * self.unitBytes, byteCount: state.used[index])
                (to + state.used[index])
                    .initializeMemory(as: UInt8.self, repeating: 0, count: self.unitBytes - state.used[index])
            }
            defer {
                state.units = 0
                state.isFull = false
                state.used.removeAll(keepingCapacity: true)
                state.bases.removeAll(keepingCapacity: true)
            }
            return (state.used, state.bases)
        }
    }

    var filledUnits: Int { self.state.withLock { $0.units } }

    /// Whether whoever fills it should rather write first.
    var isWorthWriting: Bool { self.filledUnits >= min(256, self.unitsMax / 2) }
}
