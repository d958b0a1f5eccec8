internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The grid of rooms and one room.
extension PageRoutes {
    func rooms(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let site = self.gateway.site
        let byNode = Dictionary(grouping: self.gateway.engine.devices, by: \.device.node)
        let rooms = site.nodes.filter { byNode[$0.id] != nil || $0.kind == .room }
        let cards = rooms.map { node -> [String: Any] in
            let devices = byNode[node.id] ?? []
            let worst = devices.map(\.health.state).max { Self.severity($0) < Self.severity($1) }
            let values = devices.flatMap { self.headline($0, language) }.prefix(4)
            return [
                "id": node.id.rawValue, "name": node.name.text(in: language),
                "places": [self.place(node, site, language)].filter { !$0.isEmpty },
                "kind": Self.label(node.room).text(in: language),
                "class": worst.map { $0.isAbnormal ? ($0 == .offline ? "offline" : "warning") : "" } ?? "",
                "pills": worst.map { [StatusPill($0.statusKind, $0.label.text(in: language))] } ?? [],
                "values": Array(values), "device_count": devices.count,
            ]
        }
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Phòng", en: "Rooms"),
                template: "rooms",
                content: ["rooms": cards],
                navigation: "rooms",
                isLive: true
            ),
            request,
            context
        )
    }

    static func severity(_ state: DeviceHealth.State) -> Int {
        switch state {
        case .online: 0
        case .waiting: 1
        case .late: 2
        case .quarantined: 3
        case .offline: 4
        }
    }

    /// The quantities that people look for first.
    static let headlineUnits = ["Cel", "[ppm]", "%", "lx", "W", "kW", "dB[SPL]", "[pH]"]

    func headline(_ runtime: DeviceRuntime, _ language: Language) -> [[String: Any]] {
        self.gateway.snapshot(runtime).points
            .compactMap { point in
                let definition = runtime.device.profile.points[point.index]
                guard definition.kind == .number, definition.privacy == .none,
                    Self.headlineUnits.contains(definition.unit)
                else { return nil }
                return [
                    "point": point.id.description, "label": definition.title.text(in: language),
                    "value": ValueText.text(point.latest, definition).text(in: language),
                    "unit": Units.text(for: definition.unit), "quality": point.latest?.quality.description ?? "bad",
                ]
            }
    }

    func place(_ node: SiteDefinition.Node, _ site: SiteDefinition, _ language: Language) -> String {
        var names: [String] = []
        var parent = node.parent
        while let id = parent, let found = site.nodes.first(where: { $0.id == id }), found.kind != .site,
            names.count < 8
        {
            names.insert(found.name.text(in: language), at: 0)
            parent = found.parent
        }
        return names.joined(separator: " · ")
    }

    static func label(_ room: SiteDefinition.RoomKind?) -> LocalizedText {
        switch room {
        case .classroom: LocalizedText(vi: "Phòng học", en: "Classroom")
        case .smartClassroom: LocalizedText(vi: "Phòng học thông minh", en: "Smart classroom")
        case .laboratory: LocalizedText(vi: "Phòng thí nghiệm", en: "Laboratory")
        case .library: LocalizedText(vi: "Thư viện", en: "Library")
        case .office: LocalizedText(vi: "Văn phòng", en: "Office")
        case .hall: LocalizedText(vi: "Hội trường", en: "Hall")
        case .corridor: LocalizedText(vi: "Hành lang", en: "Corridor")
        case .entrance: LocalizedText(vi: "Cổng ra vào", en: "Entrance")
        case .plantRoom: LocalizedText(vi: "Phòng kỹ thuật", en: "Plant room")
        case .outdoor: LocalizedText(vi: "Ngoài trời", en: "Outdoor")
        case .other, nil: LocalizedText(vi: "Khu vực", en: "Area")
        }
    }

    func room(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let language = context.language
        let site = self.gateway.site
        guard let id = context.parameters.get("node"), let node = site.nodes.first(where: { $0.id.rawValue == id })
        else {
            throw Problem.notFound
        }
        let spans = ["hour", "day", "week", "month", "year"]
        let span = request.query["span"].flatMap { spans.contains($0) ? $0 : nil } ?? "hour"
        let devices = self.gateway.engine.devices.filter { $0.device.node == node.id }
        var charts: [ChartFigure] = []
        let groups = devices.map { runtime -> [String: Any] in
            let snapshot = self.gateway.snapshot(runtime)
            for point in snapshot.points {
                let definition = runtime.device.profile.points[point.index]
                guard definition.kind == .number, definition.privacy == .none, charts.count < 12,
                    Self.headlineUnits.contains(definition.unit)
                else { continue }
                charts.append(
                    ChartFigure(
                        title: "\(definition.title.text(in: language)) – \(runtime.device.name.text(in: language))",
                        unit: Units.text(for: definition.unit),
                        source: "/api/v1/points/\(point.id)/chart?span=\(span)"
                    )
                )
            }
            return [
                "id": snapshot.id.rawValue, "name": snapshot.name.text(in: language),
                "pill": StatusPill(
                    snapshot.health.state.statusKind,
                    snapshot.health.state.label.text(in: language),
                    liveKey: "device/\(snapshot.id)"
                ),
                "tiles": self.tiles(snapshot, runtime, language),
                "controls": ControlPanel(gateway: self.gateway, language: language, context: context)
                    .summary(of: runtime),
            ]
        }
        let labels = [
            LocalizedText(vi: "Một giờ", en: "Hour"), LocalizedText(vi: "Một ngày", en: "Day"),
            LocalizedText(vi: "Một tuần", en: "Week"), LocalizedText(vi: "Một tháng", en: "Month"),
            LocalizedText(vi: "Một năm", en: "Year"),
        ]
        let summary = try await self.summary(of: node, beside: span)
        let content: [String: Any] = [
            "summary": summary.content(language, utcOffsetSeconds: site.utcOffsetSeconds),
            "kind": Self.label(node.room).text(in: language),
            "places": [self.place(node, site, language)].filter { !$0.isEmpty },
            "devices": groups, "has_devices": !groups.isEmpty,
            "empty": EmptyState(
                title: LocalizedText(vi: "Chưa có thiết bị", en: "No devices yet").text(in: language),
                text: LocalizedText(
                    vi: "Thêm thiết bị vào site.yaml, hoặc nhận từ trang Cách ly.",
                    en: "Add devices to site.yaml, or adopt them on the page Quarantine."
                )
                .text(in: language)
            ),
            "spans": TabBar(
                zip(labels, spans).map { ($0.text(in: language), "/rooms/\(id)?span=\($1)") },
                current: spans.firstIndex(of: span) ?? 0
            ),
            "charts": charts, "has_charts": !charts.isEmpty,
        ]
        return try self.console.render(
            Page(
                title: node.name,
                template: "room",
                content: content,
                navigation: "rooms",
                breadcrumb: [.init(LocalizedText(vi: "Phòng", en: "Rooms"), "/rooms")],
                isLive: true,
                hasCharts: true
            ),
            request,
            context
        )
    }
}
