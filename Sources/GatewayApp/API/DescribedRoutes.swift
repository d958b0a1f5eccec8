internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import SchoolRecords
internal import WebConsole

/// `/api/v1/described`: devices that described themselves.
struct DescribedRoutes {
    let gateway: Gateway
    let console: Console

    func add(to api: RouterGroup<ConsoleContext>) {
        api.get("described") { request, _ in try self.console.json(try self.list(request)) }
        api.get("described/:key") { _, context in
            try self.console.json(APIModel.DescribedItem(try self.view(context), isWhole: true))
        }
        api.get("described/:key/profile") { _, context in
            let view = try self.view(context)
            let gateway = self.gateway
            let text = try await APIBody.asking {
                try await gateway.records.perform { _ in try gateway.profileText(described: view.key) }
            }
            return Response(
                status: .ok,
                headers: [.contentType: "application/yaml; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
        let facility = api.group().add(middleware: RoleRequirement(.facility))
        facility.post("described/scan") { request, context in
            let body = try await APIBody.read(Scan.self, request, context)
            let gateway = self.gateway
            let actor = context.actor ?? "api"
            let key = try await APIBody.asking {
                try await gateway.scan(bus: body.bus, unit: body.unit, actor: actor)
            }
            guard let view = gateway.describedView(key) else { throw Problem.notFound }
            return try self.console.json(APIModel.DescribedItem(view, isWhole: true), status: .created)
        }
        facility.post("described/:key/adopt") { request, context in
            let body = try await APIBody.read(Adoption.self, request, context)
            try await self.change(context) { gateway, key, actor in
                try gateway.adopt(described: key, device: body.device, node: body.node, actor: actor)
            }
            return try self.console.json(APIModel.Reloaded(problems: []), status: .created)
        }
        facility.post("described/:key/accept") { _, context in
            try await self.change(context) { try $0.accept(described: $1, actor: $2) }
            return try self.console.json(APIModel.Reloaded(problems: []))
        }
        facility.post("described/:key/refuse") { _, context in
            try await self.change(context) { try $0.refuse(described: $1, true, actor: $2) }
            return Response(status: .noContent)
        }
        facility.delete("described/:key/refuse") { _, context in
            try await self.change(context) { try $0.refuse(described: $1, false, actor: $2) }
            return Response(status: .noContent)
        }
        facility.delete("described/:key") { _, context in
            try await self.change(context) { try $0.forget(described: $1, actor: $2) }
            return Response(status: .noContent)
        }
    }

    private struct Scan: Decodable {
        var bus: String
        var unit: Int
    }

    private struct Adoption: Decodable {
        var device: String
        var node: String
    }

    private func view(_ context: ConsoleContext) throws -> DescribedView {
        guard let key = context.parameters.get("key"), let view = self.gateway.describedView(key) else {
            throw Problem.notFound
        }
        return view
    }

    private func change(
        _ context: ConsoleContext,
        _ work: @escaping @Sendable (Gateway, String, String) throws -> Void
    ) async throws {
        let key = try self.view(context).key
        let gateway = self.gateway
        let actor = context.actor ?? "api"
        try await APIBody.asking { try await gateway.records.perform { _ in try work(gateway, key, actor) } }
    }

    /// By key; points and what was left out only of one device.
    private func list(_ request: Request) throws -> APIModel.List<APIModel.DescribedItem> {
        let limit = try APIQuery.limit(request, standard: 200, maximum: 1_000)
        let state: DescribedView.State? = try Self.word(request, "state")
        let family: DescribedDevice.Family? = try Self.word(request, "family")
        let after = request.query["after"]
        let views = self.gateway.describedViews.sorted { $0.key < $1.key }
            .filter { view in
                (state == nil || view.state == state) && (family == nil || view.entry.device.family == family)
                    && (after.map { view.key > $0 } ?? true)
            }
        return .page(views[...], limit: limit, cursor: \.key) { APIModel.DescribedItem($0, isWhole: false) }
    }

    private static func word<Word: RawRepresentable & CaseIterable>(_ request: Request, _ name: String) throws -> Word?
    where Word.RawValue == String {
        guard let text = request.query[name] else { return nil }
        guard let word = Word(rawValue: text) else {
            throw APIRoutes.invalid("\(name): \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }
}

extension APIModel {
    /// A device that described itself.
    struct DescribedItem: Encodable {
        struct Point: Encodable {
            var name: String
            var title: LocalizedText
            var unit: String
            var kind: String
        }

        struct Left: Encodable {
            var name: String
            var reason: LocalizedText
        }

        var key: String
        var family: String
        var state: String
        var name: String
        var hardware: String
        var vendor: String
        var model: String
        var firmware: String
        var address: String
        /// The device that it is.
        var device: String?
        var pointCount: Int
        var leftOutCount: Int
        var points: [Point]?
        var leftOut: [Left]?
        /// What it tells now against what it is read with.
        var differences: [LocalizedText]
        var firstHeard: String
        var lastHeard: String
        /// Only heard from what the broker had kept.
        var isKept: Bool

        init(_ view: DescribedView, isWhole: Bool) {
            let device = view.entry.device
            self.key = view.key
            self.family = device.family.rawValue
            self.state = view.state.rawValue
            (self.name, self.hardware) = (device.name, device.hardware)
            (self.vendor, self.model, self.firmware) = (device.vendor, device.model, device.firmware)
            self.address = device.addressText
            self.device = view.device?.rawValue
            let points = device.draft?.points.filter { !$0.isHidden } ?? []
            self.pointCount = points.count
            self.leftOutCount = device.leftOut.count
            if isWhole {
                self.points = points.map { Point(name: $0.name, title: $0.title, unit: $0.unit, kind: $0.kindName) }
                self.leftOut = device.leftOut.map { Left(name: $0.name, reason: $0.reason) }
            }
            self.differences = view.differences
            self.firstHeard = UTCText.rfc3339(view.entry.firstHeard)
            self.lastHeard = UTCText.rfc3339(view.entry.lastHeard)
            self.isKept = view.entry.isKept
        }
    }
}
