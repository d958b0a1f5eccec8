internal import ArgumentParser
internal import CampusModel
internal import DeviceProfile
internal import Foundation

/// The command `campusctl profile import-devices`.
struct ProfileImportDevices: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-devices",
        abstract: "Make profiles of what a family tells about its own devices.",
        discussion: """
            Zigbee2MQTT keeps a description of all its devices at the broker:
            mosquitto_sub -t zigbee2mqtt/bridge/devices -C 1 > devices.json
            campusctl profile import-devices --zigbee2mqtt devices.json --folder profiles
            Let 'profiles' of gateway.yaml name the folder, and reload. A file that is there already and differs stays
            as it is, unless --replace is given.
            """
    )

    @Option(name: .customLong("zigbee2mqtt"), help: "Payload of zigbee2mqtt/bridge/devices; - reads standard input.")
    var zigbee2MQTT: String

    @Option(help: "The folder that gets one file for each model.")
    var folder: String

    @Option(help: "Base topic of Zigbee2MQTT.")
    var base = "zigbee2mqtt"

    @Flag(help: "Overwrite profiles that are there and differ.")
    var replace = false

    @Flag(help: "Write nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    /// More than a description may have; the reader says so itself.
    private static let bytesMax = 5 << 20

    private struct Result: Encodable {
        struct Profile: Encodable {
            enum Outcome: String, Encodable {
                case written
                case unchanged
                case differs
            }

            var profile: String
            var file: String
            var outcome: Outcome
            var points: Int
            var events: Int
            var leftOut: [Left]
        }

        struct Device: Encodable {
            var name: String
            var hardware: String
            var profile: String
            var parameters: [String: String]
        }

        struct Left: Encodable {
            var name: String
            var reason: LocalizedText

            init(_ left: DescribedDevices.LeftOut) {
                self.name = left.name
                self.reason = left.reason
            }
        }

        var profiles: [Profile] = []
        var devices: [Device] = []
        var leftOut: [Left] = []
    }

    func run() throws {
        let found = try self.described()
        var result = Result()
        for model in found.profiles { result.profiles.append(try self.keep(model)) }
        result.devices = found.devices.map { device in
            Result.Device(
                name: device.name,
                hardware: device.hardware,
                profile: device.profile,
                parameters: device.parameters
            )
        }
        result.leftOut = found.leftOut.map(Result.Left.init)
        if self.json {
            print(try JSONOutput.text(result))
        } else {
            self.show(result)
        }
        if result.profiles.contains(where: { $0.outcome == .differs }) { throw ExitCode(1) }
    }

    private func described() throws -> DescribedDevices {
        let payload = try self.payload()
        do throws(DescriptionError) {
            return try Zigbee2MQTTDescription(baseTopic: self.base).read(payload)
        } catch {
            throw OperatorError("\(self.zigbee2MQTT): \(error.description)")
        }
    }

    /// The bytes, of which never more are taken than a description may have.
    private func payload() throws -> [UInt8] {
        let handle: FileHandle
        if self.zigbee2MQTT == "-" {
            handle = .standardInput
        } else if let opened = FileHandle(forReadingAtPath: self.zigbee2MQTT) {
            handle = opened
        } else {
            throw OperatorError("\(self.zigbee2MQTT): the file cannot be read")
        }
        var bytes: [UInt8] = []
        do {
            while bytes.count < Self.bytesMax, let part = try handle.read(upToCount: 1 << 16), !part.isEmpty {
                bytes += part
            }
        } catch {
            throw OperatorError("\(self.zigbee2MQTT): cannot be read: \(error.localizedDescription)")
        }
        return bytes
    }

    private func keep(_ model: DescribedDevices.Model) throws -> Result.Profile {
        let file = "\(self.folder)/\(model.profile.id).yaml"
        let outcome: Result.Profile.Outcome
        if FileManager.default.fileExists(atPath: file), try TextFile.read(file) == model.yaml {
            outcome = .unchanged
        } else if FileManager.default.fileExists(atPath: file), !self.replace {
            outcome = .differs
        } else {
            outcome = .written
            if !self.dryRun { try self.write(model.yaml, to: file) }
        }
        return Result.Profile(
            profile: model.profile.id,
            file: file,
            outcome: outcome,
            points: model.profile.points.count,
            events: model.profile.events.count,
            leftOut: model.leftOut.map(Result.Left.init)
        )
    }

    private func write(_ text: String, to file: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw OperatorError("\(file): cannot be written: \(error.localizedDescription)")
        }
    }

    private func show(_ result: Result) {
        for profile in result.profiles {
            let what =
                switch profile.outcome {
                case .written: self.dryRun ? "would be written" : "written"
                case .unchanged: "is there already"
                case .differs: "is there and differs; left as it is, --replace overwrites it"
                }
            print("\(profile.file): \(what): \(profile.points) points, \(profile.events) events")
            for left in profile.leftOut { print("  without \(left.name): \(left.reason.en)") }
        }
        for device in result.devices {
            // A friendly name has no control characters, and ' is doubled within quotes.
            let name = device.name.replacing("'", with: "''")
            print("device '\(device.name)': profile: \(device.profile), parameters: {device: '\(name)'}")
        }
        for left in result.leftOut { print("left out '\(left.name)': \(left.reason.en)") }
    }
}
