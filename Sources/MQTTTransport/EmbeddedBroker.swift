internal import Foundation
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Debian's mosquitto, started and watched by the gateway, with a configuration made for this run.
///
/// A broker that a killed gateway left behind is taken over when its configuration is the same, so that devices keep
/// their connections; otherwise it is ended. Only a process whose command line names our configuration is ever touched.
package final class EmbeddedBroker: Service, Sendable {
    /// One account with what it may do.
    package struct Account: Sendable, Hashable {
        package var username: String
        package var password: String
        /// Topic filters that it may publish to and subscribe.
        package var topics: [String]

        package init(username: String, password: String, topics: [String]) {
            self.username = username
            self.password = password
            self.topics = topics
        }
    }

    /// How the broker runs.
    package struct Configuration: Sendable {
        /// Folder for its files; made with mode 0700.
        package var directory: String
        package var host: String
        /// 0 takes a free port, which is kept for later starts.
        package var port: UInt16
        package var accounts: [Account]
        /// PEM files of the listener's certificate; without them it speaks plain MQTT.
        package var certificateFile: String?
        package var keyFile: String?
        /// When set, a client must show a certificate that this authority signed.
        package var authorityFile: String?
        package var inFlightMax: Int
        package var packetBytesMax: Int

        package init(directory: String, host: String, port: UInt16, accounts: [Account]) {
            self.directory = directory
            self.host = host
            self.port = port
            self.accounts = accounts
            self.inFlightMax = 100
            self.packetBytesMax = 4 << 20
        }
    }

    /// The program that is started.
    package static let program = "/usr/sbin/mosquitto"

    private let configuration: Configuration
    private let logger: Logger
    private let state = Mutex(State())
    /// The port that the broker listens on.
    package let port: UInt16
    /// The port of plain MQTT on loopback, for the gateway itself; ``port`` unless that one speaks TLS.
    ///
    /// An expired certificate must not part the gateway from its own broker.
    package let localPort: UInt16

    private struct State: Sendable {
        var isStopping = false
        var processID: Int32?
        var starts: UInt64 = 0
        var lastError: String?
    }

    /// Prepares the files; throws ``MQTTError`` when the program or a file is missing.
    package init(configuration: Configuration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        let folder = configuration.directory
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            throw MQTTError(.broker, "\(Self.program) is missing; install it with: apt-get install mosquitto")
        }
        self.port = try Self.choosePort(configuration.port, file: "\(folder)/port")
        self.localPort =
            configuration.certificateFile == nil ? self.port : try Self.choosePort(0, file: "\(folder)/local-port")
        try self.writeFiles()
    }

    /// The process now running, if any; for status and tests.
    package var processID: Int32? { self.state.withLock { $0.processID } }

    /// How often it was started, and what went wrong last.
    package var statistics: (starts: UInt64, lastError: String?) {
        self.state.withLock { ($0.starts, $0.lastError) }
    }

    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            var wait = 200
            while !self.isStopping {
                let start = boottimeNanoseconds()
                await self.runOnce()
                if boottimeNanoseconds() &- start > 30_000_000_000 { wait = 200 }
                if self.isStopping { break }
                try? await Task.sleep(for: .milliseconds(wait))
                wait = min(wait * 2, 5_000)
            }
            try? FileManager.default.removeItem(atPath: self.path("pid"))
        } onCancelOrGracefulShutdown: {
            let processID = self.state.withLock { state in
                state.isStopping = true
                return state.processID
            }
            if let processID { kill(processID, SIGTERM) }
        }
    }

    private var isStopping: Bool { self.state.withLock { $0.isStopping } }

    private func runOnce() async {
        if let orphan = self.orphan() {
            self.logger.info("broker taken over", metadata: ["pid": "\(orphan)"])
            guard self.note(processID: orphan) else { return }
            while kill(orphan, 0) == 0 { await Self.pause(milliseconds: 100) }
        } else {
            let processID: Int32
            do throws(MQTTError) {
                processID = try ChildProcess.start(Self.program, ["-c", self.path("mosquitto.conf")])
            } catch {
                self.state.withLock { $0.lastError = error.description }
                self.logger.error("broker does not start", metadata: ["error": "\(error)"])
                return
            }
            try? "\(processID)".write(toFile: self.path("pid"), atomically: true, encoding: .utf8)
            self.state.withLock { $0.starts &+= 1 }
            guard self.note(processID: processID) else { return }
            self.logger.info("broker started", metadata: ["port": "\(self.port)"])
            _ = await ChildProcess.end(of: processID)
        }
        self.state.withLock { $0.processID = nil }
        guard !self.isStopping else { return }
        let log = self.path("mosquitto.log")
        self.state.withLock { $0.lastError = "mosquitto ended; the last lines of \(log) say why" }
        self.logger.error("broker ended, starting it again", metadata: ["log": "\(log)"])
    }

    /// Keeps the process id; when the gateway is stopping already, ends the process and returns `false`.
    private func note(processID: Int32) -> Bool {
        let isStopping = self.state.withLock { state in
            state.processID = processID
            return state.isStopping
        }
        if isStopping { kill(processID, SIGTERM) }
        return !isStopping
    }

    /// A pause that a cancelled task keeps, too.
    private static func pause(milliseconds: Int) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
        }
    }

    /// A broker of ours that outlived its gateway.
    ///
    /// One with another configuration is ended.
    private func orphan() -> Int32? {
        guard let text = try? String(contentsOfFile: self.path("pid"), encoding: .utf8), let processID = Int32(text),
            let command = FileManager.default.contents(atPath: "/proc/\(processID)/cmdline"),
            let line = String(data: command, encoding: .utf8),
            line.split(separator: "\0").map(String.init) == [Self.program, "-c", self.path("mosquitto.conf")]
        else { return nil }
        let running = try? String(contentsOfFile: self.path("running.conf"), encoding: .utf8)
        if running == self.configurationText { return processID }
        kill(processID, SIGTERM)
        for _ in 0..<200 where kill(processID, 0) == 0 { usleep(10_000) }
        try? self.configurationText.write(toFile: self.path("running.conf"), atomically: true, encoding: .utf8)
        return nil
    }

    private func path(_ name: String) -> String { "\(self.configuration.directory)/\(name)" }

    /// The given port, or the one that was free at the first start.
    private static func choosePort(_ port: UInt16, file: String) throws -> UInt16 {
        if port != 0 { return port }
        if let text = try? String(contentsOfFile: file, encoding: .utf8), let port = UInt16(text), port > 0 {
            return port
        }
        guard let port = FreePort.find() else { throw MQTTError(.broker, "no free port on loopback") }
        try "\(port)".write(toFile: file, atomically: true, encoding: .utf8)
        return port
    }

    private var configurationText: String {
        let configuration = self.configuration
        var lines = [
            "# Made by the gateway at every start; changes here are lost.",
            "allow_anonymous false",
            "password_file \(self.path("passwords"))",
            "acl_file \(self.path("acl"))",
            "max_packet_size \(configuration.packetBytesMax)",
            "max_inflight_messages \(configuration.inFlightMax)",
            // The gateway may be away for a restart; what waits for it is bounded.
            "max_queued_messages 20000",
            "max_queued_bytes 67108864",
            "max_keepalive 1200",
            "persistent_client_expiration 7d",
            "persistence true",
            "persistence_location \(configuration.directory)/",
            "autosave_interval 60",
            "log_dest file \(self.path("mosquitto.log"))",
            "log_type error", "log_type warning", "log_type notice",
            "connection_messages false",
        ]
        lines.append("listener \(self.port) \(configuration.host)")
        if let certificate = configuration.certificateFile, let key = configuration.keyFile {
            lines += ["certfile \(certificate)", "keyfile \(key)", "tls_version tlsv1.2"]
            if let authority = configuration.authorityFile {
                lines += ["cafile \(authority)", "require_certificate true"]
            }
            lines.append("listener \(self.localPort) 127.0.0.1")
        }
        if geteuid() == 0 { lines.append("user root") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func writeFiles() throws {
        let configuration = self.configuration
        try self.write(
            configuration.accounts
                .map { account in
                    (["user \(account.username)"] + account.topics.map { "topic readwrite \($0)" })
                        .joined(separator: "\n")
                }
                .joined(separator: "\n\n") + "\n",
            to: "acl"
        )
        let wanted = configuration.accounts.map { "\($0.username):\($0.password)" }.joined(separator: "\n") + "\n"
        if (try? String(contentsOfFile: self.path("accounts"), encoding: .utf8)) != wanted
            || !FileManager.default.fileExists(atPath: self.path("passwords"))
        {
            try self.write(wanted, to: "passwords")
            guard try ChildProcess.run("/usr/bin/mosquitto_passwd", ["-U", self.path("passwords")]) else {
                throw MQTTError(.broker, "mosquitto_passwd could not hash \(self.path("passwords"))")
            }
            try self.write(wanted, to: "accounts")
        }
        try self.write(self.configurationText, to: "mosquitto.conf")
        if self.orphan() == nil { try self.write(self.configurationText, to: "running.conf") }
        let log = self.path("mosquitto.log")
        if let size = try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int, size > 1 << 20 {
            try? FileManager.default.removeItem(atPath: log + ".1")
            try? FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        }
    }

    private func write(_ text: String, to name: String) throws {
        try text.write(toFile: self.path(name), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.path(name))
    }
}

/// Finds a port that nobody listens on.
package enum FreePort {
    /// A free TCP port on loopback, or `nil`.
    package static func find() -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port: UInt16? = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0 else {
                    return nil
                }
                return UnsafeRawPointer(generic).loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian
            }
        }
        return port
    }
}
