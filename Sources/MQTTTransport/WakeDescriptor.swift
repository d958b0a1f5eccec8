internal import Glibc

/// Wakes a thread that waits in `poll`.
final class WakeDescriptor: Sendable {
    private let descriptor: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        precondition(result == 0, "the process has no descriptor left for its own wake-up")
        self.descriptor = ends[0]
        self.writer = ends[1]
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        close(self.descriptor)
        close(self.writer)
    }

    func signal() {
        var one: UInt8 = 1
        _ = write(self.writer, &one, 1)
    }

    /// Waits for the socket or a signal.
    func poll(with socket: Int32, wantsToWrite: Bool, milliseconds: Int32) -> (isReadable: Bool, isWritable: Bool) {
        let interest = Int16(POLLIN) | (wantsToWrite ? Int16(POLLOUT) : 0)
        var descriptors = [
            pollfd(fd: socket, events: interest, revents: 0),
            pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard Glibc.poll(&descriptors, 2, milliseconds) > 0 else { return (false, false) }
        if descriptors[1].revents != 0 { self.drain() }
        // An error or hang-up is told by the next read.
        let readable = Int16(POLLIN) | Int16(POLLERR) | Int16(POLLHUP) | Int16(POLLNVAL)
        return (descriptors[0].revents & readable != 0, descriptors[0].revents & Int16(POLLOUT) != 0)
    }

    /// Waits for a time, or until `isStopping`.
    func wait(milliseconds: Int, isStopping: () -> Bool) {
        let deadline = boottimeNanoseconds() &+ UInt64(max(milliseconds, 0)) &* 1_000_000
        while !isStopping() {
            let now = boottimeNanoseconds()
            guard now < deadline else { return }
            var descriptor = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&descriptor, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1)) > 0 { self.drain() }
        }
    }

    private func drain() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(self.descriptor, &bytes, bytes.count) == bytes.count {}
    }
}

/// Full-jitter exponential back-off.
struct Backoff {
    let initialMilliseconds: Int
    let maximumMilliseconds: Int
    private var attempt = 0

    init(initialMilliseconds: Int, maximumMilliseconds: Int) {
        self.initialMilliseconds = max(initialMilliseconds, 1)
        self.maximumMilliseconds = max(maximumMilliseconds, 1)
    }

    mutating func reset() { self.attempt = 0 }

    /// The next wait: anything from a tenth of the bound to the bound, which doubles up to the maximum.
    mutating func next() -> Int {
        let bound = min(self.maximumMilliseconds, self.initialMilliseconds << min(self.attempt, 16))
        self.attempt += 1
        return Int.random(in: max(1, bound / 10)...bound)
    }
}

/// Looks whether somebody listens, with a deadline; libmosquitto's own connect has none.
enum TCPProbe {
    /// Why no connection can be made, or `nil`.
    static func problem(host: String, port: UInt16, timeoutMilliseconds: Int) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0, let list else {
            return "the name cannot be resolved: \(String(cString: gai_strerror(result)))"
        }
        defer { freeaddrinfo(list) }
        var problem = "no address"
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let info = next?.pointee {
            guard let failure = self.problem(info, timeoutMilliseconds) else { return nil }
            problem = failure
            next = info.ai_next
        }
        return problem
    }

    private static func problem(_ info: addrinfo, _ timeoutMilliseconds: Int) -> String? {
        let socket = Glibc.socket(
            info.ai_family,
            info.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0
        )
        guard socket >= 0 else { return String(cString: strerror(errno)) }
        defer { close(socket) }
        if Glibc.connect(socket, info.ai_addr, info.ai_addrlen) == 0 { return nil }
        guard errno == EINPROGRESS else { return String(cString: strerror(errno)) }
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&descriptor, 1, Int32(clamping: timeoutMilliseconds)) > 0 else { return "no answer" }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0 ? nil : String(cString: strerror(code))
    }
}
