import SparkplugB
import Testing

/// An edge node with a host that hears it.
private final class EdgeNode {
    var host = SparkplugHost()
    static let node = SparkplugHost.Place(group: "g", node: "n", device: nil)
    static let device = SparkplugHost.Place(group: "g", node: "n", device: "d")

    static func metric(
        _ name: String? = nil,
        alias: UInt64? = nil,
        _ type: SparkplugMetric.DataType?,
        _ value: SparkplugMetric.Value
    ) -> SparkplugMetric {
        var metric = SparkplugMetric(name: name, alias: alias, timestamp: 5, type: type)
        metric.value = value
        return metric
    }

    func take(
        _ kind: SparkplugTopic.Kind,
        _ metrics: [SparkplugMetric] = [],
        sequence: UInt64? = nil,
        device: String? = nil,
        isRetained: Bool = false,
        now: Int64 = 0
    ) -> [SparkplugHost.Action] {
        let payload = SparkplugPayload(timestamp: 7, sequence: sequence, metrics: metrics).bytes
        let topic = SparkplugTopic(group: "g", kind: kind, node: "n", device: device)
        return self.host.take(topic, payload: payload, isRetained: isRetained, now: now)
    }

    /// A node of session `session` with a device that has a temperature, alias 9.
    func born(session: UInt64 = 1) {
        _ = self.take(.nodeBirth, [Self.metric("bdSeq", .int64, .long(session))], sequence: 0)
        var temperature = Self.metric("Room/Temperature", alias: 9, .float, .double(21.5))
        temperature.unit = "°C"
        let actions = self.take(.deviceBirth, [temperature], sequence: 1, device: "d")
        #expect(
            actions.first
                == .born(Self.device, [.init(name: "Room/Temperature", type: .float, unit: "°C")])
        )
        #expect(actions.count == 2)
    }

    static func values(_ actions: [SparkplugHost.Action]) -> [SparkplugHost.Content] {
        actions.flatMap { action -> [SparkplugHost.Content] in
            guard case .values(_, let values) = action else { return [] }
            return values.map(\.content)
        }
    }
}

/// What a host makes of an edge node's messages, in order and out of it.
struct SparkplugHostTests {
    @Test func aliasesOfTheBirthNameTheValuesOfData() {
        let edge = EdgeNode()
        edge.born()
        let actions = edge.take(.deviceData, [EdgeNode.metric(alias: 9, nil, .double(22))], sequence: 2, device: "d")
        #expect(
            actions == [
                .values(
                    EdgeNode.device,
                    [
                        .init(
                            name: "Room/Temperature",
                            milliseconds: 5,
                            isHistorical: false,
                            isBad: false,
                            content: .number(22)
                        )
                    ]
                )
            ]
        )
    }

    @Test func aGapAsksForBirthsOnceAMinuteAndNothingCountsBeforeThem() {
        let edge = EdgeNode()
        edge.born()
        let data = [EdgeNode.metric(alias: 9, nil, .double(22))]
        #expect(edge.take(.deviceData, data, sequence: 4, device: "d") == [.requestRebirth(EdgeNode.node)])
        #expect(edge.take(.deviceData, data, sequence: 5, device: "d", now: 30_000) == [])
        #expect(edge.take(.deviceData, data, sequence: 2, device: "d", now: 59_999) == [])
        #expect(edge.take(.deviceData, data, sequence: 6, device: "d", now: 60_000) == [.requestRebirth(EdgeNode.node)])
        #expect(edge.host.counters.outOfOrder == 4 && edge.host.counters.rebirthRequests == 2)
        edge.born()
        #expect(EdgeNode.values(edge.take(.deviceData, data, sequence: 2, device: "d")) == [.number(22)])
    }

    @Test func sequencesWrapAfter255() {
        let edge = EdgeNode()
        edge.born()
        for sequence in (2...255).map({ UInt64($0) }) + [0, 1] {
            let data = [EdgeNode.metric(alias: 9, nil, .double(1))]
            #expect(edge.take(.deviceData, data, sequence: sequence, device: "d").count == 1)
        }
        #expect(edge.host.counters.outOfOrder == 0)
    }

    @Test func aDeathOfAnOlderSessionSaysNothingAndOneOfThisEndsAll() {
        let edge = EdgeNode()
        edge.born(session: 3)
        #expect(edge.take(.nodeDeath, [EdgeNode.metric("bdSeq", .int64, .long(2))]) == [])
        let ended = edge.take(.nodeDeath, [EdgeNode.metric("bdSeq", .int64, .long(3))])
        #expect(ended == [.died(EdgeNode.node), .died(EdgeNode.device)])
        let data = [EdgeNode.metric(alias: 9, nil, .double(22))]
        #expect(edge.take(.deviceData, data, sequence: 2, device: "d") == [.requestRebirth(EdgeNode.node)])
    }

    @Test func aDeviceThatDiedIsUnknownUntilItsBirth() {
        let edge = EdgeNode()
        edge.born()
        #expect(edge.take(.deviceDeath, sequence: 2, device: "d") == [.died(EdgeNode.device)])
        let data = [EdgeNode.metric(alias: 9, nil, .double(22))]
        #expect(edge.take(.deviceData, data, sequence: 3, device: "d") == [.requestRebirth(EdgeNode.node)])
    }

    @Test func aRebirthInTheSameSessionKillsNobodyAndANewSessionDoes() {
        let edge = EdgeNode()
        edge.born(session: 1)
        let same = edge.take(.nodeBirth, [EdgeNode.metric("bdSeq", .int64, .long(1))], sequence: 0)
        #expect(!same.contains(.died(EdgeNode.device)))
        edge.born(session: 1)
        let new = edge.take(.nodeBirth, [EdgeNode.metric("bdSeq", .int64, .long(2))], sequence: 0)
        #expect(new.first == .died(EdgeNode.device))
    }

    @Test func dataBeforeABirthAsksForItAndRetainedMessagesAreHistory() {
        let edge = EdgeNode()
        #expect(edge.take(.deviceData, sequence: 0, device: "d", isRetained: true) == [])
        #expect(edge.host.counters.messages == 0)
        #expect(edge.take(.nodeData, sequence: 77) == [.requestRebirth(EdgeNode.node)])
    }

    @Test func wholeNumbersHaveTheSignOfTheirType() {
        let edge = EdgeNode()
        let types: [(SparkplugMetric.DataType, SparkplugMetric.Value, SparkplugHost.Content)] = [
            (.int8, .int(0xFF), .whole(-1)), (.int16, .int(0xFFFE), .whole(-2)),
            (.int32, .int(0xFFFF_FFFD), .whole(-3)), (.int64, .long(.max), .whole(-1)),
            (.uint32, .int(0xFFFF_FFFF), .whole(4_294_967_295)),
            (.uint64, .long(.max), .number(18_446_744_073_709_551_616)),
            (.int16, .long(0xFFFF_FFFF), .whole(-1)), (.boolean, .boolean(true), .boolean(true)),
            (.string, .string("on"), .text("on")), (.double, .double(.nan), .none), (.float, .null, .none),
        ]
        let metrics = types.enumerated().map { EdgeNode.metric("m\($0.offset)", $0.element.0, $0.element.1) }
        let actions = edge.take(.nodeBirth, metrics, sequence: 0)
        #expect(EdgeNode.values(actions) == types.map(\.2))
    }

    @Test func nodesDevicesMetricsAndRequestsAreBounded() {
        let edge = EdgeNode()
        for number in 0..<10_000 {
            let topic = SparkplugTopic(group: "g", kind: .nodeData, node: "n\(number)")
            _ = edge.host.take(topic, payload: SparkplugPayload(sequence: 3).bytes, isRetained: false, now: 0)
        }
        #expect(edge.host.size.nodes == SparkplugHost.nodesMax)
        #expect(edge.host.counters.rebirthRequests == UInt64(SparkplugHost.rebirthsMax))
        var other = SparkplugHost()
        let many = (0..<2_000).map { EdgeNode.metric("m\($0)", .int32, .int(1)) }
        let birth = SparkplugPayload(timestamp: 1, sequence: 0, metrics: many).bytes
        let topic = SparkplugTopic(group: "g", kind: .nodeBirth, node: "n")
        _ = other.take(topic, payload: birth, isRetained: false, now: 0)
        #expect(other.size.metrics == SparkplugHost.metricsMax)
        // Born anew it has no more than before.
        _ = other.take(topic, payload: birth, isRetained: false, now: 0)
        #expect(other.size.metrics == SparkplugHost.metricsMax)
    }

    @Test(arguments: [
        "spBv1.0", "spBv1.0/g/NDATA", "spBv1.0/g/NDATA/n/d", "spBv1.0/g/DDATA/n", "spBv1.0/STATE/host",
        "spAv1.0/g/NDATA/n",
        "spBv1.0/g/XDATA/n", "spBv1.0//NDATA/n", "spBv1.0/g/DDATA/n/d/e", "spBv1.0/g/NDATA/+",
    ])
    func otherTopicsAreNone(_ topic: String) {
        #expect(SparkplugTopic(topic) == nil)
    }

    @Test(arguments: [[0xFF], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], Array(repeating: 0x0B, count: 500)] as [[UInt8]])
    func bytesThatAreNoPayloadAreCounted(_ bytes: [UInt8]) {
        let edge = EdgeNode()
        let topic = SparkplugTopic(group: "g", kind: .nodeBirth, node: "n")
        let actions = edge.host.take(topic, payload: bytes, isRetained: false, now: 0)
        #expect(actions.isEmpty)
        #expect(edge.host.counters.broken == 1)
    }

    @Test func aPayloadOfManyEmptyMetricsIsNotEvenRead() {
        let edge = EdgeNode()
        let topic = SparkplugTopic(group: "g", kind: .nodeBirth, node: "n")
        let bytes = (0..<150_000).flatMap { _ in [0x12, 0x00] as [UInt8] }
        let actions = edge.host.take(topic, payload: bytes, isRetained: false, now: 0)
        #expect(actions.isEmpty && edge.host.counters.broken == 1 && edge.host.size.nodes == 0)
    }

    @Test func aRequestForBirthsIsOneMetric() {
        let payload = SparkplugPayload(bytes: SparkplugHost.rebirthCommand(milliseconds: 3))
        #expect(payload?.metrics.map(\.name) == ["Node Control/Rebirth"])
        #expect(payload?.metrics.first?.value == .boolean(true) && payload?.sequence == nil)
    }

    @Test func aUnitSurvivesTheWire() {
        var metric = EdgeNode.metric("x", .double, .double(1))
        metric.unit = "°C"
        metric.quality = .stale
        #expect(SparkplugPayload(bytes: SparkplugPayload(metrics: [metric]).bytes)?.metrics == [metric])
    }
}
