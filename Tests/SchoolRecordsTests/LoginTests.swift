import CampusModel
import Dispatch
import Foundation
import GRDB
import Testing

@testable import SchoolRecords

@Suite struct LoginTests {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let password = "con mèo trèo cây cau"

    init() throws { self.folder = try TemporaryFolder() }

    private func start(options: Records.Options = Fixture.options) async throws -> Records {
        let records = try Fixture.records(in: self.folder, clock: self.clock, options: options)
        if try records.user("binh") == nil {
            try await records.createUser("binh", role: .facility, password: self.password, actor: "test")
        }
        return records
    }

    @Test func firstAdministratorIsMadeOnce() async throws {
        let records = try Fixture.records(in: self.folder)
        let login = try #require(try records.createFirstAdministrator())
        #expect(try records.createFirstAdministrator() == nil)
        guard
            case .success(_, let session) = try await records.login(
                user: login.user,
                password: login.password,
                source: "127.0.0.1"
            )
        else {
            Issue.record("the generated password does not work")
            return
        }
        #expect(session.role == .administrator)
        #expect(session.mustChangePassword)
    }

    @Test func rightPasswordOpensASession() async throws {
        let records = try await self.start()
        let outcome = try await records.login(user: "Binh", password: self.password, source: "10.0.0.7")
        guard case .success(let token, let session) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(token.count == 64)
        #expect(session.user == "binh")
        #expect(session.csrfToken.count == 64)
        #expect(try records.session(forToken: token)?.id == session.id)
    }

    @Test(arguments: [("binh", "wrong password"), ("nobody", "con mèo trèo cây cau"), ("", ""), ("binh", "")])
    func wrongIsWrong(user: String, password: String) async throws {
        let records = try await self.start()
        #expect(try await records.login(user: user, password: password, source: "10.0.0.7") == .wrong)
    }

    @Test func overlongPasswordIsWrongWithoutAHash() async throws {
        let records = try await self.start()
        let long = String(repeating: "x", count: 1_000_000)
        #expect(try await records.login(user: "binh", password: long, source: "10.0.0.7") == .wrong)
    }

    @Test func disabledUserIsWrong() async throws {
        let records = try await self.start()
        try records.setDisabled(true, user: "binh", actor: "test")
        #expect(try await records.login(user: "binh", password: self.password, source: "10.0.0.7") == .wrong)
    }

    @Test func fiveFailuresLockTheAccountAndTheLockDoubles() async throws {
        let records = try await self.start()
        for number in 0..<5 {
            #expect(try await self.fail(records, source: "10.0.0.\(number)") == .wrong)
        }
        #expect(try await self.fail(records) == .locked(retryAfterSeconds: 60))
        #expect(
            try await records.login(user: "binh", password: self.password, source: "10.9.9.9")
                == .locked(retryAfterSeconds: 60)
        )
        for expected in [120, 240, 480, 900, 900] {
            self.clock.advance(seconds: 901)
            #expect(try await self.fail(records) == .wrong)
            #expect(try await self.fail(records) == .locked(retryAfterSeconds: expected))
        }
        self.clock.advance(seconds: 901)
        guard case .success = try await records.login(user: "binh", password: self.password, source: "10.9.9.9") else {
            Issue.record("the lock did not end")
            return
        }
        // A login forgives: the count starts again.
        for _ in 0..<4 { #expect(try await self.fail(records) == .wrong) }
        guard case .success = try await records.login(user: "binh", password: self.password, source: "10.9.9.9") else {
            Issue.record("locked before five failures")
            return
        }
    }

    @Test func lockSurvivesARestart() async throws {
        let first = try await self.start()
        for _ in 0..<5 { _ = try await self.fail(first) }
        try first.close()
        self.clock.advance(seconds: 20)
        let second = try await self.start()
        #expect(
            try await second.login(user: "binh", password: self.password, source: "10.9.9.9")
                == .locked(retryAfterSeconds: 40)
        )
    }

    @Test func clockThatFellBackDoesNotLockForEver() async throws {
        let records = try await self.start()
        for _ in 0..<5 { _ = try await self.fail(records) }
        self.clock.advance(seconds: -1_000_000_000)
        #expect(
            try await records.login(user: "binh", password: self.password, source: "10.9.9.9")
                == .locked(retryAfterSeconds: 900)
        )
    }

    @Test func unknownNamesLockLikeKnownOnes() async throws {
        let records = try await self.start()
        for _ in 0..<5 {
            #expect(try await records.login(user: "nobody", password: "x", source: "10.0.0.7") == .wrong)
        }
        #expect(
            try await records.login(user: "nobody", password: "x", source: "10.0.0.7") == .locked(retryAfterSeconds: 60)
        )
        // What was typed may be somebody's password: it is nowhere in the database.
        #expect(
            try records.auditEntries(matching: AuditQuery(action: "login.lock")).items.map(\.subject) == ["unknown"]
        )
        #expect(try self.folder.allBytes().range(of: Data("nobody".utf8)) == nil)
    }

    @Test func oneSourceTryingManyNamesIsLocked() async throws {
        let records = try await self.start()
        for number in 0..<20 {
            #expect(
                try await records.login(user: "user\(number)", password: "x", source: "2001:db8::\(number)") == .wrong
            )
        }
        #expect(
            try await records.login(user: "binh", password: self.password, source: "2001:db8::ffff")
                == .locked(retryAfterSeconds: 60)
        )
        guard case .success = try await records.login(user: "binh", password: self.password, source: "192.0.2.1") else {
            Issue.record("another source is locked too")
            return
        }
    }

    @Test func parallelGuessesAreCountedBeforeTheyAreChecked() async throws {
        let records = try await self.start()
        let outcomes = try await withThrowingTaskGroup(of: LoginOutcome.self) { group in
            for number in 0..<40 {
                group.addTask { try await records.login(user: "binh", password: "guess", source: "10.0.1.\(number)") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == .wrong }.count == 5)
        #expect(outcomes.filter { $0 != .wrong }.count == 35)
    }

    @Test func floodIsToldToWaitAndCountsAgainstNobody() async throws {
        let records = try await self.start()
        let gate = DispatchSemaphore(value: 0)
        let (refusals, refused) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // One hash runs, eight wait, the tenth is refused: then everything is taken.
            for _ in 0..<10 {
                group.addTask {
                    do { try await records.hashing.run { gate.wait() } } catch { refused.yield() }
                }
            }
            for await _ in refusals { break }
            #expect(try await records.login(user: "binh", password: "guess", source: "10.0.0.7") == .busy)
            for _ in 0..<9 { gate.signal() }
            try await group.waitForAll()
        }
        #expect(try records.read { try Int.fetchOne($0, sql: "SELECT sum(count) FROM login_failures") } == 0)
        #expect(records.counters.hashesRefused == 2)
    }

    @Test func olderHashIsRenewedAtTheNextLogin() async throws {
        let first = try await self.start()
        try first.close()
        var options = Fixture.options
        options.scrypt = ScryptParameters(costLog2: 6, blockSize: 8, parallelism: 1)
        let second = try await self.start(options: options)
        func stored() throws -> String? {
            try second.read { try String.fetchOne($0, sql: "SELECT password FROM users WHERE name = 'binh'") }
        }
        #expect(try stored()?.hasPrefix("scrypt$4,8,1$") == true)
        _ = try await self.fail(second)
        #expect(try stored()?.hasPrefix("scrypt$4,8,1$") == true)
        for _ in 0..<2 {
            guard case .success = try await second.login(user: "binh", password: self.password, source: "::1") else {
                Issue.record("the renewed hash does not match")
                return
            }
        }
        #expect(try stored()?.hasPrefix("scrypt$6,8,1$") == true)
    }

    @Test func damagedHashIsWrongAndDoesNotTrap() async throws {
        let records = try await self.start()
        try records.write { try $0.execute(sql: "UPDATE users SET password = 'scrypt$99,99,99$zz$zz'") }
        #expect(try await records.login(user: "binh", password: self.password, source: "::1") == .wrong)
    }

    @Test func rememberedFailuresAreBounded() async throws {
        var options = Fixture.options
        options.limits.entriesMax = 10
        let records = try await self.start(options: options)
        for number in 0..<30 {
            self.clock.advance(seconds: 1)
            _ = try await records.login(user: "user\(number)", password: "x", source: "10.1.0.\(number)")
        }
        #expect(try records.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM login_failures") } == 10)
    }

    @Test(arguments: [
        ("10.0.0.7", "10.0.0.7"), ("::ffff:10.0.0.7", "10.0.0.7"), ("2001:db8::1", "20010db800000000/64"),
        ("2001:db8:0:0:ffff::9", "20010db800000000/64"), ("fe80::1%eth0", "fe80000000000000/64"), ("", ""),
        ("unix:/run/x", "unix:/run/x"),
    ])
    func sourcesAreGrouped(text: String, expected: String) { #expect(SourceAddress.group(text) == expected) }

    private func fail(_ records: Records, source: String = "10.0.0.7") async throws -> LoginOutcome {
        try await records.login(user: "binh", password: "guess", source: source)
    }
}
