internal import Dispatch

/// Reads of history, which may wait for the card, on a queue of their own instead of the cooperative pool.
///
/// One at a time: answers take turns slice by slice, and however many there are, they use one core.
enum HistoryWork {
    private static let queue = DispatchQueue(label: "history", qos: .utility)

    static func perform<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            self.queue.async { continuation.resume(returning: work()) }
        }
    }
}
