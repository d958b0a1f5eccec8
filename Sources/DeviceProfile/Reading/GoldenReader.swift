package import CampusModel
internal import StrictYAML

/// Reads the golden cases of a profile.
struct GoldenReader {
    let wire: DeviceProfile.Wire
    let template: ProfileTemplate
    let settings: [SettingDefinition]

    func read(_ root: YAMLMap) -> [GoldenCase] {
        let values = root.required("tests")?.list(limit: 512) ?? []
        if values.isEmpty { root.problem("at least one golden case is needed: real bytes in, values out") }
        return values.compactMap { self.testCase($0.map()) }
    }

    private func testCase(_ map: YAMLMap) -> GoldenCase? {
        let name = map.string("name", limit: 300)
        var exchanges: [GoldenCase.Exchange] = []
        var message: (topic: String, payload: [UInt8])?
        var lines: [LineExchange] = []
        var unit: Int?
        var http: HTTPExchange?
        var isRetained = false
        switch self.wire {
        case .modbus:
            let list = map.required("modbus")?.list(limit: 64) ?? []
            exchanges = list.compactMap { self.exchange($0.map()) }
        case .line(let wire):
            lines = (map.required("line")?.list(limit: 64) ?? []).compactMap { self.line($0.map(), wire) }
            unit = map.optional("unit").flatMap { $0.int(in: 0...255) }
        case .http: http = map.required("http").flatMap { self.http($0.map()) }
        case .mqtt:
            if let inner = map.required("mqtt")?.map() {
                let topic = inner.string("topic", limit: 1_000)
                let payload = inner.required("payload")?.scalarText
                if payload == nil { inner.problem("'payload' must be a text") }
                isRetained = inner.bool("retained", default: false)
                inner.finish()
                if let topic, let payload { message = (topic, Array(payload.utf8)) }
            }
        }
        var parameters: [String: String] = [:]
        if let inner = map.optionalMap("parameters") {
            for key in inner.keys { parameters[key] = inner.string(key, limit: 256) }
        }
        let settings = self.choices(map)
        let write = self.write(map)
        let expect = self.expectations(map)
        let expectedTime = self.time("expectTime", map)
        let expectedElements = map.optional("expectElements")
            .map { value in value.list(limit: 256).map { self.expectedElement($0.map()) } }
        let expectedEvents = map.optional("expectEvents")
            .map { value in
                value.list(limit: 64).compactMap { self.expectedEvent($0.map()) }
            }
        if expect.isEmpty, expectedEvents == nil, expectedElements == nil, write == nil, http?.answer == nil {
            map.problem("says nothing about what must come out")
        }
        if write != nil, !expect.isEmpty || expectedEvents != nil {
            map.problem(at: "write", "a case either writes or expects values")
        }
        map.finish()
        guard let name else { return nil }
        return GoldenCase(
            name: name,
            line: map.line,
            exchanges: exchanges,
            lines: lines,
            unit: unit.map { UInt8(clamping: $0) },
            message: message,
            http: http,
            isRetained: isRetained,
            parameters: parameters,
            settings: settings,
            write: write,
            expect: expect,
            expectedTime: expectedTime,
            expectedElements: expectedElements,
            expectedEvents: expectedEvents
        )
    }

    private func choices(_ map: YAMLMap) -> [String: String] {
        guard let inner = map.optionalMap("settings") else { return [:] }
        var choices: [String: String] = [:]
        for key in inner.keys {
            guard let value = inner.required(key) else { continue }
            guard let setting = self.settings.first(where: { $0.name == key }) else {
                value.problem("there is no setting called '\(key)'")
                continue
            }
            guard let text = value.scalarText, setting.options.contains(where: { $0.value == text }) else {
                let known = setting.options.map(\.value).joined(separator: ", ")
                value.problem("must be one of \(known)")
                continue
            }
            choices[key] = text
        }
        return choices
    }

    private func write(_ map: YAMLMap) -> (control: String, value: Double?)? {
        guard let inner = map.optionalMap("write") else { return nil }
        let control = inner.string("control", limit: 64)
        let value = inner.optionalDouble("value")
        inner.finish()
        guard let control else { return nil }
        if !self.template.controls.contains(where: { $0.content.name == control }) {
            inner.problem(at: "control", "there is no control called '\(control)'")
        }
        return (control, value)
    }

    private func http(_ map: YAMLMap) -> HTTPExchange? {
        let method = map.choice("method", of: HTTPWire.Method.self, default: .post)
        let target = map.string("target", limit: 2_048)
        let contentType = map.optionalString("contentType", limit: 256) ?? ""
        let body = map.optional("body").flatMap(\.scalarText) ?? ""
        let answer = map.optional("answer").flatMap(\.scalarText)
        map.finish()
        return target.map {
            HTTPExchange(
                method: method.rawValue,
                target: $0,
                contentType: contentType,
                body: Array(body.utf8),
                answer: answer
            )
        }
    }

    private func line(_ map: YAMLMap, _ wire: LineWire) -> LineExchange? {
        let name = map.string("request", limit: 64)
        if let name, !wire.requests.contains(where: { $0.name == name }) {
            map.problem(at: "request", "there is no request called '\(name)'")
        }
        let send = map.optional("send").flatMap { self.bytes($0, wire.form) }
        let reply = map.required("reply").flatMap { self.bytes($0, wire.form) }
        map.finish()
        guard let name, let reply else { return nil }
        return LineExchange(request: name, send: send, reply: reply)
    }

    private func bytes(_ value: YAMLValue, _ form: LinePattern.Form) -> [UInt8]? {
        guard let text = value.string(limit: 2_048) else { return nil }
        if form == .text { return Array(text.utf8) }
        guard let bytes = HexText.bytes(text) else {
            value.problem("must be bytes in hexadecimal")
            return nil
        }
        return bytes
    }

    private func exchange(_ map: YAMLMap) -> GoldenCase.Exchange? {
        let request = self.frame("request", map)
        let response = self.frame("response", map)
        map.finish()
        guard let request, let response else { return nil }
        if request[0] != response[0] { map.problem("request and response have different unit identifiers") }
        if request[1] != response[1] & 0x7F { map.problem("request and response have different function codes") }
        return GoldenCase.Exchange(request: request, response: response)
    }

    private func frame(_ key: String, _ map: YAMLMap) -> [UInt8]? {
        guard let text = map.required(key)?.scalarText else { return nil }
        guard let bytes = HexText.bytes(text), bytes.count >= 4, bytes.count <= 260 else {
            map.problem(at: key, "must be 4 to 260 bytes in hexadecimal, such as 01 04 00 01 00 01 60 0A")
            return nil
        }
        let crc = ModbusCRC.value(of: bytes.dropLast(2))
        let found = UInt16(bytes[bytes.count - 2]) | UInt16(bytes[bytes.count - 1]) << 8
        guard crc == found else {
            map.problem(
                at: key,
                "the CRC does not fit: the frame should end in "
                    + HexText.text([UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)])
            )
            return nil
        }
        return bytes
    }

    private func expectations(_ map: YAMLMap) -> [String: GoldenCase.Expectation] {
        guard let inner = map.optionalMap("expect") else { return [:] }
        var result: [String: GoldenCase.Expectation] = [:]
        for key in inner.keys {
            guard let value = inner.required(key) else { continue }
            if !self.template.points.contains(where: { $0.content.name == key }) {
                let hint =
                    NearestWord.suggestion(for: key, among: self.template.points.map(\.content.name))
                    .map { "; did you mean '\($0)'?" } ?? ""
                value.problem("there is no point called '\(key)'\(hint)")
            } else if value.isMap {
                let quality = value.map()
                if let text = quality.string("quality"), let found = Quality(text: text) {
                    result[key] = .quality(found)
                } else {
                    quality.problem("must be {quality: \"bad:sentinel\"} or the like")
                }
                quality.finish()
            } else if let number = value.numberIfAny {
                result[key] = .number(number)
            } else if let text = value.scalarText {
                result[key] = .text(text)
            }
        }
        return result
    }

    private func expectedElement(_ map: YAMLMap) -> GoldenCase.ExpectedElement {
        let time = self.time("time", map)
        let expect = self.expectations(map)
        map.finish()
        return GoldenCase.ExpectedElement(time: time, expect: expect)
    }

    private func time(_ key: String, _ map: YAMLMap) -> Tick? {
        guard let value = map.optional(key), let text = value.string(limit: 40) else { return nil }
        guard let tick = UTCText.tick(rfc3339: text) else {
            value.problem("must be an instant such as 2024-01-01T03:31:09Z")
            return nil
        }
        return tick
    }

    private func expectedEvent(_ map: YAMLMap) -> GoldenCase.ExpectedEvent? {
        let name = map.string("name", limit: 64)
        if let name, !self.template.events.contains(where: { $0.content.name == name }) {
            map.problem(at: "name", "there is no event called '\(name)'")
        }
        var fields: [String: String] = [:]
        if let inner = map.optionalMap("fields") {
            for key in inner.keys { fields[key] = inner.required(key)?.scalarText }
        }
        map.finish()
        return name.map { GoldenCase.ExpectedEvent(name: $0, fields: fields) }
    }
}

extension Quality {
    /// Reads the text of a quality: `good`, `bad:sentinel`, `uncertain:stale`.
    package init?(text: String) {
        if text == "good" {
            self = .good
            return
        }
        for reason in Reason.allCases {
            if text == Quality.bad(reason).description {
                self = .bad(reason)
                return
            }
            if text == Quality.uncertain(reason).description {
                self = .uncertain(reason)
                return
            }
        }
        return nil
    }
}
