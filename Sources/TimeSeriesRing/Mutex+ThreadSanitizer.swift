#if THREAD_SANITIZER
internal import Glibc

/// `Synchronization.Mutex` for builds under the thread sanitizer, which cannot see a lock whose atomics are inside
/// the standard library, and takes all that the lock guards for races.
///
/// It sees a POSIX mutex. Only the lock is another one: what is locked when, and what is not, is what is checked.
/// In this module the name stands for this type, so no other file says anything of it. `docs/testing.md` says how
/// to build so.
struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // @unchecked: the value is reached under the lock only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    init(_ value: consuming sending Value) {
        self.lock = .allocate(capacity: 1)
        self.lock.initialize(to: pthread_mutex_t())
        precondition(pthread_mutex_init(self.lock, nil) == 0, "a default mutex needs nothing that could be missing")
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        self.value.deinitialize(count: 1)
        self.value.deallocate()
        pthread_mutex_destroy(self.lock)
        self.lock.deallocate()
    }

    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(self.lock)
        defer { pthread_mutex_unlock(self.lock) }
        return try body(&self.value.pointee)
    }
}
#endif
