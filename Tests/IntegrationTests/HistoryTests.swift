import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// History over HTTP: many points in one answer, sent while it is made.
@Suite(.serialized)
struct HistoryTests {
    private struct History: Decodable {
        struct Series: Decodable {
            var point: String
            var unit: String
            var rows: [[Cell]]
        }
        var columns: [String]
        var stepMilliseconds: Int?
        var series: [Series]
    }

    private enum Cell: Decodable, Equatable {
        case number(Double)
        case text(String)
        case nothing

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .nothing
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private static let start = 1_790_000_000_000.0
    private static let past = "from=2026-09-21T00:00:00Z&to=2026-09-22T00:00:00Z"

    private func withHistory(_ body: (RunningGateway) async throws -> Void) async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        try await ExporterTests.play(0..<600, to: gateway)
        try await body(gateway)
    }

    @Test func manyPointsComeInOneAnswerAsSamplesAndAsStatistics() async throws {
        try await self.withHistory { gateway in
            let samples = try await gateway.json(
                History.self,
                "/api/v1/history?series=room/s1-temperature,room/s2-light&\(Self.past)"
            )
            #expect(samples.columns == ["time", "value", "quality"] && samples.stepMilliseconds == nil)
            #expect(samples.series.map(\.point) == ["room/s1-temperature", "room/s2-light"])
            #expect(samples.series.map(\.unit) == ["Cel", "lx"])
            #expect(samples.series[0].rows.count == 600)
            for (number, row) in samples.series[0].rows.enumerated() {
                let time = Self.start + Double(number) * 1_000
                #expect(row == [.number(time), .number(Double(number)), .text("good")])
            }
            let room = try await gateway.json(History.self, "/api/v1/history?node=r1&\(Self.past)&step=1min")
            #expect(room.columns == ["time", "mean", "minimum", "maximum", "count", "badCount"])
            #expect(room.stepMilliseconds == 60_000)
            #expect(room.series.count == 17, "all points of the room")
            let rows = try #require(room.series.first { $0.point == "room/s1-temperature" }).rows
            #expect(rows.count == 11, "half a minute at both ends")
            #expect(
                rows[1] == [
                    .number(1_790_000_040_000), .number(69.5), .number(40), .number(99), .number(60), .number(0),
                ]
            )
            let device = try await gateway.json(History.self, "/api/v1/history?device=room&\(Self.past)&step=1d")
            #expect(device.series.map(\.point) == room.series.map(\.point))
        }
    }

    @Test func aTableIsWhatImportTakes() async throws {
        try await self.withHistory { gateway in
            let (data, status) = try await gateway.get(
                "/api/v1/history?series=room/s1-temperature&\(Self.past)&format=csv"
            )
            #expect(status == 200)
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
            #expect(lines.count == 601)
            #expect(
                lines.prefix(2) == ["point,at,value,quality", "room/s1-temperature,2026-09-21T14:13:20.000Z,0,good"]
            )
            let (steps, _) = try await gateway.get(
                "/api/v1/history?series=room/s1-temperature&\(Self.past)&format=csv&step=1min"
            )
            let first = String(decoding: steps, as: UTF8.self).split(separator: "\n").prefix(2)
            #expect(
                first == [
                    "point,at,mean,minimum,maximum,count,badCount",
                    "room/s1-temperature,2026-09-21T14:13:00.000Z,19.5,0,39,40,0",
                ]
            )
        }
    }

    @Test func aPackedAnswerIsTheSame() async throws {
        try await self.withHistory { gateway in
            let path = "/api/v1/history?series=room/s1-temperature&\(Self.past)"
            let (plain, _) = try await gateway.get(path)
            var request = HTTPClientRequest(url: gateway.text("address") + path)
            request.headers.add(name: "Authorization", value: "Bearer \(gateway.text("operator.token"))")
            request.headers.add(name: "Accept-Encoding", value: "gzip")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
            #expect(response.headers.first(name: "Content-Encoding") == "gzip")
            #expect(response.headers.first(name: "Vary") == "Accept-Encoding")
            let body = try await response.body.collect(upTo: 1 << 20)
            // The client unpacks what says that it is packed.
            #expect(Data(body.readableBytesView) == plain)
        }
    }

    @Test func aBadQuestionIsToldWhatIsWrongWithIt() async throws {
        let questions = [
            ("", 400, "exactly one of them"), ("series=room/s1-temperature&node=r1", 400, "exactly one of them"),
            ("series=room/nothing", 404, "room/nothing"), ("series=room", 404, "room"),
            ("device=nobody", 404, "nobody"), ("node=nowhere", 404, "nowhere"),
            ("node=r1&format=xml", 400, "json, csv"),
            ("node=r1&step=7", 400, "step"), ("node=r1&step=100ms", 400, "step"),
            ("node=r1&from=yesterday", 400, "RFC 3339"),
            ("node=r1&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400, "from"),
            ("series=" + Array(repeating: "room/x", count: 2_001).joined(separator: ","), 400, "2000"),
        ]
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        for (query, status, says) in questions {
            let (body, code) = try await gateway.get("/api/v1/history?\(query)")
            let text = String(decoding: body, as: UTF8.self)
            #expect(code == status, "\(query.prefix(80)): \(text)")
            #expect(text.contains(says), "\(query.prefix(80)): \(text)")
        }
    }

    @Test func clientsThatDoNotReadHoldAPlaceAndThoseThatGoAwayGiveItBack() async throws {
        try await self.withHistory { gateway in
            // Some 30 MB: more than the buffers between the two take.
            let names = Array(repeating: "room/s1-temperature", count: 2_000).joined(separator: ",")
            var request = HTTPClientRequest(
                url: gateway.text("address") + "/api/v1/history?series=\(names)&\(Self.past)"
            )
            request.headers.add(name: "Authorization", value: "Bearer \(gateway.text("operator.token"))")
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
            let before = try await gateway.metric("campus_history_abandoned_total")
            try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                var held: [HTTPClientResponse] = []
                for _ in 0..<16 { held.append(try await client.execute(request, timeout: .seconds(60))) }
                #expect(held.allSatisfy { $0.status == .ok })
                #expect(try await gateway.metric("campus_history_active") == 16)
                let refused = try await client.execute(request, timeout: .seconds(20))
                #expect(refused.status == .serviceUnavailable)
                #expect(refused.headers.first(name: "Retry-After") != nil)
                #expect(try await gateway.metric("campus_history_refused_total") == 1)
                // One reads on, and gets all of it; the others go away.
                var bytes = 0
                for try await buffer in held.removeLast().body { bytes += buffer.readableBytes }
                #expect(bytes > 20_000_000)
                #expect(try await gateway.metric("campus_history_rows_total") == 1_200_000)
                held.removeAll()
            }
            try await eventually("all places are free") { (try? await gateway.metric("campus_history_active")) == 0 }
            #expect(try await gateway.metric("campus_history_abandoned_total") == before + 15)
            let (_, code) = try await gateway.get("/api/v1/history?node=r1&\(Self.past)&step=1h")
            #expect(code == 200)
        }
    }

    @Test func theChartOfAYearHasWhatWasImported() async throws {
        struct Chart: Decodable {
            var rows: [[Cell]]
        }
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        let now = Date().timeIntervalSince1970
        let format = Date.ISO8601FormatStyle()
        let rows = (1...200)
            .map { day in
                "room/s1-temperature,\(Date(timeIntervalSince1970: now - Double(201 - day) * 86_400).formatted(format)),\(day)"
            }
        let file = "\(gateway.folder)/year.csv"
        try (["point,at,value"] + rows).joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let code = try await Child("\(Checkout.programs)/campusctl", ["import", "--state", gateway.state, file]).wait()
        #expect(code == 0)
        let chart = try await gateway.json(Chart.self, "/api/v1/points/room/s1-temperature/chart?span=year")
        #expect(chart.rows.map { $0[1] } == (1...200).map { .number(Double($0)) })
    }
}
