internal import Dispatch

/// Runs one actor's jobs on a private serial queue, so that a blocking C call delays only that actor.
package final class DedicatedExecutor: SerialExecutor {
    private let queue: DispatchQueue

    /// The label is how tools show the queue.
    package init(label: String) { self.queue = DispatchQueue(label: label) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    package func checkIsolated() { dispatchPrecondition(condition: .onQueue(self.queue)) }
}
