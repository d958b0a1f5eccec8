internal import Dispatch

/// Work that waits for the card, on a queue of its own instead of the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "exporters.files", qos: .utility)

    static func perform<Failure: Error>(_ work: @escaping @Sendable () throws(Failure) -> Void) async throws(Failure) {
        let result: Result<Void, Failure> = await withCheckedContinuation { continuation in
            self.queue.async {
                do throws(Failure) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }
}
