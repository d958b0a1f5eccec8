/// The names of the series on the card, 192 bytes each, in two copies that are never written between the same flushes.
///
/// ```
/// name's length u8 | flags u8 (1 device clock) | name, 1–160 bytes | zeros | CRC-32C with the place u32
/// ```
struct Catalogue: Sendable {
    static let nameMax = 160
    private static let deviceClock: UInt8 = 1

    struct Series: Sendable, Hashable {
        var name: String
        /// Its ticks are the device's own UTC, which no later knowledge of our clock changes.
        var hasDeviceClock: Bool
    }

    let geometry: RingGeometry
    let ring: UInt64

    private func place(_ index: Int, copy: Int) -> Int {
        self.geometry.catalogue + copy * self.geometry.catalogueBytes + index * RingGeometry.recordBytes
    }

    func write(_ series: Series, _ index: Int, copy: Int, to device: any BlockDevice) throws(RingError) {
        let place = self.place(index, copy: copy)
        let record = UnsafeMutableRawBufferPointer.allocate(byteCount: RingGeometry.recordBytes, alignment: 16)
        defer { record.deallocate() }
        record.initializeMemory(as: UInt8.self, repeating: 0)
        record[0] = UInt8(series.name.utf8.count)
        record[1] = series.hasDeviceClock ? Self.deviceClock : 0
        record[2..<(2 + series.name.utf8.count)].copyBytes(from: Array(series.name.utf8))
        let body = UnsafeRawBufferPointer(rebasing: record[0..<(RingGeometry.recordBytes - 4)])
        let sum = Checksum.of(body, at: place, of: self.ring)
        record.storeBytes(of: sum.littleEndian, toByteOffset: RingGeometry.recordBytes - 4, as: UInt32.self)
        try device.write(UnsafeRawBufferPointer(record), at: place)
    }

    /// All series up to the last one of which either copy is whole, `nil` where both are damaged; and those that have
    /// lost one copy, with the bit of the other.
    func read(from device: any BlockDevice) -> (all: [Series?], incomplete: [Int: UInt8]) {
        let copies = (0..<2).map { self.read(copy: $0, from: device) }
        var found: [Series?] = []
        var incomplete: [Int: UInt8] = [:]
        for index in 0..<max(copies[0].count, copies[1].count) {
            let first = index < copies[0].count ? copies[0][index] : nil
            let second = index < copies[1].count ? copies[1][index] : nil
            found.append(first ?? second)
            if (first == nil) != (second == nil) { incomplete[index] = first == nil ? 2 : 1 }
        }
        while let last = found.last, last == nil { found.removeLast() }
        return (found, incomplete)
    }

    private func read(copy: Int, from device: any BlockDevice) -> [Series?] {
        let size = self.geometry.seriesMax * RingGeometry.recordBytes
        let buffer = ByteBuffer(capacity: size)
        let start = self.place(0, copy: copy)
        guard (try? device.read(into: buffer.resized(to: size), at: start)) != nil else { return [] }
        var found: [Series?] = []
        for index in 0..<self.geometry.seriesMax {
            let record = UnsafeRawBufferPointer(
                start: buffer.base + index * RingGeometry.recordBytes,
                count: RingGeometry.recordBytes
            )
            found.append(self.series(record, at: start + index * RingGeometry.recordBytes))
        }
        while let last = found.last, last == nil { found.removeLast() }
        return found
    }

    private func series(_ record: UnsafeRawBufferPointer, at place: Int) -> Series? {
        let length = Int(record[0])
        guard (1...Self.nameMax).contains(length) else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: record[0..<(RingGeometry.recordBytes - 4)])
        let stored = record.loadUnaligned(fromByteOffset: RingGeometry.recordBytes - 4, as: UInt32.self)
        guard UInt32(littleEndian: stored) == Checksum.of(body, at: place, of: self.ring) else { return nil }
        return Series(
            name: String(decoding: record[2..<(2 + length)], as: UTF8.self),
            hasDeviceClock: record[1] & Self.deviceClock != 0
        )
    }
}
