import CampusModel
import DeviceProfile
import Testing

/// How payloads may be shaped: alternatives, lists, envelopes, words that mean nothing.
struct PayloadFormatTests {
    private static let arrival = Tick(milliseconds: 1_790_000_000_000)

    private func decode(
        _ rest: String,
        topic: String = "t",
        _ payload: String,
        isRetained: Bool = false,
        parameters: [String: String] = [:]
    ) throws -> (outcome: MessageOutcome, profile: DeviceProfile) {
        let profile = try ProfileText.read(ProfileText.mqtt(rest))
        let decoder = try MessageDecoder(
            profile: profile,
            device: DeviceID(rawValue: "d"),
            parameters: parameters,
            zonelessOffsetSeconds: 25_200
        )
        let outcome = decoder.decode(
            topic: topic,
            payload: Array(payload.utf8),
            isRetained: isRetained,
            arrival: Self.arrival
        )
        return (outcome, profile)
    }

    private static let alternatives = """
        mqtt:
          messages:
            - {name: state, topic: tele/STATE}
            - {name: power, topic: stat/POWER, payload: text}
        points:
          - {name: relay, title: {vi: R, en: R}, kind: boolean, wire: [{message: state, pointer: /POWER}, {message: state, pointer: /POWER1}, {message: power}]}
        """

    @Test(arguments: [
        ("tele/STATE", #"{"POWER":"ON"}"#, [1.0]), ("tele/STATE", #"{"POWER1":"ON"}"#, [1]),
        ("tele/STATE", #"{"POWER1":"ON","POWER":"OFF"}"#, [0]), ("stat/POWER", "ON", [1]),
    ])
    func aPointMayHaveSeveralPlacesAndTheFirstThatIsThereCounts(
        topic: String,
        payload: String,
        values: [Double]
    ) throws {
        let outcome = try self.decode(Self.alternatives, topic: topic, payload).outcome
        #expect(outcome.values.map(\.value) == values)
    }

    private static let list = """
        mqtt:
          messages:
            - name: up
              topic: t
              when: {pointer: /object/temperature, present: true}
            - name: history
              topic: t
              each: /object/history
              clock: {pointer: /timestamp, format: unix-seconds}
              replay: true
        points:
          - {name: t, title: {vi: T, en: T}, unit: Cel, wire: [{message: up, pointer: /object/temperature}, {message: history, pointer: /temperature}], range: {min: -40, max: 85}}
        """

    @Test func everyElementOfAListIsAMessageWithItsOwnTime() throws {
        let payload =
            #"{"object":{"temperature":21,"history":[{"timestamp":1700000000,"temperature":20},"#
            + #"{"timestamp":"1700000600","temperature":900}]}}"#
        let outcome = try self.decode(Self.list, payload).outcome
        #expect(outcome.status == .decoded)
        #expect(outcome.values.map(\.value) == [21])
        #expect(!outcome.isHistory && !outcome.isReplay)
        #expect(outcome.elements.map(\.time) == [1_700_000_000_000, 1_700_000_600_000].map(Tick.init(milliseconds:)))
        #expect(outcome.elements.flatMap(\.values).map(\.quality) == [.good, .bad(.range)])
        #expect(outcome.elements.allSatisfy { $0.isHistory && $0.isReplay })
    }

    @Test(arguments: [
        (#"{"object":{"history":[{"timestamp":1700000000,"temperature":20}]}}"#, 1),
        (#"{"object":{"temperature":1}}"#, 0),
        (#"{"object":{"temperature":1,"history":[]}}"#, 0), (#"{"object":{"temperature":1,"history":{}}}"#, 0),
        (#"{"object":{"temperature":1,"history":null}}"#, 0),
    ])
    func aListThatIsNotThereIsNotThisMessage(payload: String, count: Int) throws {
        let outcome = try self.decode(Self.list, payload).outcome
        #expect(outcome.status == .decoded)
        #expect(outcome.elements.count == count)
    }

    @Test(arguments: [#"[{"timestamp":"x","temperature":20}]"#, "[7]", "[[]]", #"[{"timestamp":1700000000}]"#])
    func anElementThatBreaksTheProfileBreaksTheMessage(list: String) throws {
        let outcome = try self.decode(Self.list, #"{"object":{"temperature":1,"history":"# + list + "}}").outcome
        guard case .violation = outcome.status else {
            Issue.record("\(outcome.status)")
            return
        }
    }

    private static let tags = """
        mqtt:
          messages:
            - {name: batch, topic: t, each: /data/tags, clock: {pointer: "^/timestamp", format: rfc3339}}
        points: []
        events:
          - name: tag-seen
            title: {vi: Thẻ, en: Tag}
            kind: tag
            windowMilliseconds: 3000
            fields:
              - {name: epc, pointer: /epcHex, required: true, invalid: [" "]}
              - {name: epc, pointer: /epc, decode: base64, required: true, invalid: [" "]}
              - {name: rssi, pointer: /peakRssiCdbm, scale: {divide: 100}, identity: false}
              - {name: reader, pointer: "^/hostname"}
              - {name: secret, pointer: /irk, privacy: drop}
        """

    @Test func aBatchOfTagsIsOneEventEachWithTheEnvelopeAroundThem() throws {
        let payload =
            #"{"timestamp":"2026-01-02T03:04:05Z","hostname":"gate","data":{"tags":["#
            + #"{"epcHex":"E280","peakRssiCdbm":-7450,"irk":"x"},{"epc":"4oAB_w","peakRssiCdbm":-100},{"epcHex":" "}]}}"#
        let outcome = try self.decode(Self.tags, payload).outcome
        #expect(outcome.status == .decoded)
        let events = outcome.events.map { event in event.fields.map { "\($0.name)=\($0.text)" } }
        #expect(
            events == [
                ["epc=E280", "rssi=-74.5", "reader=gate"], ["epc=E28001FF", "rssi=-1", "reader=gate"],
            ]
        )
        #expect(outcome.events.allSatisfy { $0.tick == UTCText.tick(rfc3339: "2026-01-02T03:04:05Z") })
        #expect(outcome.events.flatMap(\.fields).filter { !$0.isIdentity }.map(\.name) == ["rssi", "rssi"])
    }

    @Test(arguments: ["=", "A", "AB=", "AAAA=", "A*AA", "4oAB/w==="])
    func whatIsNoBase64IsAbsent(text: String) throws {
        let outcome =
            try self.decode(
                Self.tags,
                #"{"timestamp":"2026-01-02T03:04:05Z","data":{"tags":[{"epc":"\#(text)"}]}}"#
            )
            .outcome
        guard case .violation(.missingField, _) = outcome.status else {
            Issue.record("\(outcome.status)")
            return
        }
    }

    private static let words = """
        mqtt:
          messages: [{name: s, topic: "{prefix}/sensor/{name}_co2/state", payload: text}]
          availability: {topic: "z/{prefix}/availability", pointer: /state, online: online, offline: offline}
        points:
          - {name: co2, title: {vi: C, en: C}, unit: "[ppm]", wire: {}, invalid: [nan, "unavailable", ""], range: {min: 0, max: 10000}}
        """

    @Test(arguments: [
        ("nan", Quality.bad(.sentinel), 0.0), ("NaN", .bad(.sentinel), 0), ("unavailable", .bad(.sentinel), 0),
        ("", .bad(.sentinel), 0), ("1204", .good, 1_204),
    ])
    func aTextMayMeanNoValue(text: String, quality: Quality, value: Double) throws {
        let parameters = ["prefix": "lab", "name": "room"]
        let outcome = try self.decode(Self.words, topic: "lab/sensor/room_co2/state", text, parameters: parameters)
            .outcome
        #expect(outcome.values == [DecodedValue(point: 0, value: value, quality: quality)])
    }

    @Test func aPlaceholderMayBePartOfALevel() throws {
        let template = try #require(TopicTemplate("{prefix}/sensor/{name}_co2/state"))
        #expect(template.parameterNames == ["prefix", "name"])
        #expect(template.filter(parameters: ["prefix": "a/b", "name": "x"]) == "a/b/sensor/x_co2/state")
        #expect(template.filter(parameters: ["prefix": "a", "name": "x/y"]) == nil)
        #expect(template.parameters(from: "p/sensor/room_co2/state") == ["prefix": "p", "name": "room"])
        #expect(template.parameters(from: "p/sensor/_co2/state") == nil)
        #expect(template.parameters(from: "p/sensor/co2/state") == nil)
        for text in ["{a}{b}", "x{", "x}", "{}", "a{b+}", "+{a}", "{a b}"] {
            #expect(TopicTemplate(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"state":"online"}"#, MessageOutcome.Status.availability(isOnline: true)),
        (#"{"state":"offline"}"#, .availability(isOnline: false)), ("online", .notMine), (#"{"state":"?"}"#, .notMine),
    ])
    func aLastWillMayBeJSON(payload: String, status: MessageOutcome.Status) throws {
        let parameters = ["prefix": "lab", "name": "room"]
        let outcome = try self.decode(Self.words, topic: "z/lab/availability", payload, parameters: parameters).outcome
        #expect(outcome.status == status)
    }

    @Test func aGoldenCaseMayBeOfARetainedMessage() throws {
        let profile = try ProfileText.read(
            ProfileText.mqtt(
                """
                mqtt: {messages: [{name: s, topic: t}]}
                points:
                  - {name: a, title: {vi: A, en: A}, unit: "1", wire: {pointer: /a}}
                tests:
                  - name: kept by the broker
                    mqtt: {topic: t, payload: '{"a":1}', retained: true}
                    expect: {a: {quality: "uncertain:stale"}}
                """
            )
        )
        #expect(GoldenRunner.run(profile).map(\.description) == [])
    }

    @Test func severalConditionsMustAllHold() throws {
        let points = """
            mqtt: {messages: [{name: s, topic: t}]}
            points:
              - {name: a, title: {vi: A, en: A}, unit: "1", wire: {pointer: /a}}
              - {name: b, title: {vi: B, en: B}, unit: "1", wire: {pointer: /b}}
              - {name: v, title: {vi: V, en: V}, unit: "1", wire: {pointer: /v}, validWhen: [{point: a, equals: 1}, {point: b, notEquals: [0, 7]}]}
            """
        for (payload, quality) in [
            (#"{"a":1,"b":2,"v":3}"#, Quality.good), (#"{"a":0,"b":2,"v":3}"#, .bad(.notReady)),
            (#"{"a":1,"b":7,"v":3}"#, .bad(.notReady)),
        ] {
            let outcome = try self.decode(points, payload).outcome
            #expect(outcome.values.last?.quality == quality, "\(payload)")
        }
    }

    @Test(arguments: [
        (alternatives, "{message: power}]", "{message: powr}]", "did you mean 'power'"),
        (alternatives, "pointer: /POWER1}", "pointer: /POWER}", "same place twice"),
        (alternatives, "pointer: /POWER1}", "pointer: /POWER1, absent: missing}", "absent"),
        (alternatives, "pointer: /POWER1}", "pointer: ^/POWER1}", "'^'"),
        (list, "replay: true", "replay: false", "replay"),
        (list, "present: true", "present: true, equals: 1", "equals"),
        (list, "each: /object/history", "each: object", "JSON pointer"),
        (tags, "decode: base64", "decode: base32", "base64"),
        (tags, "{name: epc, pointer: /epc,", "{name: epc, pointer: /epcHex,", "same pointer"),
        (tags, "decode: base64, required: true", "decode: base64", "differ"),
        (words, "payload: text}", "payload: text, each: /x}", "payload json"),
    ])
    func aMistakeInAMessageIsNamed(text: String, old: String, new: String, word: String) {
        let changed = ProfileText.mqtt(text.replacing(old, with: new, maxReplacements: 1))
        #expect(changed != ProfileText.mqtt(text), "\(old)")
        let found = ProfileText.problems(changed)
        #expect(found.contains { $0.contains(word) && !$0.contains(":0:") }, "\(found)")
    }
}
