internal import CampusModel
internal import GRDB
internal import Glibc

/// The database's files: made private, looked at before use, moved aside when damaged.
struct DatabaseFile: Sendable {
    let path: String

    /// Files of up to this size are checked page by page at every start.
    static let checkedBytesMax: Int64 = 64 << 20

    /// Makes the file for its owner only; an existing one is narrowed to that.
    ///
    /// SQLite gives the `-wal` and `-shm` files the mode of the database. Returns whether the file is new.
    func prepare() throws(RecordsError) -> Bool {
        let descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw RecordsError(
                .cannotOpen,
                "cannot open \(self.path) (errno \(errno)); check that it is a file and belongs to the gateway's user"
            )
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, fchmod(descriptor, 0o600) == 0 else {
            throw RecordsError(.cannotOpen, "\(self.path) is not a file that this user may make private")
        }
        return status.st_size == 0
    }

    /// Reads the whole file, or of a large one its schema, through a connection that cannot write.
    ///
    /// Returns what is damaged, or `nil`.
    func damage() throws -> String? {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "records.check"
        do {
            let queue = try DatabaseQueue(path: self.path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { db in
                _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
                guard self.sizeBytes <= Self.checkedBytesMax else { return nil }
                let lines = try String.fetchAll(db, sql: "PRAGMA quick_check(5)")
                return lines == ["ok"] ? nil : lines.joined(separator: "; ")
            }
        } catch let error as DatabaseError where Self.isDamage(error) {
            return error.message ?? "not a database"
        }
    }

    static func isDamage(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }

    /// Moves the database and its companions to `PATH.damaged-TIME`, so that nothing is lost to a repair.
    ///
    /// The log goes first: a log that stayed behind would be replayed into the next database.
    func setAside(at now: Tick) throws(RecordsError) -> String {
        let target = self.freePath(stem: "\(self.path).damaged-\(now.rawValue)")
        for suffix in ["-wal", "-shm", ""] where access(self.path + suffix, F_OK) == 0 {
            guard rename(self.path + suffix, target + suffix) == 0 else {
                throw RecordsError(
                    .cannotOpen,
                    "the records \(self.path) are damaged and cannot be moved aside (errno \(errno)); move them by hand"
                )
            }
        }
        self.synchronizeFolder()
        return target
    }

    /// The set-aside databases beside this one, by file name.
    func setAsideNames() -> [String] {
        let (folder, name) = self.folderAndName
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing), names.count < 100 {
            let entryName = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isCompanion = entryName.hasSuffix("-wal") || entryName.hasSuffix("-shm")
            if entryName.hasPrefix(name + ".damaged-"), !isCompanion { names.append(entryName) }
        }
        return names.sorted()
    }

    private var sizeBytes: Int64 {
        var status = stat()
        return stat(self.path, &status) == 0 ? Int64(status.st_size) : 0
    }

    private var folderAndName: (folder: String, name: String) {
        guard let slash = self.path.lastIndex(of: "/") else { return (".", self.path) }
        let folder = slash == self.path.startIndex ? "/" : String(self.path[..<slash])
        return (folder, String(self.path[self.path.index(after: slash)...]))
    }

    private func freePath(stem: String) -> String {
        var candidate = stem
        var number = 1
        while access(candidate, F_OK) == 0, number < 1_000 {
            candidate = "\(stem)-\(number)"
            number += 1
        }
        return candidate
    }

    private func synchronizeFolder() {
        let descriptor = open(self.folderAndName.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        close(descriptor)
    }
}
