internal import AlertEngine
internal import CampusModel
internal import Hummingbird
internal import SchoolRecords
internal import TimeSeriesRing
internal import WebConsole

/// The routes under `/api/v1/alerts`.
struct AlertRoutes {
    let gateway: Gateway
    let console: Console

    func add(to api: RouterGroup<ConsoleContext>) {
        api.get("alerts") { request, _ in try self.console.json(try self.list(request)) }
        api.get("alerts/:id") { _, context in try self.console.json(self.model(try self.view(context))) }
        api.get("alert-transitions") { request, _ in try self.console.json(try await self.transitions(request)) }
        let facility = api.group().add(middleware: RoleRequirement(.facility))
        for word in ["acknowledge", "reset", "shelve", "unshelve", "out-of-service", "in-service", "restart"] {
            facility.post("alerts/:id/\(RouterPath(stringLiteral: word))") { request, context in
                try await self.perform(word, request, context)
            }
        }
    }

    private func utc(_ tick: Tick) -> Tick { self.gateway.ring.clock.utc(tick) }

    private func model(_ view: AlertView) -> APIModel.Alert { APIModel.Alert(view, utc: self.utc) }

    private func view(_ context: ConsoleContext) throws -> AlertView {
        guard let key = context.parameters.get("id").flatMap({ AlertView.key($0) }),
            let view = self.gateway.alerts.alert(key)
        else { throw Problem.notFound }
        return view
    }

    /// Every alert that is not normal, the most urgent first.
    private func list(_ request: Request) throws -> APIModel.List<APIModel.Alert> {
        let limit = try APIQuery.limit(request, standard: 200, maximum: 1_000)
        let state = try APIQuery.word(request, "state", AlertState.self)
        var views = self.gateway.alerts.attention()[...].filter { state == nil || $0.state == state }[...]
        if let after = request.query["after"] {
            guard let index = views.firstIndex(where: { $0.id == after }) else {
                throw APIRoutes.invalid("after: what the last page gave as next")
            }
            views = views[(index + 1)...]
        }
        return .page(views, limit: limit, cursor: \.id, self.model)
    }

    private func transitions(_ request: Request) async throws -> APIModel.List<APIModel.AlertTransition> {
        let limit = try APIQuery.limit(request, standard: 100, maximum: 1_000)
        let before = try APIQuery.number(after: request)
        var key: AlertKey?
        if let text = request.query["alert"] {
            key = AlertView.key(text)
            if key == nil { throw APIRoutes.invalid("alert: an identifier of the list, such as co2-high:a101-khi~co2") }
        }
        let asked = key
        let page = try await self.gateway.records.perform { records in
            try records.alertTransitions(
                of: asked.map { ($0.rule, $0.instance) },
                before: before,
                pageSize: limit
            )
        }
        return APIModel.List(
            items: page.items.map { APIModel.AlertTransition($0, utc: self.utc) },
            next: page.next.map { "\($0)" }
        )
    }

    private struct Body: Decodable {
        var activation: Int64?
        var note: String?
        var minutes: Int?
        var reason: String?
        var second: String?
        var secondPassword: String?
    }

    private func perform(_ word: String, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        let view = try self.view(context)
        let body = try await APIBody.read(Body.self, request, context)
        let actor = context.actor ?? "api"
        let deeds = AlertDeeds(gateway: self.gateway)
        try await APIBody.asking {
            let second = try await deeds.agreed(
                body.second.map { AlertDeeds.Second(name: $0, password: body.secondPassword ?? "") },
                actor: actor,
                source: "api"
            )
            let command: AlertCommand
            switch word {
            case "acknowledge":
                guard let activation = body.activation else {
                    throw APIRoutes.invalid("activation: the number that the alert shows")
                }
                command = .acknowledge(activation: activation, note: body.note)
            case "reset": command = .reset(note: body.note)
            case "shelve":
                guard let minutes = body.minutes else { throw APIRoutes.invalid("minutes: how long") }
                command = .shelve(until: deeds.end(ofMinutes: minutes), reason: body.reason ?? "", second: second)
            case "unshelve": command = .unshelve
            case "out-of-service": command = .takeOutOfService(reason: body.reason ?? "", second: second)
            case "in-service": command = .returnToService
            default: command = .restart(note: body.note)
            }
            try await deeds.perform(command, on: view.key, by: actor)
        }
        return try self.console.json(self.model(try self.view(context)))
    }
}
