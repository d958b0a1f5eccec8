import CampusModel
import SparkplugB
import Testing

@testable import Exporters

@Suite struct SparkplugTests {
    private let now = Tick(rawValue: 1_000)
    private let devices = [
        SparkplugDevice(
            id: "d1",
            isAlive: true,
            points: [
                .init(name: "a", latest: Sample(tick: Tick(rawValue: 900), value: 1.5)), .init(name: "b", latest: nil),
            ]
        ),
        SparkplugDevice(id: "d2", isAlive: false, points: [.init(name: "a", latest: nil)]),
    ]

    private func run(_ device: String, _ point: String, _ ticks: [Int64], replay: Bool = false) -> SeriesRun {
        SeriesRun(
            series: 0,
            identity: SeriesIdentity(site: "s", room: "", device: device, point: point, unit: "1"),
            samples: ticks.map { Sample(tick: Tick(rawValue: $0), value: Double($0)) },
            isReplay: replay
        )
    }

    private func payload(_ message: ExportMessage) throws -> SparkplugPayload {
        try #require(SparkplugPayload(bytes: message.payload))
    }

    @Test func aPayloadHasTheBytesOfTheSpecification() {
        var metric = SparkplugMetric(name: "a", alias: 1, timestamp: 2, type: .double)
        metric.isHistorical = true
        metric.quality = .good
        metric.value = .double(1.5)
        let bytes = SparkplugPayload(timestamp: 1, sequence: 0, metrics: [metric]).bytes
        // Field numbers as in sparkplug_b.proto: name 1, alias 2, timestamp 3, datatype 4, is_historical 5, properties
        // 9, double_value 13; keys 1, values 2; type 1, int_value 3.
        let properties: [UInt8] =
            [0x4A, 0x10, 0x0A, 0x07] + Array("Quality".utf8)
            + [0x12, 0x05, 0x08, 0x03, 0x18, 0xC0, 0x01]
        let inside: [UInt8] =
            [0x0A, 0x01, 0x61, 0x10, 0x01, 0x18, 0x02, 0x20, 0x0A, 0x28, 0x01] + properties
            + [0x69, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]
        #expect(bytes == [0x08, 0x01, 0x12, UInt8(inside.count)] + inside + [0x18, 0x00])
        #expect(SparkplugPayload(bytes: bytes) == SparkplugPayload(timestamp: 1, sequence: 0, metrics: [metric]))
        #expect(SparkplugPayload(bytes: [0x12, 0x7F]) == nil)
    }

    @Test func birthsComeFirstAndNameEveryMetricOnce() throws {
        var session = SparkplugSession(group: "g", node: "n")
        let births = session.births(self.devices, birthSequence: 7, now: self.now)
        #expect(births.map(\.topic) == ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/DBIRTH/n/d1"], "d2 is away")
        let node = try self.payload(births[0])
        #expect(node.sequence == 0)
        #expect(node.metrics.map(\.name) == ["bdSeq", "Node Control/Rebirth"])
        #expect(node.metrics.map(\.value) == [.long(7), .boolean(false)])
        let device = try self.payload(births[1])
        #expect(device.sequence == 1)
        #expect(device.metrics.map(\.name) == ["a", "b"])
        #expect(device.metrics.map(\.value) == [.double(1.5), .null])
        #expect(Set(device.metrics.compactMap(\.alias)).count == 2)
    }

    @Test func dataHasAliasesTimesAndSaysWhatIsHistory() throws {
        var session = SparkplugSession(group: "g", node: "n")
        let births = session.births(self.devices, birthSequence: 0, now: self.now)
        let alias = try self.payload(births[1]).metrics[0].alias
        let runs = [self.run("d1", "a", [1, 2], replay: true), self.run("d1", "b", [3])]
        let messages = session.data(runs, known: self.devices, now: self.now)
        #expect(messages.map(\.topic) == ["spBv1.0/g/DDATA/n/d1"])
        let data = try self.payload(messages[0])
        #expect(data.sequence == 2)
        #expect(data.metrics.map(\.name) == [nil, nil, nil])
        #expect(data.metrics[0].alias == alias)
        #expect(data.metrics.map(\.timestamp) == [1, 2, 3])
        #expect(data.metrics.map(\.isHistorical) == [true, true, false])
    }

    @Test func aBadSampleIsNullWithItsQuality() throws {
        var session = SparkplugSession(group: "g", node: "n")
        var run = self.run("d1", "a", [1, 2])
        run.samples[0].quality = .bad(.communication)
        run.samples[1].quality = .uncertain(.stale)
        let data = try self.payload(session.data([run], known: self.devices, now: self.now)[1])
        #expect(data.metrics.map(\.value) == [.null, .double(2)])
        #expect(data.metrics.map(\.quality) == [.bad, .stale])
    }

    @Test func sequenceNumbersWrapAtTwoHundredFiftyFive() throws {
        var session = SparkplugSession(group: "g", node: "n")
        _ = session.births(self.devices, birthSequence: 0, now: self.now)
        var numbers: [UInt64] = []
        for _ in 0..<300 {
            let message = session.data([self.run("d1", "a", [1])], known: self.devices, now: self.now)[0]
            numbers.append(try self.payload(message).sequence ?? 999)
        }
        #expect(numbers == (2..<302).map { UInt64($0 % 256) })
    }

    @Test func devicesThatGoDieAndThoseThatComeAreBorn() throws {
        var session = SparkplugSession(group: "g", node: "n")
        _ = session.births(self.devices, birthSequence: 0, now: self.now)
        #expect(session.changes(self.devices, now: self.now).isEmpty)
        var changed = self.devices
        changed[0].isAlive = false
        changed[1].isAlive = true
        let messages = session.changes(changed, now: self.now)
        #expect(messages.map(\.topic) == ["spBv1.0/g/DBIRTH/n/d2", "spBv1.0/g/DDEATH/n/d1"])
        #expect(try self.payload(messages[1]).sequence == 3)
        #expect(try self.payload(messages[1]).metrics.isEmpty)
        // What a dead device left behind brings it back for as long as that takes.
        let late = session.data([self.run("d1", "a", [1])], known: changed, now: self.now)
        #expect(late.map(\.topic) == ["spBv1.0/g/DBIRTH/n/d1", "spBv1.0/g/DDATA/n/d1"])
    }

    @Test func aPointThatTheBirthDidNotNameIsBornFirst() throws {
        var session = SparkplugSession(group: "g", node: "n")
        _ = session.births(self.devices, birthSequence: 0, now: self.now)
        let messages = session.data([self.run("d1", "new", [1])], known: self.devices, now: self.now)
        #expect(messages.map(\.topic) == ["spBv1.0/g/DBIRTH/n/d1", "spBv1.0/g/DDATA/n/d1"])
        #expect(try self.payload(messages[0]).metrics.map(\.name) == ["a", "b", "new"])
    }

    @Test func onlyTheRebirthCommandAsksForBirths() {
        var metric = SparkplugMetric(name: "Node Control/Rebirth", type: .boolean)
        metric.value = .boolean(true)
        #expect(SparkplugSession.asksForRebirth(SparkplugPayload(metrics: [metric]).bytes))
        metric.value = .boolean(false)
        #expect(!SparkplugSession.asksForRebirth(SparkplugPayload(metrics: [metric]).bytes))
        metric.value = .boolean(true)
        metric.name = "Node Control/Reboot"
        #expect(!SparkplugSession.asksForRebirth(SparkplugPayload(metrics: [metric]).bytes))
        #expect(!SparkplugSession.asksForRebirth([0xFF, 0xFF]))
    }

    @Test func theDeathHasTheNumberOfItsConnectionAndNoSequence() throws {
        let death = SparkplugSession.death(group: "g", node: "n", birthSequence: 9, now: self.now)
        #expect(death.topic == "spBv1.0/g/NDEATH/n")
        let payload = try self.payload(death)
        #expect(payload.sequence == nil)
        #expect(payload.metrics.map(\.value) == [.long(9)])
    }

    @Test func aFailureIsFollowedByBirths() async throws {
        let publisher = FakeNode()
        let devices = self.devices
        let sink = SparkplugSink(
            group: "g",
            node: "n",
            publisher: publisher,
            devices: { devices },
            timer: ManualTimer()
        )
        await #expect(throws: SinkError.self) { try await sink.send([self.run("d1", "a", [1])]) }
        sink.take(.connected(birthSequence: 3))
        _ = try await sink.send([self.run("d1", "a", [1])])
        _ = try await sink.send([self.run("d1", "a", [2])])
        publisher.fails = true
        await #expect(throws: SinkError.self) { try await sink.send([self.run("d1", "a", [3])]) }
        publisher.fails = false
        _ = try await sink.send([self.run("d1", "a", [3])])
        var metric = SparkplugMetric(name: "Node Control/Rebirth", type: .boolean)
        metric.value = .boolean(true)
        sink.take(.command(SparkplugPayload(metrics: [metric]).bytes))
        await sink.tell()
        #expect(
            publisher.types == [
                "NBIRTH", "DBIRTH", "DDATA", "DDATA", "NBIRTH", "DBIRTH", "DDATA", "NBIRTH", "DBIRTH",
            ]
        )
    }
}
