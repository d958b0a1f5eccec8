internal import AsyncHTTPClient
internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// A device that pushes over HTTP, played by its profile: it asks for what it asks, and sends what happened.
struct PushedDevice: Sendable {
    var id: String
    var profile: DeviceProfile
    var wire: HTTPWire
    var serial: String
    /// What is in its path, where it proves itself so.
    var secret: String?

    /// The requests that tell `fields` and `values` at a moment, each with its body.
    func requests(
        values: [Int: Double],
        fields: [String: String],
        tick: Tick,
        zonelessOffsetSeconds: Int64
    ) -> [(method: String, target: String, contentType: String, body: [UInt8])] {
        let messages = ProfileEncoder(profile: self.profile)
            .messages(
                values: values,
                fields: fields,
                parameters: ["serial": self.serial],
                tick: tick,
                zonelessOffsetSeconds: zonelessOffsetSeconds
            )
        return self.wire.routes.compactMap { route in
            guard let form = route.body else {
                // What has no body to tell is asked now and then, as devices do.
                return route.method == .get ? (route.method.rawValue, self.target(of: route), "", []) : nil
            }
            guard let topic = route.message.topic.filter(parameters: ["serial": self.serial]),
                let message = messages.first(where: { $0.topic == topic })
            else { return nil }
            let (type, body) = Self.body(message.payload, form)
            return (route.method.rawValue, self.target(of: route), type, body)
        }
    }

    private func target(of route: HTTPWire.Route) -> String {
        let path = route.path.map { level in
            switch level {
            case .literal(let text): text
            case .serial: self.serial
            case .secret: self.secret ?? ""
            }
        }
        var query = route.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if let name = route.serialQuery { query.insert("\(name)=\(self.serial)", at: 0) }
        return "/\(path.joined(separator: "/"))" + (query.isEmpty ? "" : "?\(query.joined(separator: "&"))")
    }

    private static func body(_ payload: [UInt8], _ form: HTTPWire.Body) -> (String, [UInt8]) {
        switch form {
        case .json, .multipart: return ("application/json", payload)
        case .form, .lines:
            let members = (try? JSONSerialization.jsonObject(with: Data(payload))) as? [String: Any] ?? [:]
            guard case .lines(let names, let isBlank) = form else {
                let pairs = members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                return ("application/x-www-form-urlencoded", Array(pairs.joined(separator: "&").utf8))
            }
            let columns = names.map { members[$0].map { "\($0)" } ?? "0" }
            return ("text/plain", Array((columns.joined(separator: isBlank ? " " : "\t") + "\n").utf8))
        }
    }

    /// Sends one request; the status of the answer.
    static func send(
        _ request: (method: String, target: String, contentType: String, body: [UInt8]),
        port: UInt16
    ) async throws -> Int {
        var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(request.target)")
        message.method = .init(rawValue: request.method)
        if !request.contentType.isEmpty { message.headers.add(name: "Content-Type", value: request.contentType) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        let response = try await HTTPClient.shared.execute(message, timeout: .seconds(10))
        _ = try await response.body.collect(upTo: 65_536)
        return Int(response.status.code)
    }
}
