internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import SimulatorApp
internal import UnixSignals

/// Plays devices.
@main
struct CampusSimulator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "campus-simulator",
        abstract: "Plays any profile as a real device: over MQTT, Modbus, lines or HTTP, with faults.",
        subcommands: [Run.self, Replay.self, School.self]
    )

    struct Broker: ParsableArguments {
        @Option(help: "Address of the MQTT broker.")
        var brokerHost = "127.0.0.1"

        @Option(help: "Port of the MQTT broker.")
        var brokerPort: UInt16 = 1_883

        @Option(help: "User name at the broker.")
        var username: String?

        @Option(help: "File with the password.")
        var passwordFile: String?
    }

    /// Plays a whole site.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Play every device of a site.yaml.",
            discussion: """
                Commands are read from --control while it runs, one a line:
                  fault DEVICE none|silence|garbage|late MS|drip MS|exception N|wrong-unit|wrong-length|close
                  storm    all connections are lost and come back at once
                Publishers know the faults none, silence, garbage and late; devices that push none and silence; line devices
                all but exception, wrong-unit and wrong-length.
                """
        )

        @Argument(help: "Path of site.yaml.")
        var site: String

        @Option(name: .shortAndLong, help: "Folder with device profiles; may be given several times.")
        var profiles: [String] = ["DeviceProfiles"]

        @OptionGroup var broker: Broker

        @Option(help: "Seed of all signals.")
        var seed: UInt64 = 1

        @Option(help: "Publishers send this often, milliseconds.")
        var every: Int64 = 10_000

        @Option(help: "The other end of a serial line, as BUS=PATH; may be given several times.")
        var serial: [String] = []

        @Flag(help: "Also play devices that nobody configured and that announce themselves.")
        var announce = false

        @Option(help: "Port on which the gateway listens for devices that push over HTTP; without it they are silent.")
        var pushPort: UInt16?

        @Option(help: "File to read commands from.")
        var control: String?

        func run() async throws {
            LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
            let logger = Logger(label: "simulator")
            var options = SimulatedSchool.Options(
                sitePath: self.site,
                profileFolders: self.profiles,
                brokerPort: self.broker.brokerPort
            )
            options.brokerHost = self.broker.brokerHost
            options.username = self.broker.username
            options.passwordFile = self.broker.passwordFile
            options.seed = self.seed
            options.publishMilliseconds = self.every
            options.controlFile = self.control
            options.announces = self.announce
            options.pushPort = self.pushPort
            for line in self.serial {
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw ValidationError("--serial takes BUS=PATH") }
                options.serialLines[parts[0]] = parts[1]
            }
            let school: SimulatedSchool
            do {
                school = try SimulatedSchool(options: options, logger: logger)
            } catch let error as SimulatorError {
                throw ValidationError(error.description)
            }
            let group = ServiceGroup(
                services: [school],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
            try await group.run()
        }
    }

    /// Plays a recording.
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Play a CSV recording as one device: over MQTT, or with --modbus-port or --serial over Modbus."
        )

        @Argument(help: "The recording.")
        var recording: String

        @Option(help: "Profile of the device to play.")
        var profile: String

        @Option(help: "Parameter of the profile's topics, as NAME=VALUE; may be given several times.")
        var parameter: [String] = []

        @Option(help: "Column and point, as COLUMN=POINT; may be given several times.")
        var map: [String] = []

        @Option(help: "Columns that make the time, comma-separated.")
        var time = "Date,Time"

        @Option(help: "Times real time; 0 is as fast as the broker takes it, over Modbus the next row at each read.")
        var speed: Double = 0

        @Option(help: "Play over Modbus TCP on this port of the loopback; 0 takes a free one.")
        var modbusPort: UInt16?

        @Option(help: "Play over Modbus RTU on this line.")
        var serial: String?

        @Option(help: "Unit identifier over Modbus; the profile's unless given.")
        var unit: UInt8?

        @OptionGroup var broker: Broker

        func run() async throws {
            LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
            if let place = try self.modbusPlace() { return try await self.playRegisters(at: place) }
            var options = RecordingPlayer.Options(
                recordingPath: self.recording,
                profilePath: self.profile,
                parameters: try Self.pairs(self.parameter),
                brokerPort: self.broker.brokerPort
            )
            options.mapping = try Self.pairs(self.map)
            options.timeColumns = self.time.split(separator: ",").map(String.init)
            options.speed = self.speed
            options.brokerHost = self.broker.brokerHost
            options.username = self.broker.username
            options.passwordFile = self.broker.passwordFile
            do {
                let player = try RecordingPlayer(options: options, logger: Logger(label: "replay"))
                let count = player.rowCount
                try await player.play { row in print("\(row)/\(count) rows") }
            } catch let error as SimulatorError {
                throw ValidationError(error.description)
            }
        }

        private func modbusPlace() throws -> RegisterRecordingPlayer.Place? {
            switch (self.modbusPort, self.serial) {
            case (.some, .some): throw ValidationError("--modbus-port and --serial exclude each other")
            case (.some(let port), nil): .tcp(host: "127.0.0.1", port: port)
            case (nil, .some(let path)): .serial(path: path)
            case (nil, nil): nil
            }
        }

        private func playRegisters(at place: RegisterRecordingPlayer.Place) async throws {
            var options = RegisterRecordingPlayer.Options(
                recordingPath: self.recording,
                profilePath: self.profile,
                place: place
            )
            options.mapping = try Self.pairs(self.map)
            options.timeColumns = self.time.split(separator: ",").map(String.init)
            options.speed = self.speed
            options.unit = self.unit
            let logger = Logger(label: "replay")
            do {
                let player = try RegisterRecordingPlayer(options: options, logger: logger)
                try await ServiceGroup(
                    services: [player],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
                .run()
            } catch let error as SimulatorError {
                throw ValidationError(error.description)
            }
        }

        private static func pairs(_ texts: [String]) throws -> [String: String] {
            var result: [String: String] = [:]
            for text in texts {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw ValidationError("'\(text)' should be NAME=VALUE") }
                result[parts[0]] = parts[1]
            }
            return result
        }
    }

    /// Writes the configuration of a simulated school.
    struct School: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write gateway.yaml and site.yaml of a simulated school."
        )

        @Argument(help: "Folder to write to.")
        var folder: String

        @Option(help: "Rooms, 1 to 260. 40 rooms have about 2,200 points.")
        var rooms = 40

        @Option(help: "First TCP port of the Modbus buses.")
        var modbusPort = 15_020

        @Option(help: "Port of the pages; 0 takes a free one.")
        var webPort = 8_080

        @Option(help: "Port of the broker; 0 takes a free one.")
        var brokerPort = 0

        @Option(help: "Folder with device profiles.")
        var profiles = "DeviceProfiles"

        func run() throws {
            guard (1...260).contains(self.rooms) else { throw ValidationError("--rooms takes 1 to 260") }
            try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
            let generator = SchoolGenerator(
                rooms: self.rooms,
                modbusPort: self.modbusPort,
                webPort: self.webPort,
                brokerPort: self.brokerPort,
                profileFolder: URL(fileURLWithPath: self.profiles).path,
                stateFolder: "state"
            )
            try generator.gatewayYAML.write(toFile: "\(self.folder)/gateway.yaml", atomically: true, encoding: .utf8)
            try generator.siteYAML.write(toFile: "\(self.folder)/site.yaml", atomically: true, encoding: .utf8)
            print("wrote \(self.folder)/gateway.yaml and \(self.folder)/site.yaml")
        }
    }
}
