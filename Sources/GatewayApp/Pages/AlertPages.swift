internal import Acquisition
internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The list of alerts and one alert.
extension PageRoutes {
    private static let pageSize = 100

    func addAlerts(to router: Router<ConsoleContext>) {
        router.get("/alerts") { request, context in try self.alerts(request, context) }
        router.get("/alerts/:id") { request, context in try await self.alert(request, context) }
        let facility = router.group().add(middleware: RoleRequirement(.facility))
        for word in ["acknowledge", "reset", "shelve", "unshelve", "out-of-service", "in-service", "restart"] {
            facility.post("/alerts/:id/\(RouterPath(stringLiteral: word))") { request, context in
                try await self.perform(word, request, context)
            }
        }
    }

    func alerts(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let number = max(1, Int(request.query["page"] ?? "1") ?? 1)
        let groups: [(id: String, title: LocalizedText, states: [AlertState])] = [
            (
                "", LocalizedText(vi: "Cần xem", en: "To be seen"),
                [.unacknowledged, .latched, .acknowledged, .returnedUnacknowledged]
            ),
            ("consequences", LocalizedText(vi: "Do nguyên nhân khác", en: "Consequences"), [.suppressed]),
            ("aside", LocalizedText(vi: "Gác lại, ngừng theo dõi", en: "Set aside"), [.shelved, .outOfService]),
        ]
        let current = groups.firstIndex { $0.id == request.query["view"] } ?? 0
        let everything = self.gateway.alerts.attention()
        let all = everything.filter { groups[current].states.contains($0.state) }
        let shown = all.dropFirst((number - 1) * Self.pageSize).prefix(Self.pageSize)
        let content: [String: Any] = [
            "tabs": TabBar(
                groups.map { group in
                    let count = everything.count { group.states.contains($0.state) }
                    return (
                        "\(group.title.text(in: language)) (\(count))",
                        group.id.isEmpty ? "/alerts" : "/alerts?view=\(group.id)"
                    )
                },
                current: current
            ),
            "rows": shown.map { self.alertRow($0, language) }, "has_rows": !shown.isEmpty,
            "pagination": Pagination(
                page: number,
                itemsPerPage: Self.pageSize,
                itemCount: all.count,
                path: groups[current].id.isEmpty ? "/alerts" : "/alerts?view=\(groups[current].id)"
            ),
            "empty": EmptyState(
                title: LocalizedText(vi: "Không có cảnh báo", en: "No alerts").text(in: language),
                text: LocalizedText(
                    vi: "Đang theo dõi \(self.gateway.alerts.instanceCount) điều theo luật.",
                    en: "Rules watch \(self.gateway.alerts.instanceCount) things."
                )
                .text(in: language)
            ),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Cảnh báo", en: "Alerts"),
                template: "alerts",
                content: content,
                navigation: "alerts",
                isLive: true
            ),
            request,
            context
        )
    }

    /// One line of a list of alerts.
    func alertRow(_ view: AlertView, _ language: Language) -> [String: Any] {
        let template = self.gateway.alerts.template(of: view.key.rule)?.template
        let now = self.gateway.clock.now().rawValue
        let since = view.memory.isActive ? view.memory.raised : view.memory.cleared
        return [
            "id": view.id, "title": view.rule.title.text(in: language),
            "instance": view.key.instance,
            "room": self.gateway.site.nodes.first { $0.id == view.node }?.name.text(in: language)
                ?? view.node.rawValue,
            "node": view.node.rawValue,
            "pill": StatusPill(view.state.kind(view.priority), view.state.label.text(in: language)),
            "priority": AlertWords.priority(view, language),
            "class": view.rule.isLifeSafety && view.memory.isActive ? "life-safety" : "",
            "reading": AlertWords.reading(view, template, language),
            "since": since == 0 ? "–" : LocalTime.span(now - since).text(in: language),
            "count": "\(view.memory.activation)",
        ]
    }

    func alert(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let language = context.language
        guard let key = context.parameters.get("id").flatMap({ AlertView.key($0) }),
            let view = self.gateway.alerts.alert(key)
        else { throw Problem.notFound }
        let written = self.gateway.alerts.template(of: key.rule)
        let history = try await self.gateway.records.perform {
            try $0.alertTransitions(of: (key.rule, key.instance), pageSize: 50)
        }
        let clock = self.gateway.ring.clock
        let offset = self.gateway.site.utcOffsetSeconds
        func time(_ tick: Int64) -> String {
            tick == 0 ? "–" : LocalTime.text(clock.utc(Tick(rawValue: tick)), offset)
        }
        var content = self.alertRow(view, language)
        content["advice"] = view.rule.advice.text(in: language)
        content["why"] =
            written.map { Array(RuleWords.lines($0.template, $0.pack, in: language).dropFirst().dropLast()) }?
            .map { ["line": $0.trimmingPrefix(while: \.isWhitespace)] } ?? []
        content["limit"] = AlertWords.number(view.reading.limit, view.rule.unit, language)
        content["timetable"] = RuleWords.state(view.timetable, in: language)
        content["raised"] = time(view.memory.raised)
        content["cleared"] = time(view.memory.cleared)
        content["acknowledged"] = time(view.memory.acknowledged)
        content["until"] = view.memory.isShelved ? time(view.memory.shelvedUntil) : "–"
        content["remark"] =
            view.remark.map { remark in
                [remark.actor, remark.second, remark.text].compactMap { $0 }.joined(separator: " · ")
            } ?? "–"
        content["is_stale"] = !view.reading.isFresh
        content["points"] = zip(view.reading.points, view.reading.values)
            .map { point, value in
                [
                    "point": point.description, "device": point.device.rawValue,
                    "value": value.map { AlertWords.number($0, self.unit(of: point), language) } ?? "—",
                ]
            }
        content["charts"] = view.reading.points.prefix(2)
            .map { point in
                ChartFigure(
                    title: point.description,
                    unit: Units.text(for: self.unit(of: point)),
                    source: "/api/v1/points/\(point.device)/\(point.name)/chart?from=-6h"
                )
            }
        content["history"] = history.items.map { row in
            [
                "time": LocalTime.text(clock.utc(row.tick), offset), "kind": AlertWords.kind(row.kind, language),
                "value": row.value.map { AlertWords.number($0, view.rule.unit, language) } ?? "",
                "actor": row.actor == "engine" ? "" : row.actor, "note": row.note ?? "",
                "count": "\(row.activation)",
            ]
        }
        self.addDeeds(to: &content, view)
        return try self.console.render(
            Page(
                title: view.rule.title,
                template: "alert",
                content: content,
                navigation: "alerts",
                breadcrumb: [.init(LocalizedText(vi: "Cảnh báo", en: "Alerts"), "/alerts")],
                isLive: true,
                hasCharts: true
            ),
            request,
            context
        )
    }

    /// What may be done now.
    private func addDeeds(to content: inout [String: Any], _ view: AlertView) {
        let memory = view.memory
        content["may_acknowledge"] = !memory.isAcknowledged
        content["activation"] = "\(memory.activation)"
        content["may_reset"] = memory.isLatched && !memory.isActive && memory.isAcknowledged
        content["may_shelve"] = !memory.isShelved && !memory.isOutOfService
        content["may_unshelve"] = memory.isShelved
        content["may_return"] = memory.isOutOfService
        content["needs_second"] = view.rule.isLifeSafety
        content["shelf_max"] = "\(view.rule.shelfMax / 60_000)"
        content["shelf_usual"] = "\(min(view.rule.shelfMax / 60_000, 60))"
        switch self.gateway.alerts.template(of: view.key.rule)?.template.condition {
        case .runHours?, .excess?: content["may_restart"] = true
        default: content["may_restart"] = false
        }
    }

    private func unit(of point: PointID) -> String {
        self.gateway.engine.device(point.device)?.device.profile.points.first { $0.name == point.name }?.unit ?? "1"
    }

    private func perform(_ word: String, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        guard let id = context.parameters.get("id"), let key = AlertView.key(id) else { throw Problem.notFound }
        let form = try await request.form(context)
        let actor = context.actor ?? "page"
        let deeds = AlertDeeds(gateway: self.gateway)
        do {
            let second = try await deeds.agreed(
                form["second"].map { AlertDeeds.Second(name: $0, password: form["second_password"] ?? "") },
                actor: actor,
                source: "page"
            )
            let note = form["note"].flatMap { $0.isEmpty ? nil : String($0.prefix(1_000)) }
            let reason = String((form["reason"] ?? "").prefix(1_000))
            let command: AlertCommand =
                switch word {
                case "acknowledge":
                    .acknowledge(activation: form["activation"].flatMap { Int64($0) } ?? 0, note: note)
                case "reset": .reset(note: note)
                case "shelve":
                    .shelve(
                        until: deeds.end(ofMinutes: form["minutes"].flatMap { Int($0) } ?? 0),
                        reason: reason,
                        second: second
                    )
                case "unshelve": .unshelve
                case "out-of-service": .takeOutOfService(reason: reason, second: second)
                case "in-service": .returnToService
                default: .restart(note: note)
                }
            try await deeds.perform(command, on: key, by: actor)
        } catch let error as GatewayError {
            throw Problem.invalid(error.text)
        }
        return self.console.redirect(to: "/alerts/\(id)", notice: "notice.alert")
    }
}
