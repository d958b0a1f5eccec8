/// The checksum of ISO 3309, zlib and PNG (polynomial 0xEDB88320, reflected).
enum CRC32 {
    private static let table: [UInt32] = (0..<256)
        .map { index in
            (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }

    static func checksum(_ bytes: some Sequence<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
        self.table.withUnsafeBufferPointer { table in
            ~bytes.reduce(~previous) { value, byte in table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8 }
        }
    }
}
