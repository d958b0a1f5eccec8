/// `gateway.yaml`: how this board runs.
///
/// Every key is described in `docs/configuration.md`.
package struct GatewayConfiguration: Sendable, Hashable {
    /// Pages and the API.
    package struct Web: Sendable, Hashable {
        /// The address to listen on; anything but loopback needs ``tls``.
        package var host: String
        /// 0 takes a free port.
        package var port: UInt16
        package var tls: Certificate?
    }

    /// Where devices push over HTTP.
    package struct Push: Sendable, Hashable {
        /// The address to listen on; anything but loopback needs ``tls`` or ``networks``.
        package var host: String
        /// 0 takes a free port.
        package var port: UInt16
        package var tls: Certificate?
        /// The only networks that requests may come from; empty: anywhere.
        package var networks: [AddressRange]
        /// Longest body.
        package var bodyBytesMax: Int
        /// Requests a second of one address, of which ten seconds' worth may come at once.
        package var requestsPerSecond: Int
    }

    /// A certificate and its key, PEM files.
    package struct Certificate: Sendable, Hashable {
        package var certificate: String
        package var key: String
    }

    /// The MQTT broker.
    package struct Broker: Sendable, Hashable {
        /// Who runs it.
        package enum Mode: String, Sendable, CaseIterable {
            /// The gateway starts and supervises Debian's mosquitto.
            case embedded
            /// Somebody else does; the gateway is a client.
            case external
        }

        /// The protocol version to speak.
        package enum Version: String, Sendable, CaseIterable {
            case v3 = "3.1.1"
            case v5 = "5"
        }

        package var mode: Mode
        package var host: String
        /// 0 (embedded only) takes a free port.
        package var port: UInt16
        package var version: Version
        package var clientID: String
        package var username: String?
        /// A file with the password, mode 0600.
        package var passwordFile: String?
        /// Who must have signed the other side's certificate: the external broker's, or, when embedded and set, every
        /// client's.
        package var authorityFile: String?
        /// Ours: the client certificate towards an external broker, or the listener's when embedded.
        package var certificate: Certificate?
        package var keepAliveSeconds: Int
        package var sessionExpirySeconds: Int
        package var inFlightMax: Int
        package var payloadBytesMax: Int
    }

    /// Poll periods and patience, milliseconds and counts.
    package struct Polling: Sendable, Hashable {
        package var fastMilliseconds: Int64
        package var normalMilliseconds: Int64
        package var slowMilliseconds: Int64
        package var onceMilliseconds: Int64
        package var reportMilliseconds: Int64
        package var missedMax: Int
        package var heartbeatMilliseconds: Int64
    }

    /// Longest time between commits by class, and with it the longest loss at a power cut; critical samples do not
    /// wait.
    package struct Commit: Sendable, Hashable {
        package var telemetrySeconds: Int
        package var importantSeconds: Int

        package init(telemetrySeconds: Int, importantSeconds: Int) {
            self.telemetrySeconds = telemetrySeconds
            self.importantSeconds = importantSeconds
        }
    }

    /// The time-series ring.
    package struct Ring: Sendable, Hashable {
        package var seriesMax: Int
        /// Folder of the ring's memory; `nil` = the run-time folder of the service, or else beside the ring.
        package var memoryFolder: String?
        package var commit: Commit
        /// What the card programs at once: 4096, or 16384 for SD cards.
        package var unitBytes: Int
        package var journalBytes: Int
        package var rawBytes: Int
        package var minuteBytes: Int
        package var quarterBytes: Int
    }

    /// How long the records keep what, milliseconds; what is older is erased.
    package struct Retention: Sendable, Hashable {
        /// Events: card and tag reads, buttons.
        package var eventsMilliseconds: Int64
        /// Hourly summaries.
        package var hoursMilliseconds: Int64
        /// Daily summaries.
        package var daysMilliseconds: Int64
    }

    /// Folder of everything that the gateway writes.
    package var stateFolder: String
    /// Folders with device profiles, later ones override earlier ones.
    package var profileFolders: [String]
    /// Folders with firmware contracts, later ones override earlier ones; none: payloads are not validated.
    package var contractFolders: [String]
    /// Folders with rules of alerts, later ones override earlier ones; none: nothing is watched.
    package var ruleFolders: [String]
    /// `site.yaml`.
    package var siteFile: String
    package var web: Web
    package var broker: Broker
    /// `nil`: nobody listens.
    package var push: Push?
    package var polling: Polling
    package var ring: Ring
    package var retention: Retention
    package var quarantineEntries: Int
    package var exporters: [ExporterDefinition]
    /// `trace` … `critical`.
    package var logLevel: String
}
