package import CampusModel

extension HTTPWire {
    /// Lines of one body at most; a device with more sends them again in its next request.
    package static let linesMax = 10_000
    /// Parts of a multipart body that are looked at.
    private static let partsMax = 16

    /// The payloads in a body, each a message of its own.
    ///
    /// Pictures and other parts are never part of one. What cannot be cut is given as it is, so that its decoding fails
    /// and it is put away.
    package static func payloads(_ body: [UInt8], as form: Body, contentType: String) -> [[UInt8]] {
        switch form {
        case .json: return [body]
        case .form:
            guard let members = FormText.members(body) else { return [body] }
            return [self.object(members.map { ($0.name, $0.value) })]
        case .lines(let fields, let isBlank):
            let lines = body.split { $0 == 0x0A || $0 == 0x0D }
            return lines.prefix(self.linesMax).map { self.line($0, fields, isBlank: isBlank) }
        case .multipart:
            guard contentType.lowercased().hasPrefix("multipart/") else { return [body] }
            guard let boundary = self.boundary(contentType), let part = self.jsonPart(body, boundary) else {
                // Without a JSON part nothing of it may be shown.
                return [Array("no JSON part".utf8)]
            }
            return [Array(part)]
        }
    }

    private static func line(_ line: ArraySlice<UInt8>, _ fields: [String], isBlank: Bool) -> [UInt8] {
        let parts =
            isBlank
            ? line.split { $0 == 0x09 || $0 == 0x20 }
            : line.split(separator: 0x09, omittingEmptySubsequences: false)
        let texts = parts.map { String(validating: $0, as: UTF8.self) }
        guard line.count <= 1_024, !texts.contains(nil) else { return Array(line.prefix(1_024)) }
        return self.object(zip(fields, texts).compactMap { name, text in text.map { (name, $0) } })
    }

    private static func object(_ members: [(String, String)]) -> [UInt8] {
        let texts = members.map { "\(JSONText.quoted($0.0)):\(JSONText.quoted($0.1))" }
        return Array("{\(texts.joined(separator: ","))}".utf8)
    }

    /// The boundary that a content type names (RFC 2046, 5.1.1).
    private static func boundary(_ contentType: String) -> String? {
        for parameter in contentType.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }).lowercased() == "boundary" else { continue }
            let text = parts[1].filter { $0 != "\"" && $0 != " " }
            return (1...70).contains(text.utf8.count) ? String(text) : nil
        }
        return nil
    }

    /// The content of the first part that is JSON: by its type, or by its first character.
    private static func jsonPart(_ body: [UInt8], _ boundary: String) -> ArraySlice<UInt8>? {
        let mark = Array("--\(boundary)".utf8)
        var rest = body[...]
        for _ in 0..<self.partsMax {
            guard let start = self.find(mark, in: rest) else { return nil }
            rest = rest[(start + mark.count)...]
            guard let headEnd = self.find([0x0D, 0x0A, 0x0D, 0x0A], in: rest.prefix(2_048)) else { return nil }
            let head = String(decoding: rest[..<headEnd], as: UTF8.self).lowercased()
            let content = rest[(headEnd + 4)...]
            let end = self.find([0x0D, 0x0A] + mark, in: content) ?? content.endIndex
            if head.contains("application/json") || (!head.contains("image/") && content.first == UInt8(ascii: "{")) {
                return content[..<end]
            }
            rest = content[end...]
        }
        return nil
    }

    /// Where `mark` first is; one pass over what is there.
    private static func find(_ mark: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = mark.first else { return nil }
        var at = bytes.startIndex
        while let found = bytes[at...].firstIndex(of: first) {
            if bytes[found...].starts(with: mark) { return found }
            at = found + 1
        }
        return nil
    }
}

/// A request of a device, as `campusctl profile try` and golden cases give it.
package struct HTTPExchange: Sendable, Hashable {
    package var method: String
    /// Path and query.
    package var target: String
    package var contentType: String
    package var body: [UInt8]
    /// What must be answered; `nil`: not compared.
    package var answer: String?

    package init(method: String, target: String, contentType: String = "", body: [UInt8], answer: String? = nil) {
        self.method = method
        self.target = target
        self.contentType = contentType
        self.body = body
        self.answer = answer
    }
}

extension HTTPWire.Route {
    /// What is answered after `count` messages were taken.
    package func answer(serial: String, count: Int) -> String {
        self.answer.replacing("{serial}", with: serial).replacing("{count}", with: String(count))
    }
}

extension ProfileExplanation {
    /// Explains a request that a device makes, all its messages together.
    package init(profile: DeviceProfile, http exchange: HTTPExchange, zonelessOffsetSeconds: Int64, arrival: Tick) {
        guard case .http(let wire) = profile.wire else {
            self.problem = "profile '\(profile.id)' is not for HTTP"
            return
        }
        guard let match = wire.match(method: exchange.method, target: exchange.target) else {
            self.problem = "\(exchange.method) \(exchange.target) is none of this profile's requests"
            return
        }
        let route = wire.routes[match.route]
        let payloads = route.body.map {
            HTTPWire.payloads(exchange.body, as: $0, contentType: exchange.contentType)
        }
        for payload in payloads ?? [] {
            let found = ProfileExplanation(
                profile: profile,
                topic: match.topic,
                payload: payload,
                parameters: ["serial": match.serial],
                zonelessOffsetSeconds: zonelessOffsetSeconds,
                arrival: arrival
            )
            self.rows += found.rows
            self.events += found.events
            self.time = self.time ?? found.time
            self.problem = self.problem ?? found.problem
        }
        let answer = route.answer(serial: match.serial, count: payloads?.count ?? 0)
        if let expected = exchange.answer, expected != answer {
            self.problem =
                "the answer is \(ByteText.text(Array(answer.utf8))), expected \(ByteText.text(Array(expected.utf8)))"
        }
    }
}
