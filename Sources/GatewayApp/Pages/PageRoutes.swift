internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The pages that people see.
struct PageRoutes {
    let gateway: Gateway
    let console: Console

    func add(to router: Router<ConsoleContext>) {
        router.get("/") { request, context in try self.overview(request, context) }
        router.get("/rooms") { request, context in try self.rooms(request, context) }
        router.get("/rooms/:node") { request, context in try self.room(request, context) }
        router.get("/devices") { request, context in try self.devices(request, context) }
        router.get("/devices/:device") { request, context in try self.device(request, context) }
        router.get("/quarantine") { request, context in try self.quarantine(request, context) }
        let facility = router.group().add(middleware: RoleRequirement(.facility))
        facility.post("/quarantine/:id/adopt") { request, context in try await self.adopt(request, context) }
        facility.post("/quarantine/:id/dismiss") { _, context in
            guard let id = context.parameters.get("id").flatMap({ UInt64($0) }) else { throw Problem.notFound }
            self.gateway.engine.quarantine.remove(id: id)
            return self.console.redirect(to: "/quarantine", notice: "notice.dismissed")
        }
        let administrator = router.group().add(middleware: RoleRequirement(.administrator))
        administrator.post("/devices/reload") { _, context in
            let gateway = self.gateway
            let actor = context.actor ?? "page"
            do {
                _ = try await gateway.records.perform { _ in try gateway.reload(actor: actor) }
            } catch let error as GatewayError {
                throw Problem.invalid(LocalizedText(vi: error.description, en: error.description))
            }
            return self.console.redirect(to: "/devices", notice: "notice.reloaded")
        }
    }

    static let navigation: [ConsoleConfiguration.NavigationItem] = [
        .init(id: "overview", title: LocalizedText(vi: "Tổng quan", en: "Overview"), address: "/"),
        .init(id: "rooms", title: LocalizedText(vi: "Phòng", en: "Rooms"), address: "/rooms"),
        .init(id: "devices", title: LocalizedText(vi: "Thiết bị", en: "Devices"), address: "/devices"),
        .init(id: "quarantine", title: LocalizedText(vi: "Cách ly", en: "Quarantine"), address: "/quarantine"),
    ]

    private func overview(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let snapshots = self.gateway.engine.devices.map { $0.snapshot() }
        let abnormal = snapshots.filter(\.health.state.isAbnormal).sorted { $0.health.since > $1.health.since }
        let statistics = self.gateway.ring.statistics
        let problems = self.gateway.configurationProblems.problems
        let badPoints = snapshots.reduce(0) { sum, snapshot in
            sum + snapshot.points.count { $0.latest?.quality.level == .bad }
        }
        let tiles: [ValueTile] = [
            ValueTile(
                label: LocalizedText(vi: "Thiết bị hoạt động", en: "Devices online").text(in: language),
                value: "\(snapshots.count { $0.health.state == .online })/\(snapshots.count)",
                address: "/devices"
            ),
            ValueTile(
                label: LocalizedText(vi: "Điểm đo không dùng được", en: "Points without a usable value")
                    .text(in: language),
                value: "\(badPoints)"
            ),
            ValueTile(
                label: LocalizedText(vi: "Bản tin bị cách ly", en: "Kinds of quarantined messages").text(in: language),
                value: "\(self.gateway.engine.quarantine.entries.count)",
                address: "/quarantine"
            ),
            ValueTile(
                label: LocalizedText(vi: "Mẫu đã lưu từ lúc khởi động", en: "Samples stored since start")
                    .text(in: language),
                value: "\(statistics.appended)"
            ),
            ValueTile(
                label: LocalizedText(vi: "Máy chủ MQTT", en: "MQTT broker").text(in: language),
                value: self.brokerText.text(in: language)
            ),
            ValueTile(
                label: LocalizedText(vi: "Đang chạy", en: "Running for").text(in: language),
                value: LocalTime.span(self.gateway.clock.now().rawValue - self.gateway.started.rawValue)
            ),
        ]
        let content: [String: Any] = [
            "problems": problems.map { ["text": $0] },
            "has_problems": !problems.isEmpty,
            "abnormal": abnormal.prefix(100).map { self.row($0, language) },
            "has_abnormal": !abnormal.isEmpty,
            "calm": EmptyState(
                title: LocalizedText(vi: "Mọi thứ bình thường", en: "Everything is normal").text(in: language),
                text: LocalizedText(
                    vi: "Không có thiết bị nào trễ, mất liên lạc hay bị cách ly.",
                    en: "No device is late, offline or quarantined."
                )
                .text(in: language)
            ),
            "tiles": tiles,
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

    private var brokerText: LocalizedText {
        self.gateway.receiver.connectionState == .connected
            ? LocalizedText(vi: "Đã kết nối", en: "Connected") : LocalizedText(vi: "Mất kết nối", en: "Not connected")
    }

    private func rooms(_ request: Request, _ context: ConsoleContext) throws -> Response {
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
                "place": self.place(node, site, language),
                "kind": Self.label(node.room).text(in: language),
                "class": worst.map { $0.isAbnormal ? ($0 == .offline ? "offline" : "warning") : "" } ?? "",
                "pill": worst.map { StatusPill($0.statusKind, $0.label.text(in: language)) } as Any,
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

    private static func severity(_ state: DeviceHealth.State) -> Int {
        switch state {
        case .online: 0
        case .waiting: 1
        case .late: 2
        case .quarantined: 3
        case .offline: 4
        }
    }

    /// The quantities that people look for first.
    private static let headlineUnits = ["Cel", "[ppm]", "%", "lx", "W", "kW", "dB[SPL]", "[pH]"]

    private func headline(_ runtime: DeviceRuntime, _ language: Language) -> [[String: Any]] {
        runtime.snapshot().points
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

    private func place(_ node: SiteDefinition.Node, _ site: SiteDefinition, _ language: Language) -> String {
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

    private static func label(_ room: SiteDefinition.RoomKind?) -> LocalizedText {
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

    private func room(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let site = self.gateway.site
        guard let id = context.parameters.get("node"), let node = site.nodes.first(where: { $0.id.rawValue == id })
        else {
            throw Problem.notFound
        }
        let spans = ["hour", "day", "week"]
        let span = request.query["span"].flatMap { spans.contains($0) ? $0 : nil } ?? "hour"
        let devices = self.gateway.engine.devices.filter { $0.device.node == node.id }
        var charts: [ChartFigure] = []
        let groups = devices.map { runtime -> [String: Any] in
            let snapshot = runtime.snapshot()
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
            ]
        }
        let labels = [
            LocalizedText(vi: "Một giờ", en: "Hour"), LocalizedText(vi: "Một ngày", en: "Day"),
            LocalizedText(vi: "Một tuần", en: "Week"),
        ]
        let content: [String: Any] = [
            "kind": Self.label(node.room).text(in: language), "place": self.place(node, site, language),
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

    private func tiles(_ snapshot: DeviceSnapshot, _ runtime: DeviceRuntime, _ language: Language) -> [ValueTile] {
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

    private func row(_ snapshot: DeviceSnapshot, _ language: Language) -> [String: Any] {
        let now = self.gateway.clock.now()
        return [
            "id": snapshot.id.rawValue, "name": snapshot.name.text(in: language), "node": snapshot.node.rawValue,
            "profile": snapshot.profile,
            "pill": StatusPill(
                snapshot.health.state.statusKind,
                snapshot.health.state.label.text(in: language),
                liveKey: "device/\(snapshot.id)"
            ),
            "reason": snapshot.health.reason.label.text(in: language),
            "since": LocalTime.span(now.rawValue - snapshot.health.since.rawValue),
            "last_seen": LocalTime.text(snapshot.health.lastSeen, self.gateway.site.utcOffsetSeconds),
            "error_rate": ValueText.number((snapshot.counters.errorRate * 1_000).rounded() / 10),
            "latency": snapshot.counters.latencyNanoseconds == 0
                ? "–" : ValueText.number((Double(snapshot.counters.latencyNanoseconds) / 1e5).rounded() / 10),
        ]
    }

    private func devices(_ request: Request, _ context: ConsoleContext) throws -> Response {
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
            "rows": shown.map { self.row($0.snapshot(), language) }, "has_rows": !shown.isEmpty,
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

    private func device(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        guard let id = context.parameters.get("device"),
            let runtime = self.gateway.engine.device(DeviceID(rawValue: id))
        else { throw Problem.notFound }
        let snapshot = runtime.snapshot()
        let offset = self.gateway.site.utcOffsetSeconds
        var content = self.row(snapshot, language)
        content["accepted"] = "\(snapshot.counters.accepted)"
        content["failures"] = "\(snapshot.counters.failures)"
        content["violations"] = "\(snapshot.counters.violations)"
        content["model"] = "\(runtime.device.profile.vendor) \(runtime.device.profile.model)"
        content["address"] = Self.address(runtime.device.address)
        content["tiles"] = self.tiles(snapshot, runtime, language)
        if let fault = snapshot.fault {
            content["fault"] = [
                "time": LocalTime.text(fault.tick, offset), "reason": fault.reason, "message": fault.message,
                "frame": fault.frame,
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

    private static func address(_ address: ConfiguredDevice.Address) -> String {
        switch address {
        case .modbus(let bus, let unit): "Modbus · \(bus) · \(unit)"
        case .mqtt(let parameters):
            "MQTT · " + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        }
    }

    private func quarantine(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let offset = self.gateway.site.utcOffsetSeconds
        let rooms = self.gateway.site.nodes.filter { $0.kind == .room }
            .map { ["id": $0.id.rawValue, "name": $0.name.text(in: language)] }
        let rows = self.gateway.engine.quarantine.entries.prefix(200)
            .map { entry -> [String: Any] in
                [
                    "id": "\(entry.id)", "topic": entry.topic, "reason": entry.reason, "detail": entry.detail,
                    "device": entry.device?.rawValue as Any, "payload": entry.payload, "bytes": "\(entry.payloadBytes)",
                    "count": "\(entry.count)", "last_seen": LocalTime.text(entry.lastSeen, offset),
                    "has_suggestions": !entry.suggestions.isEmpty,
                    "proposed_id": Self.proposedID(entry), "rooms": rooms,
                    "suggestions": entry.suggestions.map { ["profile": $0.profile, "points": "\($0.pointCount)"] },
                    "dismiss": Confirmation(
                        id: "dismiss-\(entry.id)",
                        address: "/quarantine/\(entry.id)/dismiss",
                        button: LocalizedText(vi: "Bỏ qua", en: "Dismiss").text(in: language),
                        question: LocalizedText(
                            vi: "Bỏ mục này khỏi danh sách? Nếu bản tin đến lại, mục sẽ hiện lại.",
                            en: "Remove this entry from the list? It comes back when the message does."
                        )
                        .text(in: language)
                    ),
                ]
            }
        let content: [String: Any] = [
            "rows": Array(rows), "has_rows": !rows.isEmpty,
            "empty": EmptyState(
                title: LocalizedText(vi: "Không có gì bị cách ly", en: "Nothing is quarantined").text(in: language),
                text: LocalizedText(
                    vi: "Mọi bản tin đều có thiết bị và đúng hồ sơ.",
                    en: "Every message has a device and fits its profile."
                )
                .text(in: language)
            ),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Cách ly", en: "Quarantine"),
                template: "quarantine",
                content: content,
                navigation: "quarantine"
            ),
            request,
            context
        )
    }

    /// An identifier made of the topic's parameters, as a proposal.
    private static func proposedID(_ entry: Quarantine.Entry) -> String {
        let text =
            entry.suggestions.first?.parameters.sorted { $0.key < $1.key }.map(\.value).joined(separator: "-") ?? ""
        let allowed = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return String(String(allowed).drop { $0 == "-" }.prefix(60))
    }

    private func adopt(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let form = try await request.form(context)
        guard let id = context.parameters.get("id").flatMap({ UInt64($0) }), let profile = form["profile"],
            let device = form["device"], let node = form["node"]
        else { throw Problem.notFound }
        let gateway = self.gateway
        let actor = context.actor ?? "page"
        do {
            try await gateway.records.perform { _ in
                try gateway.adopt(entry: id, profile: profile, device: device, node: node, actor: actor)
            }
        } catch let error as GatewayError {
            throw Problem.invalid(LocalizedText(vi: error.description, en: error.description))
        }
        return self.console.redirect(to: "/devices/\(device)", notice: "notice.adopted")
    }
}
