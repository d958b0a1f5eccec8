package import StrictYAML

extension GatewayConfiguration {
    /// Reads `gateway.yaml`.
    ///
    /// - Parameters:
    ///   - yaml: The text.
    ///   - file: Its path; relative paths in it count from its folder.
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> GatewayConfiguration {
        let document = try YAMLDocument(yaml, file: file)
        let root = document.root
        let paths = PathResolver(file: file)
        let configuration = GatewayConfiguration(
            stateFolder: root.string("state").map(paths.resolved) ?? "",
            profileFolders: self.profileFolders(root, paths),
            contractFolders: root.list("contracts", limit: 16).compactMap { $0.string() }.map(paths.resolved),
            ruleFolders: root.list("rules", limit: 16).compactMap { $0.string() }.map(paths.resolved),
            siteFile: paths.resolved(root.optionalString("site") ?? "site.yaml"),
            web: self.web(root.optionalMap("web"), paths),
            broker: self.broker(root.optionalMap("broker"), paths),
            push: root.optionalMap("push").map { self.push($0, paths) },
            polling: self.polling(root.optionalMap("polling")),
            ring: self.ring(root.optionalMap("ring")),
            retention: self.retention(root.optionalMap("records")),
            quarantineEntries: self.quarantine(root.optionalMap("quarantine")),
            exporters: ExporterDefinition.list(root.list("exporters", limit: 16), paths),
            logLevel: self.logLevel(root.optionalMap("log"))
        )
        root.finish()
        try document.check()
        return configuration
    }

    private static func profileFolders(_ root: YAMLMap, _ paths: PathResolver) -> [String] {
        guard let value = root.required("profiles") else { return [] }
        let folders = value.list(limit: 16).compactMap { $0.string() }
        if folders.isEmpty { value.problem("at least one folder with device profiles is needed") }
        return folders.map(paths.resolved)
    }

    private static func web(_ map: YAMLMap?, _ paths: PathResolver) -> Web {
        let host = map?.optionalString("host", limit: 64) ?? "127.0.0.1"
        let port = map?.int("port", in: 0...65_535, default: 8_080) ?? 8_080
        let tls = map?.optionalMap("tls").flatMap { self.certificate($0, paths) }
        if let map, tls == nil, !Loopback.contains(host) {
            map.problem(
                at: "host",
                "listening on \(host) without TLS would send passwords in the clear; make a certificate with "
                    + "`campusctl certificate` and name it under web.tls, or listen on 127.0.0.1"
            )
        }
        map?.finish()
        return Web(host: host, port: UInt16(clamping: port), tls: tls)
    }

    private static func push(_ map: YAMLMap, _ paths: PathResolver) -> Push {
        let host = map.optionalString("host", limit: 64) ?? "127.0.0.1"
        let port = map.int("port", in: 0...65_535, default: 8_090)
        let tls = map.optionalMap("tls").flatMap { self.certificate($0, paths) }
        let networks = map.list("networks", limit: 64)
            .compactMap { value -> AddressRange? in
                guard let text = value.string(limit: 64) else { return nil }
                guard let range = AddressRange(text) else {
                    value.problem("must be a network such as 192.168.20.0/24")
                    return nil
                }
                return range
            }
        if tls == nil, networks.isEmpty, !Loopback.contains(host) {
            map.problem(
                at: "host",
                "listening on \(host) without TLS would take events from anybody; name the devices' own 'networks', or a "
                    + "certificate under push.tls, or listen on 127.0.0.1"
            )
        }
        let push = Push(
            host: host,
            port: UInt16(clamping: port),
            tls: tls,
            networks: networks,
            bodyBytesMax: map.bytes("bodyMax", in: 1_024...16_777_216, default: 1_048_576),
            requestsPerSecond: map.int("requestsPerSecond", in: 1...1_000, default: 20)
        )
        map.finish()
        return push
    }

    private static func certificate(_ map: YAMLMap, _ paths: PathResolver) -> Certificate? {
        let certificate = map.string("certificate")
        let key = map.string("key")
        map.finish()
        guard let certificate, let key else { return nil }
        return Certificate(certificate: paths.resolved(certificate), key: paths.resolved(key))
    }

    private static func broker(_ map: YAMLMap?, _ paths: PathResolver) -> Broker {
        var broker = Broker(
            mode: .embedded,
            host: "127.0.0.1",
            port: 1_883,
            version: .v5,
            clientID: "campus-gateway",
            keepAliveSeconds: 30,
            sessionExpirySeconds: 3_600,
            inFlightMax: 100,
            payloadBytesMax: 65_536
        )
        guard let map else { return broker }
        broker.mode = map.choice("mode", of: Broker.Mode.self, default: .embedded)
        broker.host = map.optionalString("host", limit: 253) ?? broker.host
        broker.port = UInt16(clamping: map.int("port", in: 0...65_535, default: 1_883))
        broker.version = map.choice("version", of: Broker.Version.self, default: .v5)
        broker.clientID = map.optionalString("clientId", limit: 64) ?? broker.clientID
        broker.username = map.optionalString("username", limit: 256)
        broker.passwordFile = map.optionalString("passwordFile").map(paths.resolved)
        broker.keepAliveSeconds = Int(
            clamping: map.milliseconds("keepAlive", in: 5_000...1_200_000, default: 30_000) / 1_000
        )
        broker.sessionExpirySeconds = Int(
            clamping: map.milliseconds("sessionExpiry", in: 0...2_592_000_000, default: 3_600_000) / 1_000
        )
        broker.inFlightMax = map.int("inFlightMax", in: 1...1_000, default: 100)
        broker.payloadBytesMax = map.int("payloadMax", in: 1_024...1_048_576, default: 65_536)
        if let tls = map.optionalMap("tls") {
            broker.authorityFile = tls.optionalString("authority").map(paths.resolved)
            let certificate = tls.optionalString("certificate").map(paths.resolved)
            let key = tls.optionalString("key").map(paths.resolved)
            tls.finish()
            if let certificate, let key {
                broker.certificate = Certificate(certificate: certificate, key: key)
            } else if certificate != nil || key != nil {
                tls.problem("'certificate' and 'key' belong together")
            }
        }
        self.check(broker, map)
        map.finish()
        return broker
    }

    private static func check(_ broker: Broker, _ map: YAMLMap) {
        switch broker.mode {
        case .embedded:
            if broker.certificate == nil, !Loopback.contains(broker.host) {
                map.problem(
                    at: "host",
                    "a broker on \(broker.host) without TLS would send passwords in the clear; make a certificate with "
                        + "`campusctl certificate` and name it under broker.tls, or listen on 127.0.0.1"
                )
            }
            if broker.certificate == nil, broker.authorityFile != nil {
                map.problem(at: "tls", "'certificate' and 'key' are needed: what should the broker show its clients?")
            }
            if broker.username != nil || broker.passwordFile != nil {
                map.problem(
                    at: "username",
                    "the embedded broker makes its own accounts; remove username and passwordFile"
                )
            }
        case .external:
            if broker.port == 0 { map.problem(at: "port", "an external broker has a port of its own") }
            if (broker.username == nil) != (broker.passwordFile == nil) {
                map.problem("'username' and 'passwordFile' belong together")
            }
            if broker.authorityFile == nil, broker.certificate != nil {
                map.problem(at: "tls", "'authority' is needed: who must have signed the broker's certificate?")
            }
            if broker.authorityFile == nil, broker.username != nil, !Loopback.contains(broker.host) {
                map.problem(
                    at: "host",
                    "the password would go over the network in the clear; name broker.tls.authority"
                )
            }
        }
    }

    private static func polling(_ map: YAMLMap?) -> Polling {
        var polling = Polling(
            fastMilliseconds: 1_000,
            normalMilliseconds: 10_000,
            slowMilliseconds: 60_000,
            onceMilliseconds: 3_600_000,
            reportMilliseconds: 600_000,
            missedMax: 3,
            heartbeatMilliseconds: 900_000
        )
        guard let map else { return polling }
        polling.fastMilliseconds = map.milliseconds("fast", in: 10...60_000, default: 1_000)
        polling.normalMilliseconds = map.milliseconds("normal", in: 100...600_000, default: 10_000)
        polling.slowMilliseconds = map.milliseconds("slow", in: 1_000...3_600_000, default: 60_000)
        polling.onceMilliseconds = map.milliseconds("once", in: 60_000...604_800_000, default: 3_600_000)
        polling.reportMilliseconds = map.milliseconds("report", in: 1_000...604_800_000, default: 600_000)
        polling.missedMax = map.int("missedMax", in: 2...100, default: 3)
        polling.heartbeatMilliseconds = map.milliseconds("heartbeat", in: 10_000...86_400_000, default: 900_000)
        map.finish()
        return polling
    }

    private enum Card: String, CaseIterable {
        case flash
        case sd
    }

    private static func ring(_ map: YAMLMap?) -> Ring {
        let mebibyte = 1 << 20
        var ring = Ring(
            seriesMax: 4_096,
            memoryFolder: nil,
            commit: Commit(telemetrySeconds: 5, importantSeconds: 1),
            unitBytes: 4_096,
            journalBytes: 16 * mebibyte,
            rawBytes: 256 * mebibyte,
            minuteBytes: 128 * mebibyte,
            quarterBytes: 64 * mebibyte
        )
        guard let map else { return ring }
        ring.seriesMax = map.int("series", in: 1...200_000, default: ring.seriesMax)
        ring.memoryFolder = map.optionalString("memory")
        ring.commit = self.commit(map.optional("commit"), default: ring.commit)
        ring.unitBytes = map.choice("card", of: Card.self, default: .flash) == .sd ? 16_384 : 4_096
        ring.journalBytes = map.bytes("journal", in: mebibyte...(1_024 * mebibyte), default: ring.journalBytes)
        let tier = mebibyte...(1_048_576 * mebibyte)
        ring.rawBytes = map.bytes("raw", in: tier, default: ring.rawBytes)
        ring.minuteBytes = map.bytes("minutes", in: tier, default: ring.minuteBytes)
        ring.quarterBytes = map.bytes("quarters", in: tier, default: ring.quarterBytes)
        map.finish()
        return ring
    }

    /// One span for telemetry, or a map of classes.
    private static func commit(_ value: YAMLValue?, default standard: Commit) -> Commit {
        guard let value else { return standard }
        var commit = standard
        guard value.isMap else {
            if let span = value.milliseconds(in: 1_000...60_000) { commit.telemetrySeconds = Int(span / 1_000) }
            return commit
        }
        let map = value.map()
        if let critical = map.optional("critical") {
            critical.problem("critical samples do not wait: they are committed before they are acknowledged")
        }
        commit.telemetrySeconds = Int(map.milliseconds("telemetry", in: 1_000...60_000, default: 5_000) / 1_000)
        commit.importantSeconds = Int(map.milliseconds("important", in: 1_000...60_000, default: 1_000) / 1_000)
        if commit.importantSeconds > commit.telemetrySeconds {
            map.problem(at: "important", "must not be longer than the interval of telemetry")
        }
        map.finish()
        return commit
    }

    private static func retention(_ map: YAMLMap?) -> Retention {
        let day: Int64 = 86_400_000
        var retention = Retention(
            eventsMilliseconds: 30 * day,
            hoursMilliseconds: 400 * day,
            daysMilliseconds: 3_650 * day
        )
        guard let map else { return retention }
        retention.eventsMilliseconds = map.milliseconds("events", in: day...(3_650 * day), default: 30 * day)
        retention.hoursMilliseconds = map.milliseconds("hours", in: (8 * day)...(3_650 * day), default: 400 * day)
        retention.daysMilliseconds = map.milliseconds("days", in: (31 * day)...(36_500 * day), default: 3_650 * day)
        map.finish()
        return retention
    }

    private static func quarantine(_ map: YAMLMap?) -> Int {
        let entries = map?.int("entries", in: 10...10_000, default: 200) ?? 200
        map?.finish()
        return entries
    }

    private enum LogLevel: String, CaseIterable {
        case trace
        case debug
        case info
        case notice
        case warning
        case error
        case critical
    }

    private static func logLevel(_ map: YAMLMap?) -> String {
        let level = map?.choice("level", of: LogLevel.self, default: .info) ?? .info
        map?.finish()
        return level.rawValue
    }
}

/// Addresses that never leave the board.
enum Loopback {
    static func contains(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host == "[::1]"
            || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }
}

/// Makes paths of a file absolute, counting from the file's folder.
struct PathResolver {
    private let folder: String

    init(file: String) {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        self.folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : ""
    }

    func resolved(_ path: String) -> String {
        path.hasPrefix("/") || self.folder.isEmpty ? path : "\(self.folder)/\(path)"
    }
}
