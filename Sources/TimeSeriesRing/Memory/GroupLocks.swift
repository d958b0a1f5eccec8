internal import Synchronization

/// 64 locks; each guards the slots of every 64th group of series, and has memory of its own for packing.
final class GroupLocks: Sendable {
    static let count = 64

    /// What packing under a lock needs.
    final class Scratch: @unchecked Sendable {
        // @unchecked: used under the lock that it belongs to.
        let encode: EncodeScratch
        let samples: UnsafeMutablePointer<StoredSample>
        let rollups: UnsafeMutablePointer<StoredRollup>
        let output: UnsafeMutableRawPointer
        let outputBytes: Int

        init(window: Int) {
            let count = max(window, 32)
            self.encode = EncodeScratch(capacity: count)
            self.samples = .allocate(capacity: count)
            self.rollups = .allocate(capacity: count)
            self.outputBytes = max(SampleBlock.bytesMax(count), RollupBlock.bytesMax(32)) + 64
            self.output = .allocate(byteCount: self.outputBytes, alignment: 16)
        }

        deinit {
            self.samples.deallocate()
            self.rollups.deallocate()
            self.output.deallocate()
        }
    }

    private let mutexes = InlineArray<64, Mutex<Void>> { _ in Mutex(()) }
    private let scratches: [Scratch]

    init(window: Int) { self.scratches = (0..<Self.count).map { _ in Scratch(window: window) } }

    @inline(__always)
    func withLock<Result: Sendable>(_ group: Int, _ body: () -> Result) -> Result {
        self.mutexes[group & 63].withLock { _ in body() }
    }

    func scratch(_ group: Int) -> Scratch { self.scratches[group & 63] }
}
