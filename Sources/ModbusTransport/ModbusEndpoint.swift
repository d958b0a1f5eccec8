/// Where Modbus is spoken.
package enum ModbusEndpoint: Sendable, Hashable {
    /// The parity of a serial line.
    package enum Parity: String, Sendable {
        case none = "N"
        case even = "E"
        case odd = "O"
    }

    /// Modbus TCP; the host is a name or an address, of IPv4 or IPv6.
    case tcp(host: String, port: UInt16)
    /// Modbus RTU over a serial line, best named as under `/dev/serial/by-id`.
    case rtu(device: String, baud: Int, parity: Parity, dataBits: Int, stopBits: Int)

    /// `host:port`, or the device file.
    package var name: String {
        switch self {
        case .tcp(let host, let port): "\(host):\(port)"
        case .rtu(let device, _, _, _, _): device
        }
    }
}
