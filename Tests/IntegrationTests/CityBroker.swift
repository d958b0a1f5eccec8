import Foundation

/// A mosquitto that is not the gateway's own, with a subscriber that writes every message down.
final class CityBroker {
    let port: UInt16
    private let folder: String
    private var child: Child?
    private var subscriber: Child?

    init() throws {
        self.port = try Checkout.freePort()
        self.folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("campus-city-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try """
        listener \(self.port) 127.0.0.1
        allow_anonymous true
        persistence true
        persistence_location \(self.folder)/
        max_queued_messages 0
        user root
        """
        .write(toFile: "\(self.folder)/conf", atomically: true, encoding: .utf8)
    }

    func start() async throws {
        self.child = try Child("/usr/sbin/mosquitto", ["-c", "\(self.folder)/conf"])
        try await eventually("the broker listens") { Checkout.accepts(self.port) }
    }

    /// Writes down the payloads of a topic filter, one a line, from now on and across restarts of the broker.
    func subscribe(_ filter: String, form: String = "%p") async throws {
        self.subscriber = try Child(
            "/usr/bin/mosquitto_sub",
            [
                "-p", "\(self.port)", "-i", "listener", "-c", "-q", "1", "-t", filter, "-F", form, "-t", "ready", "-V",
                "mqttv311",
            ],
            output: "\(self.folder)/received"
        )
        try await eventually("the subscriber listens") {
            let publisher = try? Child(
                "/usr/bin/mosquitto_pub",
                ["-p", "\(self.port)", "-q", "1", "-t", "ready", "-m", "ready"]
            )
            _ = await publisher?.wait()
            return self.lines.contains { $0.contains("ready") || $0.hasPrefix("7265") }
        }
    }

    var lines: [String] {
        ((try? String(contentsOfFile: "\(self.folder)/received", encoding: .utf8)) ?? "")
            .split(separator: "\n").map(String.init)
    }

    func publish(_ topic: String, hexadecimal: String) async throws {
        let path = "\(self.folder)/outgoing"
        let bytes = stride(from: 0, to: hexadecimal.count, by: 2)
            .compactMap { UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        _ = try await Child("/usr/bin/mosquitto_pub", ["-p", "\(self.port)", "-q", "1", "-t", topic, "-f", path]).wait()
    }

    /// SIGTERM: sessions and messages are kept for the next start.
    func end() { self.child?.end(SIGTERM) }

    /// SIGSTOP or SIGCONT.
    func signal(_ signal: Int32) { if let child { kill(child.processID, signal) } }

    func stop() {
        self.subscriber?.end(SIGKILL)
        self.child?.end(SIGKILL)
        try? FileManager.default.removeItem(atPath: self.folder)
    }
}
