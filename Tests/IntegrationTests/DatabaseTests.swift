import Foundation
import Testing

/// What the databases of cities have is what the gateway has, also when they restart in the middle.
@Suite(.serialized)
struct DatabaseTests {
    private static let start: Int64 = 1_790_000_000_000

    /// Values with every digit, and bad ones, so that equal means equal.
    private static func publish(_ numbers: Range<Int>, to gateway: RunningGateway) async throws {
        let start = Date(timeIntervalSince1970: Double(Self.start) / 1_000)
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var lines: [String] = []
        for number in numbers {
            let at = start.addingTimeInterval(Double(number)).formatted(format)
            let light = number % 50 == 7 ? #""dark""# : "\(number)"
            lines.append(#"{"time": "\#(at)", "S1_Temp": \#(Self.temperature(number)), "S2_Light": \#(light)}"#)
        }
        let path = "\(gateway.folder)/messages-\(numbers.lowerBound)"
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let arguments = [
            "-c",
            """
            exec mosquitto_pub -h 127.0.0.1 -p \(gateway.brokerPort) -u devices \
            -P '\(gateway.text("devices.password"))' -q 1 -t campus/room/telemetry -l < '\(path)'
            """,
        ]
        guard try await Child("/bin/sh", arguments).wait() == 0 else { throw TestFailure("mosquitto_pub failed") }
        try await eventually("message \(numbers.upperBound - 1) is stored") {
            (try? await gateway.latest("room/s1-temperature")) == Self.temperature(numbers.upperBound - 1)
        }
    }

    private static func temperature(_ number: Int) -> Double { 20 + Double(number) / 7 }

    @Test func influxDBHasEverySampleOnceAcrossAKill() async throws {
        guard let database = try InfluxDB() else { return }
        defer { database.stop() }
        try await database.start()
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            settings: """
                exporters:
                  - {name: influx, kind: line-protocol, url: "http://127.0.0.1:\(database.port)/write?db=school",
                     interval: 200 ms, timeout: 1 s}
                """
        )
        defer { gateway.stop() }
        try await gateway.start()
        try await Self.publish(0..<700, to: gateway)
        try await eventually("some have arrived") {
            (try? await database.query("SELECT count(value) FROM campus WHERE point='s1-temperature'").isEmpty) == false
        }
        database.kill()
        try await Self.publish(700..<1_400, to: gateway)
        try await database.start()
        try await Self.publish(1_400..<2_000, to: gateway)
        try await eventually("all have arrived", seconds: 40) {
            (try? await database.query("SELECT count(value) FROM campus WHERE point='s1-temperature'"))?.first?.last
                == .number(2_000)
        }
        let temperature = try await database.query(
            "SELECT value FROM campus WHERE point='s1-temperature' ORDER BY time"
        )
        #expect(temperature.count == 2_000, "none lost, none twice")
        for (number, row) in temperature.enumerated() {
            #expect(row == [.number(Double(Self.start + Int64(number) * 1_000)), .number(Self.temperature(number))])
        }
        let light = try await database.query(
            "SELECT value, quality FROM campus WHERE point='s2-light' AND device='room' AND room='r1' ORDER BY time"
        )
        let stored = try await gateway.samples("room/s2-light")
        #expect(light.count == stored.count)
        for (row, sample) in zip(light, stored) {
            #expect(row[1] == sample.value.map(InfluxDB.Cell.number) ?? .nothing)
            #expect(row[2] == .text(sample.quality))
        }
        #expect(stored.contains { $0.quality.hasPrefix("bad") }, "bad samples are among them")
        #expect(try await ExporterTests.exporter(gateway).dropped == 0)
    }

    @Test func victoriaMetricsHasEverySampleOnceAcrossARestart() async throws {
        guard let database = try VictoriaMetrics() else { return }
        defer { database.stop() }
        try await database.start()
        let gateway = try RunningGateway(
            site: RunningGateway.oneRoom,
            settings: """
                exporters:
                  - {name: vm, kind: line-protocol, url: "http://127.0.0.1:\(database.port)/write", quality: code,
                     interval: 200 ms, timeout: 1 s}
                """
        )
        defer { gateway.stop() }
        try await gateway.start()
        try await Self.publish(0..<700, to: gateway)
        database.end()
        try await Self.publish(700..<1_400, to: gateway)
        try await database.start()
        try await Self.publish(1_400..<2_000, to: gateway)
        try await eventually("all have arrived", seconds: 40) {
            (try? await database.values(device: "room", point: "s1-temperature").count) == 2_000
        }
        let received = Self.pairs(try await database.export(), "s1-temperature")
        let isWhole = received.map(\.time) == (0..<2_000).map { Self.start + $0 * 1_000 }
        #expect(isWhole, "none lost, none twice: \(received.count)")
        // Twelve digits or so are all that it keeps of a number.
        let differing = zip(received, 0..<2_000).filter { abs($0.value - Self.temperature($1)) > 1e-9 }
        #expect(differing.isEmpty)
        let qualities = Self.pairs(try await database.export("campus_quality"), "s2-light")
        let stored = try await gateway.samples("room/s2-light")
        let isSame = qualities.map { $0.value >= 128 } == stored.map { $0.quality.hasPrefix("bad") }
        #expect(isSame)
        #expect(try await ExporterTests.exporter(gateway).dropped == 0)
    }

    /// The samples of a point in the order of their times; the database tells them in blocks of any order.
    private static func pairs(_ series: [VictoriaMetrics.Series], _ point: String) -> [(time: Int64, value: Double)] {
        series.filter { $0.metric["point"] == point }
            .flatMap { series in zip(series.timestamps, series.values).map { (time: $0, value: $1 ?? .nan) } }
            .sorted { $0.time < $1.time }
    }
}
