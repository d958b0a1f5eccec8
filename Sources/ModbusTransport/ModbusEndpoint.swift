/// Where Modbus is spoken.
package enum ModbusEndpoint: Sendable, Hashable {
    /// The parity of a serial line.
    package enum Parity: String, Sendable {
        case none = "N"
        case even = "E"
        case odd = "O"
    }

    case tcp(host: String, port: UInt16)
    case rtu(device: String, baud: Int, parity: Parity, dataBits: Int, stopBits: Int)

    /// `host:port`, or the device file.
    package var name: String {
        switch self {
        case .tcp(let host, let port): "\(host):\(port)"
        case .rtu(let device, _, _, _, _): device
        }
    }
}

/// How patient a bus is.
package struct ModbusOptions: Sendable, Hashable {
    /// Longest wait for a whole reply, connecting included.
    package var timeoutMilliseconds: Int
    /// Least quiet time between two requests.
    package var pauseMilliseconds: Int
    /// RTU: how long the line is left alone after a time-out, so that a late reply cannot meet the next request.
    package var lateReplyMilliseconds: Int
    /// Time-outs in a row after which a unit is left alone.
    package var timeoutsToBackOff: Int
    /// The first time that a unit is left alone; it doubles up to the maximum.
    package var backoffMilliseconds: Int
    package var backoffMaxMilliseconds: Int
    /// The same for an endpoint that does not accept connections.
    package var reconnectMilliseconds: Int
    package var reconnectMaxMilliseconds: Int

    package init(
        timeoutMilliseconds: Int = 1_000,
        pauseMilliseconds: Int = 0,
        lateReplyMilliseconds: Int = 1_500,
        timeoutsToBackOff: Int = 2,
        backoffMilliseconds: Int = 5_000,
        backoffMaxMilliseconds: Int = 60_000,
        reconnectMilliseconds: Int = 100,
        reconnectMaxMilliseconds: Int = 5_000
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.pauseMilliseconds = pauseMilliseconds
        self.lateReplyMilliseconds = lateReplyMilliseconds
        self.timeoutsToBackOff = timeoutsToBackOff
        self.backoffMilliseconds = backoffMilliseconds
        self.backoffMaxMilliseconds = backoffMaxMilliseconds
        self.reconnectMilliseconds = reconnectMilliseconds
        self.reconnectMaxMilliseconds = reconnectMaxMilliseconds
    }
}

/// One of the four tables.
package enum ModbusTable: UInt8, Sendable, CaseIterable {
    /// The raw value is the function code that reads the table.
    case coils = 1
    case discreteInputs = 2
    case holdingRegisters = 3
    case inputRegisters = 4

    package var isBits: Bool { self.rawValue <= 2 }
}

/// One read.
package struct ModbusRead: Sendable, Hashable {
    package var unit: UInt8
    package var table: ModbusTable
    package var address: UInt16
    /// 1–125 registers or 1–2000 bits.
    package var count: UInt16

    package init(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) {
        self.unit = unit
        self.table = table
        self.address = address
        self.count = count
    }
}

/// One write.
package enum ModbusWrite: Sendable, Hashable {
    /// Function 5.
    case coil(address: UInt16, isOn: Bool)
    /// Function 6.
    case register(address: UInt16, value: UInt16)
    /// Function 15, 1–1968 coils.
    case coils(address: UInt16, areOn: [Bool])
    /// Function 16, 1–123 registers.
    case registers(address: UInt16, values: [UInt16])
    /// Function 22: the register becomes (register and `and`) or (`or` and not `and`).
    case mask(address: UInt16, and: UInt16, or: UInt16)
}

/// What came back for a read.
package struct ModbusReply: Sendable, Hashable {
    /// Registers, or bits as 0 and 1.
    package var words: [UInt16]
    /// `CLOCK_BOOTTIME` when the reply was complete, nanoseconds.
    package var receivedNanoseconds: UInt64
    package var latencyNanoseconds: UInt64
}

/// Why a request has no answer.
package struct ModbusError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of failure; the first eleven are the device's own exceptions (Modbus Application Protocol V1.1b3, 7).
    package enum Code: String, Sendable, CaseIterable {
        case illegalFunction
        case illegalDataAddress
        case illegalDataValue
        case deviceFailure
        case acknowledge
        case deviceBusy
        case negativeAcknowledge
        case memoryParity
        case gatewayPathUnavailable
        case gatewayTargetFailed
        case unknownException
        /// No whole reply in time.
        case timeout
        /// No connection, or it broke.
        case notConnected
        /// A reply that is not for the request: other unit, function or length, or a wrong checksum.
        case badReply
        /// Outside what Modbus allows; nothing was sent.
        case invalidRequest
        /// The process has so many files open that libmodbus cannot wait on another (`FD_SETSIZE`).
        case tooManyDescriptors
        /// The unit or endpoint was down a moment ago and is left alone a while.
        case backedOff
    }

    package var code: Code
    /// The exception's number, 1–11; 0 for other failures.
    package var exception: UInt8
    /// What the operator reads.
    package var description: String

    init(_ code: Code, exception: UInt8 = 0, _ description: String) {
        self.code = code
        self.exception = exception
        self.description = description
    }

    /// The error for a device's exception.
    static func exception(_ number: UInt8, _ what: String) -> ModbusError {
        let (code, text): (Code, String) =
            switch number {
            case 1: (.illegalFunction, "the device does not know this function")
            case 2: (.illegalDataAddress, "the device has no such address; check the profile")
            case 3: (.illegalDataValue, "the device does not allow this count or value")
            case 4: (.deviceFailure, "the device has failed inside")
            case 5: (.acknowledge, "the device needs longer for this; it is asked again")
            case 6: (.deviceBusy, "the device is busy; it is asked again")
            case 7: (.negativeAcknowledge, "the device refuses")
            case 8: (.memoryParity, "the device reports a memory fault")
            case 10: (.gatewayPathUnavailable, "the gateway has no path to the unit")
            case 11: (.gatewayTargetFailed, "the unit behind the gateway does not answer")
            default: (.unknownException, "the device answers with exception \(number)")
            }
        return ModbusError(code, exception: number, "\(what): \(text)")
    }
}
