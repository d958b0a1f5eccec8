import CampusModel
import Foundation
import Testing

@testable import SchoolRecords

@Suite struct SessionTests {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let records: Records
    let password = "con mèo trèo cây cau"

    init() async throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder, clock: self.clock)
        try await self.records.createUser("lan", role: .facility, password: self.password, actor: "test")
    }

    private func open() async throws -> String {
        guard
            case .success(let token, _) = try await self.records.login(
                user: "lan",
                password: self.password,
                source: "10.0.0.7"
            )
        else { throw RecordsError(.notFound, "the login failed") }
        return token
    }

    @Test func tokenIsNowhereInTheFiles() async throws {
        let token = try await self.open()
        #expect(try self.folder.allBytes().range(of: Data(token.utf8)) == nil)
        #expect(try self.folder.allBytes().range(of: Data(Secret.stored(token).utf8)) != nil)
    }

    @Test func unusedSessionEndsAfterHalfAnHour() async throws {
        let token = try await self.open()
        self.clock.advance(seconds: 1_799)
        #expect(try self.records.session(forToken: token) != nil)
        self.clock.advance(seconds: 1_799)
        #expect(try self.records.session(forToken: token) != nil)
        self.clock.advance(seconds: 1_800)
        #expect(try self.records.session(forToken: token) == nil)
    }

    @Test func usedSessionEndsAfterTwelveHours() async throws {
        let token = try await self.open()
        for _ in 0..<47 {
            self.clock.advance(seconds: 900)
            #expect(try self.records.session(forToken: token) != nil)
        }
        self.clock.advance(seconds: 900)
        #expect(try self.records.session(forToken: token) == nil)
    }

    @Test func clockThatFellBackEndsSessions() async throws {
        let token = try await self.open()
        self.clock.advance(seconds: -86_400)
        #expect(try self.records.session(forToken: token) == nil)
    }

    @Test func sessionsSurviveARestart() async throws {
        let token = try await self.open()
        try self.records.close()
        let again = try Fixture.records(in: self.folder, clock: self.clock)
        #expect(try again.session(forToken: token)?.user == "lan")
    }

    @Test(arguments: ["", "x", String(repeating: "0", count: 64), "' OR 1 = 1 --"])
    func unknownTokensOpenNothing(token: String) async throws {
        _ = try await self.open()
        #expect(try self.records.session(forToken: token) == nil)
    }

    @Test func logoutEndsOneSessionAndRevocationAll() async throws {
        let first = try await self.open()
        let second = try await self.open()
        let third = try await self.open()
        try self.records.endSession(token: first)
        #expect(try self.records.session(forToken: first) == nil)
        let id = try #require(try self.records.session(forToken: second)).id
        try self.records.endSession(id: id, actor: "admin")
        #expect(try self.records.session(forToken: second) == nil)
        #expect(try self.records.sessions(ofUser: "lan").count == 1)
        try self.records.endSessions(ofUser: "lan", actor: "admin")
        #expect(try self.records.session(forToken: third) == nil)
        #expect(try self.records.sessions().isEmpty)
    }

    @Test func roleChangesAndDisablingWorkAtOnce() async throws {
        let token = try await self.open()
        try self.records.setRole(.viewer, of: "lan", actor: "admin")
        #expect(try self.records.session(forToken: token)?.role == .viewer)
        try self.records.setDisabled(true, user: "lan", actor: "admin")
        #expect(try self.records.session(forToken: token) == nil)
    }

    @Test func passwordChangeKeepsOnlyTheOwnSession() async throws {
        let mine = try await self.open()
        let other = try await self.open()
        let id = try #require(try self.records.session(forToken: mine)).id
        _ = try await self.records.changePassword(
            of: "lan",
            from: self.password,
            to: "a quite different one",
            source: "::1",
            keepingSession: id
        )
        #expect(try self.records.session(forToken: mine) != nil)
        #expect(try self.records.session(forToken: other) == nil)
    }

    @Test func languageIsKeptForTheNextSession() async throws {
        let first = try await self.open()
        #expect(try self.records.session(forToken: first)?.language == nil)
        try self.records.setLanguage(.en, forToken: first)
        #expect(try self.records.session(forToken: first)?.language == .en)
        let second = try await self.open()
        #expect(try self.records.session(forToken: second)?.language == .en)
    }

    @Test func oldestSessionMakesRoom() async throws {
        let first = try await self.open()
        for _ in 0..<16 {
            self.clock.advance(seconds: 1)
            _ = try await self.open()
        }
        #expect(try self.records.session(forToken: first) == nil)
        #expect(try self.records.sessions().count == 16)
    }

    @Test func tokensWorkUntilTheyExpireOrAreRevoked() throws {
        let end = self.clock.now().advanced(byMilliseconds: 10_000)
        let short = try self.records.createToken(label: "short", role: .viewer, expires: end, actor: "admin")
        let long = try self.records.createToken(label: "long", role: .lab, actor: "admin")
        #expect(try self.records.token(forSecret: short.secret)?.label == "short")
        #expect(try self.records.token(forSecret: long.secret)?.role == .lab)
        #expect(try self.records.tokens().map(\.label) == ["long", "short"])
        #expect(try self.folder.allBytes().range(of: Data(long.secret.utf8)) == nil)
        self.clock.advance(seconds: 10)
        #expect(try self.records.token(forSecret: short.secret) == nil)
        try self.records.revokeToken(id: long.record.id, actor: "admin")
        #expect(try self.records.token(forSecret: long.secret) == nil)
        #expect(throws: RecordsError.self) { try self.records.revokeToken(id: long.record.id, actor: "admin") }
    }

    @Test func tokenLabelsAreUniqueAndEndsInTheFuture() throws {
        try self.makeToken("a")
        #expect(throws: RecordsError.self) { try self.makeToken("a") }
        #expect(throws: RecordsError.self) { try self.makeToken("") }
        #expect(throws: RecordsError.self) {
            try self.records.createToken(label: "b", role: .viewer, expires: self.clock.now(), actor: "admin")
        }
    }

    private func makeToken(_ label: String) throws {
        _ = try self.records.createToken(label: label, role: .viewer, actor: "admin")
    }
}
