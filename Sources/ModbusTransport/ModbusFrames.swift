/// The bytes of requests and replies, after the unit identifier (Modbus Application Protocol V1.1b3, 6).
enum ModbusFrames {
    /// A read, unit identifier first.
    static func request(_ read: ModbusRead) throws(ModbusError) -> [UInt8] {
        let limit: UInt16 = read.table.isBits ? 2_000 : 125
        guard (1...limit).contains(read.count), Int(read.address) + Int(read.count) <= 65_536 else {
            throw ModbusError(
                .invalidRequest,
                "a read takes 1 to \(limit) addresses up to 65535; asked: \(read.count) from \(read.address)"
            )
        }
        return [
            read.unit, read.table.rawValue, self.high(read.address), self.low(read.address), self.high(read.count),
            self.low(read.count),
        ]
    }

    /// A write, unit identifier first.
    static func request(_ write: ModbusWrite, unit: UInt8) throws(ModbusError) -> [UInt8] {
        switch write {
        case .coil(let address, let isOn):
            return [unit, 5, self.high(address), self.low(address), isOn ? 0xFF : 0, 0]
        case .coilWord(let address, let value):
            return [unit, 5, self.high(address), self.low(address), self.high(value), self.low(value)]
        case .register(let address, let value):
            return [unit, 6, self.high(address), self.low(address), self.high(value), self.low(value)]
        case .coils(let address, let areOn):
            guard (1...1_968).contains(areOn.count), Int(address) + areOn.count <= 65_536 else {
                throw ModbusError(.invalidRequest, "a write takes 1 to 1968 coils; given: \(areOn.count)")
            }
            var bytes = [UInt8](repeating: 0, count: (areOn.count + 7) / 8)
            for (index, isOn) in areOn.enumerated() where isOn { bytes[index / 8] |= 1 << UInt8(index % 8) }
            let count = UInt16(areOn.count)
            return [
                unit, 15, self.high(address), self.low(address), self.high(count), self.low(count), UInt8(bytes.count),
            ]
                + bytes
        case .registers(let address, let values):
            guard (1...123).contains(values.count), Int(address) + values.count <= 65_536 else {
                throw ModbusError(.invalidRequest, "a write takes 1 to 123 registers; given: \(values.count)")
            }
            let count = UInt16(values.count)
            return [
                unit, 16, self.high(address), self.low(address), self.high(count), self.low(count),
                UInt8(values.count * 2),
            ] + values.flatMap { [self.high($0), self.low($0)] }
        case .mask(let address, let and, let or):
            return [
                unit, 22, self.high(address), self.low(address), self.high(and), self.low(and), self.high(or),
                self.low(or),
            ]
        }
    }

    /// A write of registers with a read in the same transaction (function 23), unit identifier first.
    static func request(
        _ read: ModbusRead,
        writing values: [UInt16],
        at address: UInt16
    ) throws(ModbusError) -> [UInt8] {
        let plain = try self.request(read)
        guard (1...121).contains(values.count), Int(address) + values.count <= 65_536 else {
            throw ModbusError(
                .invalidRequest,
                "function 23 writes 1 to 121 registers up to 65535; given: \(values.count)"
            )
        }
        let count = UInt16(values.count)
        return [plain[0], 23] + plain[2...]
            + [self.high(address), self.low(address), self.high(count), self.low(count), UInt8(values.count * 2)]
            + values.flatMap { [self.high($0), self.low($0)] }
    }

    /// The words of a reply to a read (function, byte count, data); `nil` unless its length is just right.
    static func words(_ reply: UnsafeBufferPointer<UInt8>, for read: ModbusRead) -> [UInt16]? {
        let count = Int(read.count)
        let bytes = read.table.isBits ? (count + 7) / 8 : count * 2
        guard reply.count == 2 + bytes, Int(reply[1]) == bytes else { return nil }
        let start = 2
        return [UInt16](unsafeUninitializedCapacity: count) { buffer, initialized in
            if read.table.isBits {
                for index in 0..<count { buffer[index] = UInt16(reply[start + index / 8] >> UInt8(index % 8) & 1) }
            } else {
                for index in 0..<count {
                    buffer[index] = UInt16(reply[start + index * 2]) << 8 | UInt16(reply[start + index * 2 + 1])
                }
            }
            initialized = count
        }
    }

    static func high(_ value: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: value >> 8) }
    static func low(_ value: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: value) }

    /// CRC-16 of RTU frames, sent low byte first (MODBUS over Serial Line V1.02, 6.2.2).
    static func crc(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        }
        return crc
    }
}
