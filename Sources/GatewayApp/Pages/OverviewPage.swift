internal import Acquisition
internal import AlertEngine
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// What is wrong now, then everything else.
extension PageRoutes {
    func overview(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let snapshots = self.gateway.engine.devices.map(self.gateway.snapshot)
        let abnormal = snapshots.filter(\.health.state.isAbnormal).sorted { $0.health.since > $1.health.since }
        let problems = self.gateway.configurationProblems.problems
        let alerts = self.gateway.alerts.attention().filter { !$0.memory.isSetAside }
        let content: [String: Any] = [
            "problems": problems.map { ["text": $0.line(in: language)] },
            "has_problems": !problems.isEmpty,
            "rows": alerts.prefix(20).map { self.alertRow($0, language) }, "has_alerts": !alerts.isEmpty,
            "abnormal": abnormal.prefix(100).map { self.row($0, language) },
            "has_abnormal": !abnormal.isEmpty,
            "calm": EmptyState(
                title: LocalizedText(vi: "Mọi thiết bị bình thường", en: "All devices are normal").text(in: language),
                text: LocalizedText(
                    vi: "Không có thiết bị nào trễ, mất liên lạc hay bị cách ly.",
                    en: "No device is late, offline or quarantined."
                )
                .text(in: language)
            ),
            "tiles": OverviewFigure.all(of: self.gateway).map { $0.tile(language) },
            "buildings": self.buildings(language),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Tổng quan", en: "Overview"),
                template: "overview",
                content: content,
                navigation: "overview",
                isLive: true
            ),
            request,
            context
        )
    }

    /// Every room as one small field, by building: where things stand at a glance.
    func buildings(_ language: Language) -> [[String: Any]] {
        let site = self.gateway.site
        let byNode = Dictionary(grouping: self.gateway.engine.devices, by: \.device.node)
        var order: [String] = []
        var fields: [String: [[String: Any]]] = [:]
        for node in site.nodes where byNode[node.id] != nil || node.kind == .room {
            let devices = byNode[node.id] ?? []
            let abnormal = devices.map(\.health.state).filter(\.isAbnormal)
            let worst = abnormal.max { Self.severity($0) < Self.severity($1) }
            let place = self.place(node, site, language)
            if fields[place] == nil { order.append(place) }
            fields[place, default: []]
                .append([
                    "id": node.id.rawValue, "name": node.name.text(in: language),
                    "class": worst.map { $0 == .offline ? "offline" : "warning" } ?? "",
                    "note": worst.map { "\($0.label.text(in: language)): \(abnormal.count)/\(devices.count)" }
                        ?? LocalizedText(vi: "\(devices.count) thiết bị", en: "\(devices.count) devices")
                        .text(in: language),
                    "icon": "status-\((worst?.statusKind ?? .normal).rawValue)",
                ])
        }
        // What lies directly under the site needs a heading only beside buildings.
        let other = LocalizedText(vi: "Nơi khác", en: "Other places").text(in: language)
        return order.map { place in
            let name = place.isEmpty && order.count > 1 ? other : place
            return ["name": name, "has_name": !name.isEmpty, "rooms": fields[place] ?? []]
        }
    }
}
