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

    package init(unit: UInt8, table: ModbusWire.Table, address: UInt16, value: UInt16) {
        self.unit = unit
        self.table = table
        self.address = address
        self.value = value
    }
}

/// A request and what came back for it, as on the wire.
package struct BusFrames: Sendable, Hashable {
    package var request: [UInt8]
    /// Empty when nothing came.
    package var response: [UInt8]
    /// Where the unit identifier is in both frames; the function code follows it.
    package var unitOffset: Int

    package init(request: [UInt8], response: [UInt8], unitOffset: Int) {
        self.request = request
        self.response = response
        self.unitOffset = unitOffset
    }

    /// Both frames in hexadecimal, `→` sent and `←` received.
    ///
    /// Data that came is masked when the device has personal registers, and when it came from another unit, of which
    /// nobody knows what it has.
    package func text(hasPersonalRegisters: Bool) -> String {
        let unit = self.request.dropFirst(self.unitOffset).first
        let isOurs = self.response.dropFirst(self.unitOffset).first == unit
        let shown = hasPersonalRegisters || !isOurs ? self.unitOffset + 2 : self.response.count
        let hidden = max(0, self.response.count - shown)
        let received = [HexText.text(self.response.prefix(shown))] + Array(repeating: "••", count: hidden)
        return "→ \(HexText.text(self.request))\n← "
            + (self.response.isEmpty ? "–" : received.joined(separator: " "))
    }
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
    /// What was sent and what came back; `nil` when nothing was sent.
    package var frames: BusFrames?

    package init(
        reason: DeviceHealth.Reason,
        exceptionCode: UInt8 = 0,
        isBackedOff: Bool = false,
        message: String,
        frames: BusFrames? = nil
    ) {
        self.frames = frames
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
    ///
    /// - Parameter next: What will most likely be read next: a device may be asked for it before this returns.
    func read(_ requests: [RegisterRequest], before next: RegisterRequest?) async -> [RegisterOutcome]
    /// Writes one value; `nil` when it was confirmed.
    func write(_ request: RegisterWrite) async -> BusFailure?
}
