package import Acquisition
internal import BusThread
package import CampusModel
internal import Controls
internal import DeviceProfile
internal import Exporters
internal import Foundation
internal import LineTransport
package import Logging
internal import MQTTTransport
internal import ModbusTransport
package import SchoolRecords
package import SiteConfiguration
internal import Synchronization
package import TimeSeriesRing

/// The running gateway, as pages, the API and services see it.
package final class Gateway: Sendable {
    /// The version that pages and the API tell.
    package static let version = "0.1.0"

    /// What the gateway was started with; what a reload may change of it is in ``files``.
    package let configuration: GatewayConfiguration
    package let ring: TimeSeriesRing
    let store: RingStore
    package let records: Records
    package let alerts: AlertWatch
    package let engine: AcquisitionEngine
    package let clock: any TickClock
    package let started: Tick
    package let logger: Logger
    let state: StateFolder
    let broker: EmbeddedBroker?
    let receiver: IngestReceiver
    let connection: MQTTConnection
    let controls: ControlEngine
    private let controlAdapter: ControlAdapter
    let exports: ExporterService
    let exportSource: RingSource
    let historyLoad = HistoryLoad()
    let described: DescribedRegistry
    let sparkplug: SparkplugListener
    private let current: Mutex<Current>
    /// `nil`: nobody listens for devices that push.
    private let listener = Mutex<PushListener?>(nil)

    private struct Current: Sendable {
        var files: ConfigurationFiles
        var buses: [String: (endpoint: String, bus: ModbusBus)] = [:]
        var lines: [String: (endpoint: String, bus: LineBus)] = [:]
        var directory = PushDirectory()
        var problems: [ConfigurationProblem] = []
        var loaded: Tick
    }

    /// The user name of devices at the embedded broker.
    static let deviceAccount = "devices"

    /// Opens the state and prepares everything; nothing runs yet.
    package init(files: ConfigurationFiles, logger: Logger) throws {
        let configuration = files.gateway
        self.configuration = configuration
        self.logger = logger
        let state = try StateFolder(configuration.stateFolder)
        self.state = state
        self.ring = try TimeSeriesRing(configuration: Self.ring(configuration.ring, state))
        Self.tell(of: self.ring.openReport, configuration.ring, logger)
        let clock = SystemTickClock(notBefore: self.ring.newestTick ?? Tick(milliseconds: 0))
        self.clock = clock
        self.started = clock.now()
        self.records = try Self.openRecords(state, clock, logger)
        self.alerts = AlertWatch(ring: self.ring, records: self.records, clock: clock, logger: logger)
        self.store = RingStore(ring: self.ring, clock: clock, feed: self.alerts.feed)
        let polling = configuration.polling
        self.engine = AcquisitionEngine(
            store: self.store,
            events: RecordsStore(records: self.records),
            clock: clock,
            options: PollingOptions(
                fastMilliseconds: polling.fastMilliseconds,
                normalMilliseconds: polling.normalMilliseconds,
                slowMilliseconds: polling.slowMilliseconds,
                onceMilliseconds: polling.onceMilliseconds,
                missedMax: Int64(polling.missedMax),
                heartbeatMilliseconds: polling.heartbeatMilliseconds
            ),
            quarantineEntries: configuration.quarantineEntries,
            payloadBytesMax: configuration.broker.payloadBytesMax,
            logger: logger
        )
        self.described = DescribedRegistry(clock: clock, refusedFile: state.file("described-refused"))
        self.sparkplug = SparkplugListener(clock: clock, described: self.described)
        self.receiver = IngestReceiver(
            ingest: self.engine.ingest,
            described: self.described,
            sparkplug: self.sparkplug
        )
        self.broker = try Self.makeBroker(configuration, state, logger)
        self.connection = MQTTConnection(
            configuration: try MQTTConfiguration(
                configuration,
                embedded: try self.broker.map { ($0.localPort, try state.secret("gateway.password")) }
            ),
            receiver: self.receiver,
            logger: logger
        )
        self.controlAdapter = ControlAdapter(connection: self.connection, receiver: self.receiver, engine: self.engine)
        self.controls = try Self.makeControls(self.controlAdapter, self.records, clock, logger)
        self.sparkplug.publish { [connection = self.connection] topic, payload in
            try? connection.publish(topic: topic, payload: payload, qos: 0)
        }
        self.exportSource = RingSource(ring: self.ring)
        self.exports = ExporterService(
            ring: self.ring,
            source: self.exportSource,
            state: state,
            seriesMax: configuration.ring.seriesMax,
            clock: clock,
            devices: { [engine = self.engine] in engine.devices.map(SparkplugDevice.init) },
            logger: logger
        )
        self.current = Mutex(Current(files: files, loaded: self.started))
        self.apply(files)
    }

    private static func openRecords(_ state: StateFolder, _ clock: any TickClock, _ logger: Logger) throws -> Records {
        let key = try SiteKey.loadOrCreate(path: state.file("site.key"))
        let path = state.file("records.sqlite")
        do {
            return try Records(path: path, clock: clock, siteKey: key)
        } catch let error as RecordsError where error.code == .setAside {
            logger.error("records were damaged and set aside; new ones are begun", metadata: ["reason": "\(error)"])
            return try Records(path: path, clock: clock, siteKey: key)
        }
    }

    private static func makeControls(
        _ adapter: ControlAdapter,
        _ records: Records,
        _ clock: any TickClock,
        _ logger: Logger
    ) throws -> ControlEngine {
        let journal = ControlRecords(records: records)
        let controls = ControlEngine(
            wires: adapter,
            journal: journal,
            clock: clock,
            nanoseconds: { boottimeNanoseconds() },
            pause: { try await Task.sleep(for: .milliseconds($0), tolerance: .milliseconds(1)) },
            logger: logger
        )
        let (holds, commands) = try journal.restore(logger: logger)
        controls.restore(holds, commands: commands)
        return controls
    }

    private static func makeBroker(
        _ configuration: GatewayConfiguration,
        _ state: StateFolder,
        _ logger: Logger
    ) throws -> EmbeddedBroker? {
        guard configuration.broker.mode == .embedded else { return nil }
        var broker = EmbeddedBroker.Configuration(
            directory: state.file("broker"),
            host: configuration.broker.host,
            port: configuration.broker.port,
            accounts: [
                .init(username: "gateway", password: try state.secret("gateway.password"), topics: ["#"]),
                .init(username: self.deviceAccount, password: try state.secret("devices.password"), topics: ["#"]),
            ]
        )
        broker.certificateFile = configuration.broker.certificate?.certificate
        broker.keyFile = configuration.broker.certificate?.key
        broker.authorityFile = configuration.broker.authorityFile
        broker.inFlightMax = configuration.broker.inFlightMax
        return try EmbeddedBroker(configuration: broker, logger: logger)
    }

    /// The site as it is configured now.
    package var site: SiteDefinition { self.current.withLock { $0.files.site } }

    /// The files as they were read last.
    package var files: ConfigurationFiles { self.current.withLock { $0.files } }

    /// What could not be done of the configuration, and when it was read.
    package var configurationProblems: (problems: [ConfigurationProblem], loaded: Tick) {
        self.current.withLock { ($0.problems, $0.loaded) }
    }

    /// Reads `gateway.yaml`, site, profiles and adopted devices anew and takes them up; healthy devices and connections
    /// go on.
    ///
    /// - Returns: Problems of single devices or profiles, and keys of `gateway.yaml` that need a restart.
    /// - Throws: ``GatewayError`` when `gateway.yaml` or `site.yaml` cannot be used; then everything stays as it was.
    @discardableResult
    package func reload(actor: String) throws -> [ConfigurationProblem] {
        let files: ConfigurationFiles
        do throws(ConfigurationError) {
            files = try self.files.reread()
        } catch {
            throw GatewayError(
                vi: "Không đọc được cấu hình mới, mọi thứ giữ nguyên như cũ: \(error.description)",
                en: error.description
            )
        }
        self.apply(files)
        try self.records.audit(actor: actor, action: "reload", subject: "configuration")
        return self.configurationProblems.problems
    }

    private func apply(_ files: ConfigurationFiles) {
        let old = self.current.withLock { $0.buses }
        var buses: [String: (endpoint: String, bus: ModbusBus)] = [:]
        for bus in files.site.buses {
            guard let place = bus.endpoint else { continue }
            let options = ModbusOptions(files.patience(of: bus))
            let endpoint = "\(place) \(options)"
            if let known = old[bus.id], known.endpoint == endpoint {
                buses[bus.id] = known
            } else {
                buses[bus.id] = (endpoint, ModbusBus(endpoint: place, options: options))
            }
        }
        let lines = self.lines(of: files)
        let bindings = buses.sorted { $0.key < $1.key }
            .map { id, entry in
                BusBinding(id: id, endpoint: entry.endpoint, reader: ModbusReader(bus: entry.bus))
            }
        let devices = files.site.devices.compactMap { self.configured($0, files) }
        var problems = files.problems
        problems += self.engine
            .apply(
                AcquisitionConfiguration(
                    devices: devices,
                    buses: bindings,
                    lines: lines.sorted { $0.key < $1.key }
                        .map { id, entry in
                            LineBinding(id: id, endpoint: entry.endpoint, reader: LineReader(bus: entry.bus))
                        },
                    profiles: files.suggestedProfiles
                )
            )
            .map { ConfigurationProblem(vi: "Không dùng được: \($0)", en: $0) }
        self.controlAdapter.update(buses: buses.mapValues(\.bus))
        self.controls.update(devices: devices.map { ControlledDevice($0) })
        self.receiver.update(commandTopics: self.controls.commandTopics)
        self.exportSource.update(site: files.site.id.rawValue, devices: devices)
        self.described.update(devices: devices)
        self.sparkplug.update(devices: devices, own: files.sparkplugNodes)
        problems += self.exports.apply(files.gateway.exporters, site: files.site.id.rawValue)
            .map { ConfigurationProblem(vi: "Không dùng được: \($0)", en: $0) }
        // Everything is subscribed, so that a device nobody configured shows up in the quarantine.
        self.connection.update(subscriptions: ["#"])
        do {
            _ = try self.records.sync(site: SiteRows(files, devices: devices))
        } catch {
            problems.append(
                ConfigurationProblem(
                    vi: "Không ghi được sơ đồ trường vào sổ: \(error)",
                    en: "the site could not be written to the records: \(error)"
                )
            )
        }
        problems += self.alerts.load(files)
        for problem in problems { self.logger.warning("configuration", metadata: ["problem": "\(problem)"]) }
        let now = self.clock.now()
        self.current.withLock { current in
            current.files = files
            current.buses = buses
            current.lines = lines
            current.directory = PushDirectory(files: files, devices: self.engine.devices)
            current.problems = problems
            current.loaded = now
        }
    }

    /// The line buses of the site; those whose settings did not change keep their connection.
    private func lines(of files: ConfigurationFiles) -> [String: (endpoint: String, bus: LineBus)] {
        let old = self.current.withLock { $0.lines }
        var lines: [String: (endpoint: String, bus: LineBus)] = [:]
        for settings in files.lineBuses {
            guard let place = settings.endpoint else { continue }
            let endpoint = "\(settings)"
            if let known = old[settings.id], known.endpoint == endpoint {
                lines[settings.id] = known
            } else {
                let dialect = ProfileDialect(wire: settings.wire, passwordFile: settings.passwordFile)
                let bus = LineBus(endpoint: place, dialect: dialect, options: settings.options)
                lines[settings.id] = (endpoint, bus)
            }
        }
        return lines
    }

    private func configured(_ device: SiteDefinition.Device, _ files: ConfigurationFiles) -> ConfiguredDevice? {
        guard device.isEnabled, let entry = files.library[device.profile], let profile = files.profile(of: device)
        else {
            return nil
        }
        let address: ConfiguredDevice.Address
        switch (profile.wire, device.address) {
        case (.modbus(let wire), .bus(let bus, let unit)): address = .modbus(bus: bus, unit: unit ?? wire.unit)
        case (.line(let wire), .bus(let bus, let unit)): address = .line(bus: bus, unit: unit ?? wire.unit)
        case (.mqtt, .mqtt(let parameters)): address = .mqtt(parameters: parameters)
        case (.http, .mqtt(let parameters)): address = .http(serial: parameters["serial"] ?? "")
        default: return nil
        }
        return ConfiguredDevice(
            id: device.id,
            node: device.node,
            name: device.name ?? profile.title,
            profile: profile,
            profileRevision: Self.revision(of: entry, for: device),
            address: address,
            reportMilliseconds: files.reportMilliseconds(of: device, entry.profile),
            zonelessOffsetSeconds: files.site.utcOffsetSeconds,
            contract: files.contract(of: entry.profile)
        )
    }

    /// Devices that read the same file with other settings are of another revision.
    private static func revision(
        of entry: ProfileLibrary.Entry,
        for device: SiteDefinition.Device
    ) -> ConfiguredDevice.Revision {
        let settings = device.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return ConfiguredDevice.Revision(
            settings: "\(device.addressOffset) \(settings.joined(separator: " "))",
            text: entry.revision
        )
    }

    /// The bus with this identifier.
    func bus(_ id: String) -> ModbusBus? { self.current.withLock { $0.buses[id]?.bus } }

    /// Bus statistics by bus.
    func busStatistics() async -> [String: ModbusStatistics] {
        let buses = self.current.withLock { $0.buses.mapValues(\.bus) }
        var result: [String: ModbusStatistics] = [:]
        for (id, bus) in buses { result[id] = await bus.statistics }
        return result
    }

    /// What a pushed request is; `nil` when no profile knows it.
    func pushed(method: String, target: String) -> PushDirectory.Request? {
        self.current.withLock { $0.directory }.request(method: method, target: target)
    }

    /// The listener for devices that push, made once; `nil` where `gateway.yaml` has none.
    var pushListener: PushListener? {
        guard let push = self.configuration.push else { return nil }
        return self.listener.withLock { listener in
            let made = listener ?? PushListener(gateway: self, configuration: push)
            listener = made
            return made
        }
    }

    /// Line statistics by bus.
    func lineStatistics() async -> [String: LineStatistics] {
        let lines = self.current.withLock { $0.lines.mapValues(\.bus) }
        var result: [String: LineStatistics] = [:]
        for (id, bus) in lines { result[id] = await bus.statistics }
        return result
    }

    /// The first setting of a profile that has no default.
    private func setting(thatMustBeChosenFor profile: String) -> String? {
        self.current.withLock { $0.files.library[profile]?.profile.settings.first { $0.standard == nil }?.name }
    }

    /// Makes a device of a quarantined message: writes it down and takes it up.
    package func adopt(entry id: UInt64, profile: String, device: String, node: String, actor: String) throws {
        guard let entry = self.engine.quarantine.entry(id: id) else {
            throw GatewayError(
                vi: "Mục này không còn trong danh sách cách ly.",
                en: "this entry is no longer in the quarantine"
            )
        }
        guard let suggestion = entry.suggestions.first(where: { $0.profile == profile }) else {
            throw GatewayError(
                vi: "Hồ sơ '\(profile)' không hợp với bản tin này.",
                en: "profile '\(profile)' does not fit this message"
            )
        }
        // A page cannot know how the device's switches are set.
        if let setting = self.setting(thatMustBeChosenFor: profile) {
            throw GatewayError(
                vi:
                    "Hồ sơ '\(profile)' hỏi cài đặt '\(setting)': hãy khai báo thiết bị trong site.yaml với 'settings'.",
                en:
                    "profile '\(profile)' asks for the setting '\(setting)': write the device into site.yaml, with 'settings'"
            )
        }
        do { try IdentifierRule.check(device, kind: "device") } catch {
            throw GatewayError(
                vi: "Mã thiết bị gồm a-z, 0-9, '-', '_', '.', bắt đầu bằng chữ hoặc số, dài nhất 64 ký tự.",
                en: error.description
            )
        }
        let site = self.site
        guard !site.devices.contains(where: { $0.id.rawValue == device }) else {
            throw GatewayError(
                vi: "Đã có thiết bị tên '\(device)'.",
                en: "there is a device called '\(device)' already"
            )
        }
        guard site.nodes.contains(where: { $0.id.rawValue == node }) else {
            throw GatewayError(vi: "Không có phòng tên '\(node)'.", en: "there is no room called '\(node)'")
        }
        let file = ConfigurationFiles.adoptedFile(self.configuration)
        var text =
            (try? String(contentsOfFile: file, encoding: .utf8)) ?? "# Devices adopted from the quarantine.\ndevices:\n"
        let parameters = suggestion.parameters.sorted { $0.key < $1.key }
            .map { "\($0.key): \(Self.quoted($0.value))" }.joined(separator: ", ")
        text +=
            "  - {id: \(Self.quoted(device)), node: \(Self.quoted(node)), profile: \(Self.quoted(profile)), "
            + "parameters: {\(parameters)}}\n"
        let before = try? String(contentsOfFile: file, encoding: .utf8)
        try self.state.write(text, to: "adopted.yaml")
        do {
            try self.reload(actor: actor)
        } catch {
            if let before { try self.state.write(before, to: "adopted.yaml") } else { unlink(file) }
            throw error
        }
        try self.records.audit(
            actor: actor,
            action: "adopt",
            subject: device,
            detail: ["profile": profile, "node": node]
        )
        self.engine.quarantine.remove(id: id)
    }

    static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
}

extension SiteRows {
    /// The rows for the records.
    init(_ files: ConfigurationFiles, devices: [ConfiguredDevice]) {
        let names = Dictionary(devices.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.init(
            nodes: files.site.nodes.enumerated()
                .map { index, node in
                    SiteNodeRow(
                        id: node.id,
                        parent: node.parent,
                        kind: node.kind.rawValue,
                        roomKind: node.room?.rawValue,
                        name: node.name,
                        sort: index
                    )
                },
            devices: files.site.devices.map { device in
                DeviceRow(
                    id: device.id,
                    node: device.node,
                    profile: device.profile,
                    addressJSON: device.addressJSON,
                    name: device.name ?? names[device.id]?.name
                        ?? LocalizedText(vi: device.id.rawValue, en: device.id.rawValue),
                    asset: device.asset,
                    isEnabled: device.isEnabled
                )
            },
            points: devices.flatMap { device in
                device.profile.points.filter { !$0.isHidden }
                    .map { point in
                        PointRow(
                            id: PointID(device: device.id, name: point.name),
                            unit: point.unit,
                            title: point.title,
                            privacy: point.privacy
                        )
                    }
            }
        )
    }
}

extension SiteDefinition.Device {
    fileprivate var addressJSON: String {
        switch self.address {
        case .mqtt(let parameters):
            let data = try? JSONSerialization.data(withJSONObject: parameters, options: [.sortedKeys])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        case .bus(let bus, let unit): return "{\"bus\":\"\(bus)\",\"unit\":\(unit.map { "\($0)" } ?? "null")}"
        }
    }
}
