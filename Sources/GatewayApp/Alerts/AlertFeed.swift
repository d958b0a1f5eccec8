internal import CampusModel
internal import Synchronization

/// What was stored in the ring and waits for the rules: at most 65,536 samples; more are counted and left out.
///
/// Whoever stores samples only copies them here; rules never hold them up.
final class AlertFeed: Sendable {
    static let capacity = 65_536

    private struct Buffer: Sendable {
        var samples: [SeriesSample] = []
        var dropped: UInt64 = 0
        /// Whether something was left out since samples were taken last.
        var hasGap = false
        var isOpen = false
    }

    private let buffer = Mutex(Buffer())

    /// Takes samples from now on.
    func open() {
        self.buffer.withLock {
            $0.samples.reserveCapacity(1_024)
            $0.isOpen = true
        }
    }

    func offer(_ samples: UnsafeBufferPointer<SeriesSample>) {
        self.buffer.withLock { buffer in
            guard buffer.isOpen else { return }
            let room = Self.capacity - buffer.samples.count
            buffer.samples.append(contentsOf: samples.prefix(room))
            if samples.count > room {
                buffer.dropped &+= UInt64(samples.count - room)
                buffer.hasGap = true
            }
        }
    }

    /// Takes what waits, and whether something was left out before it.
    func take() -> (samples: [SeriesSample], hasGap: Bool) {
        self.buffer.withLock { buffer in
            defer {
                buffer.samples = []
                buffer.hasGap = false
            }
            return (buffer.samples, buffer.hasGap)
        }
    }

    var droppedCount: UInt64 { self.buffer.withLock { $0.dropped } }
}
