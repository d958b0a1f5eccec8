internal import Acquisition
internal import CampusModel
internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOSSL
internal import SchoolRecords
internal import ServiceLifecycle
internal import SiteConfiguration
internal import TimeSeriesRing
internal import UnixSignals
internal import WebConsole

/// The whole gateway, from configuration to shutdown.
package struct GatewayApplication: Sendable {
    package let gateway: Gateway
    private let console: Console
    private let live: LiveBroadcaster
    private let schedules: ScheduleRunner
    private let openAPI: [UInt8]
    private let onReady: @Sendable (Int) -> Void

    /// Opens the state and prepares pages and API; nothing runs yet.
    ///
    /// - Parameters:
    ///   - configurationPath: Path of `gateway.yaml`.
    ///   - onReady: Called with the port of the pages once they are served.
    /// - Throws: ``GatewayError`` when the configuration or the state cannot be used.
    package init(
        configurationPath: String,
        logger: Logger,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws {
        TimeSeriesRing.returnLargeAllocations()
        let files: ConfigurationFiles
        do throws(ConfigurationError) {
            files = try ConfigurationFiles.read(path: configurationPath)
        } catch {
            throw GatewayError(error.description)
        }
        var logger = logger
        logger.logLevel = Logger.Level(rawValue: files.gateway.logLevel) ?? .info
        let gateway = try Gateway(files: files, logger: logger)
        let sessions = ConsoleSessions(records: gateway.records)
        self.live = LiveBroadcaster()
        self.console = try Console(
            configuration: ConsoleConfiguration(
                siteName: files.site.name,
                utcOffsetMinutes: Int(files.site.utcOffsetSeconds / 60),
                version: Gateway.version,
                isTLS: files.gateway.web.tls != nil,
                navigation: PageRoutes.navigation
            ),
            resources: [try ResourceFolder(module: "GatewayApp")],
            sessions: sessions,
            tokens: sessions,
            live: self.live,
            logger: logger
        )
        self.openAPI = try OpenAPIDocument.load()
        self.schedules = try ScheduleRunner(gateway: gateway)
        self.gateway = gateway
        self.onReady = onReady
    }

    /// What the operator needs once: the first administrator, if the records are new, and the token of `campusctl`.
    ///
    /// - Returns: The generated login, which is told nowhere else; `nil` when there are users already.
    package func prepareAccess() async throws -> (user: String, password: String)? {
        let records = self.gateway.records
        let login = try await records.perform { try $0.createFirstAdministrator() }
        let path = self.gateway.state.file("operator.token")
        let known = (try? String(contentsOfFile: path, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let isKnown = try await records.perform { records in
            try known.map { try records.token(forSecret: $0) != nil } ?? false
        }
        // For `campusctl`, which then trusts exactly what the pages show.
        if let tls = self.gateway.configuration.web.tls {
            try self.gateway.state.write(
                String(contentsOfFile: tls.certificate, encoding: .utf8),
                to: "certificate.pem"
            )
        }
        if !isKnown {
            let token = try await records.perform {
                try $0.createToken(label: "campusctl", role: .administrator, actor: "gateway")
            }
            try self.gateway.state.write(token.secret + "\n", to: "operator.token")
        }
        return login.map { ($0.user, $0.password) }
    }

    /// Runs until SIGTERM or SIGINT, or until the task is cancelled.
    package func run() async throws {
        let gateway = self.gateway
        let logger = gateway.logger
        let router = self.console.makeRouter()
        PageRoutes(gateway: gateway, console: self.console).add(to: router)
        APIRoutes(gateway: gateway, console: self.console, openAPI: self.openAPI).add(to: router)
        ScheduleRoutes(gateway: gateway, console: self.console, schedules: self.schedules).add(to: router)
        ControlRoutes(gateway: gateway, console: self.console).add(to: router)
        OperationRoutes(gateway: gateway, console: self.console, readiness: Readiness(gateway: gateway))
            .add(to: router)
        let web = gateway.configuration.web
        let onReady = self.onReady
        let state = gateway.state
        let scheme = web.tls == nil ? "http" : "https"
        let application = Application(
            router: router,
            server: try Self.server(
                web.tls.map { ($0.certificate, $0.key) },
                HTTP1Channel.Configuration(
                    additionalChannelHandlers: [SlowReaderGuard()],
                    idleTimeout: .seconds(60)
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(web.host, port: Int(web.port)),
                serverName: nil
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? Int(web.port)
                try? state.write("\(scheme)://\(Self.localHost(web.host)):\(port)\n", to: "address")
                onReady(port)
            },
            logger: logger
        )
        var services: [any Service] = [
            RingKeeper(
                ring: gateway.ring,
                store: gateway.store,
                clock: gateway.clock,
                commit: gateway.configuration.ring.commit,
                logger: logger
            )
        ]
        if let broker = gateway.broker { services.append(broker) }
        if let listener = gateway.pushListener { services.append(listener) }
        services += [
            gateway.exports, gateway.connection, gateway.engine, gateway.controls, self.schedules,
            Summarizer(gateway: gateway), self.live,
            AlertService(watch: gateway.alerts, live: self.live, logger: logger),
            LiveFeed(gateway: gateway, live: self.live), ReloadOnSignal(gateway: gateway), application,
        ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
        try? await gateway.records.perform { try $0.close() }
    }

    /// What a program on this machine calls the address that the pages listen on.
    private static func localHost(_ host: String) -> String {
        if host == "0.0.0.0" || host == "::" { return "127.0.0.1" }
        return host.contains(":") ? "[\(host)]" : host
    }

    /// A server with the certificate, or without.
    static func server(
        _ tls: (certificate: String, key: String)?,
        _ connection: HTTP1Channel.Configuration
    ) throws -> HTTPServerBuilder {
        guard let tls else { return .http1(configuration: connection) }
        let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        return try .tls(.http1(configuration: connection), tlsConfiguration: configuration)
    }
}
