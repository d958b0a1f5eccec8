import Acquisition
import CampusModel
import DeviceProfile
import FirmwareContract
import Foundation
import StrictYAML
import Testing

/// Sixteen things that firmware in the field really does, each with the end it must come to.
struct ContractCaseTests {
    typealias Gateway = ContractIngestTests.Gateway

    private func contract(_ name: String) throws -> FirmwareContract {
        try #require(ContractName(name).flatMap { Gateway.contracts[$0] }).contract
    }

    private func profile(_ yaml: String, _ id: String) throws -> DeviceProfile {
        try DeviceProfile.read(yaml: yaml, file: "\(id).yaml")
    }

    /// C1: the topic and fields move, which looks like a patch and is another major version.
    @Test func c1TheLaterFirmwareOfEspRfidIsAnotherMajorVersion() throws {
        let comparison = ContractComparison(
            old: try self.contract("esp-rfid/v1"),
            new: try self.contract("esp-rfid/v2")
        )
        #expect(comparison.level == .major)
        #expect(comparison.problem == nil, "and its number says so")
        let text = comparison.changes.map(\.description)
        #expect(text.contains("major: channel base: is gone"))
        #expect(text.contains("major: message access /door: is new and required: older firmware does not send it"))
        // On the old device's topic, what the later firmware sends is not taken for the old one's.
        let gateway = try Gateway("esp-rfid-v1", ["topic": "gate1"])
        try gateway.receive(
            "gate1/send",
            #"{"type":"access","time":1,"isKnown":"true","access":"Always","uid":"04a2b3c4","door":"g"}"#
        )
        #expect(gateway.store.events.isEmpty)
        #expect(gateway.entries.map(\.reason) == ["unclaimed"])
        #expect(gateway.entries.first?.suggestions.contains { $0.profile == "esp-rfid-v2" } == true)
    }

    /// The same fields under a minor step are refused.
    @Test func aMajorChangeUnderAMinorStepIsRefused() throws {
        let file = "\(Gateway.root)/Firmware-Contracts/esp-rfid/v2/asyncapi.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let disguised = try FirmwareContract.read(
            yaml: text.replacing("version: 2.0.0", with: "version: 1.1.0"),
            file: file
        )
        let comparison = ContractComparison(old: try self.contract("esp-rfid/v1"), new: disguised)
        #expect(
            comparison.problem?.en
                == "1.0.0 to 1.1.0 is a minor step, and there is a major change; it must be 2.0.0"
        )
    }

    /// C2: the mode for Home Assistant drops `type` and `isKnown`.
    @Test func c2TheModeForHomeAssistantIsQuarantinedWhereTheOtherOneIsExpected() throws {
        let gateway = try Gateway("esp-rfid-v1", ["topic": "gate1"])
        try gateway.receive("gate1", #"{"uid":"04a2b3c4","username":"Nguyễn Văn A","access":"Always","time":1}"#)
        #expect(gateway.store.events.isEmpty)
        #expect(gateway.entries.first?.reason == "contractUnknownMessage")
        #expect(gateway.differences() == [#"/type: missing; one of "access", "boot", "heartbeat" expected"#])
        #expect(!gateway.everythingShown.contains("Nguyễn"))
        #expect(!gateway.everythingShown.contains("04a2b3c4"))
    }

    /// C3: `DATA` became `Data`, and `Auth` came.
    @Test func c3AnotherSpellingIsAnotherMajorVersionAndIsNamed() throws {
        let comparison = ContractComparison(
            old: try self.contract("tasmota-pn532/v1"),
            new: try self.contract("tasmota-pn532/v2")
        )
        #expect(
            comparison.changes.map(\.description)
                .contains("major: message sensor /PN532/DATA: is gone; it is spelled 'Data' now")
        )
        let gateway = try Gateway("tasmota-pn532", ["device": "gate"])
        try gateway.receive(
            "tele/gate/SENSOR",
            #"{"Time":"1970-01-01T07:00:01","PN532":{"UID":"BA839D07","DATA":"x"}}"#
        )
        #expect(gateway.store.events.isEmpty)
        #expect(gateway.differences() == ["/PN532/Auth: missing", #"/PN532/Data: missing; there is "DATA""#])
        #expect(!gateway.everythingShown.contains("BA839D07"))
    }

    /// C4: a setting of the sensor chooses the unit, and a payload does not say which.
    @Test func c4AUnitBySettingIsToldAndAnotherUnitRefused() throws {
        let contract = try self.contract("milesight-am307/v1")
        var profile = try #require(Gateway.profiles["milesight-am307"]?.profile)
        let findings = ProfileCoverage(profile: profile, contract: contract).findings
        #expect(
            findings.map(\.description)
                == ["point tvoc: holds only while the device's setting tvoc_unit is iaq"]
        )
        #expect(findings.allSatisfy { !$0.isProblem })
        let index = try #require(profile.pointIndex(named: "tvoc"))
        profile.points[index].unit = "ug/m3"
        #expect(ProfileCoverage(profile: profile, contract: contract).problems == [])
        profile.points[index].unit = "[ppb]"
        #expect(
            ProfileCoverage(profile: profile, contract: contract).problems.map(\.description)
                == ["point tvoc: has the unit [ppb], the contract has {index}, ug/m3"]
        )
    }

    /// C5: the resolution of H₂S is 0.01 or 0.001 ppm by variant: a step is part of the promise.
    @Test func c5AnotherResolutionIsAMajorChange() throws {
        func contract(_ step: String, _ version: String) throws -> FirmwareContract {
            try FirmwareContract.read(
                yaml: Self.document(
                    "h2s: {type: number, minimum: 0, maximum: 100, multipleOf: \(step), x-unit: '[ppm]'}",
                    version
                ),
                file: "f.yaml"
            )
        }
        let comparison = ContractComparison(old: try contract("0.01", "1.0.0"), new: try contract("0.001", "1.1.0"))
        #expect(comparison.changes.map(\.description) == ["major: message data /h2s: multipleOf: was 0.01, is 0.001"])
        #expect(comparison.problem != nil)
    }

    /// C6: a setting moves the MAC out of the topic.
    @Test func c6TheTopicByUUIDIsAnotherMajorVersion() throws {
        let comparison = ContractComparison(
            old: try self.contract("openmqttgateway-ibeacon/v1"),
            new: try self.contract("openmqttgateway-ibeacon/v2")
        )
        #expect(
            comparison.changes.first?.description
                .hasPrefix("major: channel seen: address: was home/{gateway}/BTtoMQTT/{mac}") == true
        )
        let gateway = try Gateway("openmqttgateway-ibeacon", ["gateway": "hall", "mac": "6087574C9BC2"])
        let uuid = "1de4b189-115e-45f6-b44e-509352269977"
        try gateway.receive("home/hall/BTtoMQTT/\(uuid)", #"{"id":"\#(uuid)","rssi":-78,"uuid":"\#(uuid)"}"#)
        #expect(gateway.store.samples.isEmpty)
        #expect(gateway.entries.map(\.reason) == ["unclaimed"])
    }

    /// C7: what a partial notification does not tell keeps its value; another profile of the meter is no value.
    @Test func c7WhatAPartialNotificationDoesNotTellStays() throws {
        let gateway = try Gateway("shelly-plus-1pm", ["prefix": "plug"])
        func notify(_ rest: String) throws {
            try gateway.receive("plug/events/rpc", #"{"src":"x","method":"NotifyStatus","params":{"ts":1.0,\#(rest)}}"#)
        }
        try notify(#""switch:0":{"id":0,"output":true,"apower":12.5,"voltage":231.8}"#)
        try notify(#""switch:0":{"id":0,"apower":13}"#)
        #expect(gateway.store.samples(of: "d/voltage").map(\.value) == [231.8])
        #expect(gateway.store.samples(of: "d/power").map(\.value) == [12.5, 13])
        #expect(gateway.health?.state == .online)
    }

    /// C7, the other half: set to another profile, the meter tells other components.
    ///
    /// A contract that lists all components of one profile notices; the shipped one of switches is open, because every
    /// firmware brings components of its own.
    @Test func c7ComponentsOfAnotherProfileAreQuarantinedWhereTheContractIsClosed() throws {
        let file = "\(Gateway.root)/Firmware-Contracts/shelly-switch/v1/asyncapi.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
            .replacing(
                "status:\n      type: object",
                with: "status:\n      type: object\n      additionalProperties: false"
            )
            .replacing("'switch:0':", with: "'em:0':")
        let contract = try FirmwareContract.read(yaml: text, file: file)
        let entry = ContractLibrary.Entry(contract: contract, older: [], revision: text, file: file)
        let gateway = try Gateway("shelly-plus-1pm", ["prefix": "plug"], contract: entry)
        let payload = #"{"src":"x","method":"NotifyStatus","params":{"ts":1.0,"em1:0":{"id":0,"act_power":-1899.8}}}"#
        for _ in 0..<3 { try gateway.receive("plug/events/rpc", payload) }
        #expect(gateway.differences() == [#"/params/em1:0: not in the contract; did you mean "em:0"?"#])
        #expect(gateway.health?.state == .quarantined)
        #expect(gateway.store.samples.isEmpty)
    }

    private func rows(
        _ id: String,
        _ frames: [(String, String)],
        settings: [String: String] = [:]
    ) throws -> [String: ProfileExplanation.Row] {
        let profile = try #require(Gateway.profiles[id]?.profile).configured(settings: settings)
        var image = RegisterImage()
        for (request, response) in frames {
            func framed(_ text: String) -> [UInt8] {
                let bytes = HexText.bytes(text) ?? []
                let crc = ModbusCRC.value(of: bytes)
                return bytes + [UInt8(crc & 0xFF), UInt8(crc >> 8)]
            }
            #expect(image.take(request: framed(request), response: framed(response)) == nil)
        }
        let found = ProfileExplanation(profile: profile, image: image).rows
        return Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// C8: clones of the XY-MD02 have their settings elsewhere: the profile reads what all have, and never writes.
    @Test func c8ClonesOfTheXYMD02AreReadByWhatTheyShare() throws {
        let profile = try #require(Gateway.profiles["xy-md02"]?.profile)
        for point in profile.points {
            guard case .register(let source) = point.source else { continue }
            #expect(source.table == .input, "\(point.name): the settings differ from maker to maker")
        }
        let rows = try self.rows("xy-md02", [("01 04 00 01 00 02", "01 04 04 FF 33 02 0C")])
        #expect(rows["temperature"]?.value == -20.5)
    }

    /// C9: a switch on the Intesis changes °C to tenths or to °F, and two values mean "no data".
    @Test func c9TheNoDataValuesOfTheIntesisAreNoTemperature() throws {
        for word in ["80 00", "80 5A"] {
            let rows = try self.rows("intesis-inmbsdai", [("01 03 00 05 00 01", "01 03 02 \(word)")])
            let room = rows.values.filter { $0.unit == "°C" }
            #expect(!room.isEmpty)
            for row in room { #expect(row.quality.level == .bad, "\(row.name) \(word)") }
        }
        // Whoever installs it says how the switch is set: tenths read as degrees are out of range, not a hot room.
        let frame = ("01 03 00 05 00 01", "01 03 02 00 FA")
        let tenths = try self.rows("intesis-inmbsdai", [frame], settings: ["temperature-format": "tenths"])
        #expect(tenths["room-temperature"]?.value == 25)
        for format in ["celsius", "fahrenheit"] {
            let rows = try self.rows("intesis-inmbsdai", [frame], settings: ["temperature-format": format])
            #expect(rows["room-temperature"]?.quality == .bad(.range), "\(format)")
        }
    }

    /// C10: the scale of a register that differs by family must be named by the profile of that family.
    @Test func c10AnUnclaimedFamilyOfInverterIsNotRead() throws {
        let profile = try #require(Gateway.profiles["sungrow-sh"]?.profile)
        for point in profile.points {
            guard case .register(let source) = point.source else { continue }
            #expect(source.address != 5_002 || point.scale != .identity, "\(point.name): register 5003 has a scale")
        }
    }

    /// C11: an attendance body with biometric templates: nothing of it is ever kept.
    @Test func c11TemplatesAreNeverShown() throws {
        let template = "TU9TUzIxAAAEhIcICfTlxgAAhbnQA4hFAQCOAJOFmgCPABwPEwCfAfwOhwCp"
        let body =
            "BIODATA Pin=1\tNo=0\tIndex=0\tValid=1\tType=9\tTmp=\(template)\(template)\n7\t2026-11-24 07:00:00\t0\t15"
        let gateway = try Gateway("esp-rfid-v1", ["topic": "gate1"])
        try gateway.receive("zk/attlog", body)
        try gateway.receive(
            "zk/attlog2",
            #"{"table":"BIODATA","rows":[{"Tmp":"\#(template)"}],"photo":"\/9j\/4AAQ\#(template)"}"#
        )
        try gateway.receive("gate1", #"{"type":"access","template":"\#(template)","x":"\#(template)"}"#)
        #expect(gateway.entries.count == 3)
        #expect(gateway.store.events.isEmpty)
        for part in [template.prefix(12), template.suffix(12), template.dropFirst(20).prefix(12)] {
            #expect(!gateway.everythingShown.contains(part), "\(gateway.everythingShown)")
        }
    }

    /// Pictures come as bytes, too.
    @Test func picturesAreNeverShown() throws {
        let gateway = try Gateway("esp-rfid-v1", ["topic": "gate1"])
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0] + Array("JFIF secret Exif".utf8) + [0, 1, 2, 0xFF, 0xD9]
        try gateway.engine.ingest.receive([
            InboundMessage(topic: "cam/1", payload: jpeg, isRetained: false, receivedNanoseconds: 1_000_000_000)
        ])
        #expect(gateway.entries.first?.payload == "••• (25 bytes, no text)")
    }

    private static let hikvision = """
        profile: hikvision
        vendor: Hikvision
        model: DS-K1T by a bridge
        category: attendance
        title: {vi: x, en: x}
        sources: [{title: test, trust: B}]
        verified: false
        mqtt:
          messages:
            - name: event
              topic: "door/{device}"
              clock: {pointer: /dateTime, format: rfc3339}
              replay: {pointer: /AccessControllerEvent/currentEvent, equals: "false"}
              sequence: /AccessControllerEvent/serialNo
              retained: ignore
        points: []
        events:
          - name: card-read
            title: {vi: x, en: x}
            kind: card
            sequence: /AccessControllerEvent/serialNo
            fields: [{name: person, pointer: /AccessControllerEvent/employeeNoString, privacy: hash, required: true}]
        tests:
          - name: x
            mqtt: {topic: door/a, payload: '{"dateTime":"2026-09-08T07:42:18-04:00","AccessControllerEvent":{"employeeNoString":"25","serialNo":123,"currentEvent":true}}'}
            parameters: {device: a}
            expectEvents: [{name: card-read, fields: {person: "25"}}]
        """

    /// C12: `currentEvent: false` is a replay, and a repeated serial number the same event.
    @Test func c12AReplayIsNotLive() throws {
        let profile = try self.profile(Self.hikvision, "hikvision")
        #expect(GoldenRunner.run(profile) == [])
        let decoder = try MessageDecoder(
            profile: profile,
            device: DeviceID(rawValue: "a"),
            parameters: ["device": "a"],
            zonelessOffsetSeconds: 0
        )
        func event(_ serial: Int, _ isCurrent: Bool) throws -> Event {
            let payload =
                #"{"dateTime":"2026-09-08T07:42:18-04:00","AccessControllerEvent":{"employeeNoString":"25","#
                + #""serialNo":\#(serial),"currentEvent":\#(isCurrent)}}"#
            let outcome = decoder.decode(
                topic: "door/a",
                payload: Array(payload.utf8),
                isRetained: false,
                arrival: Tick(milliseconds: 1_800_000_000_000)
            )
            return try #require(outcome.events.first)
        }
        #expect(try !event(123, true).isReplay)
        #expect(try event(123, false).isReplay)
        // The records keep an event of one device with one sequence once: the number comes through.
        #expect(try event(123, true).sequence == "123")
        // A profile that forgets the flag does not fit a contract that has it.
        var forgetful = profile
        guard case .mqtt(var wire) = profile.wire else { return }
        wire.messages[0].replay = nil
        forgetful.wire = .mqtt(wire)
        let text = Self.document(
            """
            dateTime: {type: string, maxLength: 32}
            AccessControllerEvent:
              type: object
              required: [employeeNoString, serialNo, currentEvent]
              properties:
                employeeNoString: {type: string, maxLength: 32, x-privacy: hash}
                serialNo: {type: integer}
                currentEvent: {type: boolean}
            """,
            "1.0.0",
            address: "door/{device}",
            required: "dateTime, AccessControllerEvent",
            campus: "bytesMax: 4096, clock: {pointer: /dateTime, format: rfc3339}, retained: ignore, "
                + "replay: {pointer: /AccessControllerEvent/currentEvent, equals: 'false'}"
        )
        let contract = try FirmwareContract.read(yaml: text, file: "f.yaml")
        #expect(ProfileCoverage(profile: profile, contract: contract).problems == [])
        #expect(
            ProfileCoverage(profile: forgetful, contract: contract).problems.map(\.description) == [
                "message event: 'replay' at /AccessControllerEvent/currentEvent is missing: history would count as live"
            ]
        )
    }

    /// C13: numbers as texts are a promise of their own, and are read.
    @Test func c13NumbersAsTextsAreReadWhereTheContractSaysSo() throws {
        let text = Self.document(
            "value: {type: string, maxLength: 16, pattern: '^-?[0-9.]+$', x-encodes: number, x-unit: Cel}",
            "1.0.0"
        )
        let contract = try FirmwareContract.read(yaml: text, file: "f.yaml")
        let profile = try self.profile(Self.reading("value", "Cel"), "p")
        #expect(ProfileCoverage(profile: profile, contract: contract).problems == [])
        #expect(GoldenRunner.run(profile) == [], "\"437\" is 437")
        let bare = try FirmwareContract.read(
            yaml: text.replacing(", x-encodes: number, x-unit: Cel", with: ""),
            file: "f.yaml"
        )
        #expect(
            ProfileCoverage(profile: profile, contract: bare).problems.map(\.description)
                .contains("point value: is a number, the contract says string")
        )
    }

    /// C14: `epcHex` may be absent, and then `epc` tells the tag: neither may be required.
    @Test func c14AMemberThatMayBeAbsentMustNotBeRequired() throws {
        let yaml =
            Self.reading("rssi", "dB[mW]") + """

                events:
                  - name: tag-seen
                    title: {vi: x, en: x}
                    kind: tag
                    fields: [{name: hex, pointer: /epcHex, required: true}, {name: epc, pointer: /epc}]
                """
        let contract = try FirmwareContract.read(
            yaml: Self.document(
                "rssi: {type: number, x-unit: 'dB[mW]'}\nepcHex: {type: string, maxLength: 64}\nepc: {type: string, maxLength: 64}",
                "1.0.0"
            ),
            file: "f.yaml"
        )
        let strict = try self.profile(yaml, "p")
        #expect(
            ProfileCoverage(profile: strict, contract: contract).problems.map(\.description)
                == ["event tag-seen, field hex: is required by the profile and optional in the contract"]
        )
        let lenient = try self.profile(yaml.replacing(", required: true", with: ""), "p")
        #expect(ProfileCoverage(profile: lenient, contract: contract).problems == [])
        let decoder = try MessageDecoder(
            profile: lenient,
            device: DeviceID(rawValue: "a"),
            parameters: ["device": "a"],
            zonelessOffsetSeconds: 0
        )
        let outcome = decoder.decode(
            topic: "x/a/data",
            payload: Array(#"{"epc":"4oAR"}"#.utf8),
            isRetained: false,
            arrival: Tick(milliseconds: 1_000)
        )
        #expect(outcome.events.map { $0.fields.map(\.name) } == [["epc"]])
    }

    /// C15: what the broker kept is not live after a restart, and counts nobody in.
    @Test func c15ARetainedValueIsNotLive() throws {
        let gateway = try Gateway("campus-classroom-node", ["device": "p101"])
        try gateway.receive(
            ContractIngestTests.topic,
            ContractIngestTests.payload(#""temperature":21,"humidity":60"#),
            isRetained: true
        )
        #expect(gateway.store.samples(of: "d/temperature").map(\.quality) == [.uncertain(.stale)])
        let reader = try Gateway("campus-attendance-reader", ["device": "gate1"])
        let card = #"{"contract":"1.0","time":"1970-01-01T00:00:01Z","seq":1,"uid":"04a2b3c4","replay":false}"#
        try reader.receive("campus/gate1/card", card, isRetained: true)
        #expect(reader.store.events.isEmpty)
        try reader.receive("campus/gate1/card", card)
        try reader.receive("campus/gate1/card", card.replacing(#""replay":false"#, with: #""replay":true"#))
        #expect(reader.store.events.map(\.isReplay) == [false, true])
    }

    /// C16: a broken probe whose register keeps the last good value.
    @Test func c16TheLastGoodValueOfABrokenProbeIsNoValue() throws {
        let profile = try #require(Gateway.profiles["simex-trs-02a"]?.profile)
        #expect(GoldenRunner.run(profile) == [])
        let guarded = profile.points.filter { !$0.validities.isEmpty }
        #expect(guarded.map(\.name).contains("temperature"), "its status says whether it counts")
        let broken = profile.tests.contains { $0.expect["temperature"] == .quality(.bad(.notReady)) }
        #expect(broken, "a case with the broken probe is among the golden ones")
    }

    /// A key of somebody's phone is dropped, whether its payload is good or not.
    @Test func keysOfPhonesAreNeverKept() throws {
        let gateway = try Gateway("espresense-tag", ["tag": "projector-1"])
        let key = "00112233445566778899aabbccddeeff"
        try gateway.receive(
            "espresense/devices/projector-1/hall",
            #"{"id":"projector-1","distance":2.4,"irk":"\#(key)"}"#
        )
        try gateway.receive(
            "espresense/devices/projector-1/hall",
            #"{"id":"projector-1","distance":"far","irk":"\#(key)"}"#
        )
        #expect(gateway.store.events.count == 1)
        #expect(gateway.entries.count == 1)
        #expect(!gateway.everythingShown.contains(key.prefix(8)))
        // And no profile may keep it where the contract says that it is dropped.
        var careless = try #require(Gateway.profiles["espresense-tag"]?.profile)
        guard case .payload(let message, let sequence, var fields) = careless.events[0].capture else { return }
        for index in fields.indices { fields[index].privacy = .none }
        careless.events[0].capture = .payload(messageIndex: message, sequence: sequence, fields: fields)
        #expect(
            ProfileCoverage(profile: careless, contract: try self.contract("espresense-tag/v1")).problems
                .map(\.description) == ["event tag-seen, field irk: the contract says privacy drop, the profile none"]
        )
    }

    private static func document(
        _ members: String,
        _ version: String,
        address: String = "x/{device}/data",
        required: String = "",
        campus: String = "bytesMax: 1024"
    ) -> String {
        let lines = members.split(separator: "\n").map { "            \($0)" }.joined(separator: "\n")
        return """
            asyncapi: 3.0.0
            info: {title: t, version: \(version), x-campus: {family: t, sources: [{title: t, trust: A}]}}
            channels:
              data:
                address: '\(address)'
                parameters: {device: {}}
                messages: {data: {$ref: '#/components/messages/data'}}
            operations: {publish: {action: send, channel: {$ref: '#/channels/data'}}}
            components:
              messages:
                data:
                  x-campus: {\(campus)}
                  payload:
                    type: object
                    required: [\(required)]
                    properties:
            \(lines)
            """
    }

    private static func reading(_ member: String, _ unit: String) -> String {
        """
        profile: p
        vendor: x
        model: x
        category: environment
        title: {vi: x, en: x}
        sources: [{title: test, trust: A}]
        verified: false
        mqtt: {messages: [{name: data, topic: "x/{device}/data"}]}
        points:
          - {name: \(member), title: {vi: x, en: x}, unit: "\(unit)", wire: {pointer: /\(member)}}
        tests:
          - name: x
            mqtt: {topic: x/a/data, payload: '{"\(member)":"437"}'}
            parameters: {device: a}
            expect: {\(member): 437}
        """
    }
}
