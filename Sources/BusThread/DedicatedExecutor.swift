internal import Dispatch

/// Runs one actor's jobs on a private serial queue, so that a blocking C call delays only that actor.
///
/// A task that prefers it runs on the same queue between its calls of the actor, and changes threads for none of them.
package final class DedicatedExecutor: SerialExecutor, TaskExecutor {
    private let queue: DispatchQueue

    /// The label is how tools show the queue.
    package init(label: String) { self.queue = DispatchQueue(label: label) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.async {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(),
                taskExecutor: self.asUnownedTaskExecutor()
            )
        }
    }

    /// Runs something on the queue that is no task.
    package func perform(_ work: @escaping @Sendable () -> Void) { self.queue.async(execute: work) }

    package func checkIsolated() { dispatchPrecondition(condition: .onQueue(self.queue)) }
}
