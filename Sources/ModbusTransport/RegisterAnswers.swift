/// Answers requests from a bank (Modbus Application Protocol V1.1b3, 6).
struct RegisterAnswers: Sendable {
    let bank: any RegisterBank

    /// Appends the PDU that answers `request` (unit identifier first) to `reply`.
    ///
    /// - Returns: The registers or bits that were read.
    func answer(_ request: ArraySlice<UInt8>, into reply: inout [UInt8]) -> Int {
        let start = request.startIndex
        guard request.count >= 2 else { return 0 }
        let function = request[start + 1]
        let number = reply.count
        do throws(RegisterException) {
            return try self.append(Request(bytes: request), function, to: &reply)
        } catch {
            reply.removeLast(reply.count - number)
            reply.append(function | 0x80)
            reply.append(error.code)
            return 0
        }
    }

    private struct Request {
        var bytes: ArraySlice<UInt8>
        var unit: UInt8 { self.bytes[self.bytes.startIndex] }

        func byte(_ index: Int) throws(RegisterException) -> UInt8 {
            guard index < self.bytes.count else { throw RegisterException(code: 3) }
            return self.bytes[self.bytes.startIndex + index]
        }

        func word(_ index: Int) throws(RegisterException) -> UInt16 {
            UInt16(try self.byte(index)) << 8 | UInt16(try self.byte(index + 1))
        }

        func words(_ count: Int, at index: Int) throws(RegisterException) -> [UInt16] {
            var words: [UInt16] = []
            for offset in 0..<count { words.append(try self.word(index + offset * 2)) }
            return words
        }
    }

    private func append(
        _ request: Request,
        _ function: UInt8,
        to reply: inout [UInt8]
    ) throws(RegisterException) -> Int {
        if let table = ModbusTable(rawValue: function) {
            return try self.read(table, request, function, to: &reply)
        }
        switch function {
        case 5:
            let value = try request.word(4)
            guard value == 0 || value == 0xFF00 else { throw RegisterException(code: 3) }
            try self.write(request.unit, .coils, try request.word(2), [value == 0 ? 0 : 1])
        case 6: try self.write(request.unit, .holdingRegisters, try request.word(2), [try request.word(4)])
        case 15:
            let count = Int(try request.word(4))
            guard (1...1_968).contains(count), Int(try request.byte(6)) == (count + 7) / 8 else {
                throw RegisterException(code: 3)
            }
            var values: [UInt16] = []
            for index in 0..<count { values.append(UInt16(try request.byte(7 + index / 8) >> UInt8(index % 8) & 1)) }
            try self.write(request.unit, .coils, try request.word(2), values)
        case 16:
            let count = Int(try request.word(4))
            guard (1...123).contains(count), Int(try request.byte(6)) == count * 2 else {
                throw RegisterException(code: 3)
            }
            let values = try request.words(count, at: 7)
            try self.write(request.unit, .holdingRegisters, try request.word(2), values)
        case 22:
            let address = try request.word(2)
            let and = try request.word(4)
            let or = try request.word(6)
            guard let old = try self.words(request.unit, .holdingRegisters, address, 1).first else {
                throw RegisterException(code: 4)
            }
            try self.write(request.unit, .holdingRegisters, address, [(old & and) | (or & ~and)])
        case 23:
            let count = Int(try request.word(8))
            guard (1...121).contains(count), Int(try request.byte(10)) == count * 2 else {
                throw RegisterException(code: 3)
            }
            let values = try request.words(count, at: 11)
            try self.write(request.unit, .holdingRegisters, try request.word(6), values)
            return try self.read(.holdingRegisters, request, function, to: &reply)
        default: throw RegisterException(code: 1)
        }
        // Function 22 echoes both masks, the others address and value or count.
        for index in 1..<(function == 22 ? 8 : 6) { reply.append(try request.byte(index)) }
        return 0
    }

    private func read(
        _ table: ModbusTable,
        _ request: Request,
        _ function: UInt8,
        to reply: inout [UInt8]
    ) throws(RegisterException) -> Int {
        let count = try request.word(4)
        guard (1...(table.isBits ? 2_000 : 125)).contains(count) else { throw RegisterException(code: 3) }
        let words = try self.words(request.unit, table, try request.word(2), count)
        reply.append(function)
        guard table.isBits else {
            reply.append(UInt8(truncatingIfNeeded: words.count * 2))
            for word in words {
                reply.append(ModbusFrames.high(word))
                reply.append(ModbusFrames.low(word))
            }
            return words.count
        }
        let first = reply.count + 1
        reply.append(UInt8(truncatingIfNeeded: (words.count + 7) / 8))
        for _ in 0..<((words.count + 7) / 8) { reply.append(0) }
        for (index, word) in words.enumerated() where word != 0 { reply[first + index / 8] |= 1 << UInt8(index % 8) }
        return words.count
    }

    private func words(
        _ unit: UInt8,
        _ table: ModbusTable,
        _ address: UInt16,
        _ count: UInt16
    ) throws(RegisterException) -> [UInt16] {
        let words = try self.bank.read(unit: unit, table: table, address: address, count: count).get()
        // A bank with less than was asked for is a device that failed inside.
        guard words.count == Int(count) else { throw RegisterException(code: 4) }
        return words
    }

    private func write(
        _ unit: UInt8,
        _ table: ModbusTable,
        _ address: UInt16,
        _ values: [UInt16]
    ) throws(RegisterException) {
        if let exception = self.bank.write(unit: unit, table: table, address: address, values: values) {
            throw exception
        }
    }
}
