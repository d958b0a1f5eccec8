internal import CampusModel
internal import DeviceProfile
internal import Foundation
package import Logging
internal import MQTTTransport
internal import StrictYAML

/// Plays a recording as one MQTT device.
package struct RecordingPlayer: Sendable {
    /// What to play and where.
    package struct Options: Sendable {
        package var recordingPath: String
        package var profilePath: String
        package var parameters: [String: String]
        /// Column to point; columns that are not named go to the point whose JSON pointer ends in the column's name, or
        /// that is called like it.
        package var mapping: [String: String] = [:]
        package var timeColumns = ["Date", "Time"]
        /// Times real time; 0 plays as fast as the broker takes it.
        package var speed: Double = 0
        package var brokerHost = "127.0.0.1"
        package var brokerPort: UInt16
        package var username: String?
        package var passwordFile: String?

        package init(recordingPath: String, profilePath: String, parameters: [String: String], brokerPort: UInt16) {
            self.recordingPath = recordingPath
            self.profilePath = profilePath
            self.parameters = parameters
            self.brokerPort = brokerPort
        }
    }

    private let options: Options
    private let recording: Recording
    private let profile: DeviceProfile
    private let points: [(column: String, point: Int)]
    private let logger: Logger

    /// Reads recording and profile, and finds the point of each column.
    package init(options: Options, logger: Logger) throws {
        self.options = options
        self.logger = logger
        self.recording = try Recording(
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
        guard case .mqtt = profile.wire else {
            throw SimulatorError("profile '\(profile.id)' is for Modbus; say where with --modbus-port or --serial")
        }
        self.profile = profile
        self.points = try self.recording.points(
            of: profile,
            mapping: options.mapping,
            timeColumns: options.timeColumns,
            file: options.recordingPath
        )
    }

    /// Rows in the recording.
    package var rowCount: Int { self.recording.rows.count }

    /// Plays all rows; returns when the broker has acknowledged the last of them.
    package func play(progress: @Sendable (Int) -> Void = { _ in }) async throws {
        var mqtt = MQTTConfiguration(
            host: self.options.brokerHost,
            port: self.options.brokerPort,
            clientID: "player-\(UInt32.random(in: 0...UInt32.max))"
        )
        mqtt.sessionExpirySeconds = 0
        mqtt.username = self.options.username
        mqtt.password = try self.options.passwordFile.map {
            try SimulatedSchool.text(of: $0).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let connection = MQTTConnection(configuration: mqtt, receiver: SilentReceiver(), logger: self.logger)
        let running = Task { try await connection.run() }
        defer { running.cancel() }
        let encoder = ProfileEncoder(profile: self.profile)
        let start = ContinuousClock.now
        let first = self.recording.rows.first?.tick ?? Tick(milliseconds: 0)
        for (number, row) in self.recording.rows.enumerated() {
            if self.options.speed > 0 {
                let offset = Double(row.tick.rawValue - first.rawValue) / self.options.speed
                try await Task.sleep(until: start + .milliseconds(Int64(offset)), clock: .continuous)
            }
            var values: [Int: Double] = [:]
            for (column, point) in self.points { values[point] = row.values[column] }
            let messages = encoder.messages(
                values: values,
                parameters: self.options.parameters,
                tick: row.tick,
                zonelessOffsetSeconds: 0
            )
            for message in messages { try await self.publish(message, connection) }
            if number % 1_000 == 999 { progress(number + 1) }
        }
        // The queue is in order: when this one is acknowledged, all are.
        let last = self.options.parameters.values.first ?? "player"
        try await connection.publishAndWait(topic: "campus/gateway/player/\(last)", payload: [])
        progress(self.recording.rows.count)
    }

    private func publish(_ message: ProfileEncoder.Message, _ connection: MQTTConnection) async throws {
        while true {
            do throws(MQTTError) {
                return try connection.publish(topic: message.topic, payload: message.payload)
            } catch {
                guard error.code == .queueFull else { throw error }
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
