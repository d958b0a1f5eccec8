/// What a running gateway takes up of a changed `gateway.yaml`: ``siteFile``, ``profileFolders``, ``contractFolders``,
/// ``ruleFolders``,
/// the exporters and the report period of publishers.
///
/// Everything else is part of something that was opened at the start.
extension GatewayConfiguration {
    /// One key, or a group of keys that belong together, that needs a restart.
    private struct StartKey: Sendable {
        var name: String
        var differs: @Sendable (GatewayConfiguration, GatewayConfiguration) -> Bool
        var copy: @Sendable (GatewayConfiguration, inout GatewayConfiguration) -> Void

        init<Value: Equatable & Sendable>(
            _ name: String,
            _ path: any WritableKeyPath<GatewayConfiguration, Value> & Sendable
        ) {
            self.name = name
            self.differs = { $0[keyPath: path] != $1[keyPath: path] }
            self.copy = { $1[keyPath: path] = $0[keyPath: path] }
        }
    }

    private static let startKeys: [StartKey] = [
        StartKey("state", \.stateFolder),
        StartKey("web.host", \.web.host), StartKey("web.port", \.web.port), StartKey("web.tls", \.web.tls),
        StartKey("broker.mode", \.broker.mode), StartKey("broker.host", \.broker.host),
        StartKey("broker.port", \.broker.port), StartKey("broker.version", \.broker.version),
        StartKey("broker.clientId", \.broker.clientID), StartKey("broker.username", \.broker.username),
        StartKey("broker.passwordFile", \.broker.passwordFile),
        StartKey("broker.tls.authority", \.broker.authorityFile),
        StartKey("broker.tls.certificate", \.broker.certificate),
        StartKey("broker.keepAlive", \.broker.keepAliveSeconds),
        StartKey("broker.sessionExpiry", \.broker.sessionExpirySeconds),
        StartKey("broker.inFlightMax", \.broker.inFlightMax), StartKey("broker.payloadMax", \.broker.payloadBytesMax),
        StartKey("push", \.push),
        StartKey("polling.fast", \.polling.fastMilliseconds), StartKey("polling.normal", \.polling.normalMilliseconds),
        StartKey("polling.slow", \.polling.slowMilliseconds), StartKey("polling.once", \.polling.onceMilliseconds),
        StartKey("polling.missedMax", \.polling.missedMax),
        StartKey("polling.heartbeat", \.polling.heartbeatMilliseconds),
        StartKey("ring.series", \.ring.seriesMax), StartKey("ring.memory", \.ring.memoryFolder),
        StartKey("ring.commit", \.ring.commit), StartKey("ring.card", \.ring.unitBytes),
        StartKey("ring.journal", \.ring.journalBytes), StartKey("ring.raw", \.ring.rawBytes),
        StartKey("ring.minutes", \.ring.minuteBytes), StartKey("ring.quarters", \.ring.quarterBytes),
        StartKey("records.events", \.retention.eventsMilliseconds),
        StartKey("records.hours", \.retention.hoursMilliseconds),
        StartKey("records.days", \.retention.daysMilliseconds),
        StartKey("quarantine.entries", \.quarantineEntries), StartKey("log.level", \.logLevel),
    ]

    /// The names of all keys that need a restart, as `docs/configuration.md` marks them.
    package static var keysThatNeedRestart: [String] { self.startKeys.map(\.name) }

    /// This configuration, which a gateway runs with, with what it can take up of `fresh`; and the keys of `fresh` that
    /// differ and need a restart.
    package func takingUp(_ fresh: GatewayConfiguration) -> (merged: GatewayConfiguration, needRestart: [String]) {
        var merged = self
        merged.siteFile = fresh.siteFile
        merged.profileFolders = fresh.profileFolders
        merged.contractFolders = fresh.contractFolders
        merged.ruleFolders = fresh.ruleFolders
        merged.exporters = fresh.exporters
        merged.polling.reportMilliseconds = fresh.polling.reportMilliseconds
        let changed = Self.startKeys.filter { $0.differs(self, fresh) }
        // A key that this list does not have yet is told without its name rather than not at all.
        var known = merged
        for key in changed { key.copy(fresh, &known) }
        return (merged, changed.map(\.name) + (known == fresh ? [] : ["gateway.yaml"]))
    }
}
