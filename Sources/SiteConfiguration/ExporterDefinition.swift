/// One entry of `exporters` in `gateway.yaml`: a receiver of the ring's samples.
package struct ExporterDefinition: Sendable, Hashable {
    /// The form in which a receiver wants samples.
    package enum Kind: String, Sendable, CaseIterable {
        case lineProtocol = "line-protocol"
        case mqttJSON = "mqtt-json"
        case sparkplugB = "sparkplug-b"
    }

    /// How line protocol tells the quality.
    package enum QualityForm: String, Sendable, CaseIterable {
        case field
        case tag
        case code
        case none
    }

    /// The resolution of times in line protocol.
    package enum Precision: String, Sendable, CaseIterable {
        case milliseconds = "ms"
        case nanoseconds = "ns"
    }

    /// How a token is shown.
    package enum TokenScheme: String, Sendable, CaseIterable {
        /// `Authorization: Token …`, as InfluxDB 2 wants it.
        case token
        /// `Authorization: Bearer …`.
        case bearer
    }

    /// A server that takes line protocol.
    package struct LineProtocolTarget: Sendable, Hashable {
        /// With path and query, such as `http://host:8086/api/v2/write?org=o&bucket=b`.
        package var url: String
        package var measurement: String
        package var quality: QualityForm
        package var precision: Precision
        package var tokenFile: String?
        package var tokenScheme: TokenScheme
        package var username: String?
        package var passwordFile: String?
        /// PEM file of a further authority to trust.
        package var authorityFile: String?
    }

    /// A broker of somebody else.
    package struct BrokerTarget: Sendable, Hashable {
        package var host: String
        package var port: UInt16
        package var version: GatewayConfiguration.Broker.Version
        /// `nil`: made of the site's and the exporter's name.
        package var clientID: String?
        package var username: String?
        package var passwordFile: String?
        /// Who must have signed the broker's certificate; `nil`: no TLS.
        package var authorityFile: String?
        /// Ours, where the broker asks for one.
        package var certificate: GatewayConfiguration.Certificate?

        var files: [(key: String, path: String?)] {
            [
                ("passwordFile", self.passwordFile), ("tls.authority", self.authorityFile),
                ("tls.certificate", self.certificate?.certificate), ("tls.key", self.certificate?.key),
            ]
        }
    }

    /// A Sparkplug group, and this gateway as an edge node of it.
    package struct SparkplugTarget: Sendable, Hashable {
        package var broker: BrokerTarget
        package var group: String
        /// `nil`: the site's identifier.
        package var node: String?
    }

    /// Where samples go.
    package enum Target: Sendable, Hashable {
        case lineProtocol(LineProtocolTarget)
        /// JSON messages; the topic has placeholders.
        case mqttJSON(BrokerTarget, topic: String)
        case sparkplugB(SparkplugTarget)
    }

    /// Identifier; also names the cursor's file.
    package var name: String
    package var target: Target
    package var intervalMilliseconds: Int64
    /// Longest wait for an acknowledgement.
    package var timeoutMilliseconds: Int64
    package var requestSamplesMax: Int
    package var requestBytesMax: Int
    package var replaySamplesPerSecond: Int
    package var checkpointMilliseconds: Int64
    package var backlogBytesMax: Int
    package var maximumAgeMilliseconds: Int64

    package var kind: Kind {
        switch self.target {
        case .lineProtocol: .lineProtocol
        case .mqttJSON: .mqttJSON
        case .sparkplugB: .sparkplugB
        }
    }

    /// Files that it names, by key; for finding those that cannot be read.
    package var files: [(key: String, path: String?)] {
        switch self.target {
        case .lineProtocol(let target):
            [
                ("tokenFile", target.tokenFile), ("passwordFile", target.passwordFile),
                ("authority", target.authorityFile),
            ]
        case .mqttJSON(let broker, _): broker.files
        case .sparkplugB(let target): target.broker.files
        }
    }
}
