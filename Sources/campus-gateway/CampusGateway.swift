internal import ArgumentParser
internal import Foundation
internal import GatewayApp
internal import Logging

/// Reads a school's devices, keeps their history, shows it.
@main
struct CampusGateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "campus-gateway",
        abstract: "Reads a school's devices over MQTT and Modbus, keeps their history and shows it.",
        discussion: """
            SIGHUP takes up changed files; SIGTERM and Ctrl-C stop cleanly.
            Exit codes: 78 the configuration or the state cannot be used, 64 wrong arguments.
            """,
        version: Gateway.version
    )

    @Option(name: .shortAndLong, help: "Path of gateway.yaml.")
    var config = "gateway.yaml"

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = Logger(label: "gateway")
        let application: GatewayApplication
        do {
            application = try GatewayApplication(configurationPath: self.config, logger: logger) { port in
                logger.info("pages are served", metadata: ["port": "\(port)"])
            }
        } catch let error as GatewayError {
            FileHandle.standardError.write(Data((error.description + "\n").utf8))
            throw ExitCode(78)
        }
        if let login = try await application.prepareAccess() {
            print("First login (told this once): user \(login.user)  password \(login.password)")
            fflush(nil)
        }
        try await application.run()
    }
}
