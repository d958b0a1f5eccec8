internal import CModbus
internal import Foundation

/// One libmodbus context.
///
/// Owned by one bus and used on its private queue only.
///
/// Requests go out as raw PDUs and replies come back whole, so that everything libmodbus 3.1.6 leaves unchecked is
/// checked here: unit identifier, MBAP length and protocol of TCP replies, function and byte count. Raw TCP requests
/// carry transaction 0; a stale reply cannot be mistaken because the connection is closed after any failure.
final class ModbusContext {
    private let raw: OpaquePointer
    private let endpoint: ModbusEndpoint
    private let isTCP: Bool
    private var buffer = [UInt8](repeating: 0, count: 512)
    private(set) var isConnected = false

    /// libmodbus waits with `select`, which can only name descriptors below this.
    static let descriptorMax: Int32 = 1_024

    init?(_ endpoint: ModbusEndpoint, _ options: ModbusOptions) {
        let created: OpaquePointer?
        switch endpoint {
        case .tcp(let host, let port):
            created = modbus_new_tcp_pi(host, String(port))
            self.isTCP = true
        case .rtu(let device, let baud, let parity, let dataBits, let stopBits):
            let character = CChar(bitPattern: parity.rawValue.utf8.first ?? 0x4E)
            created = modbus_new_rtu(device, Int32(clamping: baud), character, Int32(dataBits), Int32(stopBits))
            self.isTCP = false
        }
        guard let created else { return nil }
        self.raw = created
        self.endpoint = endpoint
        let microseconds = max(options.timeoutMilliseconds, 1) * 1_000
        modbus_set_response_timeout(created, UInt32(microseconds / 1_000_000), UInt32(microseconds % 1_000_000))
        // 0: the whole reply must be there within the response time-out, however it drips.
        modbus_set_byte_timeout(created, 0, 0)
    }

    deinit {
        if self.isConnected { modbus_close(self.raw) }
        modbus_free(self.raw)
    }

    func connect() -> ModbusError? {
        guard !self.isConnected else { return nil }
        guard Self.hasRoomForDescriptor() else {
            return ModbusError(
                .tooManyDescriptors,
                "\(self.endpoint.name): more than \(Self.descriptorMax) files are open in this process; raise nothing, "
                    + "close something: libmodbus cannot wait on more"
            )
        }
        guard modbus_connect(self.raw) == 0 else {
            let code = errno
            return ModbusError(.notConnected, "\(self.endpoint.name): \(Self.text(ofConnect: code))")
        }
        self.isConnected = true
        guard modbus_get_socket(self.raw) < Self.descriptorMax else {
            self.close()
            return ModbusError(.tooManyDescriptors, "\(self.endpoint.name): too many files are open in this process")
        }
        if !self.isTCP { _ = ioctl(modbus_get_socket(self.raw), UInt(TIOCEXCL)) }
        return nil
    }

    func close() {
        guard self.isConnected else { return }
        modbus_close(self.raw)
        self.isConnected = false
    }

    /// Throws away what has been received and not read.
    func flush() { modbus_flush(self.raw) }

    private static func hasRoomForDescriptor() -> Bool {
        let probe = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard probe >= 0 else { return false }
        Foundation.close(probe)
        return probe < self.descriptorMax - 2
    }

    /// Sends a request (unit identifier first) and gives the reply from its function code on to `body`.
    func exchange<Result>(
        _ request: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) throws(ModbusError) -> Result {
        if !self.isTCP { self.flush() }
        modbus_set_slave(self.raw, Int32(request[0]))
        var copy = request
        guard modbus_send_raw_request(self.raw, &copy, Int32(copy.count)) >= 0 else { throw self.failure(errno) }
        let length = modbus_receive_confirmation(self.raw, &self.buffer)
        guard length > 0 else {
            let code = errno
            // 0: a frame for another unit on the line.
            throw length == 0 ? self.mismatch("a frame of another unit") : self.failure(code)
        }
        let header = self.isTCP ? 7 : 1
        let end = self.isTCP ? Int(length) : Int(length) - 2
        guard end >= header + 2, end <= self.buffer.count else { throw self.mismatch("\(length) bytes") }
        if self.isTCP {
            let protocolID = UInt16(self.buffer[2]) << 8 | UInt16(self.buffer[3])
            let announced = Int(UInt16(self.buffer[4]) << 8 | UInt16(self.buffer[5]))
            guard protocolID == 0, announced == end - 6 else { throw self.mismatch("a wrong header") }
        }
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
        guard let result else { throw self.mismatch("another length than asked for") }
        return result
    }

    private func mismatch(_ what: String) -> ModbusError {
        ModbusError(.badReply, "\(self.endpoint.name): the reply does not fit the request: \(what)")
    }

    private func failure(_ code: Int32) -> ModbusError {
        let name = self.endpoint.name
        switch code {
        case ETIMEDOUT, EINPROGRESS: return ModbusError(.timeout, "\(name): no whole reply in time")
        case ECONNRESET, EPIPE, ECONNREFUSED, EBADF, ENOTCONN, EHOSTUNREACH, ENETUNREACH, EIO, ENODEV:
            return ModbusError(.notConnected, "\(name): the connection broke: \(String(cString: strerror(code)))")
        default:
            if code >= 112_345_678 {
                return ModbusError(.badReply, "\(name): \(String(cString: modbus_strerror(code)))")
            }
            return ModbusError(.notConnected, "\(name): \(String(cString: strerror(code)))")
        }
    }

    private static func text(ofConnect code: Int32) -> String {
        switch code {
        case EINPROGRESS, ETIMEDOUT: "no connection in time; is the device on, and is the address right?"
        case ECONNREFUSED: "the connection is refused; is the port right, and does the device allow one more?"
        case EACCES: "no permission to open the line; the user of the service must be in the group dialout"
        case ENOENT: "there is no such device file; use a name under /dev/serial/by-id"
        default: String(cString: modbus_strerror(code))
        }
    }
}
