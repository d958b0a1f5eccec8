import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Debian's VictoriaMetrics for one test.
final class VictoriaMetrics {
    private static let program = "/usr/bin/victoria-metrics"

    let port: UInt16
    private let folder: String
    private var child: Child?

    /// `nil` after saying why the test is skipped.
    init?(_ test: String = #function) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            print("\(test) is skipped: Debian's victoria-metrics is not installed; deploy/test installs it")
            return nil
        }
        self.port = try Checkout.freePort()
        self.folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("campus-vm-\(UUID().uuidString)").path
    }

    func start() async throws {
        self.child = try Child(
            Self.program,
            [
                "-storageDataPath=\(self.folder)", "-httpListenAddr=127.0.0.1:\(self.port)", "-retentionPeriod=100y",
                "-search.latencyOffset=0s",
            ]
        )
        try await eventually("VictoriaMetrics listens") { Checkout.accepts(self.port) }
    }

    func kill() { self.child?.end(SIGKILL) }

    /// SIGTERM: what it has acknowledged is kept.
    func end() { self.child?.end(SIGTERM) }

    /// SIGSTOP or SIGCONT.
    func signal(_ signal: Int32) { if let child { Glibc.kill(child.processID, signal) } }

    func stop() {
        self.kill()
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    struct Series: Decodable {
        var metric: [String: String]
        var values: [Double?]
        var timestamps: [Int64]
    }

    /// Every sample that it has, as it was written.
    func export(_ name: String = "campus_value") async throws -> [Series] {
        let flush = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)/internal/force_flush")
        _ = try await HTTPClient.shared.execute(flush, timeout: .seconds(10)).body.collect(upTo: 1_024)
        let request = HTTPClientRequest(
            url: "http://127.0.0.1:\(self.port)/api/v1/export?match%5B%5D=\(name)&start=0&reduce_mem_usage=1"
        )
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let text = String(buffer: try await response.body.collect(upTo: 256 << 20))
        guard response.status.code == 200 else { throw TestFailure("\(response.status): \(text)") }
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Series.self, from: Data($0.utf8)) }
    }

    /// The times of a point's samples with their values; one for each time.
    func values(device: String, point: String) async throws -> [Int64: Double] {
        var values: [Int64: Double] = [:]
        for series in try await self.export()
        where series.metric["device"] == device && series.metric["point"] == point {
            for (time, value) in zip(series.timestamps, series.values) { values[time] = value }
        }
        return values
    }
}
