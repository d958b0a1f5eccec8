internal import Glibc

/// One file of fixed size, fully allocated before it is used, so that a full card is an error at start and never a
/// signal later.
///
/// Reads and writes are positional and may come from several threads.
final class RingFile: Sendable {
    let descriptor: Int32
    let path: String
    let size: Int

    init(path: String, size: Int) throws(RingError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.error("cannot open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = Self.error("cannot look at", path)
            close(descriptor)
            throw error
        }
        // Also for a file of the right size: it may be a sparse copy, and a hole is a signal on a full disk.
        var result: Int32
        repeat { result = posix_fallocate(descriptor, 0, size) } while result == EINTR
        if result == 0, Int(status.st_size) != size, ftruncate(descriptor, size) != 0 { result = errno }
        guard result == 0 else {
            close(descriptor)
            throw RingError(
                .inputOutput,
                "\(path) needs \(size >> 20) MiB and cannot have them (\(String(cString: strerror(result)))); free "
                    + "space on the card, or make ring.series, ring.samples or ring.minutes smaller"
            )
        }
        self.descriptor = descriptor
        self.path = path
        self.size = size
    }

    deinit { close(self.descriptor) }

    static func error(_ what: String, _ path: String) -> RingError {
        RingError(.inputOutput, "\(what) \(path): \(String(cString: strerror(errno)))")
    }

    /// Reads `count` bytes at `offset`; returns whether all of them came.
    func read(_ target: UnsafeMutableRawPointer, count: Int, at offset: Int) -> Bool {
        var done = 0
        while done < count {
            let result = pread(self.descriptor, target + done, count - done, offset + done)
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { return false }
            done += result
        }
        return true
    }

    /// Writes `count` bytes at `offset`; returns whether all of them went.
    func write(_ source: UnsafeRawPointer, count: Int, at offset: Int) -> Bool {
        var done = 0
        while done < count {
            let result = pwrite(self.descriptor, source + done, count - done, offset + done)
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { return false }
            done += result
        }
        return true
    }

    func synchronize() throws(RingError) {
        guard fdatasync(self.descriptor) == 0 else { throw Self.error("cannot write back", self.path) }
    }
}

/// A ``RingFile`` in memory, shared with the page cache: what is stored there outlives the process at once.
final class MappedRingFile: @unchecked Sendable {
    // @unchecked: the mapping lives as long as the value; who may touch which bytes is the ring's business.
    let file: RingFile
    let base: UnsafeMutableRawPointer

    init(path: String, size: Int) throws(RingError) {
        self.file = try RingFile(path: path, size: size)
        let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, self.file.descriptor, 0)
        guard let base, base != MAP_FAILED else { throw RingFile.error("cannot map", path) }
        self.base = base
    }

    deinit { munmap(self.base, self.file.size) }

    func synchronize() throws(RingError) {
        guard msync(self.base, self.file.size, MS_SYNC) == 0 else {
            throw RingFile.error("cannot write back", self.file.path)
        }
        try self.file.synchronize()
    }
}
