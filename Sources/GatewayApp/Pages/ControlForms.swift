internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import Hummingbird
internal import WebConsole

/// What the forms of the control panel post to.
struct ControlForms {
    let routes: ControlRoutes

    func add(to router: Router<ConsoleContext>) {
        let users = router.group("/devices/:device").add(middleware: RoleRequirement(.lab))
        users.post("controls/:control") { request, context in try await self.send(request, context) }
        users.post("controls/:control/release") { _, context in
            let key = try ControlRoutes.key(context)
            try await ControlRoutes.telling {
                try await self.routes.gateway.controls.release(key, actor: ControlRoutes.actor(context))
            }
            return self.back(to: key.device, notice: "notice.released")
        }
        let facility = users.group().add(middleware: RoleRequirement(.facility))
        facility.post("lock") { request, context in
            let form = try await request.form(context)
            try await self.routes.setLock(true, context, reason: form["reason"] ?? "")
            return self.back(to: try ControlRoutes.device(context), notice: "notice.locked")
        }
        facility.post("unlock") { _, context in
            try await self.routes.setLock(false, context, reason: "")
            return self.back(to: try ControlRoutes.device(context), notice: "notice.unlocked")
        }
    }

    private func send(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let form = try await request.form(context)
        let key = try ControlRoutes.key(context)
        // A browser with Vietnamese numbers writes a comma.
        let text = form["value"].map { $0.replacing(",", with: ".") }
        let value = text.flatMap { $0.isEmpty ? nil : Double($0) }
        let hold: Int64? =
            switch form["hold"] ?? "once" {
            case "once": nil
            case "lesson": try self.routes.untilLessonEnd()
            case let seconds: try ControlRoutes.milliseconds(Double(seconds) ?? 0)
            }
        let command = try await self.routes.submit(
            CommandRequest(
                key: key,
                value: value,
                actor: ControlRoutes.actor(context),
                priority: hold == nil ? .manual : .override,
                reason: ControlRoutes.trimmed(form["reason"] ?? ""),
                isConfirmed: form["confirmed"] == "true",
                holdMilliseconds: hold
            ),
            // Long enough for most; what takes longer shows on the page when it is known.
            waitingMilliseconds: 1_500
        )
        return self.back(to: key.device, notice: "notice.command_\(command.outcome.code.replacing("-", with: "_"))")
    }

    private func back(to device: DeviceID, notice: String) -> Response {
        self.routes.console.redirect(to: "/devices/\(device)", notice: notice)
    }
}
