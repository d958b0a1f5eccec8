/// The tables of the units that a server plays.
package protocol RegisterBank: Sendable {
    /// The words of a read, or the exception to answer with.
    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException>
    /// Takes a write, or tells the exception. Coils come as 0 and 1.
    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException?
    /// Whether the unit is there at all; an absent one is silent.
    func isPresent(unit: UInt8) -> Bool
}

/// An exception that a played unit answers with.
package struct RegisterException: Error, Sendable, Hashable {
    /// 1–11.
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
    /// The answer is an exception with this number.
    case exception(UInt8)
    /// One byte at a time, this many milliseconds apart.
    case drip(milliseconds: Int)
    /// The answer names another unit.
    case wrongUnit
    /// The answer names another function.
    case wrongFunction
    /// The answer has two bytes less than it says.
    case wrongLength
    /// TCP: the answer names another transaction. RTU: its checksum is wrong.
    case wrongCheck
    /// TCP: the header announces 9999 bytes. RTU: as ``wrongLength``.
    case wrongHeader
    /// The answer comes twice.
    case duplicate
    /// TCP: the connection is closed instead of an answer. RTU: as ``silence``.
    case close
}
