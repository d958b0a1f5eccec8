import CampusModel
import FirmwareContract
import Testing

@Suite struct ValidationTests {
    static let schema = """
        type: object
        required: [temperature, state]
        properties:
          temperature: {type: number, minimum: -40, maximum: 85, multipleOf: 0.01, x-unit: Cel}
          state: {type: string, enum: ['on', 'off']}
          count: {type: integer, exclusiveMinimum: 0, maximum: 10}
          name: {type: string, maxLength: 5, minLength: 2, pattern: '^[a-z]+[0-9]?$'}
          list: {type: array, items: {type: boolean}, minItems: 1, maxItems: 2}
          uid: {type: string, maxLength: 8, x-privacy: hash}
          probe: {type: [number, 'null']}
          inner: {type: object, additionalProperties: false, properties: {a: {type: integer}}}
        """

    @Test(arguments: [
        (#"{"temperature":21.53,"state":"on"}"#, []),
        (#"{"temperature":-40,"state":"off","count":5.0,"list":[true],"probe":null,"new":{"x":1}}"#, []),
        (#"{"temperature":"21.5","state":"on"}"#, [#"/temperature: expected number, got text "21.5""#]),
        (#"{"Temperature":21,"state":"on"}"#, [#"/temperature: missing; there is "Temperature""#]),
        (#"{"temperature":85.01,"state":"on"}"#, ["/temperature: 85.01 is above 85"]),
        (#"{"temperature":21.537,"state":"on"}"#, ["/temperature: 21.537 is not a multiple of 0.01"]),
        (#"{"temperature":1,"state":"up"}"#, [#"/state: "up" is none of "on", "off""#]),
        (
            #"{"temperature":true,"state":1}"#,
            ["/temperature: expected number, got true", "/state: expected text, got number 1"]
        ),
        (#"{"temperature":1,"state":"on","count":0}"#, ["/count: 0 is below or equal to 0"]),
        (#"{"temperature":1,"state":"on","count":1.5}"#, ["/count: expected whole number, got number 1.5"]),
        (#"{"temperature":1,"state":"on","name":"a"}"#, ["/name: 1 characters, at least 2 expected"]),
        (#"{"temperature":1,"state":"on","name":"abcdef"}"#, ["/name: 6 characters, at most 5 allowed"]),
        (
            #"{"temperature":1,"state":"on","name":"ab12"}"#,
            [#"/name: "ab12" does not have the form ^[a-z]+[0-9]?$"#]
        ),
        (#"{"temperature":1,"state":"on","list":[]}"#, ["/list: 0 elements, at least 1 expected"]),
        (
            #"{"temperature":1,"state":"on","list":[true,false,1]}"#, ["/list: 3 elements, at most 2 allowed"]
        ),
        (#"{"temperature":1,"state":"on","list":[1]}"#, ["/list/0: expected true or false, got number 1"]),
        (
            #"{"temperature":1,"state":"on","inner":{"A":1}}"#,
            [#"/inner/A: not in the contract; did you mean "a"?"#]
        ),
        (#"{"temperature":1,"state":"on""#, ["payload: broken or truncated JSON"]),
        (#"{"state":"on","state":"on"}"#, ["payload: JSON with a duplicate key"]),
        (#"[1]"#, ["payload: expected object, got list"]),
    ])
    func aPayloadIsComparedWithTheSchema(payload: String, expected: [String]) throws {
        let contract = try Contracts.read(Self.schema)
        #expect(Contracts.differences(payload, contract) == expected)
    }

    @Test func differencesAreToldInVietnameseFirst() throws {
        let contract = try Contracts.read(Self.schema)
        let verdict = ContractValidator(contract: contract)
            .check(topic: "x/a/data", payload: Array(#"{"temperature":"21.5","state":"up"}"#.utf8))
        guard case .violation(let violation) = verdict else { throw Missing() }
        #expect(
            violation.lines(in: .vi) == [
                #"/temperature: cần số, nhận được chữ "21.5""#, #"/state: "up" không thuộc "on", "off""#,
            ]
        )
    }

    struct Missing: Error {}

    @Test func nothingPersonalIsQuoted() throws {
        let contract = try Contracts.read(Self.schema)
        let lines = try #require(
            Contracts.differences(
                #"{"temperature":"04A2B3C4","state":"04:a2:b3:c4:d5","uid":"0123456789","count":123456789,"#
                    + #""inner":{"Nguyễn Văn A":1,"04A2B3C4D5":1}}"#,
                contract
            )
        )
        let text = lines.joined(separator: "\n")
        for secret in ["04A2B3", "a2:b3", "01234567", "123456", "Nguyễn"] { #expect(!text.contains(secret)) }
        #expect(text.contains("/uid: 10 characters, at most 8 allowed"))
        #expect(text.contains("/inner/•••: not in the contract"))
    }

    /// A line stays one line, also where a text that looks like a card's number is masked.
    @Test func controlCharactersAreNeverQuoted() throws {
        let contract = try Contracts.read(Self.schema)
        let lines = try #require(
            Contracts.differences(#"{"temperature":"x\n\u0001","state":"123456\n\u001b"}"#, contract)
        )
        #expect(
            lines == [
                #"/temperature: expected number, got text "x··""#, #"/state: "••••··" is none of "on", "off""#,
            ]
        )
    }

    @Test func boundsOfThePayloadHold() throws {
        let contract = try Contracts.read(
            "type: object\nproperties: {a: {type: string, maxLength: 100}}",
            campus: "bytesMax: 32, depthMax: 2"
        )
        #expect(Contracts.differences(#"{"a":"0"}"#, contract) == [])
        #expect(
            Contracts.differences(#"{"a":"01234567890123456789012345"}"#, contract)
                == ["payload: 34 bytes, at most 32 allowed"]
        )
        #expect(
            Contracts.differences(#"{"b":[[[1]]],"a":""}"#, contract) == ["payload: nested 4 deep, at most 2 allowed"]
        )
        #expect(Contracts.differences("{\"b\":[1],\"a\":\"\"}", contract) == [])
    }

    @Test func aLongListOfDifferencesIsCounted() throws {
        let members = (0..<30).map { "  m\($0): {type: number}" }.joined(separator: "\n")
        let contract = try Contracts.read("type: object\nproperties:\n\(members)")
        let payload = "{" + (0..<30).map { "\"m\($0)\":\"x\"" }.joined(separator: ",") + "}"
        let lines = try #require(Contracts.differences(payload, contract))
        #expect(lines.count == ContractViolation.differencesMax + 1)
        #expect(lines.last == "… and 14 more")
    }

    @Test func anUnknownVersionIsNeverGuessed() throws {
        let schema = """
            type: object
            required: [contract]
            properties: {contract: {type: string, maxLength: 8}, x: {type: number}}
            """
        let contract = try Contracts.read(schema, version: "1.2.0", campus: "bytesMax: 99, version: /contract")
        let validator = ContractValidator(
            contract: contract,
            older: [ContractVersion(major: 1, minor: 0, patch: 0), ContractVersion(major: 1, minor: 1, patch: 3)]
        )
        for known in ["1.0", "1.1", "1.2"] {
            #expect(
                validator.check(topic: "x/a/data", payload: Array(#"{"contract":"\#(known)"}"#.utf8))
                    == .valid(message: 0)
            )
        }
        // The rest of the payload is not even looked at.
        let payload = Array(#"{"contract":"1.3","x":"text"}"#.utf8)
        guard case .violation(let violation) = validator.check(topic: "x/a/data", payload: payload) else {
            throw Missing()
        }
        #expect(violation.reason == .contractUnknownVersion)
        #expect(violation.lines(in: .en) == [#"/contract: version "1.3" is not known here; known: 1.0, 1.1, 1.2"#])
    }

    @Test func topicsOfOtherDevicesAndOfNoChannelAreNotCovered() throws {
        let contract = try Contracts.read("type: object")
        let bound = ContractValidator(contract: contract, parameters: ["device": "a"])
        #expect(bound.check(topic: "x/a/data", payload: Array("{}".utf8)) == .valid(message: 0))
        #expect(bound.check(topic: "x/b/data", payload: Array("{}".utf8)) == .notCovered)
        #expect(bound.check(topic: "x/a/other", payload: Array("{}".utf8)) == .notCovered)
    }
}

@Suite struct PatternTests {
    @Test(arguments: [
        ("^[0-9a-f]{8,20}$", "04a2b3c4", true), ("^[0-9a-f]{8,20}$", "04A2b3c4", false), ("^a*b$", "aaab", true),
        ("^a*b$", "aaa", false), ("^[^/]+$", "a/b", false), (#"^\d+\.\d{2}$"#, "12.50", true), ("^.?$", "", true),
        ("^$", "", true), ("^$", "x", false), ("^a{2}$", "aaa", false), ("^[a-]+$", "a-a", true),
    ])
    func aPatternHoldsForTheWholeText(pattern: String, text: String, matches: Bool) throws {
        #expect(try TextPattern(pattern).matches(text) == matches)
    }

    @Test(arguments: ["abc", "^abc", "^(a|b)$", "^a{3,2}$", "^[$", "^[b-a]$", #"^\1$"#, "^a{600}$", "^*$", #"^\bx$"#])
    func whatIsNotInTheSubsetIsRefused(pattern: String) {
        #expect(throws: TextPattern.Problem.self) { try TextPattern(pattern) }
    }

    /// The pattern that takes backtracking engines 2^n steps.
    @Test func matchingIsLinear() throws {
        let pattern = try TextPattern("^a*a*a*a*a*a*a*a*a*a*b$")
        #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
    }
}

@Suite struct DecimalTests {
    @Test func numbersAreComparedAsTheyAreWritten() throws {
        let number = try #require(ExactDecimal("21.53"))
        #expect(number.isMultiple(of: try #require(ExactDecimal("0.01"))))
        #expect(!number.isMultiple(of: try #require(ExactDecimal("0.02"))))
        #expect(try #require(ExactDecimal("1e3")) == ExactDecimal(1_000))
        #expect(try #require(ExactDecimal("-0.50")).description == "-0.5")
        #expect(try #require(ExactDecimal("0.1")) < #require(ExactDecimal("0.10000000000000001")))
        #expect(ExactDecimal("12345678901234567890") == nil)
        for bad in ["", "-", ".5", "1.2.3", "1e99", "1e-9223372036854775808", "0x10", "1e", "abc"] {
            #expect(ExactDecimal(bad) == nil)
        }
    }
}
