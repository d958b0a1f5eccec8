internal import Glibc
internal import Synchronization

/// Keeps every other process away from the database for as long as it is held.
///
/// SQLite before 3.51.3 can damage a WAL database when two connections write or checkpoint at the same instant
/// (the "WAL-reset" race). One connection of one process writes and checkpoints here; this lock makes it one process.
/// The kernel releases it when the process ends, however it ends.
final class DatabaseLock: Sendable {
    private let descriptor: Mutex<Int32>

    init(path: String) throws(RecordsError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw RecordsError(
                .cannotOpen,
                "cannot make the lock file \(path) (errno \(errno)); check that the folder exists and who owns it"
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else {
                throw RecordsError(.cannotOpen, "cannot lock \(path) (errno \(number))")
            }
            throw RecordsError(.inUse, "another gateway has the records open (\(path)); stop it first")
        }
        self.descriptor = Mutex(descriptor)
    }

    /// Gives the lock back; further calls do nothing.
    func release() {
        self.descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return }
            // Closing alone is not enough: a child that is just being started shares the descriptor until it runs.
            flock(descriptor, LOCK_UN)
            close(descriptor)
            descriptor = -1
        }
    }

    deinit { self.release() }
}
