internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import LineTransport
package import Logging
internal import MQTTTransport
internal import ModbusTransport
internal import ServiceLifecycle
internal import SiteConfiguration
internal import StrictYAML
internal import Synchronization

/// Plays every device of a site: publishers over MQTT, Modbus units on the site's own addresses.
package final class SimulatedSchool: Service, Sendable {
    /// Where and how to play.
    package struct Options: Sendable {
        package var sitePath: String
        package var profileFolders: [String]
        package var brokerHost = "127.0.0.1"
        package var brokerPort: UInt16
        package var username: String?
        package var passwordFile: String?
        /// Publishers send this often, milliseconds.
        package var publishMilliseconds: Int64 = 10_000
        package var seed: UInt64 = 1
        /// Serial lines to play on, by bus: the other end of the line that the gateway opens.
        package var serialLines: [String: String] = [:]
        /// Where the gateway listens for devices that push; `nil`: they are not played.
        package var pushPort: UInt16?
        /// Commands are read from this file, line by line as they are appended.
        package var controlFile: String?
        /// Whether devices that nobody configured announce themselves, too.
        package var announces = false

        package init(sitePath: String, profileFolders: [String], brokerPort: UInt16) {
            self.sitePath = sitePath
            self.profileFolders = profileFolders
            self.brokerPort = brokerPort
        }
    }

    private struct Publisher: Sendable {
        var id: String
        var profile: DeviceProfile
        var parameters: [String: String]
    }

    /// A message that a late device has not sent yet.
    private struct Delayed: Sendable {
        var due: Tick
        var message: ProfileEncoder.Message
    }

    /// Messages that late devices may hold back; more are not sent at all.
    private static let delayedMax = 10_000

    private let options: Options
    private let site: SiteDefinition
    private let model: SignalModel
    private let clock = SystemTickClock()
    private let publishers: [Publisher]
    private let pushers: [PushedDevice]
    private let servers: [String: RegisterServer]
    private let lineServers: [String: LineServer]
    private let linePorts: [String: UInt16]
    private let lineOfDevice: [String: String]
    private let connection: MQTTConnection
    private let commands: PlayedCommands
    private let edgeNode: PlayedEdgeNode?
    private let faults = Mutex<[String: RegisterFault]>([:])
    private let delayed = Mutex<[Delayed]>([])
    private let units: [String: (bus: String, unit: UInt8)]
    private let logger: Logger
    private let sent = Atomic<UInt64>(0)

    /// Reads the site and its profiles.
    package init(options: Options, logger: Logger) throws {
        self.options = options
        self.logger = logger
        let text = try Self.text(of: options.sitePath)
        let site: SiteDefinition
        do throws(YAMLProblems) {
            site = try SiteDefinition.read(yaml: text, file: options.sitePath)
        } catch {
            throw SimulatorError(error.description)
        }
        self.site = site
        let library = ProfileLibrary(folders: options.profileFolders)
        let model = SignalModel(seed: options.seed, timetable: site.timetable, utcOffsetSeconds: site.utcOffsetSeconds)
        self.model = model
        var publishers: [Publisher] = []
        var pushers: [PushedDevice] = []
        var banks: [String: [UInt8: PlayedBank.Unit]] = [:]
        var units: [String: (bus: String, unit: UInt8)] = [:]
        var lines: [String: [PlayedLines.Unit]] = [:]
        var linePorts: [String: UInt16] = [:]
        for device in site.devices where device.isEnabled {
            guard let read = library[device.profile]?.profile else {
                throw SimulatorError("device \(device.id): there is no profile called '\(device.profile)'")
            }
            let profile: DeviceProfile
            do throws(ProfileSettingError) {
                profile = try read.configured(settings: device.settings, addressOffset: device.addressOffset)
            } catch {
                throw SimulatorError("device \(device.id): \(error.description)")
            }
            switch (device.address, profile.wire) {
            case (.mqtt(let parameters), .mqtt):
                publishers.append(Publisher(id: device.id.rawValue, profile: profile, parameters: parameters))
            case (.mqtt(let parameters), .http(let wire)):
                pushers.append(
                    PushedDevice(
                        id: device.id.rawValue,
                        profile: profile,
                        wire: wire,
                        serial: parameters["serial"] ?? "",
                        secret: try device.secretFile.map { try Self.secret($0, beside: options.sitePath) }
                    )
                )
            case (.bus(let bus, let unit), .line(let wire)):
                lines[bus, default: []]
                    .append(PlayedLines.Unit(device: device.id.rawValue, unit: unit ?? wire.unit, profile: profile))
                linePorts[bus] = wire.port
            case (.bus(let bus, let unit), .modbus(let wire)):
                let played = PlayedBank.Unit(device: device.id.rawValue, profile: profile)
                banks[bus, default: [:]][unit ?? wire.unit] = played
                units[device.id.rawValue] = (bus, unit ?? wire.unit)
            default: throw SimulatorError("device \(device.id): its address does not fit its profile")
            }
        }
        self.publishers = publishers
        self.pushers = pushers
        self.units = units
        let clock = self.clock
        self.linePorts = linePorts
        self.lineOfDevice = Dictionary(
            lines.flatMap { bus, units in units.map { ($0.device, bus) } },
            uniquingKeysWith: { first, _ in first }
        )
        self.lineServers = lines.mapValues { LineServer(bank: PlayedLines(units: $0, model: model, clock: clock)) }
        self.servers = banks.mapValues { RegisterServer(bank: PlayedBank(units: $0, model: model, clock: clock)) }
        var mqtt = MQTTConfiguration(
            host: options.brokerHost,
            port: options.brokerPort,
            clientID: "simulator-\(UInt32.random(in: 0...UInt32.max))"
        )
        mqtt.sessionExpirySeconds = 0
        mqtt.username = options.username
        mqtt.password = try options.passwordFile.map {
            try Self.text(of: $0).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        mqtt.publishQueueMax = 100_000
        self.commands = PlayedCommands(publishers.map { ($0.id, $0.profile, $0.parameters) })
        mqtt.subscriptions = self.commands.topics
        let edgeNode = options.announces ? PlayedEdgeNode(model: model) : nil
        if let edgeNode {
            mqtt.subscriptions.append(PlayedEdgeNode.commands)
            mqtt.lastWillOfConnection = { edgeNode.nextWill() }
        }
        self.edgeNode = edgeNode
        let receiver = PlayedReceiver(commands: self.commands, edgeNode: edgeNode)
        self.connection = MQTTConnection(configuration: mqtt, receiver: receiver, logger: logger)
    }

    /// The secret of a device that pushes; its path counts from the folder of `site.yaml`.
    private static func secret(_ path: String, beside site: String) throws -> String {
        let folder = URL(fileURLWithPath: site).deletingLastPathComponent()
        let file = path.hasPrefix("/") ? path : folder.appendingPathComponent(path).path
        return try self.text(of: file).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func text(of path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SimulatorError("\(path): the file cannot be read")
        }
        return text
    }

    package func run() async throws {
        try self.startServers()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await self.connection.run() }
            group.addTask { await self.publish() }
            group.addTask { await self.push() }
            group.addTask { await self.followCommands() }
            await group.waitForAll()
        }
        for server in self.servers.values { server.stop() }
        for server in self.lineServers.values { server.stop() }
    }

    private func startServers() throws {
        for bus in self.site.buses {
            if case .line(let place) = bus.medium {
                try self.startLine(bus.id, place)
                continue
            }
            guard let server = self.servers[bus.id] else { continue }
            switch bus.medium {
            case .line: break
            case .tcp(let host, let port):
                _ = try server.listen(host: host == "localhost" ? "127.0.0.1" : host, port: port)
            case .rtu:
                guard let line = self.options.serialLines[bus.id] else {
                    throw SimulatorError(
                        "bus \(bus.id) is a serial line: name its other end with --serial \(bus.id)=PATH"
                    )
                }
                try server.serveRTU(device: line)
            }
        }
        self.logger.info(
            "playing",
            metadata: ["publishers": "\(self.publishers.count)", "buses": "\(self.servers.count)"]
        )
    }

    private func startLine(_ bus: String, _ place: SiteDefinition.Bus.LinePlace) throws {
        guard let server = self.lineServers[bus] else { return }
        switch place.port {
        case .tcp(let host, let port):
            guard let port = port ?? self.linePorts[bus] else { throw SimulatorError("bus \(bus): it needs a 'port'") }
            _ = try server.listen(host: host == "localhost" ? "127.0.0.1" : host, port: port)
        case .serial:
            guard let line = self.options.serialLines[bus] else {
                throw SimulatorError("bus \(bus) is a serial line: name its other end with --serial \(bus)=PATH")
            }
            try server.serve(device: line)
        }
    }

    private func publish() async {
        await cancelWhenGracefulShutdown {
            let period = max(self.options.publishMilliseconds, 100)
            // Each publisher has its own place in the period.
            let slots = 20
            var slot = 0
            let announced = self.options.announces ? AnnouncedDevices(model: self.model) : nil
            // What a device announces it tells again now and then, as after a restart.
            var rounds = 0
            while !Task.isCancelled {
                let tick = self.clock.now()
                self.sendDelayed(until: tick)
                let told = self.commands.takeDue()
                for (index, publisher) in self.publishers.enumerated()
                where index % slots == slot || told.contains(publisher.id) {
                    self.publish(publisher, at: tick)
                }
                if slot == 0, let announced {
                    if rounds % 60 == 0 { for message in announced.announcements { self.send(message) } }
                    for (topic, payload) in self.edgeNode?.messages(at: tick) ?? [] {
                        self.send(topic: topic, payload: payload, isRetained: false)
                    }
                    for message in announced.values(at: tick, isWhole: rounds % 6 == 0) { self.send(message) }
                    rounds += 1
                }
                slot = (slot + 1) % slots
                try? await Task.sleep(for: .milliseconds(period / Int64(slots)))
            }
        }
    }

    /// Devices that push, one after the other, once a period.
    private func push() async {
        guard let port = self.options.pushPort, !self.pushers.isEmpty else { return }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for device in self.pushers where self.faults.withLock({ $0[device.id] ?? .none }) != .silence {
                    await self.push(device, port)
                }
                try? await Task.sleep(for: .milliseconds(max(self.options.publishMilliseconds, 100)))
            }
        }
    }

    private func push(_ device: PushedDevice, _ port: UInt16) async {
        let tick = self.clock.now()
        var fields: [String: String] = [:]
        for event in device.profile.events {
            guard case .payload(_, _, let definitions) = event.capture else { continue }
            for field in definitions where field.privacy != .drop {
                fields[field.name] = Self.field(field.name, device.id, tick)
            }
        }
        fields["sequence"] = String(tick.rawValue / 1_000)
        let requests = device.requests(
            values: [:],
            fields: fields,
            tick: tick,
            zonelessOffsetSeconds: self.site.utcOffsetSeconds
        )
        for request in requests {
            do {
                if try await PushedDevice.send(request, port: port) == 200 { self.sent.add(1, ordering: .relaxed) }
            } catch {
                self.logger.debug("not pushed", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func publish(_ publisher: Publisher, at tick: Tick) {
        let fault = self.faults.withLock { $0[publisher.id] } ?? .none
        if fault == .silence { return }
        let set = self.commands.values(of: publisher.id)
        var values: [Int: Double] = [:]
        for (index, point) in publisher.profile.points.enumerated() where point.kind != .text {
            values[index] =
                set[index] ?? publisher.profile.playedHelper(index, at: tick)
                ?? self.model.value(of: point, device: publisher.id, at: tick)
        }
        var fields: [String: String] = [:]
        if !publisher.profile.events.isEmpty {
            guard self.model.occupancy(at: tick) > 0 || tick.rawValue / 1_000 % 3 == 0 else { return }
            for event in publisher.profile.events {
                guard case .payload(_, _, let definitions) = event.capture else { continue }
                for field in definitions where field.privacy != .drop {
                    fields[field.name] = Self.field(field.name, publisher.id, tick)
                }
            }
        }
        let messages = ProfileEncoder(profile: publisher.profile)
            .messages(
                values: values,
                fields: fields,
                parameters: publisher.parameters,
                tick: tick,
                zonelessOffsetSeconds: self.site.utcOffsetSeconds
            )
        for var message in messages {
            if fault == .garbage { message.payload = Array("{\"broken\": ".utf8) }
            if case .late(let milliseconds) = fault {
                let held = Delayed(due: tick.advanced(byMilliseconds: Int64(milliseconds)), message: message)
                self.delayed.withLock { if $0.count < Self.delayedMax { $0.append(held) } }
            } else {
                self.send(message)
            }
        }
    }

    private func sendDelayed(until tick: Tick) {
        let due = self.delayed.withLock { delayed in
            let due = delayed.filter { $0.due <= tick }
            delayed.removeAll { $0.due <= tick }
            return due
        }
        for held in due { self.send(held.message) }
    }

    /// A message that finds no room in the queue is not sent, as a device without a connection would not.
    private func send(_ message: ProfileEncoder.Message) {
        self.send(topic: message.topic, payload: message.payload, isRetained: false)
    }

    private func send(_ message: AnnouncedDevices.Message) {
        self.send(topic: message.topic, payload: message.payload, isRetained: message.isRetained)
    }

    private func send(topic: String, payload: [UInt8], isRetained: Bool) {
        do throws(MQTTError) {
            try self.connection.publish(topic: topic, payload: payload, isRetained: isRetained)
            self.sent.add(1, ordering: .relaxed)
        } catch {
            self.logger.debug("not sent", metadata: ["reason": "\(error)"])
        }
    }

    /// What a power cut in a switch cabinet looks like.
    ///
    /// All connections are gone, the broker tells every device's last will, and all come back at once.
    private func storm() {
        for server in self.servers.values { server.dropConnections() }
        for server in self.lineServers.values { server.dropConnections() }
        self.connection.interrupt()
        for publisher in self.publishers {
            guard case .mqtt(let wire) = publisher.profile.wire, let availability = wire.availability,
                let topic = availability.topic.filter(parameters: publisher.parameters)
            else { continue }
            for word in [availability.offline, availability.online] {
                let payload = ProfileEncoder.lastWill(word, of: availability)
                self.send(ProfileEncoder.Message(topic: topic, payload: payload))
            }
        }
    }

    private static func field(_ name: String, _ device: String, _ tick: Tick) -> String {
        switch name {
        case "uid", "card":
            let number = UInt32(truncatingIfNeeded: tick.rawValue / 10_000 &* 2_654_435_761)
            return "04" + String(number, radix: 16, uppercase: true)
        case "pin", "employee": return String(tick.rawValue / 10_000 % 700 + 1)
        case "type": return "AccessControllerEvent"
        case "user": return "Học sinh \(tick.rawValue / 10_000 % 700)"
        case "tag": return "asset-\(device)"
        case "known": return "true"
        default: return "1"
        }
    }

    /// Takes one command.
    ///
    /// Returns what to answer.
    ///
    /// `fault DEVICE none|silence|garbage|late MS|drip MS|exception N|wrong-unit|wrong-length|close`, of which
    /// publishers know the first four, and `storm`, which drops all connections at once.
    package func take(command: String) -> String {
        let words = command.split(separator: " ").map(String.init)
        guard let verb = words.first else { return "" }
        switch verb {
        case "storm":
            self.storm()
            return "all connections dropped"
        case "fault":
            guard words.count >= 3, let fault = Self.fault(Array(words[2...])) else {
                return
                    "usage: fault DEVICE none|silence|garbage|late MS|drip MS|exception N|wrong-unit|wrong-length|close"
            }
            if let bus = self.lineOfDevice[words[1]] {
                guard let fault = Self.lineFault(fault) else { return "'\(words[2])' is a fault of Modbus devices" }
                self.lineServers[bus]?.set(fault)
            } else if let place = self.units[words[1]] {
                self.servers[place.bus]?.set(fault, unit: place.unit)
            } else if (self.publishers.map(\.id) + self.pushers.map(\.id)).contains(words[1]) {
                guard ["none", "silence", "garbage", "late"].contains(words[2]) else {
                    return "'\(words[2])' is a fault of Modbus devices; \(words[1]) publishes"
                }
                self.faults.withLock { $0[words[1]] = fault }
            } else {
                return "there is no device called '\(words[1])'"
            }
            return "\(words[1]): \(words[2...].joined(separator: " "))"
        default: return "commands: fault DEVICE …, storm"
        }
    }

    private static func fault(_ words: [String]) -> RegisterFault? {
        let number = words.count > 1 ? Int(words[1]) : nil
        switch words[0] {
        case "none": return RegisterFault.none
        case "silence": return .silence
        case "garbage": return .garbage
        case "late": return number.map { .late(milliseconds: min(max($0, 0), 60_000)) }
        case "drip": return number.map { .drip(milliseconds: min(max($0, 0), 10_000)) }
        case "exception": return number.flatMap { UInt8(exactly: $0) }.map { .exception($0) }
        case "wrong-unit": return .wrongUnit
        case "wrong-length": return .wrongLength
        case "close": return .close
        default: return nil
        }
    }

    /// The same fault of a line device.
    private static func lineFault(_ fault: RegisterFault) -> LineFault? {
        switch fault {
        case .none: LineFault.none
        case .silence: .silence
        case .garbage: .garbage
        case .late(let milliseconds): .late(milliseconds: milliseconds)
        case .drip(let milliseconds): .drip(milliseconds: milliseconds)
        case .close: .close
        default: nil
        }
    }

    private func followCommands() async {
        guard let path = self.options.controlFile else { return }
        await cancelWhenGracefulShutdown {
            var offset = 0
            while !Task.isCancelled {
                if let data = FileManager.default.contents(atPath: path), data.count > offset {
                    let fresh = String(decoding: data[offset...], as: UTF8.self)
                    if let end = fresh.lastIndex(of: "\n") {
                        for line in fresh[..<end].split(separator: "\n") {
                            self.logger.info("command", metadata: ["answer": "\(self.take(command: String(line)))"])
                        }
                        offset += fresh[...end].utf8.count
                    }
                }
                try? await Task.sleep(for: .milliseconds(300))
            }
        }
    }
}

/// A receiver for connections that only publish.
struct SilentReceiver: MQTTBatchReceiver {
    func receive(_ batch: [MQTTMessage]) {}
    func connectionChanged(_ state: MQTTConnectionState) {}
}
