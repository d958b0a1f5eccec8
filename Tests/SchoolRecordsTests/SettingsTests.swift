import Testing

@testable import SchoolRecords

@Suite struct SettingsTests {
    let folder: TemporaryFolder
    let records: Records

    init() throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder)
    }

    @Test func valuesComeBack() throws {
        try self.records.setSetting("co2", to: ["max": 1_000, "min": 400], actor: "an")
        #expect(try self.records.setting("co2", as: [String: Int].self) == ["max": 1_000, "min": 400])
        #expect(try self.records.setting("co2") == #"{"max":1000,"min":400}"#)
        #expect(try self.records.setting("other") == nil)
        try self.records.setSetting("co2", json: nil, actor: "an")
        #expect(try self.records.settings().isEmpty)
    }

    @Test(arguments: ["", "{", "nul", "{\"a\":}"])
    func textThatIsNotJSONIsRefused(json: String) throws {
        #expect(throws: RecordsError.self) { try self.records.setSetting("a", json: json, actor: "an") }
    }

    @Test func keysAndValuesAreBounded() throws {
        let long = "\"" + String(repeating: "x", count: 70_000) + "\""
        #expect(throws: RecordsError.self) { try self.records.setSetting("a", json: long, actor: "an") }
        #expect(throws: RecordsError.self) { try self.records.setSetting("", json: "1", actor: "an") }
    }

    @Test func valuesAreNotInTheAudit() throws {
        try self.records.setSetting("mail", to: "hunter2-secret", actor: "an")
        let entry = try #require(try self.records.auditEntries().items.first)
        #expect(entry.subject == "mail")
        #expect(entry.detail.isEmpty)
    }
}
