internal import StrictYAML

/// Reads where a value lies in a Modbus table.
struct RegisterSourceReader {
    let wire: ModbusWire

    /// Reads `{table, address, type, …}` and finishes the map.
    func read(_ map: YAMLMap) -> RegisterSource? {
        let source = self.readOpen(map)
        map.finish()
        return source
    }

    /// Reads the same, leaving the map open for further keys.
    ///
    /// - Parameter allowsWordsInCoils: Whether a coil may be given another type than a bit.
    func readOpen(_ map: YAMLMap, allowsWordsInCoils: Bool = false) -> RegisterSource? {
        let table = map.choice("table", of: ModbusWire.Table.self)
        let address = map.int("address", in: 0...65_535)
        let documentedAs = map.optional("documentedAs").flatMap(\.scalarText)
        let isBits = table?.isBits ?? false
        let type =
            isBits
            ? map.choice("type", of: RegisterSource.ValueType.self, default: .bool)
            : map.choice("type", of: RegisterSource.ValueType.self)
        let byteOrder = map.choice("byteOrder", of: ModbusWire.Order.self, default: self.wire.byteOrder)
        // Devices that swap the words of a number do not swap those of a text.
        let wordOrder = map.choice(
            "wordOrder",
            of: ModbusWire.Order.self,
            default: type?.isText == true ? .highFirst : self.wire.wordOrder
        )
        let bits = self.bits(map.optionalMap("bits"))
        var length = 0
        if type?.isText == true {
            length = map.int("length", in: 1...125) ?? 1
        } else if map.optional("length") != nil {
            map.problem(at: "length", "only string and hex have a length")
        }
        guard let table, let address, let type else { return nil }
        let source = RegisterSource(
            table: table,
            address: UInt16(clamping: address),
            documentedAs: documentedAs,
            type: type,
            byteOrder: byteOrder,
            wordOrder: wordOrder,
            bits: bits,
            length: length
        )
        self.check(source, map, allowsWordsInCoils: allowsWordsInCoils)
        return source
    }

    /// Reads `{table, address}` of a register that holds a count of bytes, and finishes the map.
    func readLength(_ map: YAMLMap) -> RegisterSource? {
        let table = map.choice("table", of: ModbusWire.Table.self)
        let address = map.int("address", in: 0...65_535)
        map.finish()
        guard let table, let address else { return nil }
        if table.isBits { map.problem(at: "table", "a length is in a register") }
        return RegisterSource(
            table: table,
            address: UInt16(clamping: address),
            documentedAs: nil,
            type: .uint16,
            byteOrder: self.wire.byteOrder,
            wordOrder: .highFirst,
            bits: nil,
            length: 0
        )
    }

    private func bits(_ map: YAMLMap?) -> RegisterSource.Bits? {
        guard let map else { return nil }
        let bits = RegisterSource.Bits(
            from: map.int("from", in: 0...63) ?? 0,
            count: map.int("count", in: 1...64, default: 1)
        )
        map.finish()
        return bits
    }

    private func check(_ source: RegisterSource, _ map: YAMLMap, allowsWordsInCoils: Bool) {
        if source.table.isBits, source.type != .bool, !allowsWordsInCoils {
            map.problem(at: "type", "coils and discrete inputs are single bits: type bool")
        }
        if let bits = source.bits {
            let width: Int
            switch source.type {
            case .uint8, .int8: width = 8
            case .int16, .uint16, .bool: width = 16
            case .int24, .uint24: width = 24
            case .int32, .uint32: width = 32
            case .int64, .uint64: width = 64
            default: width = 0
            }
            if width == 0 {
                map.problem(at: "bits", "bits are taken from a whole number")
            } else if bits.from + bits.count > width {
                map.problem(at: "bits", "bits \(bits.from) to \(bits.from + bits.count - 1) do not fit \(source.type)")
            }
        }
        let end = Int(source.address) + source.addressCount - 1
        if end > 65_535 { map.problem(at: "address", "the value ends at address \(end), past 65535") }
        if !source.table.isBits, source.addressCount > self.wire.registersMax {
            map.problem(
                "takes \(source.addressCount) registers; one read of this device has at most \(self.wire.registersMax)"
            )
        }
        for range in self.wire.forbidden
        where range.table == source.table && Int(range.from) <= end && Int(range.to) >= Int(source.address) {
            map.problem(at: "address", "lies in the forbidden range \(range.from) to \(range.to)")
        }
    }
}
