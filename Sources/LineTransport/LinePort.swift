internal import BusThread
internal import CPlatform
internal import Glibc

/// An open connection or serial line: bytes in and out, each with a deadline.
///
/// Owned by one bus and used on its private queue only; it owns its descriptor.
final class LinePort {
    /// What became of reading.
    enum Reading {
        /// Something was appended.
        case bytes
        case deadline
        /// The other side is gone.
        case ended(String)
    }

    let isTCP: Bool
    private let descriptor: Int32

    private init(descriptor: Int32, isTCP: Bool) {
        self.descriptor = descriptor
        self.isTCP = isTCP
    }

    deinit { Glibc.close(self.descriptor) }

    /// Connects or opens, until the deadline (`CLOCK_BOOTTIME`); only looking up a host name may take longer.
    static func open(_ endpoint: LineEndpoint, until deadline: UInt64) throws(LineError) -> LinePort {
        switch endpoint {
        case .tcp(let host, let port): try self.connect(endpoint, host, port, until: deadline)
        case .serial(let device, let baud, let parity, let dataBits, let stopBits):
            try self.openSerial(endpoint, device, baud, parity, dataBits, stopBits)
        }
    }

    private static func openSerial(
        _ endpoint: LineEndpoint,
        _ device: String,
        _ baud: Int,
        _ parity: LineEndpoint.Parity,
        _ dataBits: Int,
        _ stopBits: Int
    ) throws(LineError) -> LinePort {
        let letter = CChar(bitPattern: parity.rawValue.utf8.first ?? 0x4E)
        let found = campus_serial_open(
            device,
            Int32(clamping: baud),
            letter,
            Int32(clamping: dataBits),
            Int32(clamping: stopBits)
        )
        guard found >= 0 else { throw LineError(.notConnected, "\(endpoint.name): \(self.text(ofOpening: -found))") }
        return LinePort(descriptor: found, isTCP: false)
    }

    private static func connect(
        _ endpoint: LineEndpoint,
        _ host: String,
        _ port: UInt16,
        until deadline: UInt64
    ) throws(LineError) -> LinePort {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else {
            throw LineError(.notConnected, "\(endpoint.name): the name cannot be looked up; is it right?")
        }
        defer { freeaddrinfo(found) }
        var code = EHOSTUNREACH
        var next = found
        while let address = next?.pointee {
            next = address.ai_next
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let descriptor = socket(address.ai_family, type, 0)
            guard descriptor >= 0 else {
                code = errno
                continue
            }
            let opened = LinePort(descriptor: descriptor, isTCP: true)
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return opened }
            code = errno
            guard code == EINPROGRESS else { continue }
            code = opened.connectResult(until: deadline)
            if code == 0 { return opened }
        }
        throw LineError(.notConnected, "\(endpoint.name): \(self.text(ofConnecting: code))")
    }

    private func connectResult(until deadline: UInt64) -> Int32 {
        guard self.wait(for: POLLOUT, until: deadline) else { return ETIMEDOUT }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        var one: Int32 = 1
        setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return code
    }

    /// Whether the port is ready before the deadline.
    private func wait(for events: Int32, until deadline: UInt64) -> Bool {
        while true {
            let now = boottimeNanoseconds()
            let left = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
            var entry = pollfd(fd: self.descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
            let found = poll(&entry, 1, Int32(clamping: left))
            if found > 0 { return true }
            if found == 0 {
                if boottimeNanoseconds() >= deadline { return false }
            } else if errno != EINTR {
                return true
            }
        }
    }

    /// Writes everything before the deadline; the text of the error, or `nil`.
    func write(_ bytes: [UInt8], until deadline: UInt64) -> String? {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                let rest = UnsafeRawBufferPointer(rebasing: raw[done...])
                return self.isTCP
                    ? send(self.descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                    : Glibc.write(self.descriptor, rest.baseAddress, rest.count)
            }
            if count > 0 {
                done += count
            } else if count < 0, errno == EAGAIN {
                guard self.wait(for: POLLOUT, until: deadline) else { return "it takes no bytes" }
            } else if count == 0 || errno != EINTR {
                return String(cString: strerror(errno))
            }
        }
        return nil
    }

    /// Appends what has come, waiting for it until the deadline.
    func read(into buffer: inout [UInt8], until deadline: UInt64) -> Reading {
        var piece = [UInt8](repeating: 0, count: 512)
        while true {
            let count = piece.withUnsafeMutableBytes { Glibc.read(self.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                buffer += piece[0..<count]
                return .bytes
            }
            // A serial line has 0 for nothing; of a connection it is the end.
            if count == 0, self.isTCP { return .ended("the device closed the connection") }
            if count < 0, errno != EAGAIN, errno != EINTR { return .ended(String(cString: strerror(errno))) }
            guard self.wait(for: POLLIN, until: deadline) else { return .deadline }
            // What is ready without a byte is a line that has gone, or noise.
            if count == 0, self.isGone() { return .ended("the line is gone") }
            if boottimeNanoseconds() >= deadline { return .deadline }
        }
    }

    private func isGone() -> Bool {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0 && Int32(entry.revents) & (POLLHUP | POLLERR | POLLNVAL) != 0
    }

    /// Whether a connection is there and nothing waits that nobody has asked for.
    func isReady() -> Bool {
        var byte: UInt8 = 0
        let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
        return recv(self.descriptor, &byte, 1, flags) < 0 && errno == EAGAIN
    }

    /// Throws away what has come; how many bytes, or `nil` when the line is gone.
    func discard() -> Int? {
        var bytes: [UInt8] = []
        while bytes.count < 65_536 {
            switch self.read(into: &bytes, until: 0) {
            case .bytes: continue
            case .deadline: return bytes.count
            case .ended: return nil
            }
        }
        return bytes.count
    }

    /// Throws away what comes until the line was silent for so long; whether it ever was, of at most eight times that.
    func discardUntilQuiet(milliseconds: Int) -> Bool? {
        let quiet = UInt64(max(milliseconds, 1)) &* 1_000_000
        let end = boottimeNanoseconds() &+ quiet &* 8
        var bytes: [UInt8] = []
        while boottimeNanoseconds() < end {
            bytes.removeAll(keepingCapacity: true)
            switch self.read(into: &bytes, until: boottimeNanoseconds() &+ quiet) {
            case .bytes: continue
            case .deadline: return true
            case .ended: return nil
            }
        }
        return false
    }

    private static func text(ofConnecting code: Int32) -> String {
        switch code {
        case ETIMEDOUT: "no connection in time; is the device on, and is the address right?"
        case ECONNREFUSED:
            "the connection is refused; are address and port right, and does the device allow one more connection?"
        default: String(cString: strerror(code))
        }
    }

    private static func text(ofOpening code: Int32) -> String {
        switch code {
        case EACCES: "no permission to open the line; the user of the service must be in the group dialout"
        case ENOENT: "there is no such device file; use a name under /dev/serial/by-id"
        case EWOULDBLOCK, EBUSY: "the line is in use; only one bus of one process may use it"
        case EINVAL: "the line does not take these settings; is the baud rate a usual one?"
        default: String(cString: strerror(code))
        }
    }
}
