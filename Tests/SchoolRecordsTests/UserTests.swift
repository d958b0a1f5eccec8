import CampusModel
import Foundation
import Testing

@testable import SchoolRecords

@Suite struct UserTests {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let records: Records

    init() throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder, clock: self.clock)
    }

    @Test func generatedPasswordIsShownOnceAndMustBeChanged() async throws {
        let login = try #require(try await self.records.createUser("lan", role: .lab, actor: "test"))
        let user = try #require(try self.records.user("lan"))
        #expect(user.role == .lab)
        #expect(user.mustChangePassword)
        #expect(try self.folder.allBytes().range(of: Data(login.password.utf8)) == nil)
        let verdict = try await self.records.changePassword(
            of: "lan",
            from: login.password,
            to: "con mèo trèo cây cau",
            source: "::1"
        )
        guard case .correct = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(try self.records.user("lan")?.mustChangePassword == false)
    }

    @Test(arguments: ["", "a", "Có dấu", "x y", "-x", "a/b", String(repeating: "x", count: 65)])
    func strangeNamesAreRefused(name: String) async throws {
        await #expect(throws: RecordsError.self) {
            try await self.records.createUser(name, role: .viewer, actor: "test")
        }
    }

    @Test func sameNameTwiceIsRefused() async throws {
        try await self.records.createUser("lan", role: .lab, actor: "test")
        do {
            try await self.records.createUser("LAN", role: .viewer, actor: "test")
            Issue.record("made twice")
        } catch let error as RecordsError { #expect(error.code == .alreadyExists) }
        #expect(try self.records.users().map(\.role) == [.lab])
    }

    @Test func wrongOldPasswordChangesNothing() async throws {
        let login = try #require(try await self.records.createUser("lan", role: .lab, actor: "test"))
        let verdict = try await self.records.changePassword(
            of: "lan",
            from: "guess",
            to: "con mèo trèo cây cau",
            source: "::1"
        )
        #expect(verdict == .wrong)
        let outcome = try await self.records.verifyPassword(of: "lan", login.password, source: "::1")
        guard case .correct = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func lastAdministratorStays() async throws {
        _ = try self.records.createFirstAdministrator()
        #expect(throws: RecordsError.self) { try self.records.removeUser("admin", actor: "test") }
        #expect(throws: RecordsError.self) { try self.records.setDisabled(true, user: "admin", actor: "test") }
        #expect(throws: RecordsError.self) { try self.records.setRole(.viewer, of: "admin", actor: "test") }
        #expect(try self.records.user("admin")?.role == .administrator)
        #expect(try self.records.user("admin")?.isDisabled == false)
        try await self.records.createUser("lan", role: .administrator, actor: "admin")
        try self.records.removeUser("admin", actor: "lan")
        #expect(try self.records.users().map(\.name) == ["lan"])
    }

    @Test func resetEndsSessionsAndLiftsTheLock() async throws {
        let password = "con mèo trèo cây cau"
        try await self.records.createUser("lan", role: .lab, password: password, actor: "test")
        let outcome = try await self.records.login(user: "lan", password: password, source: "::1")
        guard case .success(let token, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        for _ in 0..<5 { _ = try await self.records.login(user: "lan", password: "guess", source: "10.0.0.1") }
        let login = try await self.records.resetPassword(of: "lan", actor: "admin")
        #expect(try self.records.session(forToken: token) == nil)
        guard case .success = try await self.records.login(user: "lan", password: login.password, source: "::1") else {
            Issue.record("the reset did not lift the lock")
            return
        }
    }

    @Test func unknownUserIsNotFound() async throws {
        do {
            _ = try await self.records.resetPassword(of: "nobody", actor: "admin")
            Issue.record("reset a user that does not exist")
        } catch let error as RecordsError { #expect(error.code == .notFound) }
    }
}
