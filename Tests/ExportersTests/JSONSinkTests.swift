import CampusModel
import Foundation
import Synchronization
import Testing

@testable import Exporters

/// A broker that remembers, or refuses.
final class FakePublisher: MessagePublishing {
    private let kept = Mutex<[(topic: String, payload: [UInt8])]>([])
    private let refusal = Mutex<SinkError?>(nil)

    func run() async {}
    var problem: String? { self.refusal.withLock { $0?.description } }

    func publish(topic: String, payload: [UInt8]) async throws -> Int {
        if let error = self.refusal.withLock({ $0 }) { throw error }
        return self.kept.withLock { kept in
            kept.append((topic, payload))
            return self.times
        }
    }

    /// How often each message is sent.
    let times: Int

    init(times: Int = 1) { self.times = times }

    func refuses(_ error: SinkError?) { self.refusal.withLock { $0 = error } }
    var messages: [(topic: String, payload: [UInt8])] { self.kept.withLock { $0 } }
}

@Suite struct JSONSinkTests {
    private func run(_ series: Int, device: String, point: String, _ samples: [Sample], replay: Bool = false)
        -> SeriesRun
    {
        SeriesRun(
            series: series,
            identity: SeriesIdentity(site: "s", room: "r1", device: device, point: point, unit: "Cel"),
            samples: samples,
            isReplay: replay
        )
    }

    private func samples(_ ticks: ClosedRange<Int64>) -> [Sample] {
        ticks.map { Sample(tick: Tick(rawValue: $0), value: Double($0)) }
    }

    @Test func aDeviceIsOneMessageWithAllItsSamples() async throws {
        let publisher = FakePublisher()
        let sink = JSONSink(topic: ExportTopic("city/{site}/{device}/samples"), bytesMax: 65_536, publisher: publisher)
        let bad = Sample(tick: Tick(rawValue: 2), value: 0, quality: .bad(.sentinel))
        _ = try await sink.send([
            self.run(0, device: "d1", point: "p\"1", [Sample(tick: Tick(rawValue: 1), value: 0.1), bad]),
            self.run(1, device: "d2", point: "p", self.samples(1...1), replay: true),
            self.run(2, device: "d1", point: "p2", self.samples(3...3)),
        ])
        let messages = publisher.messages.sorted { $0.topic < $1.topic }
        #expect(messages.map(\.topic) == ["city/s/d1/samples", "city/s/d2/samples"])
        #expect(
            String(decoding: messages[0].payload, as: UTF8.self)
                == #"{"site":"s","room":"r1","device":"d1","replay":false,"samples":["#
                + #"{"point":"p\"1","at":"1970-01-01T00:00:00.001Z","value":0.1,"unit":"Cel","quality":"good"},"#
                + #"{"point":"p\"1","at":"1970-01-01T00:00:00.002Z","value":null,"unit":"Cel","quality":"bad:sentinel"},"#
                + #"{"point":"p2","at":"1970-01-01T00:00:00.003Z","value":3.0,"unit":"Cel","quality":"good"}]}"#
        )
        #expect(String(decoding: messages[1].payload, as: UTF8.self).contains(#""replay":true"#))
    }

    @Test func longMessagesAreSplitAndStayInOrder() async throws {
        struct Message: Decodable {
            struct Item: Decodable { var value: Double }
            var samples: [Item]
        }
        let publisher = FakePublisher()
        let sink = JSONSink(topic: ExportTopic("x/{device}"), bytesMax: 1_000, publisher: publisher)
        _ = try await sink.send([self.run(0, device: "d", point: "p", self.samples(1...100))])
        #expect(publisher.messages.count > 5)
        #expect(publisher.messages.allSatisfy { $0.payload.count <= 1_000 })
        let values = try publisher.messages.flatMap {
            try JSONDecoder().decode(Message.self, from: Data($0.payload)).samples.map(\.value)
        }
        #expect(values == (1...100).map(Double.init))
    }

    @Test(arguments: [(1, 0), (2, 104)]) func whatWentOutTwiceIsCountedInSamples(times: Int, repeated: Int) async throws
    {
        let publisher = FakePublisher(times: times)
        let sink = JSONSink(topic: ExportTopic("x/{device}"), bytesMax: 1_000, publisher: publisher)
        let receipt = try await sink.send([
            self.run(0, device: "d", point: "p", self.samples(1...100)),
            self.run(1, device: "e", point: "p", self.samples(1...4)),
        ])
        #expect(receipt.repeatedSamples == repeated)
        #expect(receipt.bytes == publisher.messages.reduce(0) { $0 + $1.payload.count })
    }

    @Test(arguments: [("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#), ("a\nb", #""a\nb""#), ("a\u{1}b", #""a\u0001b""#)])
    func textIsEscaped(_ raw: String, _ expected: String) { #expect(JSONText.quoted(raw) == expected) }

    @Test func aBrokerThatDoesNotAcknowledgeTakesNothing() async throws {
        let publisher = FakePublisher()
        publisher.refuses(SinkError(.retryable, "gone"))
        let sink = JSONSink(topic: ExportTopic("x/{device}"), bytesMax: 1_000, publisher: publisher)
        await #expect(throws: SinkError(.retryable, "gone")) {
            try await sink.send([self.run(0, device: "d", point: "p", self.samples(1...3))])
        }
        #expect(sink.problem == "gone")
    }
}
