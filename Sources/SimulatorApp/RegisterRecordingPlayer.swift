internal import BusThread
internal import DeviceProfile
package import Logging
internal import ModbusTransport
internal import ServiceLifecycle
internal import StrictYAML

/// Plays a recording as one Modbus device, until it is shut down.
package struct RegisterRecordingPlayer: Service {
    /// Where the device is reached.
    package enum Place: Sendable {
        /// An address of this machine; port 0 takes a free one.
        case tcp(host: String, port: UInt16)
        /// The other end of the line that the gateway opens.
        case serial(path: String)
    }

    /// What to play and where.
    package struct Options: Sendable {
        package var recordingPath: String
        package var profilePath: String
        package var place: Place
        /// `nil`: the profile's.
        package var unit: UInt8?
        /// Column to point; see ``RecordingPlayer/Options/mapping``.
        package var mapping: [String: String] = [:]
        package var timeColumns = ["Date", "Time"]
        /// Times real time; 0 gives the next row at each read.
        package var speed: Double = 0

        package init(recordingPath: String, profilePath: String, place: Place) {
            self.recordingPath = recordingPath
            self.profilePath = profilePath
            self.place = place
        }
    }

    private let options: Options
    private let server: RegisterServer
    private let logger: Logger
    /// Rows in the recording.
    package let rowCount: Int

    /// Reads recording and profile.
    package init(options: Options, logger: Logger) throws {
        self.options = options
        self.logger = logger
        let recording = try Recording(
            text: try SimulatedSchool.text(of: options.recordingPath),
            file: options.recordingPath,
            timeColumns: options.timeColumns
        )
        let profile: DeviceProfile
        let yaml = try SimulatedSchool.text(of: options.profilePath)
        do throws(YAMLProblems) {
            profile = try DeviceProfile.read(yaml: yaml, file: options.profilePath)
        } catch {
            throw SimulatorError(error.description)
        }
        guard case .modbus(let wire) = profile.wire else {
            throw SimulatorError("profile '\(profile.id)' is for MQTT; leave --modbus-port and --serial out")
        }
        self.rowCount = recording.rows.count
        let bank = try RecordedBank(
            unit: options.unit ?? wire.unit,
            recording: recording,
            profile: profile,
            points: try recording.points(
                of: profile,
                mapping: options.mapping,
                timeColumns: options.timeColumns,
                file: options.recordingPath
            ),
            speed: options.speed,
            now: boottimeNanoseconds
        )
        self.server = RegisterServer(bank: bank)
    }

    package func run() async throws {
        switch self.options.place {
        case .tcp(let host, let port):
            let bound = try self.server.listen(host: host, port: port)
            self.logger.info("playing", metadata: ["port": "\(bound)", "rows": "\(self.rowCount)"])
        case .serial(let path):
            try self.server.serveRTU(device: path)
            self.logger.info("playing", metadata: ["line": "\(path)", "rows": "\(self.rowCount)"])
        }
        try? await gracefulShutdown()
        self.server.stop()
    }
}
