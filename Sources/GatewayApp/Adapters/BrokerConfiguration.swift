internal import Foundation
internal import MQTTTransport
internal import SiteConfiguration

extension MQTTConfiguration {
    /// Where the gateway says that it is there: `online`, and `offline` when it has gone (also as its last will).
    static let statusTopic = "campus/gateway/status"

    /// How the gateway connects to the broker of `configuration`.
    ///
    /// The back-off is the transport's own, whichever broker it is: at most 4 s, so that a broker that has healed is
    /// used within 5 s.
    ///
    /// - Parameters:
    ///   - embedded: The port of the embedded broker and the password of its account `gateway`; `nil` for an external
    ///     one.
    /// - Throws: ``GatewayError`` when the password file cannot be read.
    init(
        _ configuration: GatewayConfiguration,
        embedded: (port: UInt16, password: String)?
    ) throws {
        let broker = configuration.broker
        self.init(
            host: embedded == nil ? broker.host : "127.0.0.1",
            port: embedded?.port ?? broker.port,
            clientID: broker.clientID
        )
        self.version = broker.version == .v5 ? .v5 : .v3
        self.keepAliveSeconds = broker.keepAliveSeconds
        self.sessionExpirySeconds = UInt32(clamping: broker.sessionExpirySeconds)
        self.inFlightMax = broker.inFlightMax
        self.birth = .init(topic: Self.statusTopic, payload: Array("online".utf8), isRetained: true)
        self.lastWill = .init(topic: Self.statusTopic, payload: Array("offline".utf8), isRetained: true)
        if let embedded {
            self.username = "gateway"
            self.password = embedded.password
            return
        }
        self.username = broker.username
        if let file = broker.passwordFile {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw GatewayError("broker.passwordFile \(file) cannot be read")
            }
            self.password = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if let authority = broker.authorityFile {
            self.tls = .init(
                authorityFile: authority,
                certificateFile: broker.certificate?.certificate,
                keyFile: broker.certificate?.key
            )
        }
    }
}
