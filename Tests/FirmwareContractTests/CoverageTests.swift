import DeviceProfile
import FirmwareContract
import Testing

/// What profiles can say beside a plain list of pointers, compared with a contract.
@Suite struct CoverageTests {
    private static let schema = """
        type: object
        required: [value, kept, late]
        properties:
          value: {type: number, x-unit: Cel}
          other: {type: number, x-unit: Cel}
          power: {type: number, x-unit: W}
          late: {type: string, enum: ['yes', 'no', maybe]}
          old: {type: string, const: 'yes'}
          hex: {type: string, maxLength: 8}
          epc: {type: string, maxLength: 8}
          kept:
            type: array
            maxItems: 4
            items:
              type: object
              required: [at]
              properties: {at: {type: integer}, value: {type: number, x-unit: Cel}, word: {type: string, maxLength: 8}}
        """

    private static func problems(
        message: String = "",
        points: String = "",
        events: String = "",
        settings: String = "",
        campus: String = "bytesMax: 1024",
        address: String = "x/{device}/data",
        topic: String = "x/{device}/data"
    ) throws -> [String] {
        let contract = try FirmwareContract.read(
            yaml: Contracts.document(self.schema, campus: campus).replacing("x/{device}/data", with: address),
            file: "asyncapi.yaml"
        )
        let value = "{name: value, title: {vi: x, en: x}, unit: Cel, wire: {message: data, pointer: /value}}"
        let profile = try DeviceProfile.read(
            yaml: """
                profile: p
                vendor: x
                model: x
                category: environment
                title: {vi: x, en: x}
                sources: [{title: test, trust: A}]
                verified: false
                \(settings)
                mqtt:
                  messages:
                    - {name: data, topic: "\(topic)"}
                \(message.isEmpty ? "" : "    - {name: second, topic: \"\(topic)\", \(message)}")
                points:
                  - \(points.isEmpty ? value : points)
                \(events)
                tests:
                  - name: x
                    mqtt: {topic: x/a/data, payload: '{"value":1}'}
                    parameters: {device: a}
                    expect: {value: 1}
                """,
            file: "p.yaml"
        )
        return ProfileCoverage.ofAllVariants(profile, contract: contract).problems.map(\.description)
    }

    private static func point(_ wire: String, unit: String = "Cel") -> String {
        "{name: value, title: {vi: x, en: x}, unit: \(unit), wire: \(wire)}"
    }

    @Test func aPlaceForOtherFirmwareDoesNoHarmBesideOneThatIsPromised() throws {
        let both = Self.point("[{message: data, pointer: /gone}, {message: data, pointer: /value}]")
        #expect(try Self.problems(points: both) == [])
        let none = Self.point("[{message: data, pointer: /gone}, {message: data, pointer: /lost}]")
        #expect(
            try Self.problems(points: none) == [
                "point value: /gone is not in the message data", "point value: /lost is not in the message data",
            ]
        )
        let wrong = Self.point("[{message: data, pointer: /value}, {message: data, pointer: /power}]")
        #expect(try Self.problems(points: wrong) == ["point value: has the unit Cel, the contract says W"])
    }

    /// The decoder takes the first that is there: only if none need be, absence has a meaning.
    @Test func aPlaceThatIsAlwaysThereStandsInForOnesThatMayBeAbsent() throws {
        let campus = "bytesMax: 1024, absent: missing"
        let optional = Self.point("{message: data, pointer: /other}")
        #expect(
            try Self.problems(points: optional, campus: campus)
                == ["point value: the contract says that absent means missing"]
        )
        let safe = Self.point("[{message: data, pointer: /other}, {message: data, pointer: /value}]")
        #expect(try Self.problems(points: safe, campus: campus) == [])
    }

    @Test func pointersInAListAreThoseOfItsElements() throws {
        let point = Self.point("[{message: data, pointer: /value}, {message: second, pointer: /value}]")
        let list = "each: /kept, replay: true"
        let clock = "clock: {pointer: /at, format: unix-seconds}"
        #expect(try Self.problems(message: "\(list), \(clock)", points: point) == [])
        #expect(
            try Self.problems(message: "\(list), clock: {pointer: /word, format: unix-seconds}", points: point) == [],
            "numbers may be texts"
        )
        #expect(
            try Self.problems(message: "\(list), clock: {pointer: /at, format: rfc3339}", points: point)
                == ["message second: the contract has no rfc3339 clock at /at in the elements"]
        )
        #expect(
            try Self.problems(message: "each: /gone", points: point)
                == ["message second: there is no list at /gone in the message data"]
        )
        let power = Self.point("{message: second, pointer: /power}", unit: "W")
        #expect(
            try Self.problems(message: list, points: power) == ["point value: /power is not in the message data"],
            "it is beside the list, not in it"
        )
    }

    @Test func aClockOfTheWholePayloadIsTheContractsClock() throws {
        let campus = "bytesMax: 1024, clock: {pointer: /value, format: unix-seconds}"
        let whole = "each: /kept, clock: {pointer: ^/value, format: unix-seconds}"
        #expect(try Self.problems(message: whole, campus: campus) == [])
        #expect(
            try Self.problems(message: whole.replacing("unix-seconds", with: "unix-milliseconds"), campus: campus)
                == ["message second: the clock of the contract is unix-seconds, /value"]
        )
    }

    @Test(arguments: [
        ("replay: {pointer: /late, equals: 'yes'}", nil),
        ("replay: {pointer: /late, in: ['yes', never]}", nil),
        ("replay: {pointer: /late, in: ['yes', maybe]}", "'replay' must hold if and only if /late is yes"),
        ("replay: {pointer: /late, present: true}", "'replay' must hold if and only if /late is yes"),
        ("replay: true", "'replay: true', but by the contract only if /late is yes"),
        ("replay: true, when: {pointer: /late, equals: 'yes'}", nil),
        ("when: {pointer: /late, in: ['no', maybe]}", nil),
        ("when: {pointer: /late, in: ['no', 'yes']}", "'replay' at /late is missing: history would count as live"),
        ("replay: {pointer: /old, equals: 'yes'}", "'replay' at /late is missing: history would count as live"),
    ])
    func historyIsWhatTheContractCallsSo(message: String, problem: String?) throws {
        let campus = "bytesMax: 1024, replay: {pointer: /late, equals: 'yes'}"
        let found = try Self.problems(message: message, campus: campus).filter { !$0.hasPrefix("message data") }
        #expect(found == (problem.map { ["message second: \($0)"] } ?? []))
    }

    @Test func presenceTellsHistoryWhereTheMemberHasNoOtherValue() throws {
        let found = try Self.problems(
            message: "replay: {pointer: /old, present: true}",
            campus: "bytesMax: 1024, replay: {pointer: /old, equals: 'yes'}"
        )
        #expect(found.filter { !$0.hasPrefix("message data") } == [])
    }

    @Test(arguments: [
        ("{pointer: /other, present: true}", true), ("{pointer: /other, present: false}", true),
        ("{pointer: /value, present: true}", true), ("{pointer: /value, present: false}", false),
        ("{pointer: /gone, present: true}", false), ("{pointer: /gone, present: false}", true),
    ])
    func aConditionOnPresenceMustBePossible(condition: String, isPossible: Bool) throws {
        #expect(try Self.problems(message: "when: \(condition)").isEmpty == isPossible)
    }

    @Test func aRequiredFieldMayHaveSeveralPlaces() throws {
        let events = """
            events:
              - name: seen
                title: {vi: x, en: x}
                kind: tag
                message: data
                fields: [{name: tag, pointer: /hex, required: true}FALLBACK]
            """
        #expect(
            try Self.problems(events: events.replacing("FALLBACK", with: ""))
                == ["event seen, field tag: is required by the profile and optional in the contract"]
        )
        let always = events.replacing("FALLBACK", with: ", {name: tag, pointer: /late, required: true}")
        #expect(try Self.problems(events: always) == [])
        #expect(try Self.problems(events: always.replacing("/hex", with: "/gone")) == [])
    }

    @Test func everyVariantIsCompared() throws {
        let settings = """
            settings:
              - name: mode
                title: {vi: x, en: x}
                default: a
                options: [{value: a, vi: a, en: a}, {value: b, vi: b, en: b}]
            """
        let points = """
            {name: value, only: {mode: a}, title: {vi: x, en: x}, unit: Cel, wire: {message: data, pointer: /value}}
              - {name: value, only: {mode: b}, title: {vi: x, en: x}, unit: K, wire: {message: data, pointer: /value}}
            """
        #expect(
            try Self.problems(points: points, settings: settings)
                == ["point value: has the unit K, the contract says Cel"]
        )
    }

    @Test func aPlaceholderForAPartOfALevelIsTheSameOnBothSides() throws {
        let address = "x/{device}_co2/data"
        #expect(try Self.problems(address: address, topic: address) == [])
        #expect(try Self.problems(address: address, topic: "x/+/data") == [])
        for topic in ["x/{device}/data", "x/{device}_rh/data", "x/a_co2/data"] {
            #expect(
                try Self.problems(address: address, topic: topic)
                    == ["message data: the topic '\(topic)' is in no channel of the contract; there are: \(address)"]
            )
        }
    }

    @Test(arguments: [
        ([:], "x/a_co2/data", true), ([:], "x/_co2/data", false), ([:], "x/a_rh/data", false),
        (["device": "a"], "x/a_co2/data", true), (["device": "a"], "x/b_co2/data", false),
        (["device": "a/b"], "x/a_co2/data", true), (["device": "+"], "x/a/data", false),
    ])
    func onlyTopicsOfTheAddressAreValidated(parameters: [String: String], topic: String, isCovered: Bool) throws {
        let contract = try FirmwareContract.read(
            yaml: Contracts.document("type: object").replacing("x/{device}/data", with: "x/{device}_co2/data"),
            file: "asyncapi.yaml"
        )
        let validator = ContractValidator(contract: contract, parameters: parameters)
        #expect((validator.check(topic: topic, payload: Array("{}".utf8)) != .notCovered) == isCovered)
        for vector in ContractVectors(contract: contract).vectors { #expect(vector.topic == "x/example_co2/data") }
    }

    /// A value of several levels moves what comes after it.
    @Test func aPartOfALevelIsFoundBehindAPrefixOfSeveralLevels() throws {
        let contract = try FirmwareContract.read(
            yaml: Contracts.document("type: object").replacing("x/{device}/data", with: "{base}/{device}_co2")
                .replacing("{device: {description: name}}", with: "{base: {}, device: {}}"),
            file: "asyncapi.yaml"
        )
        let validator = ContractValidator(contract: contract, parameters: ["base": "school/room"])
        #expect(validator.filters == ["school/room/+"])
        #expect(validator.check(topic: "school/room/a_co2", payload: Array("{}".utf8)) == .valid(message: 0))
        #expect(validator.check(topic: "school/room/a_rh", payload: Array("{}".utf8)) == .notCovered)
    }

    @Test func aPointerOfAContractIsNeverOneFromAnElement() {
        #expect(throws: (any Error).self) {
            try Contracts.read("type: object", campus: "bytesMax: 64, sequence: ^/n")
        }
    }

    @Test func theEncoderWritesThePartsOfALevel() throws {
        let contract = try FirmwareContract.read(
            yaml:
                Contracts.document(
                    """
                    type: object
                    required: [n]
                    additionalProperties: false
                    properties: {n: {type: integer, minimum: 0, maximum: 9}}
                    """
                )
                .replacing("x/{device}/data", with: "x/a_{device}_co2/data"),
            file: "asyncapi.yaml"
        )
        let header = try CHeader(contract: contract)
        let output = try CCompiler.run([header.fileName: header.text, "main.c": header.example])
        #expect(output.status == 0, "\(output.text)")
        let topics = output.text.split(separator: "\n").compactMap { $0.split(separator: "\t").first }
        #expect(!topics.isEmpty)
        #expect(topics.allSatisfy { $0 == "x/a_example_co2/data" }, "\(topics)")
    }
}
