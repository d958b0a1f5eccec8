internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import SchoolRecords
internal import SiteConfiguration
internal import WebConsole

/// Devices that described themselves, and taking them in.
extension PageRoutes {
    private static let describedOnPage = 50

    func addDescribed(to router: Router<ConsoleContext>, facility: RouterGroup<ConsoleContext>) {
        router.get("/described") { request, context in try self.described(request, context) }
        facility.post("/described/:key/adopt") { request, context in
            let form = try await request.form(context)
            guard let device = form["device"], let node = form["node"] else { throw Problem.notFound }
            try await self.change(context) { gateway, key, actor in
                try gateway.adopt(described: key, device: device, node: node, actor: actor)
            }
            return self.console.redirect(to: "/devices/\(device)", notice: "notice.adopted")
        }
        facility.post("/described/scan") { request, context in
            let form = try await request.form(context)
            guard let bus = form["bus"], let unit = form["unit"].flatMap({ Int($0) }) else { throw Problem.notFound }
            do {
                _ = try await self.gateway.scan(bus: bus, unit: unit, actor: context.actor ?? "page")
            } catch let error as GatewayError {
                throw Problem.invalid(error.text)
            }
            return self.console.redirect(to: "/described", notice: "notice.scanned")
        }
        facility.post("/described/:key/accept") { _, context in
            try await self.change(context) { try $0.accept(described: $1, actor: $2) }
            return self.console.redirect(to: "/described", notice: "notice.description_accepted")
        }
        facility.post("/described/:key/refuse") { _, context in
            try await self.change(context) { try $0.refuse(described: $1, true, actor: $2) }
            return self.console.redirect(to: "/described", notice: "notice.refused")
        }
        facility.post("/described/:key/want") { _, context in
            try await self.change(context) { try $0.refuse(described: $1, false, actor: $2) }
            return self.console.redirect(to: "/described", notice: "notice.wanted")
        }
        facility.post("/described/:key/forget") { _, context in
            try await self.change(context) { try $0.forget(described: $1, actor: $2) }
            return self.console.redirect(to: "/described", notice: "notice.forgotten")
        }
    }

    private func change(
        _ context: ConsoleContext,
        _ work: @escaping @Sendable (Gateway, String, String) throws -> Void
    ) async throws {
        guard let key = context.parameters.get("key") else { throw Problem.notFound }
        let gateway = self.gateway
        let actor = context.actor ?? "page"
        do {
            try await gateway.records.perform { _ in try work(gateway, key, actor) }
        } catch let error as GatewayError {
            throw Problem.invalid(error.text)
        }
    }

    private func described(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let views = self.gateway.describedViews
        let wanted = request.query["state"].flatMap { DescribedView.State(rawValue: $0) }
        // Without a choice: what a person has to decide.
        let isOpen: (DescribedView) -> Bool = { [.waiting, .changed].contains($0.state) }
        let isAll = request.query["state"] == "all"
        let chosen = views.filter { view in wanted.map { view.state == $0 } ?? (isAll || isOpen(view)) }
        let number = max(1, Int(request.query["page"] ?? "1") ?? 1)
        let shown = chosen.dropFirst((number - 1) * Self.describedOnPage).prefix(Self.describedOnPage)
        let states: [DescribedView.State] = [.adopted, .known, .unusable, .refused]
        let tabs =
            [(LocalizedText(vi: "Chờ quyết định", en: "To decide").text(in: language), "/described")]
            + states.map { ($0.label.text(in: language), "/described?state=\($0.rawValue)") }
            + [(LocalizedText(vi: "Tất cả", en: "All").text(in: language), "/described?state=all")]
        let current = isAll ? tabs.count - 1 : wanted.flatMap { states.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        let taken = Set(self.gateway.site.devices.map(\.id.rawValue))
        let problems = self.gateway.described.problems.suffix(10).reversed()
            .map { ["topic": $0.topic, "reason": $0.reason] }
        let path = request.query["state"].flatMap { isAll || wanted != nil ? "/described?state=\($0)" : nil }
        let content: [String: Any] = [
            "tabs": TabBar(tabs, current: current),
            "rows": shown.map { self.row($0, taken, language) }, "has_rows": !shown.isEmpty,
            "pagination": Pagination(
                page: number,
                itemsPerPage: Self.describedOnPage,
                itemCount: chosen.count,
                path: path ?? "/described"
            ),
            "buses": self.gateway.site.buses.map { ["id": $0.id] }, "has_buses": !self.gateway.site.buses.isEmpty,
            "problems": problems, "has_problems": !problems.isEmpty,
            "empty": EmptyState(
                title: LocalizedText(vi: "Không có thiết bị nào ở đây", en: "No device here").text(in: language),
                text: LocalizedText(
                    vi:
                        "Thiết bị tự mô tả (Zigbee2MQTT, Tasmota, Shelly, ESPHome, Home Assistant) sẽ hiện ra khi báo tên.",
                    en:
                        "Devices that describe themselves (Zigbee2MQTT, Tasmota, Shelly, ESPHome, Home Assistant) show when they announce themselves."
                )
                .text(in: language)
            ),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Thiết bị mới", en: "New devices"),
                template: "described",
                content: content,
                navigation: "described"
            ),
            request,
            context
        )
    }

    private func row(_ view: DescribedView, _ taken: Set<String>, _ language: Language) -> [String: Any] {
        let device = view.entry.device
        let points = device.draft?.points.filter { !$0.isHidden } ?? []
        let heard = LocalTime.text(view.entry.lastHeard, self.gateway.site.utcOffsetSeconds)
        let facts = [device.family.title, device.vendor, device.model, device.firmware, device.hardware]
            .filter { !$0.isEmpty && $0 != "?" }
            .reduce(into: [String]()) { facts, fact in if !facts.contains(fact) { facts.append(fact) } }
        let rooms = self.gateway.site.nodes.filter { $0.kind == .room }
            .map { ["id": $0.id.rawValue, "name": $0.name.text(in: language)] }
        return [
            "key": view.key, "name": device.name, "facts": facts.joined(separator: " · "), "heard": heard,
            "address": device.addressText, "state": view.state.label.text(in: language),
            "is_changed": view.state == .changed, "is_waiting": view.state == .waiting,
            "is_refused": view.state == .refused, "is_open": [.waiting, .changed].contains(view.state),
            "is_kept": view.entry.isKept, "may_refuse": [.waiting, .unusable].contains(view.state),
            "devices": view.device.map { [["id": $0.rawValue]] } ?? [],
            "differences": view.differences.map { ["line": $0.text(in: language)] },
            "points": points.prefix(64)
                .map { ["title": $0.title.text(in: language), "unit": Units.text(for: $0.unit)] },
            "more_points": points.count > 64 ? [["count": "\(points.count - 64)"]] : [],
            "has_points": !points.isEmpty, "point_count": "\(points.count)",
            "has_left_out": !device.leftOut.isEmpty, "left_out_count": "\(device.leftOut.count)",
            "left_out": device.leftOut.prefix(64).map { ["name": $0.name, "reason": $0.reason.text(in: language)] },
            "proposed_id": view.proposedID { taken.contains($0) }, "rooms": rooms,
            "refuse": Confirmation(
                id: "refuse-\(view.key)",
                address: "/described/\(view.key)/refuse",
                button: LocalizedText(vi: "Không nhận", en: "Refuse").text(in: language),
                question: LocalizedText(
                    vi: "Không nhận thiết bị này? Nó nằm trong mục Từ chối, có thể nhận lại sau.",
                    en: "Refuse this device? It stays under Refused and can be wanted again."
                )
                .text(in: language)
            ),
        ]
    }
}

extension DescribedView.State {
    var label: LocalizedText {
        switch self {
        case .waiting: LocalizedText(vi: "Chờ nhận", en: "Waiting")
        case .changed: LocalizedText(vi: "Mô tả đã đổi", en: "Changed")
        case .adopted: LocalizedText(vi: "Đã nhận", en: "Adopted")
        case .known: LocalizedText(vi: "Đã khai báo", en: "Configured")
        case .unusable: LocalizedText(vi: "Không dùng được", en: "Not usable")
        case .refused: LocalizedText(vi: "Từ chối", en: "Refused")
        }
    }
}
