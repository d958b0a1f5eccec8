import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Debian's InfluxDB 1 for one test.
final class InfluxDB {
    /// Where `deploy/test` unpacks it, or where Debian installs it.
    private static let programs = ["\(Checkout.root)/.build-peers/influxdb/usr/bin/influxd", "/usr/bin/influxd"]

    let port: UInt16
    private let program: String
    private let folder: String
    private var child: Child?

    /// `nil` after saying why the test is skipped.
    init?(_ test: String = #function) throws {
        guard let program = Self.programs.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            print("\(test) is skipped: there is no influxd; deploy/test unpacks Debian's")
            return nil
        }
        self.program = program
        self.port = try Checkout.freePort()
        self.folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("campus-influx-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try """
        reporting-disabled = true
        bind-address = "127.0.0.1:\(try Checkout.freePort())"
        [meta]
          dir = "\(self.folder)/meta"
        [data]
          dir = "\(self.folder)/data"
          wal-dir = "\(self.folder)/wal"
          query-log-enabled = false
        [monitor]
          store-enabled = false
        [logging]
          level = "error"
        [http]
          bind-address = "127.0.0.1:\(self.port)"
          log-enabled = false
        """
        .write(toFile: "\(self.folder)/conf", atomically: true, encoding: .utf8)
    }

    func start() async throws {
        self.child = try Child(self.program, ["run", "-config", "\(self.folder)/conf"])
        try await eventually("InfluxDB listens") { Checkout.accepts(self.port) }
        _ = try await self.query("CREATE DATABASE school", method: .POST)
    }

    /// SIGKILL: what it has acknowledged is in its log.
    func kill() { self.child?.end(SIGKILL) }

    func stop() {
        self.kill()
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    private struct Answer: Decodable {
        struct Result: Decodable {
            struct Series: Decodable {
                var values: [[Cell]]
            }
            var series: [Series]?
            var error: String?
        }
        var results: [Result]
    }

    /// A number or a text.
    enum Cell: Decodable, Equatable {
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

    /// The rows of an answer, times in milliseconds.
    func query(_ text: String, method: HTTPMethod = .GET) async throws -> [[Cell]] {
        let question = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)/query?db=school&epoch=ms&q=\(question)")
        request.method = method
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let body = Data(try await response.body.collect(upTo: 256 << 20).readableBytesView)
        let results = try JSONDecoder().decode(Answer.self, from: body).results
        if let error = results.first?.error { throw TestFailure("\(text): \(error)") }
        return results.first?.series?.first?.values ?? []
    }
}
