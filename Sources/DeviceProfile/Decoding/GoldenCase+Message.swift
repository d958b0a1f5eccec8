package import CampusModel

extension GoldenCase {
    /// A golden case of one message, made elsewhere than in a profile: samples of contracts are such.
    package static func message(
        name: String,
        line: Int,
        topic: String,
        payload: [UInt8],
        parameters: [String: String],
        expect: [String: Expectation],
        time: Tick?,
        events: [ExpectedEvent]?
    ) -> GoldenCase {
        GoldenCase(
            name: name,
            line: line,
            exchanges: [],
            message: (topic, payload),
            isRetained: false,
            parameters: parameters,
            settings: [:],
            expect: expect,
            expectedTime: time,
            expectedEvents: events
        )
    }
}

extension GoldenCase.ExpectedEvent {
    /// An event called `name` with these fields among its own.
    package static func event(name: String, fields: [String: String]) -> Self { Self(name: name, fields: fields) }
}
