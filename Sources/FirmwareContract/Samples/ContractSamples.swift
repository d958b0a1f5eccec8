package import CampusModel
package import DeviceProfile
package import StrictYAML

/// Payloads that a version of a contract stands for, with what must come out of them: a file of `samples/`.
///
/// Named `major.minor.yaml` and frozen once that version is released: every later minor version must still take its
/// payloads, and profiles must still read the same values from them.
package struct ContractSamples: Sendable {
    /// One payload.
    package struct Sample: Sendable {
        package var name: String
        package var line: Int
        package var topic: String
        package var payload: [UInt8]
        /// The message that the payload must be valid as; `nil` when it must not be valid.
        package var message: String?
        /// The differences that must be told, in English; empty for a payload that is valid.
        package var differences: [String]
        /// The profile that reads the values; `nil` when nobody does.
        package var profile: String?
        package var points: [String: GoldenCase.Expectation]
        package var time: Tick?
        /// `nil`: not compared.
        package var events: [GoldenCase.ExpectedEvent]?

        /// Whether anything must come out of the payload.
        package var saysValues: Bool { !self.points.isEmpty || self.events != nil || self.time != nil }

        /// The sample as a golden case of a profile.
        package func goldenCase(parameters: [String: String]) -> GoldenCase {
            .message(
                name: self.name,
                line: self.line,
                topic: self.topic,
                payload: self.payload,
                parameters: parameters,
                expect: self.points,
                time: self.time,
                events: self.events
            )
        }
    }

    package var file: String
    package var samples: [Sample]

    /// Reads a file of samples; throws all its problems.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> ContractSamples {
        let document = try YAMLDocument(yaml, file: file)
        let profile = document.root.optionalString("profile", limit: 64)
        let values = document.root.required("samples")?.list(limit: 512) ?? []
        if values.isEmpty { document.root.problem("at least one sample is needed") }
        let samples = values.compactMap { Self.sample($0.map(), profile) }
        document.root.finish()
        try document.check()
        return ContractSamples(file: file, samples: samples)
    }

    private static func sample(_ map: YAMLMap, _ profile: String?) -> Sample? {
        let name = map.string("name", limit: 300)
        let topic = map.string("topic", limit: 1_000)
        let payload = map.required("payload")?.scalarText
        if payload == nil { map.problem("'payload' must be a text") }
        let message = map.optionalString("message", limit: 64)
        let differences = map.list("differences", limit: 64).compactMap { $0.string(limit: 1_000) }
        if (message == nil) == differences.isEmpty {
            map.problem("either 'message', which it is, or 'differences', which it has")
        }
        var points: [String: GoldenCase.Expectation] = [:]
        if let inner = map.optionalMap("points") {
            for key in inner.keys { points[key] = self.expectation(key, inner) }
        }
        var time: Tick?
        if let value = map.optional("time"), let text = value.string(limit: 40) {
            time = UTCText.tick(rfc3339: text)
            if time == nil { value.problem("must be an instant such as 2024-01-01T03:31:09Z") }
        }
        let events = map.optional("events").map { $0.list(limit: 64).compactMap { self.event($0.map()) } }
        let own = map.optionalString("profile", limit: 64)
        if message == nil, !points.isEmpty || events != nil || time != nil {
            map.problem("of a payload with differences nothing may come out")
        }
        map.finish()
        guard let name, let topic, let payload else { return nil }
        return Sample(
            name: name,
            line: map.line,
            topic: topic,
            payload: Array(payload.utf8),
            message: message,
            differences: differences,
            profile: own ?? profile,
            points: points,
            time: time,
            events: events
        )
    }

    private static func expectation(_ key: String, _ map: YAMLMap) -> GoldenCase.Expectation? {
        guard let value = map.required(key) else { return nil }
        if value.isMap {
            let inner = value.map()
            let quality = inner.string("quality", limit: 40).flatMap { Quality(text: $0) }
            if quality == nil { inner.problem("must be {quality: \"bad:sentinel\"} or the like") }
            inner.finish()
            return quality.map { .quality($0) }
        }
        if let number = value.numberIfAny { return .number(number) }
        return value.scalarText.map { .text($0) }
    }

    private static func event(_ map: YAMLMap) -> GoldenCase.ExpectedEvent? {
        let name = map.string("name", limit: 64)
        var fields: [String: String] = [:]
        if let inner = map.optionalMap("fields") {
            for key in inner.keys { fields[key] = inner.required(key)?.scalarText }
        }
        map.finish()
        return name.map { .event(name: $0, fields: fields) }
    }
}
