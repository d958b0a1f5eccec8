internal import StrictYAML

/// Reads the `http` block of a profile.
struct HTTPWireReader {
    let map: YAMLMap

    func read() -> HTTPWire? {
        let serial = self.map.optionalString("serialQuery", limit: 64)
        let values = self.map.required("requests")?.list(limit: 64) ?? []
        if values.isEmpty { self.map.problem("at least one request is needed") }
        let routes = values.compactMap { self.route($0.map(), serial) }
        ProfileParts.checkUnique(routes.map(\.name), what: "request", in: self.map, key: "requests")
        self.map.finish()
        return routes.count == values.count && !routes.isEmpty ? HTTPWire(routes: routes) : nil
    }

    private func route(_ map: YAMLMap, _ serialQuery: String?) -> HTTPWire.Route? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "request", in: map) }
        let method = map.choice("method", of: HTTPWire.Method.self, default: .post)
        let path = self.path(map, serialQuery)
        var query: [String: String] = [:]
        if let inner = map.optionalMap("query") {
            for key in inner.keys { query[key] = inner.required(key)?.scalarText }
        }
        let body = self.body(map)
        let answer = map.optional("answer").flatMap(\.scalarText) ?? ""
        if answer.utf8.count > 2_048 { map.problem(at: "answer", "must have at most 2048 bytes") }
        // The rest is what a message of MQTT has, read by the same hand.
        guard let name, let path,
            let message = WireReader.pushed(map, name: name, topic: Self.topic(path, name), isEmpty: body == nil)
        else {
            map.finish()
            return nil
        }
        map.finish()
        return HTTPWire.Route(
            name: name,
            method: method,
            path: path,
            query: query,
            serialQuery: serialQuery,
            body: body,
            answer: answer,
            message: message
        )
    }

    private func path(_ map: YAMLMap, _ serialQuery: String?) -> [HTTPWire.Level]? {
        guard let text = map.string("path", limit: 256) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let levels = parts.map { part -> HTTPWire.Level in
            switch part {
            case "{serial}": .serial
            case "{secret}": .secret
            default: .literal(String(part))
            }
        }
        let isPlain = parts.allSatisfy { part in
            part == "{serial}" || part == "{secret}"
                || (!part.isEmpty && !part.contains { "{}+#?&%$ ".contains($0) })
        }
        guard text.hasPrefix("/"), isPlain, (1...16).contains(levels.count) else {
            map.problem(at: "path", "'\(text)' is no path: /levels/{serial}/{secret}, 1 to 16 of them")
            return nil
        }
        let named = levels.filter { $0 == .serial }.count + (serialQuery == nil ? 0 : 1)
        guard named == 1, levels.filter({ $0 == .secret }).count <= 1 else {
            map.problem(at: "path", "the device is named once: by {serial} in the path, or by 'serialQuery'")
            return nil
        }
        return levels
    }

    /// `$http/…`: topics that begin so never come from a broker, because no subscription of ours has them.
    private static func topic(_ path: [HTTPWire.Level], _ name: String) -> TopicTemplate? {
        let literals = path.compactMap { if case .literal(let text) = $0 { text } else { nil } }
        return TopicTemplate((["$http"] + literals + ["{serial}", name]).joined(separator: "/"))
    }

    private enum BodyForm: String, CaseIterable {
        case json
        case form
        case lines
        case multipart
        case drop
    }

    private func body(_ map: YAMLMap) -> HTTPWire.Body? {
        let form = map.choice("body", of: BodyForm.self, default: .drop)
        let names = map.list("fields", limit: 32)
            .compactMap { value -> String? in
                if value.scalarText?.isEmpty != false { value.problem("must be a name") }
                return value.scalarText
            }
        let isBlank = map.choice("separator", of: Separator.self, default: .tab) == .blank
        if form != .lines, !names.isEmpty { map.problem(at: "fields", "are for 'body: lines'") }
        switch form {
        case .json: return .json
        case .form: return .form
        case .multipart: return .multipart
        case .drop: return nil
        case .lines:
            if names.isEmpty { map.problem("'fields' is needed: what do the columns of a line mean?") }
            ProfileParts.checkUnique(names, what: "field", in: map, key: "fields")
            return .lines(fields: names, isBlank: isBlank)
        }
    }

    private enum Separator: String, CaseIterable {
        case tab
        case blank
    }
}
