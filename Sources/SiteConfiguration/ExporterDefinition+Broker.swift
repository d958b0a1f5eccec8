internal import StrictYAML

extension ExporterDefinition {
    static func mqttJSON(_ map: YAMLMap, _ paths: PathResolver) -> Target? {
        let topic = map.optionalString("topic", limit: 1_024) ?? "campus/{site}/{device}/samples"
        if let problem = self.problem(ofTopic: topic) { map.problem(at: "topic", problem) }
        return self.broker(map, paths).map { .mqttJSON($0, topic: topic) }
    }

    static func sparkplugB(_ map: YAMLMap, _ paths: PathResolver) -> Target? {
        let group = map.string("group", limit: 128)
        let node = map.optionalString("node", limit: 128)
        for (key, text) in [("group", group), ("node", node)] {
            guard let text, text.unicodeScalars.contains(where: { "+#/\0".unicodeScalars.contains($0) }) else {
                continue
            }
            map.problem(at: key, "is a level of a topic: no '/', '+' or '#'")
        }
        guard let broker = self.broker(map, paths), let group else { return nil }
        return .sparkplugB(SparkplugTarget(broker: broker, group: group, node: node))
    }

    /// Why a topic template cannot be used, in words.
    private static func problem(ofTopic text: String) -> String? {
        var rest = Substring(text)
        var names: Set<String> = []
        while let start = rest.firstIndex(of: "{") {
            guard let end = rest[start...].firstIndex(of: "}") else { return "a '{' has no '}'" }
            names.insert(String(rest[rest.index(after: start)..<end]))
            rest = rest[rest.index(after: end)...]
        }
        if let unknown = names.subtracting(["site", "room", "device"]).sorted().first {
            return "unknown placeholder {\(unknown)}; known are {site}, {room} and {device}"
        }
        if !names.contains("device") { return "'{device}' is missing: each device has messages of its own" }
        if text.unicodeScalars.contains(where: { $0 == "+" || $0 == "#" || $0 == "\0" }) {
            return "a topic to publish to has no '+' and no '#'"
        }
        return nil
    }

    static func broker(_ map: YAMLMap, _ paths: PathResolver) -> BrokerTarget? {
        let host = map.string("host", limit: 253)
        var broker = BrokerTarget(
            host: host ?? "",
            port: UInt16(clamping: map.int("port", in: 1...65_535, default: 1_883)),
            version: map.choice("version", of: GatewayConfiguration.Broker.Version.self, default: .v5),
            clientID: map.optionalString("clientId", limit: 64),
            username: map.optionalString("username", limit: 256),
            passwordFile: map.optionalString("passwordFile").map(paths.resolved)
        )
        if let tls = map.optionalMap("tls") {
            broker.authorityFile = tls.string("authority").map(paths.resolved)
            let certificate = tls.optionalString("certificate").map(paths.resolved)
            let key = tls.optionalString("key").map(paths.resolved)
            tls.finish()
            if let certificate, let key {
                broker.certificate = .init(certificate: certificate, key: key)
            } else if certificate != nil || key != nil {
                tls.problem("'certificate' and 'key' belong together")
            }
        }
        if (broker.username == nil) != (broker.passwordFile == nil) {
            map.problem("'username' and 'passwordFile' belong together")
        }
        guard let host else { return nil }
        if broker.authorityFile == nil, broker.username != nil, !Loopback.contains(host) {
            map.problem(at: "host", "the password would go over the network in the clear; name tls.authority")
        }
        return broker
    }
}
