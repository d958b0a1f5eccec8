/// One of the four tables; the raw value is the function code that reads it.
package enum ModbusTable: UInt8, Sendable, CaseIterable {
    case coils = 1
    case discreteInputs = 2
    case holdingRegisters = 3
    case inputRegisters = 4

    /// Whether its values are single bits.
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
    /// Function 5 with a word that is neither on nor off: some relays take a time there.
    case coilWord(address: UInt16, value: UInt16)
    /// Function 6.
    case register(address: UInt16, value: UInt16)
    /// Function 15, 1–1968 coils.
    case coils(address: UInt16, areOn: [Bool])
    /// Function 16, 1–123 registers.
    case registers(address: UInt16, values: [UInt16])
    /// Function 22: the register becomes (register and `and`) or (`or` and not `and`).
    case mask(address: UInt16, and: UInt16, or: UInt16)
}

extension ModbusWrite {
    /// A read at the place that is written.
    func neighbour(unit: UInt8) -> ModbusRead {
        let (table, address): (ModbusTable, UInt16) =
            switch self {
            case .coil(let address, _), .coilWord(let address, _), .coils(let address, _): (.coils, address)
            case .register(let address, _), .registers(let address, _), .mask(let address, _, _):
                (.holdingRegisters, address)
            }
        return ModbusRead(unit: unit, table: table, address: address, count: 1)
    }
}

/// What came back for a read.
package struct ModbusReply: Sendable, Hashable {
    /// Registers, or bits as 0 and 1.
    package var words: [UInt16]
    /// `CLOCK_BOOTTIME` when the reply was complete, nanoseconds.
    package var receivedNanoseconds: UInt64
    /// From sending the request to the complete reply, nanoseconds.
    package var latencyNanoseconds: UInt64
}
