internal import CampusModel
internal import Foundation
internal import StrictYAML

extension ExporterDefinition {
    /// Reads the list `exporters`.
    static func list(_ values: [YAMLValue], _ paths: PathResolver) -> [ExporterDefinition] {
        var names: Set<String> = []
        return values.compactMap { value in
            let map = value.map()
            // Without a kind nobody knows which keys belong there.
            let kind = map.choice("kind", of: Kind.self)
            let definition = kind.flatMap { self.read(map, $0, paths) }
            if kind != nil { map.finish() }
            guard let definition else { return nil }
            guard names.insert(definition.name).inserted else {
                map.problem(
                    at: "name",
                    "another exporter is called '\(definition.name)' already; their cursors would mix"
                )
                return nil
            }
            return definition
        }
    }

    private static func read(_ map: YAMLMap, _ kind: Kind, _ paths: PathResolver) -> ExporterDefinition? {
        let name = map.string("name", limit: 64)
        if let name {
            do throws(IdentifierError) {
                try IdentifierRule.check(name, kind: "exporter")
            } catch {
                map.problem(at: "name", error.description)
            }
        }
        let target: Target? =
            switch kind {
            case .lineProtocol: self.lineProtocol(map, paths).map { .lineProtocol($0) }
            case .mqttJSON: self.mqttJSON(map, paths)
            case .sparkplugB: self.sparkplugB(map, paths)
            }
        let interval = map.milliseconds("interval", in: 100...60_000, default: 1_000)
        let timeout = map.milliseconds("timeout", in: 1_000...60_000, default: 8_000)
        let samples = map.int("requestSamples", in: 1...100_000, default: 5_000)
        let bytes = map.int("requestBytes", in: 4_096...16_777_216, default: 1_048_576)
        let replay = map.int("replay", in: 100...1_000_000, default: 25_000)
        let checkpoint = map.milliseconds("checkpoint", in: 1_000...60_000, default: 5_000)
        let backlog = map.int("backlog", in: 65_536...1_099_511_627_776, default: 1_073_741_824)
        let day: Int64 = 86_400_000
        let age = map.milliseconds("maximumAge", in: 60_000...(3_650 * day), default: 30 * day)
        guard let name, let target else { return nil }
        return ExporterDefinition(
            name: name,
            target: target,
            intervalMilliseconds: interval,
            timeoutMilliseconds: timeout,
            requestSamplesMax: samples,
            requestBytesMax: bytes,
            replaySamplesPerSecond: replay,
            checkpointMilliseconds: checkpoint,
            backlogBytesMax: backlog,
            maximumAgeMilliseconds: age
        )
    }

    private static func lineProtocol(_ map: YAMLMap, _ paths: PathResolver) -> LineProtocolTarget? {
        let url = map.string("url", limit: 2_048)
        let target = LineProtocolTarget(
            url: url ?? "",
            measurement: map.optionalString("measurement", limit: 128) ?? "campus",
            quality: map.choice("quality", of: QualityForm.self, default: .field),
            precision: map.choice("precision", of: Precision.self, default: .milliseconds),
            tokenFile: map.optionalString("tokenFile").map(paths.resolved),
            tokenScheme: map.choice("tokenScheme", of: TokenScheme.self, default: .token),
            username: map.optionalString("username", limit: 256),
            passwordFile: map.optionalString("passwordFile").map(paths.resolved),
            authorityFile: map.optionalString("authority").map(paths.resolved)
        )
        guard let url else { return nil }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
            parts.scheme == "http" || parts.scheme == "https"
        else {
            map.problem(
                at: "url",
                "must be http:// or https:// with host and path, such as http://127.0.0.1:8428/write"
            )
            return nil
        }
        if parts.user != nil || parts.password != nil {
            map.problem(at: "url", "no password in an address, it would be in logs; use username and passwordFile")
        }
        if (parts.queryItems ?? []).contains(where: { $0.name == "precision" }) {
            map.problem(at: "url", "the key 'precision' says the precision; remove it from the address")
        }
        if (target.username == nil) != (target.passwordFile == nil) {
            map.problem("'username' and 'passwordFile' belong together")
        }
        if target.tokenFile != nil, target.passwordFile != nil {
            map.problem(at: "tokenFile", "either a token or a user name with its password")
        }
        let isSecret = target.tokenFile != nil || target.passwordFile != nil
        if isSecret, parts.scheme == "http", !Loopback.contains(host) {
            map.problem(at: "url", "the secret would go over the network in the clear; use https://")
        }
        return target
    }
}
