internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The list of devices and one device.
extension PageRoutes {
    func devices(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let pageSize = 100
        let number = max(1, Int(request.query["page"] ?? "1") ?? 1)
        let state = request.query["state"].flatMap { DeviceHealth.State(rawValue: $0) }
        let all = self.gateway.engine.devices.filter { state == nil || $0.health.state == state }
            .sorted { $0.device.id < $1.device.id }
        let shown = all.dropFirst((number - 1) * pageSize).prefix(pageSize)
        let tabs =
            [(LocalizedText(vi: "Tất cả", en: "All").text(in: language), "/devices")]
            + DeviceHealth.State.allCases.map { ($0.label.text(in: language), "/devices?state=\($0.rawValue)") }
        let current = state.flatMap { DeviceHealth.State.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        let content: [String: Any] = [
            "tabs": TabBar(tabs, current: current),
            "rows": shown.map { self.row(self.gateway.snapshot($0), language) }, "has_rows": !shown.isEmpty,
            "pagination": Pagination(
                page: number,
                itemsPerPage: pageSize,
                itemCount: all.count,
                path: state.map { "/devices?state=\($0.rawValue)" } ?? "/devices"
            ),
            "empty": EmptyState(
                title: LocalizedText(vi: "Không có thiết bị nào", en: "No devices").text(in: language),
                text: LocalizedText(vi: "Không có thiết bị ở trạng thái này.", en: "No device is in this state.")
                    .text(in: language)
            ),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Thiết bị", en: "Devices"),
                template: "devices",
                content: content,
                navigation: "devices",
                isLive: true
            ),
            request,
            context
        )
    }

    func device(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        guard let id = context.parameters.get("device"),
            let runtime = self.gateway.engine.device(DeviceID(rawValue: id))
        else { throw Problem.notFound }
        let snapshot = self.gateway.snapshot(runtime)
        let offset = self.gateway.site.utcOffsetSeconds
        var content = self.row(snapshot, language)
        content["accepted"] = "\(snapshot.counters.accepted)"
        content["failures"] = "\(snapshot.counters.failures)"
        content["violations"] = "\(snapshot.counters.violations)"
        content["model"] = "\(runtime.device.profile.vendor) \(runtime.device.profile.model)"
        content["address"] = Self.address(runtime.device.address)
        content["tiles"] = self.tiles(snapshot, runtime, language)
        let panel = ControlPanel(gateway: self.gateway, language: language, context: context).content(of: runtime)
        if !panel.isEmpty { content["controls"] = panel }
        if let fault = snapshot.fault {
            content["fault"] = [
                "time": LocalTime.text(fault.tick, offset), "code": fault.reason,
                "reason": FaultReason.label(fault.reason).text(in: language), "message": fault.message,
                "frame": fault.frame, "has_differences": !fault.differences.isEmpty,
                "differences": fault.differences.map { ["line": $0.text(in: language)] },
            ]
        }
        return try self.console.render(
            Page(
                title: runtime.device.name,
                template: "device",
                content: content,
                navigation: "devices",
                breadcrumb: [.init(LocalizedText(vi: "Thiết bị", en: "Devices"), "/devices")],
                isLive: true
            ),
            request,
            context
        )
    }

    /// The word for devices that are asked line by line, in both languages.
    private static let lines = "ASCII"

    static func address(_ address: ConfiguredDevice.Address) -> String {
        switch address {
        case .modbus(let bus, let unit): "Modbus · \(bus) · \(unit)"
        case .line(let bus, let unit): "\(Self.lines) · \(bus) · \(unit)"
        case .http(let serial): "HTTP · \(serial)"
        case .mqtt(let parameters):
            "MQTT · " + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        }
    }

    func tiles(_ snapshot: DeviceSnapshot, _ runtime: DeviceRuntime, _ language: Language) -> [ValueTile] {
        snapshot.points.map { point in
            let definition = runtime.device.profile.points[point.index]
            let isPersonal = definition.privacy != .none
            let text = point.text.map { isPersonal ? Masking.masked($0) : $0 }
            return ValueTile(
                label: definition.title.text(in: language),
                value: text ?? (isPersonal ? "••••" : ValueText.text(point.latest, definition).text(in: language)),
                unit: Units.text(for: definition.unit),
                quality: point.latest?.quality.description ?? (text == nil ? "uncertain" : "good"),
                qualityText: point.latest?.quality.label.text(in: language) ?? "",
                point: point.id.description,
                time: point.latest.map { String(LocalTime.text($0.tick, self.gateway.site.utcOffsetSeconds).suffix(8)) }
            )
        }
    }

    func row(_ snapshot: DeviceSnapshot, _ language: Language) -> [String: Any] {
        let now = self.gateway.now
        return [
            "id": snapshot.id.rawValue, "name": snapshot.name.text(in: language), "node": snapshot.node.rawValue,
            "room": self.gateway.site.nodes.first { $0.id == snapshot.node }?.name.text(in: language)
                ?? snapshot.node.rawValue,
            "profile": snapshot.profile,
            "pill": StatusPill(
                snapshot.health.state.statusKind,
                snapshot.health.state.label.text(in: language),
                liveKey: "device/\(snapshot.id)"
            ),
            "reason": snapshot.health.reason.label.text(in: language),
            "since": LocalTime.span(now.rawValue - snapshot.health.since.rawValue).text(in: language),
            "last_seen": LocalTime.text(snapshot.health.lastSeen, self.gateway.site.utcOffsetSeconds),
            "error_rate": ValueText.localized((snapshot.counters.errorRate * 1_000).rounded() / 10).text(in: language),
            "latency": snapshot.counters.latencyNanoseconds == 0
                ? "–"
                : ValueText.localized((Double(snapshot.counters.latencyNanoseconds) / 1e5).rounded() / 10)
                    .text(in: language),
        ]
    }
}
