internal import Glibc

/// A file of fixed size, fully allocated before it is used, so that a full card is an error at start and never later.
package final class FileDevice: BlockDevice {
    package let size: Int
    private let path: String
    private let descriptor: Int32

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - zeroed: how many bytes at its beginning are written once, so that writing them again later changes nothing
    ///     but their content (an extent that was only reserved would cost the file system an update each time).
    package init(path: String, size: Int, zeroed: Int, isReadOnly: Bool = false) throws(RingError) {
        let flags = isReadOnly ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC
        let descriptor = Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw RingError.system("cannot open", path) }
        self.path = path
        self.size = size
        self.descriptor = descriptor
        guard !isReadOnly else { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw RingError.system("cannot look at", path) }
        guard Int(status.st_size) != size || Int(status.st_blocks) * 512 < size else { return }
        var result: Int32
        repeat { result = posix_fallocate(descriptor, 0, size) } while result == EINTR
        if result == 0, Int(status.st_size) > size, ftruncate(descriptor, size) != 0 { result = errno }
        guard result == 0 else {
            throw RingError(
                .inputOutput,
                "\(path) needs \(size >> 20) MiB and cannot have them (\(String(cString: strerror(result)))); free "
                    + "space on the card, or make ring.raw, ring.minutes or ring.quarters smaller"
            )
        }
        if status.st_size == 0 { try self.writeZeros(zeroed) }
        try self.flush()
    }

    deinit { close(self.descriptor) }

    private func writeZeros(_ count: Int) throws(RingError) {
        let chunk = 1 << 20
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4_096)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var offset = 0
        while offset < count {
            let size = min(chunk, count - offset)
            try self.write(UnsafeRawBufferPointer(rebasing: zeros[0..<size]), at: offset)
            offset += size
        }
    }

    package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(RingError) {
        var done = 0
        while done < target.count {
            let result = pread(
                self.descriptor,
                target.baseAddress.map { $0 + done },
                target.count - done,
                offset + done
            )
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw RingError.system("cannot read", self.path) }
            guard result > 0 else { throw RingError(.inputOutput, "\(self.path) ends too early; is it a whole ring?") }
            done += result
        }
    }

    package func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RingError) {
        var done = 0
        while done < source.count {
            let result = pwrite(
                self.descriptor,
                source.baseAddress.map { $0 + done },
                source.count - done,
                offset + done
            )
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw RingError.system("cannot write", self.path) }
            done += result
        }
    }

    package func flush() throws(RingError) {
        guard fdatasync(self.descriptor) == 0 else { throw RingError.system("cannot write back", self.path) }
    }
}
