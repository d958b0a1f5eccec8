package import CampusModel
internal import GRDB
internal import Synchronization

/// What the school must keep: its site tree, users, settings, audit entries, events and summaries, in one SQLite file.
///
/// Functions block until the disk has the data (`synchronous=FULL`) and may be called from any thread; on the
/// cooperative pool use ``perform(_:)``. One connection writes and checkpoints, a few read-only ones read.
package final class Records: Sendable {
    /// How a database is opened.
    package struct Options: Sendable {
        /// The cost of new password hashes; older ones are renewed at the next login.
        package var scrypt = ScryptParameters.standard
        /// How failed logins slow down further ones.
        package var limits = LoginLimits()
        /// How long sessions last.
        package var sessions = SessionLimits()

        package init() {}
    }

    let pool: DatabasePool
    let clock: any TickClock
    let siteKey: SiteKey
    let options: Options
    /// Password hashes: one at a time, so that a flood of logins costs the memory of one.
    let hashing = BoundedWorkers(label: "records.scrypt", width: 1, backlogMax: 8)
    let decoy: PasswordHash
    private let working = BoundedWorkers(label: "records.work", width: 2, backlogMax: 64)
    private let lock: DatabaseLock
    private let lostFieldCount = Mutex<UInt64>(0)

    /// Opens the database at `path`, or makes it (mode 0600) in a folder that exists.
    ///
    /// A damaged file is moved aside, never deleted, and ``RecordsError/Code/setAside`` is thrown: opening again makes
    /// a new database, whose first audit entry names the old one.
    package init(path: String, clock: any TickClock, siteKey: SiteKey, options: Options = Options()) throws {
        guard options.scrypt.isAcceptable else {
            throw RecordsError(.invalid, "scrypt parameters \(options.scrypt) are outside the allowed range")
        }
        self.lock = try DatabaseLock(path: path + ".lock")
        let file = DatabaseFile(path: path)
        let isNew = try file.prepare()
        do {
            if !isNew, let damage = try file.damage() { throw Self.setAside(file, at: clock.now(), damage) }
            self.pool = try Self.open(path)
            try Schema.migrate(self.pool, siteKey: siteKey, at: clock.now(), setAside: file.setAsideNames())
        } catch let error as DatabaseError where DatabaseFile.isDamage(error) {
            throw Self.setAside(file, at: clock.now(), error.message ?? "not a database")
        } catch let error as DatabaseError {
            throw RecordsError(
                .cannotOpen,
                "cannot open the records \(path): \(Self.text(error)); check the disk's space, the folder and its owner"
            )
        }
        self.clock = clock
        self.siteKey = siteKey
        self.options = options
        self.decoy = PasswordHash.decoy(parameters: options.scrypt)
    }

    /// Runs blocking calls of these records away from the cooperative pool; refuses with
    /// ``RecordsError/Code/busy`` when 64 wait already.
    package func perform<Result: Sendable>(
        _ work: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try await self.working.run { try work(self) }
    }

    /// Checks every page, index and constraint; empty when all is well.
    ///
    /// Takes seconds on a large database.
    package func integrityCheck() throws -> [String] {
        try self.read { db in
            var problems = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
            if !orphans.isEmpty { problems.append("\(orphans.count) rows point at rows that do not exist") }
            return problems
        }
    }

    /// Moves the write-ahead log into the database and closes it; later calls throw ``RecordsError/Code/closed``.
    package func close() throws {
        do {
            // A reader may hold the log open; what stays in it is read at the next start.
            _ = try? self.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            self.pool.invalidateReadOnlyConnections()
            try self.pool.close()
        } catch let error as DatabaseError {
            throw Self.failure(error)
        }
        self.lock.release()
    }

    /// Counts of what was refused or shortened since the start, for the metrics page.
    package var counters: RecordsCounters {
        RecordsCounters(
            hashesRefused: self.hashing.refusedCount,
            callsRefused: self.working.refusedCount,
            fieldsShortened: self.lostFieldCount.withLock { $0 }
        )
    }

    func countShortenedFields(_ count: Int) {
        self.lostFieldCount.withLock { $0 &+= UInt64(max(count, 0)) }
    }

    /// One transaction on the writing connection, on the disk when this returns.
    func write<Result>(_ work: (Database) throws -> Result) throws -> Result {
        do { return try self.pool.write(work) } catch let error as DatabaseError { throw Self.failure(error) }
    }

    /// One consistent view on a read-only connection.
    func read<Result>(_ work: (Database) throws -> Result) throws -> Result {
        do { return try self.pool.read(work) } catch let error as DatabaseError { throw Self.failure(error) }
    }

    private static func open(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "records"
        configuration.maximumReaderCount = 3
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -2000")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            // Erased rows leave no bytes behind; replacing a row fires the triggers that protect the audit.
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "PRAGMA recursive_triggers = ON")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB chooses NORMAL while it turns WAL on, so this comes after.
        let level = try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 500")
            try db.execute(sql: "PRAGMA journal_size_limit = 4194304")
            return try Int.fetchOne(db, sql: "PRAGMA synchronous")
        }
        guard level == 2 else { throw RecordsError(.cannotOpen, "SQLite refuses synchronous=FULL for \(path)") }
        return pool
    }

    private static func setAside(_ file: DatabaseFile, at now: Tick, _ damage: String) -> RecordsError {
        do {
            let target = try file.setAside(at: now)
            return RecordsError(
                .setAside,
                "the records \(file.path) are damaged (\(damage)) and were moved to \(target); restore a backup there, "
                    + "or start again with an empty database",
                setAsidePath: target
            )
        } catch {
            return error
        }
    }

    static func failure(_ error: DatabaseError) -> RecordsError {
        switch error.resultCode {
        case .SQLITE_MISUSE: RecordsError(.closed, "the records are closed")
        case .SQLITE_FULL: RecordsError(.storage, "the disk is full; nothing was stored. Free some space")
        case .SQLITE_BUSY, .SQLITE_LOCKED: RecordsError(.busy, "the records are in use; try again in a moment")
        default: RecordsError(.storage, "the records refused the operation: \(Self.text(error))")
        }
    }

    /// SQLite's words without the statement's values.
    private static func text(_ error: DatabaseError) -> String {
        "\(error.message ?? "error") (SQLite \(error.extendedResultCode.rawValue))"
    }
}

/// Counts since the start.
package struct RecordsCounters: Sendable, Hashable {
    /// Logins and password changes refused because too many waited.
    package var hashesRefused: UInt64
    /// Calls through ``Records/perform(_:)`` refused because too many waited.
    package var callsRefused: UInt64
    /// Event fields shortened or left out because they were too long or too many.
    package var fieldsShortened: UInt64
}
