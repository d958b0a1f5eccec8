internal import CampusModel

/// The bytes of one slot of a cursor file.
enum CursorSlot {
    enum Content {
        /// Never written.
        case empty
        /// Torn, or changed at rest.
        case damaged
        case good(generation: UInt64, CursorRecord)
    }

    static func encode(_ record: CursorRecord, generation: UInt64, capacity: Int) -> [UInt8] {
        // A series that nobody knows any more leaves when there is no room; it is the one that was sent least of.
        let places = record.places.sorted { $0.value.watermark > $1.value.watermark }.prefix(capacity)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(CursorFile.slotHeaderBytes + places.count * CursorFile.entryBytes)
        bytes.append(little: generation)
        bytes.append(little: UInt32(places.count))
        bytes.append(little: UInt32(0))
        bytes.append(little: record.lastAcknowledged?.rawValue ?? .min)
        bytes.append(little: record.sent)
        bytes.append(little: record.replayed)
        bytes.append(little: record.dropped)
        bytes.append(contentsOf: repeatElement(0, count: CursorFile.slotHeaderBytes - bytes.count))
        for (hash, place) in places {
            bytes.append(little: hash)
            bytes.append(little: place.watermark.rawValue)
            bytes.append(little: place.counted.rawValue)
            bytes.append(little: place.pending)
            bytes.append(little: place.dropped)
        }
        let checksum = CRC32.checksum(bytes)
        for index in 0..<4 { bytes[12 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) -> Content {
        guard bytes.count >= CursorFile.slotHeaderBytes else { return .damaged }
        let generation = bytes.little(UInt64.self, at: 0)
        if generation == 0 {
            return bytes.prefix(CursorFile.slotHeaderBytes).allSatisfy { $0 == 0 } ? .empty : .damaged
        }
        let count = Int(bytes.little(UInt32.self, at: 8))
        let end = CursorFile.slotHeaderBytes + count * CursorFile.entryBytes
        guard count <= 16_777_216, end <= bytes.count else { return .damaged }
        var covered = bytes[..<end]
        for index in 12..<16 { covered[index] = 0 }
        guard bytes.little(UInt32.self, at: 12) == CRC32.checksum(covered) else { return .damaged }
        var record = CursorRecord()
        let acknowledged = bytes.little(Int64.self, at: 16)
        record.lastAcknowledged = acknowledged == .min ? nil : Tick(rawValue: acknowledged)
        record.sent = bytes.little(UInt64.self, at: 24)
        record.replayed = bytes.little(UInt64.self, at: 32)
        record.dropped = bytes.little(UInt64.self, at: 40)
        for index in 0..<count {
            let start = CursorFile.slotHeaderBytes + index * CursorFile.entryBytes
            record.places[bytes.little(UInt64.self, at: start)] = SeriesPlace(
                watermark: Tick(rawValue: bytes.little(Int64.self, at: start + 8)),
                counted: Tick(rawValue: bytes.little(Int64.self, at: start + 16)),
                pending: bytes.little(UInt32.self, at: start + 24),
                dropped: bytes.little(UInt32.self, at: start + 28)
            )
        }
        return .good(generation: generation, record)
    }
}

extension [UInt8] {
    /// Appends an integer, least significant byte first.
    mutating func append(little value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            self.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// The integer at `offset`, least significant byte first; the caller checked that it is there.
    func little<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
        var value: Value = 0
        for index in stride(from: Value.bitWidth / 8 - 1, through: 0, by: -1) {
            value = value << 8 | Value(truncatingIfNeeded: self[offset + index])
        }
        return value
    }
}
