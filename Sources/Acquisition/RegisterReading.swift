package import DeviceProfile

/// One read of one table.
package struct RegisterRequest: Sendable, Hashable {
    package var unit: UInt8
    package var table: ModbusWire.Table
    package var address: UInt16
    package var count: UInt16

    package init(unit: UInt8, table: ModbusWire.Table, address: UInt16, count: UInt16) {
        self.unit = unit
        self.table = table
        self.address = address
        self.count = count
    }
}

/// One write of one coil or register.
package struct RegisterWrite: Sendable, Hashable {
    package var unit: UInt8
    /// `coil` or `holding`.
    package var table: ModbusWire.Table
    package var address: UInt16
    package var value: UInt16
}

/// Why a bus could not read.
package struct BusFailure: Error, Sendable, Hashable {
    package var reason: DeviceHealth.Reason
    /// The Modbus exception code, 1–11, when ``reason`` is `exception`; otherwise 0.
    package var exceptionCode: UInt8
    /// The unit is known to be down and was not asked.
    package var isBackedOff: Bool
    /// What the operator reads.
    package var message: String

    package init(
        reason: DeviceHealth.Reason,
        exceptionCode: UInt8 = 0,
        isBackedOff: Bool = false,
        message: String
    ) {
        self.reason = reason
        self.exceptionCode = exceptionCode
        self.isBackedOff = isBackedOff
        self.message = message
    }
}

/// What came back for one request.
package enum RegisterOutcome: Sendable {
    /// Registers, or bits as 0 and 1; received when `CLOCK_BOOTTIME` read `receivedNanoseconds`.
    case words([UInt16], receivedNanoseconds: UInt64, latencyNanoseconds: UInt64)
    case failure(BusFailure)
}

/// A Modbus endpoint as acquisition needs it.
///
/// The app supplies the adapter; it must never block the caller's thread.
package protocol RegisterReading: Sendable {
    /// Where the poller of this endpoint runs best; `nil` for anywhere.
    var executor: (any TaskExecutor)? { get }
    /// Reads all requests in order, with one outcome each.
    func read(_ requests: [RegisterRequest]) async -> [RegisterOutcome]
    /// Writes one value; `nil` when it was confirmed.
    func write(_ request: RegisterWrite) async -> BusFailure?
}
