/// How a device pushes over HTTP: requests that it makes, and what it wants to be answered.
package struct HTTPWire: Sendable, Hashable {
    /// The methods that devices use.
    package enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    /// One level of a path.
    package enum Level: Sendable, Hashable {
        case literal(String)
        case serial
        case secret
    }

    /// What a body is.
    package enum Body: Sendable, Hashable {
        case json
        /// `name=value&…`, as of HTML forms.
        case form
        /// Lines of fields without names, each line a message; blank: runs of blanks separate, too.
        case lines(fields: [String], isBlank: Bool)
        /// `multipart/…`, of which only the first JSON part is looked at; JSON alone is taken, too.
        case multipart
    }

    /// One request that the device makes.
    package struct Route: Sendable, Hashable {
        package var name: String
        package var method: Method
        package var path: [Level]
        /// Members of the query that the request must have.
        package var query: [String: String]
        /// The member of the query that names the device, where the path does not.
        package var serialQuery: String?
        /// `nil`: the body is thrown away unread, as templates and pictures are.
        package var body: Body?
        /// What is answered with status 200; `{serial}` and `{count}` are the device and how many messages were taken.
        package var answer: String
        package var message: MQTTWire.Message

        /// Whether the device proves itself by a secret in the path.
        package var hasSecret: Bool { self.path.contains(.secret) }
    }

    package var routes: [Route]

    /// The same as messages, one a route.
    package var messages: MQTTWire { MQTTWire(messages: self.routes.map(\.message), availability: nil) }

    /// What a request is to this wire.
    package struct Match: Sendable, Hashable {
        package var route: Int
        package var serial: String
        package var secret: String?
        /// The topic under which it is decoded; no broker ever sees it.
        package var topic: String
    }

    /// The longest serial number.
    package static let serialMax = 64

    /// The route of a request; `nil` when it is none of this wire's.
    ///
    /// - Parameter target: Path and query, percent-encoded, as on the wire.
    package func match(method: String, target: String) -> Match? {
        guard target.utf8.count <= 2_048 else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let levels = parts[0].split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        let query = FormText.members(Array((parts.count > 1 ? parts[1] : "").utf8)) ?? []
        for (index, route) in self.routes.enumerated() where route.method.rawValue == method {
            guard let found = Self.match(route, levels, query), Self.isSerial(found.serial),
                let topic = route.message.topic.filter(parameters: ["serial": found.serial])
            else { continue }
            return Match(route: index, serial: found.serial, secret: found.secret, topic: topic)
        }
        return nil
    }

    private static func match(
        _ route: Route,
        _ levels: [String],
        _ query: [(name: String, value: String)]
    ) -> (serial: String, secret: String?)? {
        guard levels.count == route.path.count else { return nil }
        var serial = ""
        var secret: String?
        for (level, text) in zip(route.path, levels) {
            switch level {
            case .literal(let literal): guard literal == text else { return nil }
            case .serial: serial = text
            case .secret: secret = text
            }
        }
        func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
        for (name, expected) in route.query where value(name) != expected { return nil }
        if let name = route.serialQuery { serial = value(name) ?? "" }
        return (serial, secret)
    }

    private static func isSerial(_ text: String) -> Bool {
        (1...self.serialMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x3A
            }
    }
}

/// `application/x-www-form-urlencoded`.
enum FormText {
    /// The members, at most 64; `nil` for what is none.
    static func members(_ bytes: [UInt8]) -> [(name: String, value: String)]? {
        let pairs = bytes.split(separator: UInt8(ascii: "&"))
        guard pairs.count <= 64 else { return nil }
        var members: [(name: String, value: String)] = []
        for pair in pairs {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = self.decoded(parts[0]), let value = self.decoded(parts.count > 1 ? parts[1] : []) else {
                return nil
            }
            members.append((name, value))
        }
        return members
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                result.append(0x20)
            } else if byte == UInt8(ascii: "%") {
                guard rest.count >= 2,
                    let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                rest = rest.dropFirst(2)
                result.append(value)
            } else {
                result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }
}
