internal import ArgumentParser
internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import SiteConfiguration
internal import StrictYAML

/// Reads a file or says why not.
enum TextFile {
    static func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw OperatorError("\(path): the file cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw OperatorError("\(path): not UTF-8 text") }
        return text
    }
}

/// The command `campusctl check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check gateway.yaml, site.yaml and all profiles before use."
    )

    @Option(name: .shortAndLong, help: "Path of gateway.yaml.")
    var config = "gateway.yaml"

    @Flag(help: "Print JSON.")
    var json = false

    private struct Result: Encodable {
        var isGood: Bool { self.problems.isEmpty }
        var problems: [String] = []
        /// What works, and is worth a look.
        var remarks: [String] = []
        var devices: Int?
        var profiles: Int?

        private enum CodingKeys: String, CodingKey { case good, problems, remarks, devices, profiles }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.isGood, forKey: .good)
            try container.encode(self.problems, forKey: .problems)
            try container.encode(self.remarks, forKey: .remarks)
            try container.encodeIfPresent(self.devices, forKey: .devices)
            try container.encodeIfPresent(self.profiles, forKey: .profiles)
        }
    }

    func run() throws {
        let result = self.check()
        if self.json {
            print(try JSONOutput.text(result))
        } else {
            for problem in result.problems { print(problem) }
            for remark in result.remarks { print("note: \(remark)") }
            if let devices = result.devices, let profiles = result.profiles, result.isGood {
                print("\(self.config): good: \(devices) devices, \(profiles) profiles")
            }
        }
        if !result.isGood { throw ExitCode(1) }
    }

    private func check() -> Result {
        do throws(ConfigurationError) {
            let files = try ConfigurationFiles.read(path: self.config)
            var result = Result(devices: files.site.devices.count, profiles: files.library.profiles.count)
            result.problems = files.problems.map(\.description)
            result.remarks = files.remarks
            for profile in files.library.profiles {
                result.problems += GoldenRunner.run(profile).map { "\(profile.id).yaml: \($0)" }
            }
            return result
        } catch {
            return Result(problems: error.description.split(separator: "\n").map(String.init))
        }
    }
}

/// The command `campusctl profile`.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Check device profiles, try them on real bytes, and make them out of what others wrote.",
        subcommands: [Check.self, Try.self, Import.self, ProfileImportDevices.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read profiles strictly and decode their golden cases."
        )

        @Argument(help: "Profile files.")
        var files: [String]

        @Flag(help: "Print JSON.")
        var json = false

        private struct Result: Encodable {
            var file: String
            var good: Bool
            var problems: [String] = []
            var points: Int?
            var events: Int?
            var goldenCases: Int?
        }

        func run() throws {
            let results = try self.files.map(self.check)
            if self.json {
                print(try JSONOutput.text(results))
            } else {
                for result in results { self.show(result) }
            }
            if !results.allSatisfy(\.good) { throw ExitCode(1) }
        }

        private func check(_ file: String) throws -> Result {
            let text = try TextFile.read(file)
            do throws(YAMLProblems) {
                let profile = try DeviceProfile.read(yaml: text, file: file)
                let failures = GoldenRunner.run(profile)
                return Result(
                    file: file,
                    good: failures.isEmpty,
                    problems: failures.map { "\(file): \($0)" },
                    points: profile.points.count,
                    events: profile.events.count,
                    goldenCases: profile.tests.count
                )
            } catch {
                return Result(file: file, good: false, problems: error.problems.map(\.description))
            }
        }

        private func show(_ result: Result) {
            for problem in result.problems { print(problem) }
            if result.good, let points = result.points, let events = result.events, let cases = result.goldenCases {
                print("\(result.file): good: \(points) points, \(events) events, \(cases) golden cases")
            }
        }
    }

    struct Try: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a profile makes of a frame or a payload.",
            discussion: """
                Modbus: campusctl profile try xy-md02.yaml --frame "01 04 00 01 00 01 60 0A" "01 04 02 01 31 79 74"
                Lines:  campusctl profile try pjlink-class-1.yaml --line power '%1POWR=1\r' lamp '%1LAMP=1248 1\r'
                HTTP:   campusctl profile try zkteco-push.yaml --http 'POST /iclock/cdata?SN=1&table=ATTLOG' --payload @punches
                MQTT:   campusctl profile try tasmota-scd40.yaml --topic tele/room/SENSOR --payload '{"Time":…}'
                """
        )

        @Argument(help: "Profile file.")
        var file: String

        @Option(
            parsing: .upToNextOption,
            help: "Request and reply, RTU frames in hexadecimal; several pairs may follow."
        )
        var frame: [String] = []

        @Option(
            parsing: .upToNextOption,
            help: "Name of a request and its reply (\\r and \\n written out, or hexadecimal); several pairs may follow."
        )
        var line: [String] = []

        @Option(
            help:
                "Request of a device that pushes, such as 'POST /iclock/cdata?SN=1&table=ATTLOG'; its body is --payload."
        )
        var http: String?

        @Option(help: "Content type of that request.")
        var contentType = ""

        @Option(help: "Address of a line device, where it is not the profile's.")
        var unit: UInt8?

        @Option(help: "Topic of an MQTT message.")
        var topic: String?

        @Option(help: "Payload, or @FILE.")
        var payload: String?

        @Option(help: "A setting of the profile, NAME=OPTION; may be given again.")
        var setting: [String] = []

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let text = try TextFile.read(self.file)
            var profile: DeviceProfile
            do throws(YAMLProblems) {
                profile = try DeviceProfile.read(yaml: text, file: self.file)
            } catch {
                throw OperatorError(error.description)
            }
            profile = try self.configured(profile)
            let explanation = try self.explanation(profile)
            if self.json {
                print(try JSONOutput.text(JSONAnswer(explanation, profile)))
            } else {
                self.show(explanation)
            }
            if explanation.problem != nil { throw ExitCode(1) }
        }

        /// The profile with the settings of the command line.
        ///
        /// Those that are not given have their default, or their first option.
        private func configured(_ profile: DeviceProfile) throws -> DeviceProfile {
            var settings = profile.choices
            for text in self.setting {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw OperatorError("--setting is NAME=OPTION, not '\(text)'") }
                settings[parts[0]] = parts[1]
            }
            do throws(ProfileSettingError) {
                return try profile.configured(settings: settings)
            } catch {
                throw OperatorError(error.description)
            }
        }

        private func show(_ explanation: ProfileExplanation) {
            if let problem = explanation.problem { print("problem: \(problem)") }
            if let time = explanation.time { print("time: \(UTCText.rfc3339(time))") }
            if !explanation.rows.isEmpty || explanation.elements.isEmpty { self.show(explanation.rows) }
            for (index, element) in explanation.elements.enumerated() {
                print("element \(index + 1)\(element.time.map { ", time: \(UTCText.rfc3339($0))" } ?? "")")
                self.show(element.rows)
            }
            for event in explanation.events {
                let fields = event.fields.map { field in
                    "\(field.name)=\(field.privacy == .none ? field.text : Masking.masked(field.text))"
                }
                print("event \(event.name): \(fields.joined(separator: ", "))")
            }
        }

        private func show(_ rows: [ProfileExplanation.Row]) {
            TextTable.print(
                ["POINT", "BYTES", "RAW", "VALUE", "UNIT", "QUALITY"],
                rows.map { row in
                    let value = row.text ?? (row.quality.level == .bad ? "-" : NumberText.text(row.value))
                    let label = row.label.map { " (\($0.en))" } ?? ""
                    return [
                        row.name, row.bytes, row.raw.map(NumberText.text) ?? "-", value + label, row.unit,
                        row.quality.description,
                    ]
                }
            )
        }

        private func explanation(_ profile: DeviceProfile) throws -> ProfileExplanation {
            if let topic {
                guard let payload else { throw OperatorError("--topic needs --payload") }
                let bytes =
                    payload.hasPrefix("@")
                    ? Array(try TextFile.read(String(payload.dropFirst())).utf8) : Array(payload.utf8)
                return ProfileExplanation(
                    profile: profile,
                    topic: topic,
                    payload: bytes,
                    parameters: Self.parameters(profile, topic),
                    zonelessOffsetSeconds: 25_200,
                    arrival: SystemTickClock().now()
                )
            }
            if let http { return try self.pushed(http, profile) }
            if !self.line.isEmpty { return try self.lines(profile) }
            guard !self.frame.isEmpty, self.frame.count % 2 == 0 else {
                throw OperatorError(
                    "give --frame REQUEST REPLY, --line REQUEST REPLY, --topic and --payload, or --http and --payload"
                )
            }
            var image = RegisterImage()
            for index in stride(from: 0, to: self.frame.count, by: 2) {
                guard let request = HexText.bytes(self.frame[index]), let reply = HexText.bytes(self.frame[index + 1])
                else {
                    throw OperatorError("a frame is hexadecimal, such as \"01 04 00 01 00 01 60 0A\"")
                }
                for bytes in [request, reply] where !Self.hasGoodCRC(bytes) {
                    throw OperatorError("the CRC of \(HexText.text(bytes)) does not fit")
                }
                if let problem = image.take(request: request, response: reply) { throw OperatorError(problem) }
            }
            return ProfileExplanation(profile: profile, image: image)
        }

        private func pushed(_ request: String, _ profile: DeviceProfile) throws -> ProfileExplanation {
            let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw OperatorError("--http is METHOD and path, not '\(request)'") }
            let text = self.payload ?? ""
            let body =
                text.hasPrefix("@") ? Array(try TextFile.read(String(text.dropFirst())).utf8) : Array(text.utf8)
            return ProfileExplanation(
                profile: profile,
                http: HTTPExchange(method: parts[0], target: parts[1], contentType: self.contentType, body: body),
                zonelessOffsetSeconds: 25_200,
                arrival: SystemTickClock().now()
            )
        }

        private func lines(_ profile: DeviceProfile) throws -> ProfileExplanation {
            guard case .line(let wire) = profile.wire else {
                throw OperatorError("profile '\(profile.id)' is not asked line by line; see --frame and --topic")
            }
            guard self.line.count % 2 == 0 else { throw OperatorError("--line needs pairs of REQUEST and REPLY") }
            var lines: [LineExchange] = []
            for index in stride(from: 0, to: self.line.count, by: 2) {
                let text = self.line[index + 1]
                let bytes = wire.form == .hex ? HexText.bytes(text) : ByteText.bytes(text)
                guard let bytes else { throw OperatorError("'\(text)' is not hexadecimal, such as \"AA FF 01\"") }
                lines.append(LineExchange(request: self.line[index], reply: bytes))
            }
            return ProfileExplanation(
                profile: profile,
                lines: lines,
                unit: self.unit,
                arrival: SystemTickClock().now()
            )
        }

        private static func hasGoodCRC(_ bytes: [UInt8]) -> Bool {
            guard bytes.count >= 4 else { return false }
            let crc = ModbusCRC.value(of: bytes.dropLast(2))
            return bytes[bytes.count - 2] == UInt8(crc & 0xFF) && bytes[bytes.count - 1] == UInt8(crc >> 8)
        }

        /// What the topic itself tells.
        private static func parameters(_ profile: DeviceProfile, _ topic: String) -> [String: String] {
            guard case .mqtt(let wire) = profile.wire else { return [:] }
            var parameters: [String: String] = [:]
            for template in wire.messages.map(\.topic) + [wire.availability?.topic].compactMap({ $0 }) {
                parameters.merge(template.parameters(from: topic) ?? [:]) { first, _ in first }
                for name in template.parameterNames where parameters[name] == nil { parameters[name] = name }
            }
            for message in wire.messages {
                parameters.merge(message.topic.parameters(from: topic) ?? [:]) { _, found in found }
            }
            return parameters
        }

        /// Everything that the table shows.
        private struct JSONAnswer: Encodable {
            struct Row: Encodable {
                var point: String
                var bytes: String
                var raw: Double?
                var value: Double?
                var text: String?
                var unit: String
                var quality: String

                init(_ row: ProfileExplanation.Row, _ profile: DeviceProfile) {
                    self.point = row.name
                    self.bytes = row.bytes
                    self.raw = row.raw
                    self.value = row.quality.level == .bad || row.text != nil ? nil : row.value
                    self.text = row.text
                    self.unit = profile.points[row.point].unit
                    self.quality = row.quality.description
                }
            }

            /// One of a list in the payload.
            struct Element: Encodable {
                var time: String?
                var points: [Row]
            }

            struct Happening: Encodable {
                var name: String
                var kind: String
                var fields: [String: String]
            }

            var problem: String?
            var time: String?
            var points: [Row]
            var elements: [Element]
            var events: [Happening]

            init(_ explanation: ProfileExplanation, _ profile: DeviceProfile) {
                self.problem = explanation.problem
                self.time = explanation.time.map(UTCText.rfc3339)
                self.points = explanation.rows.map { Row($0, profile) }
                self.elements = explanation.elements.map { element in
                    Element(time: element.time.map(UTCText.rfc3339), points: element.rows.map { Row($0, profile) })
                }
                self.events = explanation.events.map { event in
                    let fields = event.fields.map { field in
                        (field.name, field.privacy == .none ? field.text : Masking.masked(field.text))
                    }
                    return Happening(
                        name: event.name,
                        kind: event.kind.rawValue,
                        fields: Dictionary(fields, uniquingKeysWith: { first, _ in first })
                    )
                }
            }
        }
    }
}
