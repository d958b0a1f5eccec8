internal import Foundation
internal import Synchronization

/// The tables of the units that a server plays.
package protocol RegisterBank: Sendable {
    /// The words of a read, or the exception to answer with.
    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException>
    /// Takes a write, or tells the exception. Coils come as 0 and 1.
    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException?
    /// Whether the unit is there at all; an absent one is silent.
    func isPresent(unit: UInt8) -> Bool
}

/// An exception code, 1–11.
package struct RegisterException: Error, Sendable, Hashable {
    package var code: UInt8
    package init(code: UInt8) { self.code = code }
}

/// What is wrong with a played unit.
package enum RegisterFault: Sendable, Hashable {
    case none
    /// No answer.
    case silence
    /// The answer comes after this many milliseconds.
    case late(milliseconds: Int)
    /// Bytes that are no frame.
    case garbage
    case exception(UInt8)
    /// One byte at a time, this many milliseconds apart.
    case drip(milliseconds: Int)
    /// The answer names another unit.
    case wrongUnit
    /// The answer has two bytes less than it says.
    case wrongLength
    /// TCP: the connection is closed instead of an answer.
    case close
}

/// Plays Modbus units over TCP and serial lines, with faults that can be switched while it runs.
///
/// For the simulator and for tests; never part of the gateway.
package final class RegisterServer: Sendable {
    private let bank: any RegisterBank
    private let state = Mutex(State())
    private let requestCount = Atomic<UInt64>(0)
    private let registerCount = Atomic<UInt64>(0)

    private struct State: Sendable {
        var faults: [UInt8: RegisterFault] = [:]
        var chooser: (@Sendable (UInt8) -> RegisterFault)?
        var listeners: [Int32] = []
        var connections: Set<Int32> = []
        var isStopped = false
    }

    package init(bank: any RegisterBank) {
        self.bank = bank
        // A master that went away must not end the whole process.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Requests answered or swallowed so far, and the registers or bits that were read: the truth for benchmarks.
    package var served: (requests: UInt64, registers: UInt64) {
        (self.requestCount.load(ordering: .relaxed), self.registerCount.load(ordering: .relaxed))
    }

    /// Switches the fault of a unit.
    package func set(_ fault: RegisterFault, unit: UInt8) { self.state.withLock { $0.faults[unit] = fault } }

    /// Lets `chooser` decide anew at every request, after the faults that were set.
    package func setChooser(_ chooser: (@Sendable (UInt8) -> RegisterFault)?) {
        self.state.withLock { $0.chooser = chooser }
    }

    /// Closes all connections; clients may come again.
    package func dropConnections() {
        let open = self.state.withLock { $0.connections }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Stops listening and closes everything.
    package func stop() {
        let all = self.state.withLock { state in
            state.isStopped = true
            defer { state.listeners = [] }
            return state.listeners
        }
        for descriptor in all { shutdown(descriptor, Int32(SHUT_RDWR)) }
        self.dropConnections()
    }

    /// Listens on an address of this machine; port 0 takes a free one.
    ///
    /// Returns the port.
    package func listen(host: String = "127.0.0.1", port: UInt16) throws(ModbusError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && Foundation.listen(descriptor, 64) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isListening else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw ModbusError(.notConnected, "cannot listen on \(host):\(port): \(reason)")
        }
        self.state.withLock { $0.listeners.append(descriptor) }
        self.startThread("mb-accept") { self.acceptLoop(descriptor) }
        return UInt16(bigEndian: address.sin_port)
    }

    private func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 256 << 10
        thread.start()
    }

    private func acceptLoop(_ listener: Int32) {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                close(listener)
                return
            }
            var one: Int32 = 1
            setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            let isStopped = self.state.withLock { state in
                if !state.isStopped { state.connections.insert(client) }
                return state.isStopped
            }
            if isStopped {
                close(client)
                continue
            }
            self.startThread("mb-serve") {
                self.serveTCP(client)
                self.state.withLock { _ = $0.connections.remove(client) }
                close(client)
            }
        }
    }

    private func serveTCP(_ client: Int32) {
        var header = [UInt8](repeating: 0, count: 7)
        var body = [UInt8](repeating: 0, count: 260)
        while Self.readFully(client, &header, 7) {
            let length = Int(UInt16(header[4]) << 8 | UInt16(header[5]))
            guard (2...254).contains(length), Self.readFully(client, &body, length - 1) else { return }
            let unit = header[6]
            guard let answer = self.answer([unit] + body[0..<(length - 1)]) else { continue }
            var pdu = answer.bytes
            let fault = answer.fault
            if fault == .close { return }
            if fault == .wrongUnit { pdu[0] = unit &+ 1 }
            var frame = [
                header[0], header[1], 0, 0, ModbusFrames.high(UInt16(pdu.count)), ModbusFrames.low(UInt16(pdu.count)),
            ]
            if fault == .wrongLength { pdu.removeLast(min(2, pdu.count - 1)) }
            frame += pdu
            if fault == .garbage { frame = (0..<frame.count).map { UInt8(truncatingIfNeeded: $0 &* 37) } }
            guard self.send(frame, fault, to: client) else { return }
        }
    }

    /// Plays on a serial line until ``stop()``.
    package func serveRTU(device: String) throws(ModbusError) {
        let descriptor = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ModbusError(.notConnected, "cannot open \(device): \(String(cString: strerror(errno)))")
        }
        var settings = termios()
        tcgetattr(descriptor, &settings)
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
        self.state.withLock { _ = $0.connections.insert(descriptor) }
        self.startThread("mb-rtu") {
            self.rtuLoop(descriptor)
            self.state.withLock { _ = $0.connections.remove(descriptor) }
            close(descriptor)
        }
    }

    private func rtuLoop(_ descriptor: Int32) {
        var frame: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256)
        while !self.state.withLock({ $0.isStopped }) {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // A gap ends a frame that is not one.
            guard poll(&ready, 1, frame.isEmpty ? 100 : 20) > 0 else {
                frame.removeAll()
                continue
            }
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return }
            frame += chunk[0..<count]
            guard let length = Self.requestLength(frame), frame.count >= length else { continue }
            let request = Array(frame[0..<length])
            frame.removeFirst(length)
            let crc = UInt16(request[length - 2]) | UInt16(request[length - 1]) << 8
            guard ModbusFrames.crc(request.dropLast(2)) == crc, let answer = self.answer(Array(request.dropLast(2)))
            else { continue }
            var bytes = answer.bytes
            if answer.fault == .wrongUnit { bytes[0] &+= 1 }
            if answer.fault == .wrongLength { bytes.removeLast(min(2, bytes.count - 1)) }
            let sum = ModbusFrames.crc(bytes)
            bytes += [ModbusFrames.low(sum), ModbusFrames.high(sum)]
            if answer.fault == .garbage { bytes = bytes.map { $0 ^ 0x5A } }
            _ = self.send(bytes, answer.fault, to: descriptor)
        }
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

    private func send(_ bytes: [UInt8], _ fault: RegisterFault, to descriptor: Int32) -> Bool {
        if case .late(let milliseconds) = fault { blockingSleep(milliseconds: milliseconds) }
        if case .drip(let milliseconds) = fault {
            for byte in bytes {
                var copy = byte
                guard write(descriptor, &copy, 1) == 1 else { return false }
                blockingSleep(milliseconds: milliseconds)
            }
            return true
        }
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            return write(descriptor, base, buffer.count) == buffer.count
        }
    }

    /// The unit identifier and PDU of the answer with the fault to apply; `nil` for no answer.
    private func answer(_ request: [UInt8]) -> (bytes: [UInt8], fault: RegisterFault)? {
        let unit = request[0]
        self.requestCount.add(1, ordering: .relaxed)
        guard self.bank.isPresent(unit: unit) else { return nil }
        let (set, chooser) = self.state.withLock { ($0.faults[unit], $0.chooser) }
        let fault = set ?? chooser?(unit) ?? .none
        switch fault {
        case .silence: return nil
        case .exception(let code): return ([unit, request[1] | 0x80, code], fault)
        default: return ([unit] + self.pdu(request), fault)
        }
    }

    private func pdu(_ request: [UInt8]) -> [UInt8] {
        func word(_ index: Int) -> UInt16 { UInt16(request[index]) << 8 | UInt16(request[index + 1]) }
        func refused(_ exception: RegisterException) -> [UInt8] { [request[1] | 0x80, exception.code] }
        let unit = request[0]
        guard request.count >= 6 else { return [request[1] | 0x80, 3] }
        switch request[1] {
        case 1...4:
            guard let table = ModbusTable(rawValue: request[1]),
                (1...(table.isBits ? 2_000 : 125)).contains(word(4))
            else { return [request[1] | 0x80, 3] }
            switch self.bank.read(unit: unit, table: table, address: word(2), count: word(4)) {
            case .failure(let exception): return refused(exception)
            case .success(let words):
                self.registerCount.add(UInt64(words.count), ordering: .relaxed)
                let data = Self.data(words, isBits: table.isBits)
                return [request[1], UInt8(truncatingIfNeeded: data.count)] + data
            }
        case 5:
            let failure = self.bank.write(
                unit: unit,
                table: .coils,
                address: word(2),
                values: [word(4) == 0 ? 0 : 1]
            )
            return failure.map(refused) ?? Array(request[1..<6])
        case 6:
            let failure = self.bank.write(unit: unit, table: .holdingRegisters, address: word(2), values: [word(4)])
            return failure.map(refused) ?? Array(request[1..<6])
        case 15:
            let values = (0..<Int(word(4)))
                .map { index in
                    request.count > 7 + index / 8 ? UInt16(request[7 + index / 8] >> UInt8(index % 8) & 1) : 0
                }
            let failure = self.bank.write(unit: unit, table: .coils, address: word(2), values: values)
            return failure.map(refused) ?? Array(request[1..<6])
        case 16:
            guard request.count >= 7 + Int(word(4)) * 2 else { return [request[1] | 0x80, 3] }
            let values = (0..<Int(word(4))).map { word(7 + $0 * 2) }
            let failure = self.bank.write(unit: unit, table: .holdingRegisters, address: word(2), values: values)
            return failure.map(refused) ?? Array(request[1..<6])
        case 22: return self.mask(request, word)
        case 23: return self.writeAndRead(request, word)
        default: return [request[1] | 0x80, 1]
        }
    }

    private func mask(_ request: [UInt8], _ word: (Int) -> UInt16) -> [UInt8] {
        guard request.count >= 8,
            case .success(let old) = self.bank.read(
                unit: request[0],
                table: .holdingRegisters,
                address: word(2),
                count: 1
            )
        else { return [request[1] | 0x80, 2] }
        let value = (old[0] & word(4)) | (word(6) & ~word(4))
        let failure = self.bank.write(unit: request[0], table: .holdingRegisters, address: word(2), values: [value])
        return failure.map { [request[1] | 0x80, $0.code] } ?? Array(request[1..<8])
    }

    private func writeAndRead(_ request: [UInt8], _ word: (Int) -> UInt16) -> [UInt8] {
        guard request.count >= 11, request.count >= 11 + Int(word(8)) * 2 else { return [request[1] | 0x80, 3] }
        let values = (0..<Int(word(8))).map { word(11 + $0 * 2) }
        if let failure = self.bank.write(unit: request[0], table: .holdingRegisters, address: word(6), values: values) {
            return [request[1] | 0x80, failure.code]
        }
        switch self.bank.read(unit: request[0], table: .holdingRegisters, address: word(2), count: word(4)) {
        case .failure(let exception): return [request[1] | 0x80, exception.code]
        case .success(let words):
            let data = Self.data(words, isBits: false)
            return [request[1], UInt8(truncatingIfNeeded: data.count)] + data
        }
    }

    private static func data(_ words: [UInt16], isBits: Bool) -> [UInt8] {
        guard isBits else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(words.count * 2)
            for word in words {
                bytes.append(ModbusFrames.high(word))
                bytes.append(ModbusFrames.low(word))
            }
            return bytes
        }
        var bytes = [UInt8](repeating: 0, count: (words.count + 7) / 8)
        for (index, word) in words.enumerated() where word != 0 { bytes[index / 8] |= 1 << UInt8(index % 8) }
        return bytes
    }

    private static func readFully(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Bool {
        var done = 0
        return buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            while done < count {
                let result = read(descriptor, base + done, count - done)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { return false }
                done += result
            }
            return true
        }
    }
}
