/// How a device is spoken to over Modbus TCP or RTU.
package struct ModbusWire: Sendable, Hashable {
    /// One of the four Modbus tables; the raw value is the key in profiles.
    package enum Table: String, Sendable, CaseIterable {
        case coil
        case discrete
        case holding
        case input

        /// Whether one address is one bit (otherwise one 16-bit register).
        package var isBits: Bool { self == .coil || self == .discrete }

        /// The function code that reads the table: 1, 2, 3 or 4.
        package var readFunction: UInt8 {
            switch self {
            case .coil: 1
            case .discrete: 2
            case .holding: 3
            case .input: 4
            }
        }
    }

    /// Order of bytes in a register, or of registers in a value.
    package enum Order: String, Sendable, CaseIterable {
        case highFirst = "high-first"
        case lowFirst = "low-first"
    }

    /// The serial settings that the factory ships.
    package struct Serial: Sendable, Hashable {
        package enum Parity: String, Sendable, CaseIterable {
            case none
            case even
            case odd
        }

        package var baud: Int
        package var parity: Parity
        package var dataBits: Int
        package var stopBits: Int
    }

    /// Addresses that no read may touch, both ends included.
    package struct Forbidden: Sendable, Hashable {
        package var table: Table
        package var from: UInt16
        package var to: UInt16
    }

    package var unit: UInt8
    package var serial: Serial?
    package var timeoutMilliseconds: Int
    package var pauseMilliseconds: Int
    /// Quiet time after a connection was made, before the first request.
    package var connectPauseMilliseconds: Int
    package var registersMax: Int
    package var bitsMax: Int
    package var gapMax: Int
    package var forbidden: [Forbidden]
    package var byteOrder: Order
    package var wordOrder: Order
}

/// A value in a Modbus table.
package struct RegisterSource: Sendable, Hashable {
    /// How registers become a raw value; the raw value is the key in profiles.
    package enum ValueType: String, Sendable, CaseIterable {
        case bool
        case int8
        case uint8
        case int16
        case uint16
        case int24
        case uint24
        case int32
        case uint32
        case int64
        case uint64
        case float16
        case float32
        case float64
        case bcd16
        case bcd32
        case bcd64
        case string
        /// Binary data, as hexadecimal text.
        case hex

        /// Whether it is read as text.
        package var isText: Bool { self == .string || self == .hex }
    }

    /// A slice of a whole number, bit 0 the lowest; of a signed type it is signed itself.
    package struct Bits: Sendable, Hashable {
        package var from: Int
        package var count: Int
    }

    package var table: ModbusWire.Table
    /// Zero-based, as on the wire.
    package var address: UInt16
    /// The number that the manual prints.
    package var documentedAs: String?
    package var type: ValueType
    package var byteOrder: ModbusWire.Order
    package var wordOrder: ModbusWire.Order
    package var bits: Bits?
    /// Registers of a text; 0 for other types.
    package var length: Int

    /// How many addresses the value takes: registers, or 1 in a bit table.
    package var addressCount: Int {
        if self.table.isBits { return 1 }
        switch self.type {
        case .bool, .int8, .uint8, .int16, .uint16, .float16, .bcd16: return 1
        case .int24, .uint24, .int32, .uint32, .float32, .bcd32: return 2
        case .int64, .uint64, .float64, .bcd64: return 4
        case .string, .hex: return self.length
        }
    }
}
