internal import ArgumentParser
internal import CampusModel
internal import DeviceProfile
internal import FirmwareContract
internal import Foundation
internal import Logging
internal import MQTTTransport
internal import ServiceLifecycle
internal import Synchronization

/// The command `campusctl contract validate`.
struct ContractValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Compare a payload, a file, or what is published just now with a contract.",
        discussion: """
            campusctl contract validate FOLDER --topic campus/p101/telemetry --payload '{"contract":"1.1",…}'
            campusctl contract validate FOLDER --topic campus/p101/telemetry --payload @message.json
            campusctl contract validate FOLDER --live --host localhost --username devices --password-file FILE
            Exit code 1: a payload breaks the contract, or nothing came.
            """
    )

    @Argument(help: "One version of a contract.")
    var folder: String

    @Option(help: "Topic of the payload; with --live the filter to subscribe, otherwise all of the contract.")
    var topic: String?

    @Option(help: "Payload, or @FILE.")
    var payload: String?

    @Flag(help: "Subscribe at a broker and validate what comes.")
    var live = false

    @Option(help: "Broker.")
    var host = "127.0.0.1"

    @Option(help: "Port of the broker.")
    var port: UInt16 = 1_883

    @Option(help: "User name at the broker.")
    var username: String?

    @Option(help: "File with the password.")
    var passwordFile: String?

    @Option(help: "PEM file of the authority that signed the broker's certificate; with it TLS is spoken.")
    var authority: String?

    @Option(help: "End after this many messages.")
    var count = 10

    @Option(help: "End after this many seconds.")
    var seconds = 60

    @Option(help: "Language of the differences: vi or en.")
    var lang = Language.en

    @Flag(help: "Print JSON, one line a payload.")
    var json = false

    private struct Answer: Encodable {
        struct Line: Encodable {
            var pointer: String
            var text: LocalizedText
        }

        var topic: String
        var message: String?
        var valid: Bool
        var reason: String?
        var differences: [Line] = []
        var more: Int?
    }

    func run() async throws {
        let entry = try ContractCommand.Source.one(self.folder)
        let validator = ContractValidator(contract: entry.contract, older: entry.older.map(\.version))
        if self.live { return try await self.listen(validator) }
        guard let topic, let payload else {
            throw OperatorError("give --topic and --payload, or --live")
        }
        let bytes: [UInt8]
        if payload.hasPrefix("@") {
            guard let data = FileManager.default.contents(atPath: String(payload.dropFirst())) else {
                throw OperatorError("\(payload.dropFirst()): the file cannot be read")
            }
            bytes = Array(data)
        } else {
            bytes = Array(payload.utf8)
        }
        if !(try self.report(topic, bytes, validator)) { throw ExitCode(1) }
    }

    /// Prints what the contract says of a payload; returns whether it is valid.
    private func report(_ topic: String, _ payload: [UInt8], _ validator: ContractValidator) throws -> Bool {
        let answer: Answer
        var lines: [String] = []
        switch validator.check(topic: topic, payload: payload) {
        case .notCovered:
            answer = Answer(topic: topic, valid: false, reason: "notCovered")
            let known = validator.contract.channels.map(\.address.description).joined(separator: ", ")
            lines = ["\(topic): in no channel of \(validator.contract.name); there are: \(known)"]
        case .valid(let index):
            let message = validator.contract.messages[index].name
            answer = Answer(topic: topic, message: message, valid: true)
            lines = ["\(topic): valid as \(message)"]
        case .violation(let violation):
            answer = Answer(
                topic: topic,
                message: violation.message,
                valid: false,
                reason: violation.reason.rawValue,
                differences: violation.differences.map { Answer.Line(pointer: $0.pointer, text: $0.text) },
                more: violation.moreCount > 0 ? violation.moreCount : nil
            )
            lines = ["\(topic): \(violation.reason.rawValue)"] + violation.lines(in: self.lang).map { "  \($0)" }
        }
        if self.json { print(try JSONOutput.text(answer)) } else { print(lines.joined(separator: "\n")) }
        return answer.valid
    }

    private func listen(_ validator: ContractValidator) async throws {
        guard (1...100_000).contains(self.count), (1...86_400).contains(self.seconds) else {
            throw OperatorError("--count is 1 to 100000, --seconds 1 to 86400")
        }
        var configuration = MQTTConfiguration(
            host: self.host,
            port: self.port,
            clientID: "campusctl-\(ProcessInfo.processInfo.processIdentifier)"
        )
        configuration.sessionExpirySeconds = 0
        configuration.username = self.username
        if let passwordFile {
            configuration.password = try TextFile.read(passwordFile).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if let authority { configuration.tls = MQTTConfiguration.TLS(authorityFile: authority) }
        configuration.subscriptions = self.topic.map { [$0] } ?? validator.filters
        let receiver = Receiver()
        // What is wrong is said once, below; a log would say it again and again.
        let logger = Logger(label: "campusctl") { _ in SwiftLogNoOpLogHandler() }
        let connection = MQTTConnection(configuration: configuration, receiver: receiver, logger: logger)
        var valid = 0
        var found = 0
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await connection.run() }
            group.addTask {
                try? await ContinuousClock().sleep(for: .seconds(self.seconds))
                receiver.finish()
            }
            for await message in receiver.messages {
                found += 1
                if try self.report(message.topic, message.payload, validator) { valid += 1 }
                if found >= self.count { break }
            }
            group.cancelAll()
        }
        if found == 0 {
            let error = connection.statistics.connects == 0 ? connection.statistics.lastError : nil
            throw OperatorError(error ?? "nothing came within \(self.seconds) s")
        }
        if !self.json { print("\(found) messages, \(found - valid) of them break the contract") }
        if valid < found { throw ExitCode(1) }
    }

    /// Hands messages from the connection's thread on; at most 1,000 wait.
    private final class Receiver: MQTTBatchReceiver {
        let messages: AsyncStream<MQTTMessage>
        private let continuation: AsyncStream<MQTTMessage>.Continuation

        init() {
            (self.messages, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1_000))
        }

        func receive(_ batch: [MQTTMessage]) { for message in batch { self.continuation.yield(message) } }

        func connectionChanged(_ state: MQTTConnectionState) {}

        func finish() { self.continuation.finish() }
    }
}
