import CampusModel
import GRDB
import Testing

@testable import SchoolRecords

@Suite struct AuditTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws { self.folder = try TemporaryFolder() }

    @Test(arguments: [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "INSERT OR REPLACE INTO audit (id, at, actor, action, subject, detail) VALUES (1, 0, 'x', 'x', 'x', '{}')",
        "REPLACE INTO audit (id, at, actor, action, subject, detail) VALUES (1, 0, 'x', 'x', 'x', '{}')",
        "INSERT INTO audit (id, at, actor, action, subject, detail) VALUES (1, 0, 'x', 'x', 'x', '{}') "
            + "ON CONFLICT (id) DO UPDATE SET actor = 'x'",
    ])
    func entriesCannotBeChangedOrRemoved(sql: String) throws {
        let records = try Fixture.records(in: self.folder)
        try records.audit(actor: "test", action: "test.one", subject: "it")
        let before = try records.auditEntries().items
        #expect(throws: RecordsError.self) { try records.write { try $0.execute(sql: sql) } }
        #expect(try records.auditEntries().items == before)
    }

    @Test func pagesAreCompleteAndInOrder() throws {
        let records = try Fixture.records(in: self.folder)
        for number in 0..<25 {
            self.clock.advance(seconds: 1)
            try records.audit(actor: "test", action: "test.count", subject: "\(number)")
        }
        var subjects: [String] = []
        var cursor: Int64?
        repeat {
            let page = try records.auditEntries(
                matching: AuditQuery(action: "test.count"),
                before: cursor,
                pageSize: 10
            )
            subjects += page.items.map(\.subject)
            cursor = page.next
        } while cursor != nil
        #expect(subjects == (0..<25).reversed().map { String($0) })
    }

    @Test func queriesFilterByEverything() throws {
        let records = try Fixture.records(in: self.folder, clock: self.clock)
        let start = self.clock.now()
        self.clock.advance(seconds: 10)
        try records.audit(actor: "an", action: "a.b", subject: "x", detail: ["k": "v"])
        self.clock.advance(seconds: 10)
        try records.audit(actor: "binh", action: "a.c", subject: "y")
        func actions(_ query: AuditQuery) throws -> [String] {
            try records.auditEntries(matching: query).items.map(\.action)
        }
        #expect(try actions(AuditQuery(actor: "an")) == ["a.b"])
        #expect(try actions(AuditQuery(subject: "y")) == ["a.c"])
        let range = start.advanced(byMilliseconds: 10_000)..<start.advanced(byMilliseconds: 20_000)
        #expect(try actions(AuditQuery(range: range)) == ["a.b"])
        #expect(try records.auditEntries(matching: AuditQuery(actor: "an")).items.first?.detail == ["k": "v"])
    }

    @Test func everyChangeOfUsersTokensAndSettingsIsWrittenDown() async throws {
        let records = try Fixture.records(in: self.folder, clock: self.clock)
        _ = try #require(try records.createFirstAdministrator())
        try await records.createUser("binh", role: .viewer, password: "a long secret 1", actor: "admin")
        _ = try await records.login(user: "binh", password: "a long secret 1", source: "127.0.0.1")
        _ = try await records.changePassword(
            of: "binh",
            from: "a long secret 1",
            to: "a long secret 2",
            source: "127.0.0.1"
        )
        try records.setRole(.facility, of: "binh", actor: "admin")
        try records.setDisabled(true, user: "binh", actor: "admin")
        try records.setDisabled(false, user: "binh", actor: "admin")
        _ = try await records.resetPassword(of: "binh", actor: "admin")
        let token = try records.createToken(label: "grafana", role: .viewer, actor: "admin")
        try records.revokeToken(id: token.record.id, actor: "admin")
        try records.setSetting("theme", to: "dark", actor: "admin")
        try records.setSetting("theme", to: "dark", actor: "admin")
        try records.setSetting("theme", json: nil, actor: "admin")
        try records.removeUser("binh", actor: "admin")
        let actions = try records.auditEntries().items.reversed().map(\.action)
        #expect(
            actions == [
                "records.create", "user.create", "user.create", "session.login", "user.password.change", "user.role",
                "user.disable", "user.enable", "user.password.reset", "token.create", "token.revoke",
                "setting.change", "setting.remove", "user.remove",
            ]
        )
    }

    @Test func overlongTextsAreShortened() throws {
        let records = try Fixture.records(in: self.folder)
        let long = String(repeating: "đ", count: 100_000)
        try records.audit(actor: long, action: long, subject: long, detail: ["x": long])
        let entry = try #require(try records.auditEntries().items.first)
        #expect(entry.actor.utf8.count <= 200)
        #expect(entry.detail["x"].map { $0.utf8.count <= 2_000 } == true)
    }
}
