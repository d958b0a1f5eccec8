internal import CampusModel

/// One way in which a golden case did not come out as the profile says.
package struct GoldenFailure: Sendable, Hashable, CustomStringConvertible {
    package var testCase: String
    package var line: Int
    package var message: String

    package var description: String { "line \(self.line): \(self.testCase): \(self.message)" }
}

/// Decodes the golden cases of a profile and compares.
package enum GoldenRunner {
    /// Every difference; empty when all cases pass.
    package static func run(_ profile: DeviceProfile) -> [GoldenFailure] {
        profile.tests.flatMap { self.run($0, profile) }
    }

    private static func run(_ test: GoldenCase, _ given: DeviceProfile) -> [GoldenFailure] {
        var messages: [String] = []
        let profile: DeviceProfile
        do throws(ProfileSettingError) {
            profile = try given.configured(settings: test.settings)
        } catch {
            return [GoldenFailure(testCase: test.name, line: test.line, message: error.description)]
        }
        if let write = test.write {
            return ControlRunner.differences(write, of: test, profile)
                .map { GoldenFailure(testCase: test.name, line: test.line, message: $0) }
        }
        let explanation: ProfileExplanation
        if let (topic, payload) = test.message {
            explanation = ProfileExplanation(
                profile: profile,
                topic: topic,
                payload: payload,
                parameters: test.parameters,
                zonelessOffsetSeconds: 25_200,
                arrival: Tick(milliseconds: 4_000_000_000_000),
                isRetained: test.isRetained
            )
            if let problem = explanation.problem { messages.append(problem) }
        } else if let http = test.http {
            explanation = ProfileExplanation(
                profile: profile,
                http: http,
                zonelessOffsetSeconds: 25_200,
                arrival: Tick(milliseconds: 4_000_000_000_000)
            )
            if let problem = explanation.problem { messages.append(problem) }
        } else if case .line = profile.wire {
            explanation = ProfileExplanation(
                profile: profile,
                lines: test.lines,
                unit: test.unit,
                arrival: Tick(milliseconds: 4_000_000_000_000)
            )
            if let problem = explanation.problem { messages.append(problem) }
        } else {
            var image = RegisterImage()
            for exchange in test.exchanges {
                if let problem = image.take(request: exchange.request, response: exchange.response) {
                    messages.append(problem)
                }
            }
            explanation = ProfileExplanation(profile: profile, image: image)
        }
        // What the message beside a list does not tell, the list's last element does, which is the newest.
        let last = explanation.elements.last
        messages += self.differences(explanation.rows + (last?.rows ?? []), test.expect)
        let time = explanation.time ?? last?.time
        if let expected = test.expectedTime, time != expected {
            let found = time.map(UTCText.rfc3339) ?? "none"
            messages.append("the time is \(found), expected \(UTCText.rfc3339(expected))")
        }
        if let expected = test.expectedElements { messages += self.differences(explanation.elements, expected) }
        if let expected = test.expectedEvents { messages += self.differences(explanation.events, expected) }
        return messages.map { GoldenFailure(testCase: test.name, line: test.line, message: $0) }
    }

    private static func differences(
        _ rows: [ProfileExplanation.Row],
        _ expect: [String: GoldenCase.Expectation]
    ) -> [String] {
        let rows = Dictionary(rows.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return expect.sorted { $0.key < $1.key }
            .compactMap { name, expectation in
                guard let row = rows[name] else { return "'\(name)' is not in the bytes" }
                return self.difference(row, expectation).map { "'\(name)' \($0)" }
            }
    }

    private static func differences(
        _ elements: [(time: Tick?, rows: [ProfileExplanation.Row])],
        _ expected: [GoldenCase.ExpectedElement]
    ) -> [String] {
        guard elements.count == expected.count else {
            return ["the list has \(elements.count) elements, expected \(expected.count)"]
        }
        return zip(elements, expected).enumerated()
            .flatMap { index, pair in
                var found = self.differences(pair.0.rows, pair.1.expect)
                if let time = pair.1.time, pair.0.time != time {
                    let text = pair.0.time.map(UTCText.rfc3339) ?? "none"
                    found.append("the time is \(text), expected \(UTCText.rfc3339(time))")
                }
                return found.map { "element \(index + 1): \($0)" }
            }
    }

    private static func difference(_ row: ProfileExplanation.Row, _ expectation: GoldenCase.Expectation) -> String? {
        switch expectation {
        case .quality(let quality):
            return row.quality == quality ? nil : "is \(row.quality), expected \(quality)"
        case .text(let text):
            return row.text == text ? nil : "is '\(row.text ?? NumberText.text(row.value))', expected '\(text)'"
        case .number(let number):
            guard row.quality.level != .bad else { return "is \(row.quality), expected \(NumberText.text(number))" }
            if let text = row.text { return text == NumberText.text(number) ? nil : "is the text '\(text)'" }
            let isEqual = abs(row.value - number) <= 1e-9 * max(1, abs(number))
            return isEqual ? nil : "is \(NumberText.text(row.value)), expected \(NumberText.text(number))"
        }
    }

    private static func differences(_ events: [Event], _ expected: [GoldenCase.ExpectedEvent]) -> [String] {
        guard events.map(\.name) == expected.map(\.name) else {
            return ["the events are \(events.map(\.name)), expected \(expected.map(\.name))"]
        }
        var messages: [String] = []
        for (event, expectation) in zip(events, expected) {
            for (name, text) in expectation.fields.sorted(by: { $0.key < $1.key }) {
                let found = event.fields.first { $0.name == name }?.text
                if found != text {
                    messages.append("event '\(event.name)', field '\(name)' is \(found ?? "absent"), expected \(text)")
                }
            }
        }
        return messages
    }
}
