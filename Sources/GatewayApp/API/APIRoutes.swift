internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Exporters
internal import Foundation
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The routes under `/api/v1`.
struct APIRoutes {
    let gateway: Gateway
    let console: Console
    let openAPI: [UInt8]

    func add(to router: Router<ConsoleContext>) {
        let api = router.group("/api/v1")
        api.get("status") { _, _ in try self.console.json(self.status()) }
        api.get("nodes") { request, _ in try self.console.json(try self.nodes(request)) }
        api.get("nodes/:node/summaries") { request, context in try await self.nodeSummaries(request, context) }
        api.get("devices") { request, _ in try self.console.json(try self.devices(request)) }
        api.get("devices/:device") { _, context in
            try self.console.json(APIModel.Device(self.gateway.snapshot(try self.runtime(context))))
        }
        api.get("devices/:device/points") { _, context in try self.console.json(self.points(try self.runtime(context)))
        }
        api.get("exporters") { _, _ in
            try self.console.json(
                APIModel.List(items: self.gateway.exports.exporters.map { APIModel.Exporter($0.statistics) })
            )
        }
        api.get("latest") { request, _ in try self.console.json(try self.latest(request)) }
        HistoryRoutes(gateway: self.gateway, console: self.console).add(to: api)
        api.get("points/:device/:point/summaries") { request, context in try await self.summaries(request, context) }
        api.get("events") { request, context in try await self.events(request, context) }
        api.get("quarantine") { request, _ in try self.console.json(try self.quarantine(request)) }
        DescribedRoutes(gateway: self.gateway, console: self.console).add(to: api)
        AlertRoutes(gateway: self.gateway, console: self.console).add(to: api)
        self.addChanges(to: api)
        router.get("/api/openapi.json") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: self.openAPI))
            )
        }
    }

    private func addChanges(to api: RouterGroup<ConsoleContext>) {
        let facility = api.group().add(middleware: RoleRequirement(.facility))
        facility.post("quarantine/:id/adopt") { request, context in
            let body = try await APIBody.read(AdoptRequest.self, request, context)
            try await self.adopt(body, id: context.parameters.get("id"), actor: context.actor ?? "api")
            return try self.console.json(APIModel.Reloaded(problems: []), status: .created)
        }
        facility.delete("quarantine/:id") { _, context in
            guard let id = context.parameters.get("id").flatMap({ UInt64($0) }),
                self.gateway.engine.quarantine.remove(id: id)
            else { throw Problem.notFound }
            return Response(status: .noContent)
        }
        let administrator = api.group().add(middleware: RoleRequirement(.administrator))
        ImportRoute(gateway: self.gateway, console: self.console).add(to: administrator)
        administrator.post("reload") { _, context in
            let gateway = self.gateway
            let actor = context.actor ?? "api"
            return try self.console.json(
                APIModel.Reloaded(
                    problems: try await APIBody.asking {
                        try await gateway.records.perform { _ in try gateway.reload(actor: actor) }.map(\.description)
                    }
                )
            )
        }
        AccountRoutes(gateway: self.gateway, console: self.console).add(to: administrator)
    }

    private struct AdoptRequest: Decodable {
        var profile: String
        var device: String
        var node: String
    }

    private func adopt(_ body: AdoptRequest, id: String?, actor: String) async throws {
        guard let id = id.flatMap({ UInt64($0) }) else { throw Problem.notFound }
        let gateway = self.gateway
        try await APIBody.asking {
            try await gateway.records.perform { _ in
                try gateway.adopt(entry: id, profile: body.profile, device: body.device, node: body.node, actor: actor)
            }
        }
    }

    static func invalid(_ text: String) -> Problem { .invalid(LocalizedText(vi: text, en: text)) }

    func status() -> APIModel.Status {
        let engine = self.gateway.engine
        var states: [String: Int] = [:]
        var points = 0
        for runtime in engine.devices {
            states[runtime.health.state.rawValue, default: 0] += 1
            points += runtime.device.profile.points.count { !$0.isHidden }
        }
        let site = self.gateway.site
        return APIModel.Status(
            site: site.id.rawValue,
            name: site.name,
            version: Gateway.version,
            startedAt: UTCText.rfc3339(self.gateway.started),
            now: UTCText.rfc3339(self.gateway.now),
            devices: states,
            points: points,
            samplesStored: self.gateway.ring.statistics.appended,
            brokerConnected: self.gateway.receiver.connectionState == .connected,
            quarantine: engine.quarantine.entries.count,
            configurationProblems: self.gateway.configurationProblems.problems.map(\.description)
        )
    }

    private func nodes(_ request: Request) throws -> APIModel.List<APIModel.Node> {
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 5_000)
        var nodes = self.gateway.site.nodes[...]
        if let after = request.query["after"] {
            guard let index = nodes.firstIndex(where: { $0.id.rawValue == after }) else {
                throw Self.invalid("after: what the last page gave as next")
            }
            nodes = nodes[(index + 1)...]
        }
        return .page(nodes, limit: limit, cursor: \.id.rawValue) { node in
            APIModel.Node(
                id: node.id.rawValue,
                parent: node.parent?.rawValue,
                kind: node.kind.rawValue,
                room: node.room?.rawValue,
                name: node.name
            )
        }
    }

    /// The newest kind of message first.
    private func quarantine(_ request: Request) throws -> APIModel.List<APIModel.QuarantineItem> {
        let limit = try APIQuery.limit(request, standard: 200, maximum: 1_000)
        let after = try APIQuery.number(after: request).flatMap { UInt64(exactly: $0) } ?? .max
        let entries = self.gateway.engine.quarantine.entries.filter { $0.id < after }.sorted { $0.id > $1.id }
        return .page(entries, limit: limit, cursor: { "\($0.id)" }, APIModel.QuarantineItem.init)
    }

    private func devices(_ request: Request) throws -> APIModel.List<APIModel.Device> {
        let limit = try APIQuery.limit(request, standard: 500, maximum: 5_000)
        let node = try self.knownNode(request)
        let state = request.query["state"]
        if let state, DeviceHealth.State(rawValue: state) == nil {
            throw Self.invalid("state: waiting, online, late, offline, quarantined")
        }
        let after = request.query["after"]
        var items: [APIModel.Device] = []
        for runtime in self.gateway.engine.devices.sorted(by: { $0.device.id < $1.device.id }) {
            if let after, runtime.device.id.rawValue <= after { continue }
            if let node, runtime.device.node.rawValue != node { continue }
            let snapshot = self.gateway.snapshot(runtime)
            if let state, snapshot.health.state.rawValue != state { continue }
            if items.count == limit { return APIModel.List(items: items, next: items.last?.id) }
            items.append(APIModel.Device(snapshot))
        }
        return APIModel.List(items: items)
    }

    private func points(_ runtime: DeviceRuntime) -> APIModel.List<APIModel.Point> {
        APIModel.List(
            items: self.gateway.snapshot(runtime).points
                .map { APIModel.Point($0, runtime.device.profile.points[$0.index]) }
        )
    }

    private func latest(_ request: Request) throws -> APIModel.List<APIModel.Point> {
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 10_000)
        let after = request.query["after"].flatMap { PointID($0) }
        let device = try request.query["device"].map { try self.runtime(named: $0).device.id.rawValue }
        let node = try self.knownNode(request)
        var items: [APIModel.Point] = []
        for runtime in self.gateway.engine.devices.sorted(by: { $0.device.id < $1.device.id }) {
            if let after, runtime.device.id < after.device { continue }
            if let device, runtime.device.id.rawValue != device { continue }
            if let node, runtime.device.node.rawValue != node { continue }
            for point in self.gateway.snapshot(runtime).points.sorted(by: { $0.id < $1.id }) {
                if let after, point.id <= after { continue }
                if items.count == limit { return APIModel.List(items: items, next: items.last?.id) }
                items.append(APIModel.Point(point, runtime.device.profile.points[point.index]))
            }
        }
        return APIModel.List(items: items)
    }

    private func runtime(_ context: ConsoleContext) throws -> DeviceRuntime {
        guard let id = context.parameters.get("device") else { throw Problem.notFound }
        return try self.runtime(named: id)
    }

    private func runtime(named id: String) throws -> DeviceRuntime {
        guard let runtime = self.gateway.engine.device(DeviceID(rawValue: id)) else {
            throw Problem.notFound(LocalizedText(vi: "Không có thiết bị “\(id)”.", en: "There is no device “\(id)”."))
        }
        return runtime
    }

    /// The node that a list is about, if it names one.
    private func knownNode(_ request: Request) throws -> String? {
        try request.query["node"].map { try self.known(node: $0).id.rawValue }
    }

    private func known(node id: String) throws -> SiteDefinition.Node {
        guard let node = self.gateway.site.nodes.first(where: { $0.id.rawValue == id }) else {
            throw Problem.notFound(LocalizedText(vi: "Không có nơi “\(id)”.", en: "There is no node “\(id)”."))
        }
        return node
    }

    /// Hours of the last day or days of the last month, unless the request says otherwise.
    private func summaryRange(_ request: Request, _ period: SummaryPeriod) throws -> Range<Tick> {
        try APIQuery.range(
            request,
            now: self.gateway.now,
            standardMilliseconds: period == .hour ? 86_400_000 : 31 * 86_400_000
        )
    }

    private func summaries(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let (device, point) = (context.parameters.get("device") ?? "", context.parameters.get("point") ?? "")
        let period = try APIQuery.word(request, "period", SummaryPeriod.self) ?? .hour
        let range = try self.summaryRange(request, period)
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 5_000)
        let id = PointID(device: DeviceID(rawValue: device), name: point)
        let found = try await self.gateway.records.perform { try $0.summaries(of: id, period: period, range: range) }
        return try self.console.json(
            APIModel.List(
                items: found.prefix(limit).map { APIModel.RollupItem($0.rollup) },
                next: found.count > limit ? UTCText.rfc3339(found[limit].rollup.start) : nil
            )
        )
    }

    /// Summaries of a room, or of any node with everything inside it.
    private func nodeSummaries(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let id = context.parameters.get("node") ?? ""
        let node = try self.known(node: id).id
        let period = try APIQuery.word(request, "period", SummaryPeriod.self) ?? .hour
        let range = try self.summaryRange(request, period)
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 5_000)
        let name = request.query["name"]
        let found = try await self.gateway.records.perform {
            try $0.summaries(inside: node, name: name, period: period, range: range)
        }
        // A page never ends inside a period, so that `from=next` misses none.
        var end = min(limit, found.count)
        while end > 0, end < found.count, found[end].rollup.start == found[end - 1].rollup.start { end += 1 }
        return try self.console.json(
            APIModel.List(
                items: found[..<end].map(APIModel.NodeSummaryItem.init),
                next: end < found.count ? UTCText.rfc3339(found[end].rollup.start) : nil
            )
        )
    }

    private func events(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let limit = try APIQuery.limit(request, standard: 100, maximum: 1_000)
        let query = EventQuery(
            device: request.query["device"].map { DeviceID(rawValue: $0) },
            node: try self.knownNode(request).map { NodeID(rawValue: $0) },
            name: request.query["name"],
            kind: try APIQuery.word(request, "kind"),
            range: try APIQuery.openRange(request, now: self.gateway.now)
        )
        var cursor: EventCursor?
        if let after = request.query["after"] {
            let parts = after.split(separator: "-")
            guard parts.count == 2, let tick = Int64(parts[0]), let id = Int64(parts[1]) else {
                throw Self.invalid("after: what the last page gave as next")
            }
            cursor = EventCursor(tick: Tick(milliseconds: tick), id: id)
        }
        let role = UserRole(context.role ?? .viewer)
        let page = try await self.gateway.records.perform { [cursor] in
            try $0.events(matching: query, for: role, before: cursor, pageSize: limit)
        }
        return try self.console.json(
            APIModel.List(
                items: page.items.map(APIModel.EventItem.init),
                next: page.next.map { "\($0.tick.rawValue)-\($0.id)" }
            )
        )
    }
}
