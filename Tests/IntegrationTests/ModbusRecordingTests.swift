import Foundation
import Testing

/// The recording through a Modbus server that is not our code.
@Suite(.serialized)
struct ModbusRecordingTests {
    @Test(.needsRecording, .needsPeers)
    func everyValueServedByPymodbusComesBackEqualInOrderAndOnce() async throws {
        let path = try Checkout.recording()
        let python = try Checkout.peers()
        let truth = try RecordingTruth(path)
        let units = 5
        let port = try Checkout.freePort()
        let server = try Child(
            python,
            ["\(Checkout.root)/Tests/Scripts/recording-server.py", path, "\(port)", "\(units)"]
        )
        defer { server.end(SIGKILL) }
        try await eventually("pymodbus listens") { Checkout.accepts(port) }
        // A connection for each unit, as five gateways of one maker would have.
        let buses = (1...units).map { "  - {id: b\($0), tcp: {host: 127.0.0.1, port: \(port)}}" }
        let devices = (1...units)
            .map {
                "  - {id: room-\($0), node: r1, profile: uci-room-node-modbus, bus: b\($0), unit: \($0)}"
            }
        let gateway = try RunningGateway(
            site: """
                site: {id: s, name: {vi: Trường, en: School}}
                nodes:
                  - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
                buses:
                \(buses.joined(separator: "\n"))
                devices:
                \(devices.joined(separator: "\n"))
                """,
            settings: "polling: {fast: 10 ms}"
        )
        try await gateway.start()
        defer { gateway.stop() }
        let slice = (truth.rows.count + units - 1) / units
        for unit in 1...units {
            let rows = (unit - 1) * slice..<min(unit * slice, truth.rows.count)
            try await eventually("unit \(unit) played its rows", seconds: 120) {
                (try? await gateway.latest("room-\(unit)/row")) == Double(rows.upperBound)
            }
            // The tick of each row, from the counter that the server sends with it; the last row is repeated.
            let counter = try await gateway.samples("room-\(unit)/row")
            #expect(counter.prefix(rows.count).map(\.value) == rows.map { Double($0 + 1) })
            #expect(counter.dropFirst(rows.count).allSatisfy { $0.value == Double(rows.upperBound) })
            let last = try #require(counter.dropFirst(rows.count - 1).first?.at)
            let rowAt = Dictionary(uniqueKeysWithValues: zip(counter.prefix(rows.count).map(\.at), rows))
            for (index, column) in truth.columns.enumerated() {
                let samples = try await gateway.samples("room-\(unit)/\(RecordingTruth.point(column))")
                let played = samples.prefix { $0.at <= last }.filter { $0.quality == "good" }
                let expected = rows.filter { truth.rows[$0].values[index] != nil }
                #expect(played.map { rowAt[$0.at] } == expected, "\(column) of unit \(unit): its rows")
                #expect(
                    played.map(\.value) == expected.map { truth.rows[$0].values[index] },
                    "\(column) of unit \(unit): its values"
                )
            }
        }
        #expect(try await gateway.metric("campus_ring_late_total") == 0)
    }
}
