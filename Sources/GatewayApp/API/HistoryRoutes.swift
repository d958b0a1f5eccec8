internal import Acquisition
internal import CampusModel
internal import Hummingbird
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// The past of points: one point page by page, and many points at once.
struct HistoryRoutes {
    /// Points of one answer.
    static let pointsMax = 2_000

    let gateway: Gateway
    let console: Console

    private enum Format: String, CaseIterable {
        case json
        case csv
    }

    func add(to api: RouterGroup<ConsoleContext>) {
        api.get("history") { request, _ in try self.history(request) }
        api.get("points/:device/:point/samples") { request, context in try self.samples(request, context) }
        api.get("points/:device/:point/rollups") { request, context in try self.rollups(request, context) }
        api.get("points/:device/:point/chart") { request, context in
            try self.console.json(try await self.chart(request, context))
        }
    }

    private func series(_ context: ConsoleContext) throws -> HistorySeries {
        let name = "\(context.parameters.get("device") ?? "")/\(context.parameters.get("point") ?? "")"
        return try self.series(named: name)
    }

    private func series(named name: String) throws -> HistorySeries {
        guard let series = self.gateway.historySeries(name) else {
            let name = name.prefix(200)
            throw Problem.notFound(LocalizedText(vi: "Không có điểm đo “\(name)”.", en: "There is no point “\(name)”."))
        }
        return series
    }

    private func samples(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let series = try self.series(context)
        let range = try APIQuery.range(request, now: self.gateway.now)
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 1_000_000)
        let format = try APIQuery.word(request, "format", Format.self) ?? .json
        return try HistoryBody(gateway: self.gateway)
            .response(
                HistoryRows.Query(
                    series: [series],
                    range: range,
                    form: format == .csv ? .pointTable(limit: limit) : .items(limit: limit)
                )
            )
    }

    private func rollups(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let series = try self.series(context)
        let range = try APIQuery.range(request, now: self.gateway.now)
        let step = try APIQuery.milliseconds(request, "step", standard: 60_000)
        let limit = try APIQuery.limit(request, standard: 1_000, maximum: 1_000_000)
        return try HistoryBody(gateway: self.gateway)
            .response(HistoryRows.Query(series: [series], range: range, step: step, form: .items(limit: limit)))
    }

    /// Many points in one answer, however long it is.
    private func history(_ request: Request) throws -> Response {
        let series = try self.wanted(request)
        let range = try APIQuery.range(request, now: self.gateway.now, standardMilliseconds: 86_400_000)
        let step = try request.query["step"].map { _ in try APIQuery.milliseconds(request, "step", standard: 60_000) }
        let format = try APIQuery.word(request, "format", Format.self) ?? .json
        return try HistoryBody(gateway: self.gateway)
            .response(
                HistoryRows.Query(series: series, range: range, step: step, form: format == .csv ? .table : .columns)
            )
    }

    /// The points that a request names: by name, of a device, or of a node with everything inside it.
    private func wanted(_ request: Request) throws -> [HistorySeries] {
        let names = request.query.all("series").flatMap { $0.split(separator: ",") }.map(String.init)
        let (device, node) = (request.query["device"], request.query["node"])
        guard [!names.isEmpty, device != nil, node != nil].count(where: { $0 }) == 1 else {
            throw APIRoutes.invalid(
                "series=device/point,device/point, device=… or node=…: exactly one of them says which points"
            )
        }
        let found: [HistorySeries]
        if let device {
            guard let runtime = self.gateway.engine.device(DeviceID(rawValue: device)) else {
                throw Problem.notFound(
                    LocalizedText(vi: "Không có thiết bị “\(device)”.", en: "There is no device “\(device)”.")
                )
            }
            found = self.gateway.historySeries(of: runtime)
        } else if let node {
            let inside = try self.nodes(inside: node)
            found = self.gateway.engine.devices.sorted { $0.device.id < $1.device.id }
                .filter { inside.contains($0.device.node) }
                .flatMap { self.gateway.historySeries(of: $0) }
        } else {
            guard names.count <= Self.pointsMax else { throw Self.tooMany(names.count) }
            found = try names.map { try self.series(named: $0) }
        }
        guard found.count <= Self.pointsMax else { throw Self.tooMany(found.count) }
        return found
    }

    private static func tooMany(_ count: Int) -> Problem {
        APIRoutes.invalid("\(count) points; one request may have \(self.pointsMax): ask for parts of them")
    }

    private func nodes(inside id: String) throws -> Set<NodeID> {
        let nodes = self.gateway.site.nodes
        guard let top = nodes.first(where: { $0.id.rawValue == id }) else {
            throw Problem.notFound(LocalizedText(vi: "Không có nơi “\(id)”.", en: "There is no node “\(id)”."))
        }
        var inside: Set<NodeID> = [top.id]
        var count = 0
        // Parents may stand behind their children in the file.
        while inside.count != count {
            count = inside.count
            for node in nodes where node.parent.map({ inside.contains($0) }) == true { inside.insert(node.id) }
        }
        return inside
    }

    private func chart(_ request: Request, _ context: ConsoleContext) async throws -> APIModel.Chart {
        let series = try self.series(context)
        if let span = request.query["span"].flatMap(LongChart.Span.init(rawValue:)) {
            return try await LongChart(gateway: self.gateway, series: series, span: span).chart()
        }
        let now = self.gateway.ring.latest(series.index).map { max($0.tick, self.gateway.now) } ?? self.gateway.now
        let span: Int64
        let step: Int64
        switch request.query["span"] ?? "hour" {
        case "hour": (span, step) = (3_600_000, 10_000)
        case "day": (span, step) = (86_400_000, 300_000)
        case "week": (span, step) = (7 * 86_400_000, 3_600_000)
        default: throw APIRoutes.invalid("span: hour, day, week, month, year")
        }
        let range = now.advanced(byMilliseconds: -span)..<now.advanced(byMilliseconds: 1)
        let ring = self.gateway.ring
        let found = await HistoryWork.perform {
            ring.aggregate(series.index, in: range, stepMilliseconds: step, limit: 2_000)
        }
        return APIModel.Chart(unit: Units.text(for: series.unit), rows: found.map(APIModel.Chart.Row.init))
    }
}
