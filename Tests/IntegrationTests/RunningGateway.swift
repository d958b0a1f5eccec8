import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import Synchronization
import Testing

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Programs and folders of this checkout.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let programs = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    static let profiles = "\(root)/DeviceProfiles"

    fileprivate static let recordings = ProcessInfo.processInfo.environment["CAMPUS_RECORDINGS"]
    fileprivate static let python = ProcessInfo.processInfo.environment["CAMPUS_PEERS"]

    /// The public recording, for a test that `.needsRecording`; a folder that is named and has none is a failure.
    static func recording() throws -> String {
        let path = "\(self.recordings ?? "")/room-occupancy-estimation.csv"
        guard FileManager.default.fileExists(atPath: path) else { throw TestFailure("\(path) is missing") }
        return path
    }

    /// A Python with the peers and validators of the tests, for a test that `.needsPeers`.
    static func peers() throws -> String {
        guard let python else { throw TestFailure("CAMPUS_PEERS names no Python") }
        return python
    }

    /// A TCP port of the loopback that nobody uses now.
    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw TestFailure("no free port") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Whether somebody listens on a port of the loopback.
    static func accepts(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = self.loopback(port: port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips, with the reason, where the public recordings are not at hand.
    static var needsRecording: Self {
        .enabled(
            if: Checkout.recordings != nil,
            "CAMPUS_RECORDINGS names no folder with room-occupancy-estimation.csv; see docs/testing.md"
        )
    }

    /// Skips, with the reason, without the peers from PyPI.
    static var needsPeers: Self {
        .enabled(if: Checkout.python != nil, "CAMPUS_PEERS names no Python with the peers; deploy/test sets it")
    }
}

/// A child process with a clean signal mask.
final class Child {
    let processID: pid_t
    private var isEnded = false

    init(_ program: String, _ arguments: [String], output: String = "/dev/null") throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for pointer in argv { free(pointer) } }
        var id: pid_t = 0
        let result = posix_spawn(&id, program, &actions, &attributes, argv, environ)
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        guard result == 0 else { throw TestFailure("\(program): \(String(cString: strerror(result)))") }
        self.processID = id
    }

    func end(_ signal: Int32) {
        guard !self.isEnded else { return }
        self.isEnded = true
        kill(self.processID, signal)
        var status: Int32 = 0
        waitpid(self.processID, &status, 0)
    }

    /// Waits for the program to end by itself; returns its exit code.
    func wait() async -> Int32 {
        guard !self.isEnded else { return -1 }
        self.isEnded = true
        let id = self.processID
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                waitpid(id, &status, 0)
                continuation.resume(returning: (status >> 8) & 0xFF)
            }
        }
    }

    var isRunning: Bool { !self.isEnded && kill(self.processID, 0) == 0 }

    deinit { self.end(SIGKILL) }
}

/// A real gateway with a state of its own.
final class RunningGateway {
    /// A site with one room and the recording's node in it, as device `room`.
    static let oneRoom = """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        devices:
          - {id: room, node: r1, profile: uci-room-node, parameters: {device: room}}
        """

    let folder: String
    private(set) var child: Child?

    /// - Parameters:
    ///   - web: What `gateway.yaml` says under `web` besides a free port, as a flow mapping's members.
    ///   - broker: The same under `broker`; `port: 0` unless given.
    ///   - settings: Further lines of `gateway.yaml`.
    ///   - profiles: The folder of the profiles.
    init(
        site: String,
        web: String = "",
        broker: String = "port: 0",
        settings: String = "",
        profiles: String = Checkout.profiles
    ) throws {
        self.folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("campus-it-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try """
        state: state
        profiles: [\(profiles)]
        web: {port: 0\(web.isEmpty ? "" : ", " + web)}
        broker: {\(broker)}
        \(settings)
        """
        .write(toFile: "\(self.folder)/gateway.yaml", atomically: true, encoding: .utf8)
        try site.write(toFile: "\(self.folder)/site.yaml", atomically: true, encoding: .utf8)
    }

    var state: String { "\(self.folder)/state" }

    /// Starts it and waits until it can do its work.
    func start() async throws {
        try self.spawn()
        try await eventually("the gateway is ready", seconds: 60) { await self.isReady }
    }

    /// Starts it, whatever comes of it.
    @discardableResult
    func spawn() throws -> Child {
        try? FileManager.default.removeItem(atPath: "\(self.state)/address")
        let child = try Child(
            "\(Checkout.programs)/campus-gateway",
            ["--config", "\(self.folder)/gateway.yaml"],
            output: "\(self.folder)/log"
        )
        self.child = child
        return child
    }

    /// Tells the gateway to read its configuration anew.
    func hangUp() { if let child { kill(child.processID, SIGHUP) } }

    func kill9() { self.child?.end(SIGKILL) }

    func stop() {
        self.child?.end(SIGTERM)
        self.endOrphanedBroker()
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    /// Ends the broker of a gateway that was killed and not started again; it would outlive the tests.
    private func endOrphanedBroker() {
        guard let id = pid_t(self.text("broker/pid")), id > 1,
            let command = try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8),
            command.contains(self.folder)
        else { return }
        kill(id, SIGKILL)
    }

    deinit { self.stop() }

    var isReady: Bool {
        get async {
            guard let (_, status) = try? await self.get("/readyz", authorized: false) else { return false }
            return status == 200
        }
    }

    var brokerPort: String { self.text("broker/port") }

    func text(_ name: String) -> String {
        ((try? String(contentsOfFile: "\(self.state)/\(name)", encoding: .utf8)) ?? "")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Publishes as a device and waits for the broker's receipt.
    func publish(_ topic: String, _ payload: String, isRetained: Bool = false) async throws {
        let code = try await Child(
            "/usr/bin/mosquitto_pub",
            [
                "-h", "127.0.0.1", "-p", self.brokerPort, "-u", "devices", "-P", self.text("devices.password"),
                "-q", "1", "-t", topic,
            ] + (payload.isEmpty ? ["-n"] : ["-m", payload]) + (isRetained ? ["-r"] : [])
        )
        .wait()
        guard code == 0 else { throw TestFailure("mosquitto_pub ended with \(code)") }
    }

    /// The same with bytes that are no text.
    func publish(_ topic: String, bytes: [UInt8]) async throws {
        let file = "\(self.folder)/payload-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let code = try await Child(
            "/usr/bin/mosquitto_pub",
            [
                "-h", "127.0.0.1", "-p", self.brokerPort, "-u", "devices", "-P", self.text("devices.password"),
                "-q", "1", "-t", topic, "-f", file,
            ]
        )
        .wait()
        guard code == 0 else { throw TestFailure("mosquitto_pub ended with \(code)") }
    }

    var log: String { (try? String(contentsOfFile: "\(self.folder)/log", encoding: .utf8)) ?? "" }

    func get(_ path: String, authorized: Bool = true) async throws -> (Data, Int) {
        let address = self.text("address")
        guard !address.isEmpty else { throw TestFailure("no address yet") }
        var request = HTTPClientRequest(url: address + path)
        // The shared client takes packed answers, but none that are many times longer unpacked, as hostile ones are.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if authorized { request.headers.add(name: "Authorization", value: "Bearer \(self.text("operator.token"))") }
        let secured = "\(self.state)/certificate.pem"
        guard FileManager.default.fileExists(atPath: secured) else {
            return try await Self.answer(to: request, from: .shared)
        }
        var configuration = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.additionalTrustRoots = [.file(secured)]
        configuration.tlsConfiguration = tls
        return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            try await Self.answer(to: request, from: client)
        }
    }

    private static func answer(to request: HTTPClientRequest, from client: HTTPClient) async throws -> (Data, Int) {
        let response = try await client.execute(request, timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 64 << 20)
        return (Data(body.readableBytesView), Int(response.status.code))
    }

    func json<Body: Decodable>(_ type: Body.Type, _ path: String) async throws -> Body {
        let (data, status) = try await self.get(path)
        guard status == 200 else { throw TestFailure("\(path): \(status) \(String(decoding: data, as: UTF8.self))") }
        return try JSONDecoder().decode(type, from: data)
    }

    struct Sample: Decodable {
        var at: String
        var value: Double?
        var quality: String
    }

    struct Page<Item: Decodable>: Decodable {
        var items: [Item]
        var next: String?
    }

    /// All samples of a point, page by page as a client would.
    func samples(_ point: String) async throws -> [Sample] {
        var all: [Sample] = []
        var from: String? = "2000-01-01T00:00:00Z"
        while let start = from {
            let page = try await self.json(
                Page<Sample>.self,
                "/api/v1/points/\(point)/samples?from=\(start)&limit=3000"
            )
            all += page.items
            from = page.next
        }
        return all
    }

    /// The newest value of a point, if it has one.
    func latest(_ point: String) async throws -> Double? {
        struct Latest: Decodable {
            var id: String
            var value: Double?
        }
        let device = point.split(separator: "/")[0]
        return try await self.json(Page<Latest>.self, "/api/v1/latest?device=\(device)").items
            .first { $0.id == point }?
            .value
    }

    func metric(_ name: String) async throws -> Double {
        let (data, _) = try await self.get("/metrics")
        var sum = 0.0
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix(name + " ") || line.hasPrefix(name + "{") {
            sum += Double(line.split(separator: " ").last ?? "") ?? 0
        }
        return sum
    }
}

/// Returns when `fact` holds; throws after `seconds`.
func eventually(_ what: String, seconds: Double = 20, _ fact: () async -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while await !fact() {
        guard ContinuousClock.now < deadline else { throw TestFailure("timed out waiting until \(what)") }
        await pause(milliseconds: 20)
    }
}

/// Lets 20 ms and the like pass between two looks at a fact.
func pause(milliseconds: Int) async {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
    }
}
