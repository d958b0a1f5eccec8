internal import BusThread
internal import Foundation
internal import Synchronization

/// Plays Modbus units over TCP and serial lines, with faults that can be switched while it runs.
///
/// For the simulator and for tests; never part of the gateway.
///
/// The framing is our own: the server half of libmodbus (`modbus_reply`, `modbus_mapping_*`) has a record of memory
/// faults and must not be linked into anything that is shipped.
package final class RegisterServer: Sendable {
    private let answers: RegisterAnswers
    private let state = Mutex(State())
    private let requestCount = Atomic<UInt64>(0)
    private let registerCount = Atomic<UInt64>(0)
    private let refusedCount = Atomic<UInt64>(0)

    /// Connections and lines served at the same time; more are closed at once and counted.
    package static let connectionMax = 512

    private struct State: Sendable {
        var faults: [UInt8: RegisterFault] = [:]
        var chooser: (@Sendable (UInt8) -> RegisterFault)?
        var listeners: [Int32] = []
        var connections: Set<Int32> = []
        var isStopped = false
    }

    package init(bank: any RegisterBank) { self.answers = RegisterAnswers(bank: bank) }

    /// Requests answered or swallowed so far, and the registers or bits that were read: the truth for benchmarks.
    package var served: (requests: UInt64, registers: UInt64) {
        (self.requestCount.load(ordering: .relaxed), self.registerCount.load(ordering: .relaxed))
    }

    /// Connections that were closed because there were ``connectionMax`` already.
    package var refusedConnections: UInt64 { self.refusedCount.load(ordering: .relaxed) }

    /// Switches the fault of a unit.
    package func set(_ fault: RegisterFault, unit: UInt8) { self.state.withLock { $0.faults[unit] = fault } }

    /// Lets `chooser` decide anew at every request of the units without a fault of their own.
    package func setChooser(_ chooser: (@Sendable (UInt8) -> RegisterFault)?) {
        self.state.withLock { $0.chooser = chooser }
    }

    /// Closes all connections; clients may come again.
    package func dropConnections() {
        // Inside the lock, so that no number is shut down that its thread has just closed.
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

    /// Listens on an address of this machine, of IPv4 or IPv6; port 0 takes a free one.
    ///
    /// Returns the port.
    package func listen(host: String = "127.0.0.1", port: UInt16) throws(ModbusError) -> UInt16 {
        let (descriptor, port) = try Self.listeningSocket(host: host, port: port)
        self.state.withLock { $0.listeners.append(descriptor) }
        Self.startThread("mb-accept") { self.acceptLoop(descriptor) }
        return port
    }

    /// Plays on a serial line until ``stop()`` or until the line is gone.
    package func serveRTU(device: String) throws(ModbusError) {
        let descriptor = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ModbusError(.notConnected, "cannot open \(device): \(String(cString: strerror(errno)))")
        }
        var settings = termios()
        tcgetattr(descriptor, &settings)
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
        self.serve(descriptor, "mb-rtu") { self.rtuLoop(descriptor) }
    }

    private static func listeningSocket(host: String, port: UInt16) throws(ModbusError) -> (Int32, UInt16) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found?.pointee else {
            throw ModbusError(.invalidRequest, "cannot listen on \(host): it is not an address")
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isListening =
            bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && Foundation.listen(descriptor, 64) == 0
            && withUnsafeMutableBytes(of: &storage) { bytes in
                getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length) == 0
            }
        guard isListening else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw ModbusError(.notConnected, "cannot listen on \(host):\(port): \(reason)")
        }
        // The port stands at the same place in the addresses of both families.
        let bound = withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
        return (descriptor, bound)
    }

    private static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 256 << 10
        thread.start()
    }

    private func acceptLoop(_ listener: Int32) {
        while true {
            let client = accept(listener, nil, nil)
            if client >= 0 {
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                var one: Int32 = 1
                setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
                self.serve(client, "mb-serve") { self.tcpLoop(client) }
                continue
            }
            if errno == EINTR || errno == ECONNABORTED { continue }
            if errno == EMFILE || errno == ENFILE, !self.state.withLock({ $0.isStopped }) {
                blockingSleep(milliseconds: 50)
                continue
            }
            self.state.withLock { state in
                state.listeners.removeAll { $0 == listener }
                close(listener)
            }
            return
        }
    }

    private func serve(_ descriptor: Int32, _ name: String, _ loop: @escaping @Sendable () -> Void) {
        let isWelcome = self.state.withLock { state in
            guard !state.isStopped, state.connections.count < Self.connectionMax else { return false }
            state.connections.insert(descriptor)
            return true
        }
        guard isWelcome else {
            self.refusedCount.add(1, ordering: .relaxed)
            close(descriptor)
            return
        }
        Self.startThread(name) {
            loop()
            self.state.withLock { state in
                state.connections.remove(descriptor)
                close(descriptor)
            }
        }
    }

    private func tcpLoop(_ client: Int32) {
        var request = [UInt8](repeating: 0, count: 7 + 254)
        var reply: [UInt8] = []
        reply.reserveCapacity(300)
        while Self.readFully(client, &request, 0..<7) {
            let length = Int(UInt16(request[4]) << 8 | UInt16(request[5]))
            guard (2...254).contains(length), Self.readFully(client, &request, 7..<(6 + length)) else { return }
            reply.removeAll(keepingCapacity: true)
            for index in 0..<6 { reply.append(request[index]) }
            guard let fault = self.answer(request[6..<(6 + length)], into: &reply) else { continue }
            if fault == .close { return }
            let announced = fault == .wrongHeader ? 9_999 : UInt16(truncatingIfNeeded: reply.count - 6)
            reply[4] = ModbusFrames.high(announced)
            reply[5] = ModbusFrames.low(announced)
            switch fault {
            case .wrongUnit: reply[6] &+= 1
            case .wrongFunction: reply[7] ^= 7
            case .wrongLength: reply.removeLast(min(2, reply.count - 8))
            case .wrongCheck: reply[1] &+= 1
            case .garbage: for index in reply.indices { reply[index] = UInt8(truncatingIfNeeded: index &* 37) }
            default: break
            }
            guard Self.send(reply, fault, to: client) else { return }
        }
    }

    private func rtuLoop(_ descriptor: Int32) {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256)
        while !self.state.withLock({ $0.isStopped }) {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // A gap ends a frame that is not one.
            guard poll(&ready, 1, received.isEmpty ? 100 : 20) > 0 else {
                received.removeAll()
                continue
            }
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return }
            received += chunk[0..<count]
            while let length = Self.requestLength(received), received.count >= length {
                let request = received[0..<(length - 2)]
                let crc = UInt16(received[length - 2]) | UInt16(received[length - 1]) << 8
                if ModbusFrames.crc(request) == crc { self.answerRTU(request, on: descriptor) }
                received.removeFirst(length)
            }
        }
    }

    private func answerRTU(_ request: ArraySlice<UInt8>, on descriptor: Int32) {
        var reply: [UInt8] = []
        guard let fault = self.answer(request, into: &reply), fault != .close else { return }
        switch fault {
        case .wrongUnit: reply[0] &+= 1
        case .wrongFunction: reply[1] ^= 7
        case .wrongLength, .wrongHeader: reply.removeLast(min(2, reply.count - 2))
        default: break
        }
        let sum = ModbusFrames.crc(reply) ^ (fault == .wrongCheck ? 1 : 0)
        reply += [ModbusFrames.low(sum), ModbusFrames.high(sum)]
        if fault == .garbage { reply = reply.map { $0 ^ 0x5A } }
        _ = Self.send(reply, fault, to: descriptor)
    }

    private static func requestLength(_ frame: [UInt8]) -> Int? {
        guard frame.count >= 8 else { return nil }
        switch frame[1] {
        case 15, 16: return 9 + Int(frame[6])
        case 22: return 10
        case 23: return frame.count >= 11 ? 13 + Int(frame[10]) : nil
        default: return 8
        }
    }

    /// Appends unit identifier and PDU of the answer, and gives the fault to apply; `nil` for no answer.
    private func answer(_ request: ArraySlice<UInt8>, into reply: inout [UInt8]) -> RegisterFault? {
        guard let unit = request.first, request.count >= 2 else { return nil }
        self.requestCount.add(1, ordering: .relaxed)
        guard self.answers.bank.isPresent(unit: unit) else { return nil }
        let (set, chooser) = self.state.withLock { ($0.faults[unit], $0.chooser) }
        let fault = set ?? chooser?(unit) ?? .none
        reply.append(unit)
        switch fault {
        case .silence: return nil
        case .exception(let code):
            reply.append(request[request.startIndex + 1] | 0x80)
            reply.append(code)
        default:
            let count = self.answers.answer(request, into: &reply)
            self.registerCount.add(UInt64(count), ordering: .relaxed)
        }
        return fault
    }
}

extension RegisterServer {
    private static func send(_ bytes: [UInt8], _ fault: RegisterFault, to descriptor: Int32) -> Bool {
        switch fault {
        case .late(let milliseconds): blockingSleep(milliseconds: milliseconds)
        case .drip(let milliseconds):
            for index in bytes.indices {
                guard self.write(bytes[index...index], to: descriptor) else { return false }
                blockingSleep(milliseconds: milliseconds)
            }
            return true
        case .duplicate: return self.write((bytes + bytes)[...], to: descriptor)
        default: break
        }
        return self.write(bytes[...], to: descriptor)
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            var done = 0
            while done < buffer.count {
                // A master that went away must not end the process with SIGPIPE.
                var result = Foundation.send(descriptor, base + done, buffer.count - done, Int32(MSG_NOSIGNAL))
                if result < 0, errno == ENOTSOCK {
                    result = Foundation.write(descriptor, base + done, buffer.count - done)
                }
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { return false }
                done += result
            }
            return true
        }
    }

    private static func readFully(_ descriptor: Int32, _ buffer: inout [UInt8], _ range: Range<Int>) -> Bool {
        buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress, range.upperBound <= bytes.count else { return false }
            var done = range.lowerBound
            while done < range.upperBound {
                let result = Foundation.read(descriptor, base + done, range.upperBound - done)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { return false }
                done += result
            }
            return true
        }
    }
}
