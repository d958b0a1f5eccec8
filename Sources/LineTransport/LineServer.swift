internal import BusThread
internal import Foundation
internal import Synchronization

/// What a simulated line device says.
package protocol LineBank: Sendable {
    /// A device as one connection sees it.
    func makeSession() -> any LineSession
}

/// One connection to a simulated line device; used by one thread only.
package protocol LineSession: AnyObject {
    /// What is said first.
    var greeting: [UInt8] { get }
    /// Takes one whole request off the beginning of `buffer` and answers it; `nil` while there is none.
    func answer(_ buffer: inout [UInt8]) -> [UInt8]?
}

/// What a simulated line device does wrong.
package enum LineFault: Sendable, Hashable {
    case none
    case silence
    /// The whole reply comes that late.
    case late(milliseconds: Int)
    /// The reply comes byte by byte.
    case drip(milliseconds: Int)
    /// Bytes that are no reply.
    case garbage
    /// A line without end.
    case endless
    /// The connection is closed instead of an answer.
    case close
}

/// Plays a line device over TCP and serial lines, with faults that can be switched while it runs.
///
/// For the simulator and for tests; never part of the gateway.
package final class LineServer: Sendable {
    private let bank: any LineBank
    private let state = Mutex(State())

    /// Connections served at the same time; more are closed at once.
    package static let connectionMax = 128

    private struct State: Sendable {
        var fault = LineFault.none
        var chooser: (@Sendable (Int) -> LineFault)?
        var requests = 0
        var listeners: [Int32] = []
        var connections: Set<Int32> = []
        var isStopped = false
    }

    package init(bank: any LineBank) { self.bank = bank }

    /// Requests taken so far.
    package var requestCount: Int { self.state.withLock { $0.requests } }

    /// Connections served now.
    package var connectionCount: Int { self.state.withLock { $0.connections.count } }

    /// Switches the fault.
    package func set(_ fault: LineFault) { self.state.withLock { $0.fault = fault } }

    /// Lets `chooser` decide anew at every request, of which it is told the number.
    package func setChooser(_ chooser: (@Sendable (Int) -> LineFault)?) { self.state.withLock { $0.chooser = chooser } }

    /// Closes all connections; clients may come again.
    package func dropConnections() {
        self.state.withLock { state in
            for descriptor in state.connections { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Stops listening and closes everything.
    package func stop() {
        self.state.withLock { state in
            state.isStopped = true
            for descriptor in state.listeners { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        self.dropConnections()
    }

    /// Listens on an IPv4 address of this machine; port 0 takes a free one.
    ///
    /// Returns the port.
    package func listen(host: String = "127.0.0.1", port: UInt16) throws(LineError) -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw LineError(.notConnected, "cannot listen on \(host): it is not an IPv4 address")
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && Foundation.listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw LineError(.notConnected, "cannot listen on \(host):\(port): \(reason)")
        }
        self.state.withLock { $0.listeners.append(descriptor) }
        Self.startThread("ln-accept") { self.acceptLoop(descriptor) }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Plays on a serial line until ``stop()`` or until the line is gone.
    package func serve(device: String) throws(LineError) {
        let descriptor = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LineError(.notConnected, "cannot open \(device): \(String(cString: strerror(errno)))")
        }
        var settings = termios()
        tcgetattr(descriptor, &settings)
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
        self.serve(descriptor: descriptor)
    }

    private static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 256 << 10
        thread.start()
    }

    private func acceptLoop(_ listener: Int32) {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if errno == EINTR { continue }
                close(listener)
                return
            }
            self.serve(descriptor: descriptor)
        }
    }

    /// Plays on an open connection or line, and closes it in the end.
    package func serve(descriptor: Int32) {
        let isTaken = self.state.withLock { state in
            guard !state.isStopped, state.connections.count < Self.connectionMax else { return false }
            state.connections.insert(descriptor)
            return true
        }
        guard isTaken else {
            close(descriptor)
            return
        }
        Self.startThread("ln-serve") {
            self.talk(descriptor)
            self.state.withLock { state in
                state.connections.remove(descriptor)
                close(descriptor)
            }
        }
    }

    private func talk(_ descriptor: Int32) {
        let session = self.bank.makeSession()
        guard Self.write(session.greeting, to: descriptor) else { return }
        var buffer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 512)
        while buffer.count < 65_536 {
            while let reply = session.answer(&buffer) {
                guard self.give(reply, to: descriptor) else { return }
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let isReady = poll(&entry, 1, 200) > 0
            if self.state.withLock({ $0.isStopped }) { return }
            guard isReady else { continue }
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { return }
            buffer += piece[0..<count]
        }
    }

    /// Sends a reply as the fault says; whether the connection goes on.
    private func give(_ reply: [UInt8], to descriptor: Int32) -> Bool {
        let fault = self.state.withLock { state in
            state.requests += 1
            return state.chooser?(state.requests) ?? state.fault
        }
        switch fault {
        case .none: return Self.write(reply, to: descriptor)
        case .silence: return true
        case .late(let milliseconds):
            blockingSleep(milliseconds: milliseconds)
            return Self.write(reply, to: descriptor)
        case .drip(let milliseconds):
            for byte in reply {
                blockingSleep(milliseconds: milliseconds)
                guard Self.write([byte], to: descriptor) else { return false }
            }
            return true
        case .garbage: return Self.write([0x00, 0xFF, 0x13, 0x0D, 0x0A, 0x0D], to: descriptor)
        case .endless:
            return (0..<64).allSatisfy { _ in Self.write(Array(repeating: 0x41, count: 256), to: descriptor) }
        case .close: return false
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                let rest = UnsafeRawBufferPointer(rebasing: raw[done...])
                let sent = send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                return sent < 0 && errno == ENOTSOCK ? Foundation.write(descriptor, rest.baseAddress, rest.count) : sent
            }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
