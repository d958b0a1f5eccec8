internal import Foundation

/// A program started with a clean signal mask and a process group of its own.
///
/// Foundation's `Process` hands down the mask of the thread that starts it; a worker thread blocks all signals, and a
/// broker started there can only be ended by SIGKILL.
enum ChildProcess {
    /// Starts `program`; returns its process id.
    static func start(_ program: String, _ arguments: [String]) throws(MQTTError) -> Int32 {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for pointer in argv { free(pointer) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, program, &actions, &attributes, argv, environ)
        guard result == 0 else {
            throw MQTTError(.broker, "\(program) cannot be started: \(String(cString: strerror(result)))")
        }
        return processID
    }

    /// Waits for a child of ours to end, on a thread of its own.
    static func end(of processID: Int32) async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(processID, &status, 0) < 0, errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
    }

    /// Runs a program to its end on this thread; returns whether it succeeded.
    static func run(_ program: String, _ arguments: [String]) throws(MQTTError) -> Bool {
        let processID = try self.start(program, arguments)
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 {
            guard errno == EINTR else { return false }
        }
        return status == 0
    }
}
