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
        router.get("/rooms/:node") { request, context in try await self.room(request, context) }
        router.get("/devices") { request, context in try self.devices(request, context) }
        router.get("/devices/:device") { request, context in try self.device(request, context) }
        self.addAlerts(to: router)
        router.get("/quarantine") { request, context in try self.quarantine(request, context) }
        let facility = router.group().add(middleware: RoleRequirement(.facility))
        facility.post("/quarantine/:id/adopt") { request, context in try await self.adopt(request, context) }
        facility.post("/quarantine/:id/dismiss") { _, context in
            guard let id = context.parameters.get("id").flatMap({ UInt64($0) }) else { throw Problem.notFound }
            self.gateway.engine.quarantine.remove(id: id)
            return self.console.redirect(to: "/quarantine", notice: "notice.dismissed")
        }
        self.addDescribed(to: router, facility: facility)
        let administrator = router.group().add(middleware: RoleRequirement(.administrator))
        administrator.post("/devices/reload") { _, context in
            let gateway = self.gateway
            let actor = context.actor ?? "page"
            do {
                let problems = try await gateway.records.perform { _ in try gateway.reload(actor: actor) }
                return problems.isEmpty
                    ? self.console.redirect(to: "/devices", notice: "notice.reloaded")
                    // The overview lists them.
                    : self.console.redirect(to: "/", notice: "notice.reloaded_partly")
            } catch let error as GatewayError {
                throw Problem.invalid(error.text)
            }
        }
    }

    static let navigation: [ConsoleConfiguration.NavigationItem] = [
        .init(id: "overview", title: LocalizedText(vi: "Tổng quan", en: "Overview"), address: "/"),
        .init(id: "alerts", title: LocalizedText(vi: "Cảnh báo", en: "Alerts"), address: "/alerts"),
        .init(id: "rooms", title: LocalizedText(vi: "Phòng", en: "Rooms"), address: "/rooms"),
        .init(id: "devices", title: LocalizedText(vi: "Thiết bị", en: "Devices"), address: "/devices"),
        .init(id: "schedules", title: LocalizedText(vi: "Lịch", en: "Schedules"), address: "/schedules"),
        .init(id: "described", title: LocalizedText(vi: "Thiết bị mới", en: "New devices"), address: "/described"),
        .init(id: "quarantine", title: LocalizedText(vi: "Cách ly", en: "Quarantine"), address: "/quarantine"),
    ]
}
