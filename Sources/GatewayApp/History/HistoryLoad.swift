internal import Synchronization

/// How many answers with history are under way, and what became of those before; for `/metrics` and for the bound.
final class HistoryLoad: Sendable {
    /// Answers at once; each has some 600 KiB at most.
    static let answersMax = 16

    /// What happened since the start.
    struct Statistics: Sendable {
        var active = 0
        var answers: UInt64 = 0
        var rows: UInt64 = 0
        /// Answers whose client went away, or took nothing for too long.
        var abandoned: UInt64 = 0
        /// Requests that found no place.
        var refused: UInt64 = 0
    }

    private let state = Mutex(Statistics())

    var statistics: Statistics { self.state.withLock { $0 } }

    /// A place, held as long as somebody holds it; `nil` when all are taken.
    func place() -> Place? {
        let isFree = self.state.withLock { state in
            guard state.active < Self.answersMax else {
                state.refused += 1
                return false
            }
            state.active += 1
            state.answers += 1
            return true
        }
        return isFree ? Place(self) : nil
    }

    func count(rows: Int) { self.state.withLock { $0.rows += UInt64(rows) } }

    func countAbandoned() { self.state.withLock { $0.abandoned += 1 } }

    /// Given back when nobody holds it any more, whatever became of the answer.
    final class Place: Sendable {
        let load: HistoryLoad

        fileprivate init(_ load: HistoryLoad) { self.load = load }

        deinit { self.load.state.withLock { $0.active -= 1 } }
    }
}
