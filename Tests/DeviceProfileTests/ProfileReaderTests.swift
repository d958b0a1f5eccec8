import DeviceProfile
import StrictYAML
import Testing

/// What is wrong with a profile is said with its line and what to write instead.
struct ProfileReaderTests {
    private static let good = """
        profile: t
        vendor: V
        model: M
        category: environment
        title: {vi: T, en: T}
        sources:
          - {title: "by hand", url: "https://example.org", trust: C}
        verified: false
        modbus: {unit: 1, registersMax: 60}
        points:
          - {name: a, title: {vi: A, en: A}, unit: Cel, wire: {table: input, address: 1, type: int16}}
        tests:
          - name: one
            modbus: [{request: "01 04 00 01 00 01 60 0A", response: "01 04 02 01 31 79 74"}]
            expect: {a: 305}
        """

    private func problems(_ yaml: String, file: String = "t.yaml") -> [YAMLProblem] {
        do throws(YAMLProblems) {
            _ = try DeviceProfile.read(yaml: yaml, file: file)
            return []
        } catch {
            return error.problems
        }
    }

    @Test func theUnchangedOneIsGood() throws {
        #expect(self.problems(Self.good).isEmpty)
        let profile = try DeviceProfile.read(yaml: Self.good, file: "t.yaml")
        #expect(GoldenRunner.run(profile).isEmpty)
    }

    /// What is replaced by what, the line that must be named, and words that must be there.
    @Test(arguments: [
        ("vendor: V", "vendr: V", 2, "vendor"),
        ("category: environment", "category: enviroment", 4, "environment"),
        ("profile: t", "profile: other", 1, "other.yaml"),
        ("profile: t", "profile: Not-Allowed", 1, "profile"),
        ("title: {vi: T, en: T}", "title: {vi: T}", 5, "en"),
        ("trust: C", "trust: Z", 7, "trust"),
        ("registersMax: 60", "registersMax: 126", 9, "125"),
        ("registersMax: 60", "registerMax: 60", 9, "registersMax"),
        ("unit: 1,", "unit: 256,", 9, "unit"),
        ("unit: Cel", "unit: Celsius", 11, "UCUM"),
        ("table: input", "table: inputs", 11, "input"),
        ("address: 1", "address: 65536", 11, "address"),
        ("type: int16", "type: int17", 11, "int16"),
        ("type: int16", "type: int16, wordOrdr: lowFirst", 11, "wordOrder"),
        ("name: a,", "name: \"A b\",", 11, "name"),
        ("expect: {a: 305}", "expect: {b: 305}", 15, "b"),
        ("request: \"01 04", "request: \"01 0G", 14, "hex"),
        ("request: \"01 04 00 01 00 01 60 0A\"", "request: \"01 04 00 01 00 01 60 0B\"", 14, "CRC"),
        ("verified: false", "verified: maybe", 8, "verified"),
        ("registersMax: 60", "registersMax: 60, connectPauseMilliseconds: 10001", 9, "10000"),
        ("type: int16", "type: int16, bits: {from: 9, count: 8}", 11, "do not fit"),
        ("type: int16", "type: hex, length: 1", 11, "kind text"),
        ("type: int16", "type: hex", 11, "length"),
        ("type: int16}", "type: int16}, scale: {multiplyFrom: a}", 11, "another point"),
        ("type: int16}", "type: int16}, scale: {exponentFrom: aa}", 11, "did you mean 'a'"),
        ("type: int16}", "type: int16}, validWhen: [{point: a, equals: 1}]", 11, "another point"),
        ("type: int16}", "type: int16}, validWhen: {point: a, equals: 1, changesWithinSeconds: 5}", 11, "one of"),
        ("type: int16}", "type: int16}, invalid: [\"x\"]", 11, "without quotes"),
        ("type: int16}", "type: int16}, only: {x: y}", 11, "setting"),
        ("type: int16}", "type: int16}, scale: [{from: 5, to: 1}]", 11, "greater"),
        ("type: int16}", "type: int16}, scale: [{from: 5, to: 9, exponentFrom: a}]", 11, "exponentFrom"),
        ("expect: {a: 305}", "write: {control: c}", 15, "control"),
        ("points:\n", "points: 7\nnone:\n", 10, "points"),
    ])
    func aMistakeIsNamedWithItsLine(old: String, new: String, line: Int, word: String) {
        let changed = Self.good.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.good)
        let found = self.problems(changed)
        #expect(
            found.contains { $0.line == line && "\($0)".contains(word) },
            "\(found.map(\.description).joined(separator: "\n"))"
        )
    }

    @Test func allMistakesOfAFileAreToldAtOnce() {
        let changed = Self.good.replacing("vendor: V", with: "vendr: V").replacing("unit: Cel", with: "unit: Celsius")
            .replacing("trust: C", with: "trust: Z")
        #expect(Set(self.problems(changed).map(\.line)).isSuperset(of: [2, 7, 11]))
    }

    @Test(arguments: [
        "", "\n", "- 1\n", "profile: [", "a: &x 1\nb: *x\n", "a: !!binary x\n", "profile: t\nprofile: t\n",
        "\u{0}", "%YAML 9.9\n---\n",
    ])
    func brokenFilesAreErrors(text: String) {
        let found = self.problems(text)
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.file == "t.yaml" })
    }

    @Test func nestingIsBounded() {
        #expect(!self.problems(String(repeating: "[", count: 10_000)).isEmpty)
        #expect(
            !self.problems((0..<3_000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")).isEmpty
        )
    }

    @Test func aGoldenCaseThatDoesNotFitIsAFailureOfTheProfile() throws {
        let profile = try DeviceProfile.read(
            yaml: Self.good.replacing("{a: 305}", with: "{a: 306}"),
            file: "t.yaml"
        )
        let failures = GoldenRunner.run(profile)
        #expect(failures.count == 1)
        #expect(failures.allSatisfy { "\($0)".contains("305") && "\($0)".contains("306") })
    }
}
