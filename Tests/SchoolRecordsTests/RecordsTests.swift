import CampusModel
import Foundation
import GRDB
import Testing

@testable import SchoolRecords

@Suite struct RecordsTests {
    let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    @Test func newDatabaseIsPrivateAndSound() throws {
        let records = try Fixture.records(in: self.folder)
        try records.setSetting("a", to: 1, actor: "test")
        for suffix in ["", "-wal", "-shm", ".lock"] {
            #expect(try self.folder.mode(of: self.folder.database + suffix) == 0o600, "\(suffix)")
        }
        #expect(try records.integrityCheck() == [])
    }

    @Test func writerSynchronizesEveryCommitAndReadersCannotWrite() throws {
        let records = try Fixture.records(in: self.folder)
        let settings = try records.write { db in
            [
                try Int.fetchOne(db, sql: "PRAGMA synchronous"), try Int.fetchOne(db, sql: "PRAGMA secure_delete"),
                try Int.fetchOne(db, sql: "PRAGMA recursive_triggers"),
                try Int.fetchOne(db, sql: "PRAGMA foreign_keys"),
            ]
        }
        #expect(settings == [2, 1, 1, 1])
        #expect(try records.write { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
        #expect(throws: RecordsError.self) {
            try records.read { try $0.execute(sql: "DELETE FROM settings") }
        }
    }

    @Test func reopeningKeepsEverything() throws {
        let first = try Fixture.records(in: self.folder)
        try first.setSetting("school", to: "Lê Quý Đôn", actor: "test")
        try first.close()
        let second = try Fixture.records(in: self.folder)
        #expect(try second.setting("school", as: String.self) == "Lê Quý Đôn")
        #expect(try second.auditEntries().items.map(\.action) == ["setting.change", "records.create"])
    }

    @Test func secondProcessIsRefusedUntilTheFirstCloses() throws {
        let first = try Fixture.records(in: self.folder)
        #expect(throws: RecordsError.self) { try Fixture.records(in: self.folder) }
        do { _ = try Fixture.records(in: self.folder) } catch let error as RecordsError {
            #expect(error.code == .inUse)
        }
        try first.close()
        _ = try Fixture.records(in: self.folder)
    }

    @Test func callsAfterClosingSaySo() throws {
        let records = try Fixture.records(in: self.folder)
        try records.close()
        do {
            try records.setSetting("a", to: 1, actor: "test")
            Issue.record("a closed database took a setting")
        } catch let error as RecordsError { #expect(error.code == .closed) }
        do {
            _ = try records.setting("a")
            Issue.record("a closed database was read")
        } catch let error as RecordsError { #expect(error.code == .closed) }
    }

    @Test func everyCommitIsThereWhenTheProcessEndsWithoutClosing() throws {
        let records = try Fixture.records(in: self.folder)
        let other = try TemporaryFolder()
        for number in 0..<50 {
            try records.setSetting("n\(number)", to: number, actor: "test")
        }
        // What kill -9 leaves: the files as they are, the log not moved into the database.
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: self.folder.database + suffix, toPath: other.database + suffix)
        }
        let recovered = try Fixture.records(in: other)
        #expect(try recovered.settings().count == 50)
        #expect(try recovered.integrityCheck() == [])
    }

    @Test func missingFolderIsNamed() throws {
        let path = self.folder.path + "/none/records.sqlite"
        do {
            _ = try Records(path: path, clock: ManualClock(), siteKey: Fixture.siteKey)
            Issue.record("opened in a folder that does not exist")
        } catch let error as RecordsError {
            #expect(error.code == .cannotOpen)
            #expect(error.message.contains(path))
        }
    }

    @Test func symbolicLinkIsRefused() throws {
        try FileManager.default.createSymbolicLink(
            atPath: self.folder.database,
            withDestinationPath: self.folder.path + "/elsewhere"
        )
        do {
            _ = try Fixture.records(in: self.folder)
            Issue.record("followed a link")
        } catch let error as RecordsError { #expect(error.code == .cannotOpen) }
    }

    @Test func fileThatIsNoDatabaseIsSetAsideUntouched() throws {
        let garbage = Data((0..<9_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try garbage.write(to: URL(fileURLWithPath: self.folder.database))
        let aside = try self.openDamaged()
        #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == garbage)
        let records = try Fixture.records(in: self.folder)
        let first = try #require(try records.auditEntries().items.last)
        #expect(first.action == "records.create")
        #expect(first.detail["setAside"].map { aside.hasSuffix("/" + $0) } == true)
    }

    @Test(arguments: [1, 3, 7, 12])
    func damagedPageIsFoundAtTheStart(page: Int) throws {
        let records = try Fixture.records(in: self.folder)
        for number in 0..<300 { try records.setSetting("key \(number)", to: "value \(number)", actor: "test") }
        try records.close()
        let handle = try #require(FileHandle(forUpdatingAtPath: self.folder.database))
        try handle.seek(toOffset: UInt64(page * 4_096))
        try handle.write(contentsOf: Data(repeating: 0xEE, count: 4_096))
        try handle.close()
        let damaged = try Data(contentsOf: URL(fileURLWithPath: self.folder.database))
        let aside = try self.openDamaged()
        #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == damaged)
        #expect(try Fixture.records(in: self.folder).settings().isEmpty)
    }

    @Test func newerDatabaseIsLeftAlone() throws {
        let records = try Fixture.records(in: self.folder)
        try records.write { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999')") }
        try records.close()
        do {
            _ = try Fixture.records(in: self.folder)
            Issue.record("opened a newer database")
        } catch let error as RecordsError { #expect(error.code == .newerVersion) }
        let names = try FileManager.default.contentsOfDirectory(atPath: self.folder.path)
        #expect(!names.contains { $0.contains("damaged") })
    }

    @Test func otherSiteKeyIsRefused() throws {
        try Fixture.records(in: self.folder).close()
        do {
            _ = try Records(path: self.folder.database, clock: ManualClock(), siteKey: .fixed(0x11))
            Issue.record("opened with another key")
        } catch let error as RecordsError { #expect(error.code == .wrongSiteKey) }
        _ = try Fixture.records(in: self.folder)
    }

    @Test func keyFileIsMadeOncePrivateAndReadAgain() throws {
        let path = self.folder.path + "/site.key"
        let first = try SiteKey.loadOrCreate(path: path)
        let second = try SiteKey.loadOrCreate(path: path)
        #expect(first.pseudonym(of: "04A1B2C3") == second.pseudonym(of: "04A1B2C3"))
        #expect(try self.folder.mode(of: path) == 0o600)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        #expect(throws: RecordsError.self) { try SiteKey.loadOrCreate(path: path) }
    }

    @Test func writersAndReadersAtOnceLeaveASoundDatabase() async throws {
        let records = try Fixture.records(in: self.folder)
        await withTaskGroup(of: Bool.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let result = try? await records.perform { records in
                        for number in 0..<50 { try records.setSetting("w\(writer)", to: number, actor: "test") }
                        return true
                    }
                    return result ?? false
                }
                group.addTask {
                    let result = try? await records.perform { records in
                        for _ in 0..<50 { _ = try records.auditEntries(pageSize: 10) }
                        return true
                    }
                    return result ?? false
                }
            }
            for await isDone in group { #expect(isDone) }
        }
        #expect(try records.integrityCheck() == [])
        let entries = try records.auditEntries(matching: AuditQuery(action: "setting.change"), pageSize: 1_000)
        #expect(entries.items.count == 200)
    }

    private func openDamaged() throws -> String {
        do {
            _ = try Fixture.records(in: self.folder)
        } catch let error as RecordsError {
            #expect(error.code == .setAside)
            return try #require(error.setAsidePath)
        }
        Issue.record("a damaged database was opened")
        return ""
    }
}
