internal import CampusModel
internal import Glibc
internal import Synchronization

/// Why a cursor file cannot be used.
package struct CursorError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// The durable place of one exporter: two slots, written in turn, and the late floors of the series.
///
/// The form is in `docs/formats/exporter-cursor.md`. A slot is written whole and made durable before the next write
/// goes to the other one, so that one good slot is always there. Late floors are in a mapped page: they outlive a
/// killed process the moment they are stored.
package final class CursorFile: Sendable {
    static let headerBytes = 4_096
    static let slotHeaderBytes = 64
    static let entryBytes = 32
    static let magic: UInt64 = 0x3130_5352_5543_4743  // "CGCURS01" in the file

    private let descriptor: Int32
    private let path: String
    private let capacity: Int
    private let mapped: MappedFloors
    private let state = Mutex(State())

    private struct State: Sendable {
        var generation: UInt64 = 0
        /// What was unusual about the file when it was opened.
        var problems: [String] = []
        var record = CursorRecord()
        /// Somebody else writes the file now.
        var isRetired = false
    }

    /// The late floors.
    ///
    /// Unchecked: only reached under the mutex of the file's owner, the series' lock of the caller; each floor is one
    /// aligned word.
    private struct MappedFloors: @unchecked Sendable {
        let base: UnsafeMutablePointer<Int64>
    }

    /// Opens the file, or makes it; a file for fewer series is made anew with what it holds.
    ///
    /// - Parameter capacity: The most series that the store can have.
    package init(path: String, capacity: Int) throws(CursorError) {
        self.path = path
        var capacity = max(capacity, 1)
        var carried: CursorRecord?
        var floors: [UInt8] = []
        var generation: UInt64 = 0
        var problems: [String] = []
        if let old = Self.existing(path) {
            capacity = max(capacity, old.capacity)
            if old.capacity < capacity {
                carried = old.record
                floors = old.floors
            }
            generation = old.generation
            problems = old.problems
        } else if access(path, F_OK) == 0 {
            problems.append("\(path) is not a cursor; it is set aside and everything the ring has is sent again")
            rename(path, path + ".damaged")
        }
        self.capacity = capacity
        let target = carried == nil ? path : path + ".new"
        if carried != nil { unlink(target) }
        self.descriptor = try Self.opened(target, capacity: capacity)
        let length = Self.lateBytes(capacity)
        guard
            let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, self.descriptor, off_t(Self.headerBytes)),
            base != MAP_FAILED
        else { throw Self.error("cannot map", target) }
        self.mapped = MappedFloors(base: base.assumingMemoryBound(to: Int64.self))
        self.state.withLock { state in
            state.generation = generation
            state.problems = problems
        }
        if let carried {
            base.copyMemory(from: floors, byteCount: min(floors.count, length))
            try self.write(carried)
            guard rename(target, path) == 0 else { throw Self.error("cannot replace", path) }
        } else {
            self.load()
        }
    }

    deinit {
        munmap(self.mapped.base, Self.lateBytes(self.capacity))
        close(self.descriptor)
    }

    /// What the newest good slot holds.
    package var record: CursorRecord { self.state.withLock { $0.record } }

    /// What was unusual when the file was opened, one line each.
    package var problems: [String] { self.state.withLock { $0.problems } }

    /// Makes `record` durable; does nothing once the file has been retired.
    ///
    /// Blocks for the time the card needs.
    package func write(_ record: CursorRecord) throws(CursorError) {
        let result: Result<Void, CursorError> = self.state.withLock { state in
            state.isRetired ? .success(()) : self.write(record, &state)
        }
        try result.get()
    }

    /// Writes a last time and leaves the file to another owner.
    package func retire(writing record: CursorRecord) throws(CursorError) {
        let result: Result<Void, CursorError> = self.state.withLock { state in
            guard !state.isRetired else { return .success(()) }
            state.isRetired = true
            return self.write(record, &state)
        }
        try result.get()
    }

    private func write(_ record: CursorRecord, _ state: inout State) -> Result<Void, CursorError> {
        let generation = state.generation + 1
        let bytes = CursorSlot.encode(record, generation: generation, capacity: self.capacity)
        let offset = Self.slotOffset(Int(generation % 2), self.capacity)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    self.descriptor,
                    buffer.baseAddress.map { $0 + written },
                    bytes.count - written,
                    off_t(offset + written)
                )
            }
            guard count > 0 else { return .failure(Self.error("cannot write", self.path)) }
            written += count
        }
        guard fdatasync(self.descriptor) == 0 else { return .failure(Self.error("cannot write", self.path)) }
        state.generation = generation
        state.record = record
        return .success(())
    }

    /// Remembers that samples of a series after `floor` have to be sent again; a lower floor stays.
    func lowerFloor(_ series: Int, to floor: Tick) {
        guard (0..<self.capacity).contains(series) else { return }
        // Ticks are not negative: 0 says that there is no floor.
        let stored = max(floor.rawValue, -1) &+ 2
        let known = self.mapped.base[series]
        if known <= 0 || stored < known { self.mapped.base[series] = stored }
    }

    /// The floor of a series, if it has one.
    func floor(_ series: Int) -> Tick? {
        guard (0..<self.capacity).contains(series), self.mapped.base[series] > 0 else { return nil }
        return Tick(rawValue: self.mapped.base[series] - 2)
    }

    /// Forgets the floor of a series if it is still `floor`.
    func clearFloor(_ series: Int, ifStill floor: Tick) {
        if self.floor(series) == floor { self.mapped.base[series] = 0 }
    }

    private func load() {
        guard let found = Self.existing(self.path) else { return }
        self.state.withLock { state in
            state.generation = found.generation
            state.record = found.record
        }
    }
}

extension CursorFile {
    static func lateBytes(_ capacity: Int) -> Int { (capacity * 8 + 4_095) / 4_096 * 4_096 }

    static func slotBytes(_ capacity: Int) -> Int {
        (self.slotHeaderBytes + capacity * self.entryBytes + 4_095) / 4_096 * 4_096
    }

    static func slotOffset(_ slot: Int, _ capacity: Int) -> Int {
        self.headerBytes + self.lateBytes(capacity) + slot * self.slotBytes(capacity)
    }

    private static func error(_ what: String, _ path: String) -> CursorError {
        CursorError(description: "\(what) \(path): \(String(cString: strerror(errno)))")
    }

    /// Opens a file of its full size, with its header.
    private static func opened(_ path: String, capacity: Int) throws(CursorError) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.error("cannot open", path) }
        // Fully allocated, so that a full card never turns a store into the map into a signal.
        let result = posix_fallocate(descriptor, 0, off_t(self.slotOffset(2, capacity)))
        guard result == 0 else {
            close(descriptor)
            throw CursorError(description: "cannot allocate \(path): \(String(cString: strerror(result)))")
        }
        var header: [UInt8] = []
        header.append(little: self.magic)
        header.append(little: UInt32(clamping: capacity))
        header.append(little: CRC32.checksum(header))
        let written = header.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written == header.count else {
            close(descriptor)
            throw self.error("cannot write", path)
        }
        return descriptor
    }

    /// What a file holds; `nil` when it is no cursor.
    private static func existing(
        _ path: String
    ) -> (capacity: Int, generation: UInt64, record: CursorRecord, floors: [UInt8], problems: [String])? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let header = self.read(descriptor, count: 16, at: 0)
        guard header.count == 16, header.little(UInt64.self, at: 0) == self.magic,
            header.little(UInt32.self, at: 12) == CRC32.checksum(header.prefix(12))
        else { return nil }
        let capacity = Int(header.little(UInt32.self, at: 8))
        guard (1...16_777_216).contains(capacity) else { return nil }
        var best: (generation: UInt64, record: CursorRecord)?
        var problems: [String] = []
        for slot in 0..<2 {
            let bytes = self.read(
                descriptor,
                count: self.slotHeaderBytes + capacity * self.entryBytes,
                at: self.slotOffset(slot, capacity)
            )
            switch CursorSlot.decode(bytes) {
            case .empty: break
            case .damaged: problems.append("\(path): slot \(slot) is torn or damaged; the other one is used")
            case .good(let generation, let record):
                if generation > best?.generation ?? 0 { best = (generation, record) }
            }
        }
        let floors = self.read(descriptor, count: capacity * 8, at: self.headerBytes)
        return (capacity, best?.generation ?? 0, best?.record ?? CursorRecord(), floors, problems)
    }

    private static func read(_ descriptor: Int32, count: Int, at offset: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }
}
