internal import CZlib
internal import NIOCore

/// One gzip stream: what goes in comes out packed, piece by piece, in bounded memory (some 270 KiB).
///
/// Owns its `z_stream`, whose address zlib keeps, from `init` to `deinit`.
final class GzipStream {
    private static let outputBytes = 32 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter level: 1 (fast) to 9 (small).
    /// - Returns: `nil` when there is no memory for it.
    init?(level: Int32) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        guard campus_gzip_start(self.stream, level) == Z_OK else {
            self.stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Packs `input`; what comes of it may wait inside until more does.
    func pack(_ input: ByteBuffer, into output: inout ByteBuffer) { self.run(input, Z_NO_FLUSH, &output) }

    /// Packs what waits inside and ends the stream.
    func finish(into output: inout ByteBuffer) { self.run(ByteBuffer(), Z_FINISH, &output) }

    private func run(_ input: ByteBuffer, _ flush: Int32, _ output: inout ByteBuffer) {
        var input = input
        input.readWithUnsafeMutableReadableBytes { bytes in
            // zlib reads through a pointer that it takes as mutable, and changes nothing there.
            self.stream.pointee.next_in = bytes.bindMemory(to: UInt8.self).baseAddress
            self.stream.pointee.avail_in = UInt32(clamping: bytes.count)
            var isFull = true
            while isFull {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputBytes) { space in
                    let room = UInt32(clamping: space.count)
                    self.stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    self.stream.pointee.avail_out = room
                    _ = deflate(self.stream, flush)
                    isFull = self.stream.pointee.avail_out == 0
                    return Int(room - self.stream.pointee.avail_out)
                }
            }
            self.stream.pointee.next_in = nil
            self.stream.pointee.next_out = nil
            return bytes.count
        }
    }
}
