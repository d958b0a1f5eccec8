internal import CModbus
internal import Glibc

/// One libmodbus context.
///
/// Owned by one bus and used on its private queue only.
///
/// libmodbus 3.1.6 makes the connection, paces RTU frames, checks their CRC and receives whole replies. It leaves the
/// unit identifier, the MBAP length and half of the protocol identifier of TCP replies unchecked, so its
/// `modbus_read_*` cannot be trusted behind a TCP/RTU gateway; and its raw requests all carry transaction 0, so that a
/// reply sent twice would be taken for the next one. Therefore TCP requests are framed and sent here, with a
/// transaction identifier that counts, and every field of the reply is compared before a value is taken from it.
///
/// A request ends within the response time-out without a watchdog: sending never blocks (TCP: `MSG_DONTWAIT`; serial
/// lines are opened with `O_NDELAY`), and with a byte time-out of 0 libmodbus lets `select` use up one time-out for the
/// whole reply, however slowly its bytes drip. Only looking up a host name may take as long as the resolver wants.
final class ModbusContext {
    private let raw: OpaquePointer
    private let endpoint: ModbusEndpoint
    private let isTCP: Bool
    /// Room for the longest frame, and then some: libmodbus checks its own bounds (`MODBUS_MAX_ADU_LENGTH`).
    private var buffer = [UInt8](repeating: 0, count: 272)
    private var frame = [UInt8](repeating: 0, count: 7 + 260)
    private var transaction: UInt16 = 0
    private(set) var isConnected = false
    /// Bytes of the last reply, as far as libmodbus told.
    private var received = 0
    /// What the buffer is filled with before a reply.
    private static let untouched: UInt8 = 0xA5

    /// libmodbus waits with `select`, which can only name descriptors below this (`FD_SETSIZE`).
    static let descriptorMax: Int32 = 1_024
    /// Descriptors that other threads may take between the check and the connection.
    private static let descriptorReserve: Int32 = 64

    init?(_ endpoint: ModbusEndpoint, _ options: ModbusOptions) {
        let created: OpaquePointer?
        switch endpoint {
        case .tcp(let host, let port):
            created = modbus_new_tcp_pi(host, String(port))
            self.isTCP = true
        case .rtu(let device, let baud, let parity, let dataBits, let stopBits):
            let character = CChar(bitPattern: parity.rawValue.utf8.first ?? 0x4E)
            created = modbus_new_rtu(
                device,
                Int32(clamping: baud),
                character,
                Int32(clamping: dataBits),
                Int32(clamping: stopBits)
            )
            self.isTCP = false
        }
        guard let created else { return nil }
        self.raw = created
        self.endpoint = endpoint
        let milliseconds = UInt32(min(max(options.timeoutMilliseconds, 1), 600_000))
        modbus_set_response_timeout(created, milliseconds / 1_000, milliseconds % 1_000 * 1_000)
        modbus_set_byte_timeout(created, 0, 0)
    }

    deinit {
        if self.isConnected { modbus_close(self.raw) }
        modbus_free(self.raw)
    }

    func connect() -> ModbusError? {
        guard !self.isConnected else { return nil }
        guard Self.hasRoomForDescriptor() else { return self.tooManyDescriptors() }
        guard modbus_connect(self.raw) == 0 else {
            let code = errno
            return ModbusError(.notConnected, "\(self.endpoint.name): \(Self.text(ofConnect: code))")
        }
        self.isConnected = true
        let descriptor = modbus_get_socket(self.raw)
        guard descriptor < Self.descriptorMax else {
            self.close()
            return self.tooManyDescriptors()
        }
        if self.isTCP { return nil }
        // Neither another process nor a second bus may talk on the line at the same time.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, ioctl(descriptor, UInt(TIOCEXCL)) == 0 else {
            let code = errno
            self.close()
            return ModbusError(.notConnected, "\(self.endpoint.name): \(Self.text(ofConnect: code))")
        }
        return nil
    }

    func close() {
        guard self.isConnected else { return }
        modbus_close(self.raw)
        self.isConnected = false
    }

    /// Whether a request may be sent: TCP devices close idle connections, and bytes that wait unasked mean that replies
    /// and requests are out of step.
    func isReady() -> Bool {
        guard self.isConnected, self.isTCP else { return self.isConnected }
        var byte: UInt8 = 0
        let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
        return recv(modbus_get_socket(self.raw), &byte, 1, flags) < 0 && errno == EAGAIN
    }

    private static func hasRoomForDescriptor() -> Bool {
        let probe = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard probe >= 0 else { return false }
        Glibc.close(probe)
        return probe < self.descriptorMax - self.descriptorReserve
    }

    private func tooManyDescriptors() -> ModbusError {
        ModbusError(
            .tooManyDescriptors,
            "\(self.endpoint.name): nearly \(Self.descriptorMax) files are open in this process and libmodbus cannot "
                + "wait on more; split the site over two gateways"
        )
    }

    /// Sends a request (unit identifier first) and gives the reply from its function code on to `body`.
    ///
    /// Errors tell both frames, for whoever has to find out what a device does.
    func exchange<Result>(
        _ request: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) throws(ModbusError) -> Result {
        try self.ask(request)
        return try self.answer(request, body)
    }

    /// Sends a request; ``answer(_:_:)`` has to be called before the next one.
    func ask(_ request: [UInt8]) throws(ModbusError) {
        guard request.count >= 2 else { throw ModbusError(.invalidRequest, "an empty request") }
        // libmodbus does not say how much of a reply had come when it gives up; what is overwritten does.
        self.buffer.withUnsafeMutableBufferPointer { $0.update(repeating: Self.untouched) }
        self.received = 0
        do throws(ModbusError) {
            try self.send(request)
        } catch {
            throw self.telling(error, request)
        }
    }

    /// Takes the reply to the request that was sent last.
    func answer<Result>(
        _ request: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) throws(ModbusError) -> Result {
        do throws(ModbusError) {
            return try self.receive(request, body)
        } catch {
            throw self.telling(error, request)
        }
    }

    private func telling(_ error: ModbusError, _ request: [UInt8]) -> ModbusError {
        var error = error
        error.exchange = self.lastExchange(request)
        return error
    }

    /// Whether a reply, or the begin of one, waits to be taken.
    var hasReply: Bool {
        var byte: UInt8 = 0
        return recv(modbus_get_socket(self.raw), &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    private func lastExchange(_ request: [UInt8]) -> ModbusExchange {
        let received = max(self.received, (self.buffer.lastIndex { $0 != Self.untouched } ?? -1) + 1)
        let crc = ModbusFrames.crc(request)
        return ModbusExchange(
            request: self.isTCP
                ? Array(self.frame[0..<(6 + request.count)])
                : request + [ModbusFrames.low(crc), ModbusFrames.high(crc)],
            response: Array(self.buffer[0..<min(received, self.buffer.count)]),
            unitOffset: self.isTCP ? 6 : 0
        )
    }

    private func receive<Result>(
        _ request: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) throws(ModbusError) -> Result {
        let length = modbus_receive_confirmation(self.raw, &self.buffer)
        self.received = max(0, Int(length))
        guard length > 0 else {
            let code = errno
            // 0: a frame for another unit on the line.
            throw length == 0 ? self.mismatch("a frame of another unit") : self.failure(code)
        }
        let header = self.isTCP ? 7 : 1
        let end = self.isTCP ? Int(length) : Int(length) - 2
        guard end >= header + 2, end <= self.buffer.count else { throw self.mismatch("\(length) bytes") }
        if self.isTCP { try self.checkHeader(end: end) }
        guard self.buffer[header - 1] == request[0] else {
            throw self.mismatch("unit \(self.buffer[header - 1]) instead of \(request[0])")
        }
        if self.buffer[header] == request[1] | 0x80 {
            throw .exception(self.buffer[header + 1], "\(self.endpoint.name), unit \(request[0])")
        }
        guard self.buffer[header] == request[1] else {
            throw self.mismatch("function \(self.buffer[header]) instead of \(request[1])")
        }
        let result = self.buffer.withUnsafeBufferPointer { bytes in
            body(UnsafeBufferPointer(rebasing: bytes[header..<end]))
        }
        guard let result else { throw self.mismatch("another length or echo than asked for") }
        return result
    }

    private func send(_ request: [UInt8]) throws(ModbusError) {
        guard self.isTCP else {
            modbus_flush(self.raw)
            // libmodbus drops frames of other units by this.
            modbus_set_slave(self.raw, Int32(request[0]))
            let sent = modbus_send_raw_request(self.raw, request, Int32(clamping: request.count))
            guard sent >= 0 else { throw self.failure(errno) }
            return
        }
        let length = request.count
        guard length + 6 <= self.frame.count else { throw ModbusError(.invalidRequest, "a request of \(length) bytes") }
        self.transaction &+= 1
        self.frame[0] = ModbusFrames.high(self.transaction)
        self.frame[1] = ModbusFrames.low(self.transaction)
        self.frame[4] = UInt8(truncatingIfNeeded: length >> 8)
        self.frame[5] = UInt8(truncatingIfNeeded: length)
        for index in 0..<length { self.frame[6 + index] = request[index] }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let sent = Glibc.send(modbus_get_socket(self.raw), self.frame, length + 6, flags)
        guard sent == length + 6 else { throw self.failure(sent < 0 ? errno : EPIPE) }
    }

    private func checkHeader(end: Int) throws(ModbusError) {
        func word(_ index: Int) -> UInt16 { UInt16(self.buffer[index]) << 8 | UInt16(self.buffer[index + 1]) }
        guard word(0) == self.transaction else {
            throw self.mismatch("transaction \(word(0)) instead of \(self.transaction)")
        }
        guard word(2) == 0 else { throw self.mismatch("protocol \(word(2)) instead of 0") }
        guard Int(word(4)) == end - 6 else { throw self.mismatch("length \(word(4)) for \(end - 6) bytes") }
    }

    private func mismatch(_ what: String) -> ModbusError {
        ModbusError(.badReply, "\(self.endpoint.name): the reply does not fit the request: \(what)")
    }

    private func failure(_ code: Int32) -> ModbusError {
        let name = self.endpoint.name
        if code == ETIMEDOUT || code == EINPROGRESS { return ModbusError(.timeout, "\(name): no whole reply in time") }
        let text = String(cString: modbus_strerror(code))
        // libmodbus counts its own errors from here on; everything else comes from the system.
        if code >= 112_345_678 { return ModbusError(.badReply, "\(name): the reply does not fit the request: \(text)") }
        return ModbusError(.notConnected, "\(name): the connection broke: \(text)")
    }

    private static func text(ofConnect code: Int32) -> String {
        switch code {
        case EINPROGRESS, ETIMEDOUT: "no connection in time; is the device on, and is the address right?"
        // libmodbus says the same of a host name that cannot be resolved.
        case ECONNREFUSED:
            "the connection is refused; are host name and port right, and does the device allow one more connection?"
        case EACCES: "no permission to open the line; the user of the service must be in the group dialout"
        case ENOENT: "there is no such device file; use a name under /dev/serial/by-id"
        case EWOULDBLOCK, EBUSY: "the line is in use; only one bus of one process may use it"
        default: String(cString: modbus_strerror(code))
        }
    }
}
