import Testing

@testable import SchoolRecords

@Suite struct PasswordTests {
    @Test func standardHashVerifiesAndCostsWhatItSays() throws {
        let clock = ContinuousClock()
        var hash: PasswordHash?
        let spent = try clock.measure { hash = try PasswordHash.make("đúng, đủ, sạch, sống", parameters: .standard) }
        let made = try #require(hash)
        #expect(ScryptParameters.standard.memoryBytes == 32 << 20)
        #expect(spent > .milliseconds(20))
        #expect(try made.matches("đúng, đủ, sạch, sống"))
        #expect(try !made.matches("đúng, đủ, sạch, sốnG"))
        print("scrypt \(made.parameters): \(spent)")
    }

    /// RFC 7914, section 12.
    @Test func derivationIsThatOfTheStandard() throws {
        let hash = PasswordHash(
            parameters: ScryptParameters(costLog2: 14, blockSize: 8, parallelism: 1),
            salt: Array("SodiumChloride".utf8),
            key: try #require(Hexadecimal.bytes("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
        )
        #expect(try hash.matches("pleaseletmein"))
    }

    @Test func composedAndDecomposedLettersAreOnePassword() throws {
        let parameters = ScryptParameters(costLog2: 4, blockSize: 8, parallelism: 1)
        let hash = try PasswordHash.make("m\u{1EAD}t kh\u{1EA9}u", parameters: parameters)
        #expect(try hash.matches("ma\u{323}\u{302}t kha\u{302}\u{309}u"))
    }

    @Test func storedFormReadsBack() throws {
        let parameters = ScryptParameters(costLog2: 5, blockSize: 8, parallelism: 2)
        let hash = try PasswordHash.make("a long secret", parameters: parameters)
        #expect(PasswordHash(stored: hash.stored) == hash)
    }

    @Test(arguments: [
        "", "scrypt", "scrypt$15,8,1$00$00", "bcrypt$15,8,1$x$y", "scrypt$60,8,1$x$y", "scrypt$15,8$x$y",
        "scrypt$16,16,1$\(String(repeating: "0", count: 32))$\(String(repeating: "0", count: 64))",
        "scrypt$-1,8,1$\(String(repeating: "0", count: 32))$\(String(repeating: "0", count: 64))",
        "scrypt$15,8,1$\(String(repeating: "g", count: 32))$\(String(repeating: "0", count: 64))",
        "scrypt$9223372036854775807,9223372036854775807,1$\(String(repeating: "0", count: 32))$00",
    ])
    func strangeStoredFormsAreRefused(text: String) { #expect(PasswordHash(stored: text) == nil) }

    @Test(arguments: [
        ("short", "binh"), ("123456789", "binh"), ("1234567890", "binh"), ("QwertyUIOP", "binh"),
        ("matkhau12345", "binh"), ("nguyenvana", "nguyenvana"), ("NguyenVanA1", "nguyenvana"),
        ("aaaaaaaaaaaa", "binh"), ("ababababab", "binh"), (String(repeating: "xyzw", count: 65), "binh"),
    ])
    func weakPasswordsAreRefused(password: String, user: String) {
        #expect(throws: RecordsError.self) { try PasswordRules.check(password, user: user) }
    }

    @Test(arguments: ["con mèo trèo cây cau", "correct horse battery", "kx7-qwe-22p-zz1"])
    func goodPasswordsPass(password: String) throws { try PasswordRules.check(password, user: "binh") }

    @Test func generatedPasswordsPassAndDiffer() throws {
        let passwords = (0..<200).map { _ in Secret.password() }
        #expect(Set(passwords).count == 200)
        for password in passwords {
            #expect(password.count == 23)
            try PasswordRules.check(password, user: "admin")
        }
    }

    @Test func comparisonTellsEqualFromDifferent() {
        #expect(Secret.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!Secret.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!Secret.areEqual([1, 2, 3], [1, 2]))
    }
}
