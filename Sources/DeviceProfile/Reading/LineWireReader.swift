internal import StrictYAML

/// Reads the `line` block of a profile.
struct LineWireReader {
    let map: YAMLMap

    func read() -> LineWire? {
        let form = self.map.choice("form", of: LinePattern.Form.self, default: .text)
        let port = self.map.optional("port").flatMap { $0.int(in: 1...65_535) }
        let serial = WireReader.serial(self.map.optionalMap("serial"))
        if port == nil, serial == nil { self.map.problem("needs 'port', 'serial' or both: where is the device asked?") }
        let framing = self.framing(form)
        let requestEnd = self.requestEnd(form, framing)
        let greetings = self.map.list("greeting", limit: 8).compactMap { self.greeting($0.map(), form) }
        let ignored = self.map.list("ignore", limit: 16).compactMap { self.pattern($0, form) }
        let values = self.map.required("requests")?.list(limit: 64) ?? []
        if values.isEmpty { self.map.problem("at least one request is needed") }
        let requests = values.compactMap { self.request($0.map(), form) }
        ProfileParts.checkUnique(requests.map(\.name), what: "request", in: self.map, key: "requests")
        let wire = LineWire(
            form: form,
            port: port.map { UInt16(clamping: $0) },
            serial: serial,
            unit: UInt8(clamping: self.map.int("unit", in: 0...255, default: 1)),
            timeoutMilliseconds: self.map.int("timeoutMilliseconds", in: 50...10_000, default: 1_000),
            pauseMilliseconds: self.map.int("pauseMilliseconds", in: 0...5_000, default: 0),
            connectPauseMilliseconds: self.map.int("connectPauseMilliseconds", in: 0...10_000, default: 0),
            closesAfterPoll: self.map.bool("closeAfterPoll", default: false),
            framing: framing,
            requestEnd: requestEnd,
            greetings: greetings,
            ignored: ignored,
            requests: requests
        )
        self.map.finish()
        return requests.count == values.count && !requests.isEmpty ? wire : nil
    }

    private func framing(_ form: LinePattern.Form) -> LineWire.Framing {
        guard let inner = self.map.optionalMap("frame") else {
            if form == .hex { self.map.problem("'frame' is needed: where does a frame of bytes end?") }
            let end = self.map.optional("terminator").map { self.end($0) } ?? [0x0D, 0x0A]
            return .terminator(end)
        }
        if form == .text { inner.problem("a frame of bytes needs 'form: hex'") }
        let start = inner.string("start", limit: 16).flatMap { HexText.bytes($0) } ?? []
        if !(1...4).contains(start.count) { inner.problem(at: "start", "must be 1 to 4 bytes in hexadecimal") }
        let lengthAt = inner.int("lengthAt", in: 1...15) ?? 1
        let overhead = inner.int("overhead", in: 1...32) ?? 1
        if overhead <= lengthAt { inner.problem(at: "overhead", "the byte that counts the data is no data itself") }
        var checksum: LineWire.Checksum?
        if let map = inner.optionalMap("checksum") {
            let kind = map.choice("kind", of: LineWire.Checksum.Kind.self)
            let from = map.int("from", in: 0...15, default: 0)
            map.finish()
            if let kind { checksum = LineWire.Checksum(kind: kind, from: from) }
        }
        inner.finish()
        return .frame(LineWire.Frame(start: start, lengthAt: lengthAt, overhead: overhead, checksum: checksum))
    }

    private func requestEnd(_ form: LinePattern.Form, _ framing: LineWire.Framing) -> [UInt8] {
        if let value = self.map.optional("requestEnd") {
            if form == .hex { value.problem("a frame of bytes is written whole") }
            return self.end(value)
        }
        if case .terminator(let end) = framing, form == .text { return end }
        return []
    }

    private func end(_ value: YAMLValue) -> [UInt8] {
        guard let text = value.string(limit: 4) else { return [0x0D] }
        return Array(text.utf8)
    }

    private func pattern(_ value: YAMLValue?, _ form: LinePattern.Form) -> LinePattern? {
        guard let value, let text = value.string(limit: 512) else { return nil }
        do throws(LinePatternError) {
            return try LinePattern(text, form: form)
        } catch {
            value.problem(error.description)
            return nil
        }
    }

    private func greeting(_ map: YAMLMap, _ form: LinePattern.Form) -> LineWire.Greeting? {
        let match = self.pattern(map.required("match"), form)
        var response = LineWire.Greeting.Response.none
        if let field = map.optionalString("md5Prefix", limit: 32) {
            if let match, !match.fieldNames.contains(field) {
                map.problem(at: "md5Prefix", "there is no field called '\(field)' in the greeting")
            }
            response = .md5Prefix(field: field)
        }
        if map.bool("refused", default: false) {
            if response != .none { map.problem("either 'md5Prefix' or 'refused'") }
            response = .refused
        }
        map.finish()
        return match.map { LineWire.Greeting(match: $0, response: response) }
    }

    private func request(_ map: YAMLMap, _ form: LinePattern.Form) -> LineWire.Request? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "request", in: map) }
        let send = self.pattern(map.required("send"), form)
        if send?.hasFields == true { map.problem(at: "send", "only {unit} and {checksum} may stand in a request") }
        let values = map.required("replies")?.list(limit: 16) ?? []
        let replies = values.compactMap { self.reply($0.map(), form) }
        if !replies.contains(where: { !$0.isRefusal }) { map.problem(at: "replies", "says no reply that has a value") }
        let poll = map.choice("poll", of: PointDefinition.PollClass.self, default: .normal)
        map.finish()
        guard let name, let send, replies.count == values.count else { return nil }
        return LineWire.Request(name: name, send: send, replies: replies, poll: poll)
    }

    private func reply(_ map: YAMLMap, _ form: LinePattern.Form) -> LineWire.Reply? {
        let match = self.pattern(map.required("match"), form)
        var with: [String: String] = [:]
        if let inner = map.optionalMap("with") {
            for key in inner.keys {
                guard let value = inner.required(key), let text = value.scalarText else { continue }
                if match?.fieldNames.contains(key) == true { value.problem("the pattern tells '\(key)' itself") }
                with[key] = text
            }
        }
        let isRefusal = map.bool("refused", default: false)
        if isRefusal, match?.fieldNames.isEmpty == false || !with.isEmpty {
            map.problem(at: "refused", "a refusal has no values")
        }
        map.finish()
        return match.map { LineWire.Reply(match: $0, with: with, isRefusal: isRefusal) }
    }
}
