/// The bytes of a request and of what came back, as on the wire: with the MBAP header, or with the CRC.
package struct ModbusExchange: Sendable, Hashable {
    package var request: [UInt8]
    /// Empty when nothing came.
    ///
    /// After a time-out it is what had come until then; bytes 0xA5 at its end may be missing.
    package var response: [UInt8]
    /// Where the unit identifier is in both: 6 over TCP, 0 on a serial line.
    package var unitOffset: Int
}

/// Why a request has no answer.
package struct ModbusError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of failure; the first eleven are the device's own exceptions (Modbus Application Protocol V1.1b3, 7).
    package enum Code: String, Sendable, CaseIterable {
        /// The device does not know the function (1).
        case illegalFunction
        /// The device has no such address (2).
        case illegalDataAddress
        /// The device does not allow the count or value (3).
        case illegalDataValue
        /// The device failed inside (4).
        case deviceFailure
        /// The device needs longer and wants to be asked again (5).
        case acknowledge
        /// The device is busy and wants to be asked again (6).
        case deviceBusy
        /// The device refuses (7).
        case negativeAcknowledge
        /// The device found its memory damaged (8).
        case memoryParity
        /// A TCP/RTU gateway has no path to the unit (10).
        case gatewayPathUnavailable
        /// The unit behind a TCP/RTU gateway does not answer (11).
        case gatewayTargetFailed
        /// An exception with another number.
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

    /// What sort of failure.
    package var code: Code
    /// The exception's number, 1–11; 0 for other failures.
    package var exception: UInt8
    /// What the operator reads.
    package var description: String
    /// The frames of the exchange that failed; `nil` when nothing was sent.
    package internal(set) var exchange: ModbusExchange?

    init(_ code: Code, exception: UInt8 = 0, _ description: String) {
        self.code = code
        self.exception = exception
        self.description = description
    }

    /// Whether asking the unit again at once would only cost another time-out.
    var meansSilence: Bool {
        switch self.code {
        case .timeout, .notConnected, .backedOff, .tooManyDescriptors, .gatewayPathUnavailable, .gatewayTargetFailed:
            true
        default: false
        }
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
