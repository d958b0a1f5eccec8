/// Some of a device's tables, as far as frames have told them.
package struct RegisterImage: Sendable {
    private var words: [ModbusWire.Table: [UInt16: UInt16]] = [:]
    /// Addresses whose read was answered with an exception.
    private var refused: [ModbusWire.Table: Set<UInt16>] = [:]

    package init() {}

    /// Sets registers, or bits as 0 and 1.
    package mutating func set(_ table: ModbusWire.Table, _ address: UInt16, _ values: [UInt16]) {
        for (offset, value) in values.enumerated() {
            self.words[table, default: [:]][address &+ UInt16(truncatingIfNeeded: offset)] = value
        }
    }

    /// Reads a request and its reply (RTU frames with CRC).
    ///
    /// Returns why they cannot be read, or `nil`.
    package mutating func take(request: [UInt8], response: [UInt8]) -> String? {
        guard request.count == 8, response.count >= 5 else {
            return
                "a read request has 8 bytes and a reply at least 5; these have \(request.count) and \(response.count)"
        }
        guard let table = ModbusWire.Table.allCases.first(where: { $0.readFunction == request[1] }) else {
            return "function \(request[1]) is not a read of coils, discrete inputs or registers (1 to 4)"
        }
        let address = UInt16(request[2]) << 8 | UInt16(request[3])
        let count = UInt16(request[4]) << 8 | UInt16(request[5])
        if response[1] == request[1] | 0x80 {
            for offset in 0..<count { self.refused[table, default: []].insert(address &+ offset) }
            return nil
        }
        let data = Array(response[3..<(response.count - 2)])
        let expected = table.isBits ? (Int(count) + 7) / 8 : Int(count) * 2
        guard response[1] == request[1], Int(response[2]) == data.count, data.count == expected else {
            return "the reply does not fit the request: \(data.count) bytes of data, \(expected) expected"
        }
        let values: [UInt16] =
            table.isBits
            ? (0..<Int(count)).map { UInt16(data[$0 / 8] >> UInt8($0 % 8) & 1) }
            : (0..<Int(count)).map { UInt16(data[$0 * 2]) << 8 | UInt16(data[$0 * 2 + 1]) }
        self.set(table, address, values)
        return nil
    }

    /// The words of a read; `nil` when the frames do not tell all of them.
    package func words(_ table: ModbusWire.Table, _ address: UInt16, _ count: Int) -> [UInt16]? {
        var result: [UInt16] = []
        for offset in 0..<count {
            guard let word = self.words[table]?[address &+ UInt16(truncatingIfNeeded: offset)] else { return nil }
            result.append(word)
        }
        return result
    }

    func isRefused(_ source: RegisterSource) -> Bool {
        (0..<source.addressCount)
            .contains { offset in
                self.refused[source.table]?.contains(source.address &+ UInt16(truncatingIfNeeded: offset)) ?? false
            }
    }
}
