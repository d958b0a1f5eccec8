internal import Acquisition
internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import Hummingbird
internal import SiteConfiguration
internal import WebConsole

/// Controls under `/api/v1`, and the forms of the pages.
struct ControlRoutes {
    let gateway: Gateway
    let console: Console

    /// The longest that a caller may wait for the outcome.
    private static let waitSecondsMax = 20.0

    func add(to router: Router<ConsoleContext>) {
        let devices = router.group("/api/v1/devices/:device")
        devices.get("controls") { _, context in try self.list(context) }
        devices.get("controls/:control") { _, context in try self.one(context) }
        devices.get("controls/:control/commands/:command") { _, context in try await self.command(context) }
        let users = devices.group().add(middleware: RoleRequirement(.lab))
        users.post("controls/:control") { request, context in try await self.send(request, context) }
        users.delete("controls/:control/override") { _, context in
            try await Self.telling {
                try await self.gateway.controls.release(try Self.key(context), actor: Self.actor(context))
            }
            return Response(status: .noContent)
        }
        let facility = devices.group().add(middleware: RoleRequirement(.facility))
        facility.post("lock") { request, context in
            let body = try await APIBody.read(LockBody.self, request, context)
            try await self.setLock(true, context, reason: body.reason)
            return Response(status: .noContent)
        }
        facility.delete("lock") { _, context in
            try await self.setLock(false, context, reason: "")
            return Response(status: .noContent)
        }
        ControlForms(routes: self).add(to: router)
    }

    private struct LockBody: Decodable { var reason: String }

    /// A value as callers write it: a number, or true and false.
    private struct Value: Decodable {
        var number: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self.number = flag ? 1 : 0
            } else {
                self.number = try container.decode(Double.self)
            }
        }
    }

    private struct Body: Decodable {
        var value: Value?
        var reason: String?
        var confirmed: Bool?
        /// Seconds, or to the end of the lesson.
        var hold: Hold?
        var dryRun: Bool?
        var waitSeconds: Double?

        enum Hold: Decodable {
            case seconds(Double)
            case lesson

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let seconds = try? container.decode(Double.self) {
                    self = .seconds(seconds)
                } else if try container.decode(String.self) == "lesson" {
                    self = .lesson
                } else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "seconds or lesson")
                }
            }
        }
    }

    // MARK: Reading

    private func list(_ context: ConsoleContext) throws -> Response {
        let id = try Self.device(context)
        guard self.gateway.engine.device(id) != nil else { throw Self.noDevice(id) }
        let items = self.gateway.controls.statuses(of: id).map { APIModel.Control($0, utc: self.gateway.utc) }
        return try self.console.json(APIModel.List(items: items))
    }

    private func one(_ context: ConsoleContext) throws -> Response {
        let key = try Self.key(context)
        guard
            let status = self.gateway.controls.statuses(of: key.device)
                .first(where: { $0.definition.name == key.control })
        else { throw Problem.notFound }
        return try self.console.json(APIModel.Control(status, utc: self.gateway.utc))
    }

    private func command(_ context: ConsoleContext) async throws -> Response {
        let key = try Self.key(context)
        guard let id = context.parameters.get("command").flatMap({ Int64($0) }),
            let command = await self.gateway.controls.command(id, of: key)
        else { throw Problem.notFound }
        return try self.console.json(APIModel.CommandItem(command, utc: self.gateway.utc))
    }

    // MARK: Sending

    private func send(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let body = try await APIBody.read(Body.self, request, context)
        let hold: Int64? =
            switch body.hold {
            case .seconds(let seconds): try Self.milliseconds(seconds)
            case .lesson: try self.untilLessonEnd()
            case nil: nil
            }
        let wanted = CommandRequest(
            key: try Self.key(context),
            value: body.value?.number,
            actor: Self.actor(context),
            priority: hold == nil ? .manual : .override,
            reason: Self.trimmed(body.reason ?? ""),
            isConfirmed: body.confirmed ?? false,
            holdMilliseconds: hold
        )
        if body.dryRun ?? false {
            let write = try await Self.telling { try self.gateway.controls.check(wanted) }
            return try self.console.json(APIModel.DryRun(wanted.key, wanted.value, write))
        }
        let wait = min(max(body.waitSeconds ?? 10, 0), Self.waitSecondsMax)
        let command = try await self.submit(wanted, waitingMilliseconds: Int64((wait * 1_000).rounded()))
        return try self.console.json(
            APIModel.CommandItem(command, utc: self.gateway.utc),
            status: command.outcome == .pending ? .accepted : .ok
        )
    }

    /// Sends a command and waits for what becomes of it.
    func submit(_ request: CommandRequest, waitingMilliseconds: Int64) async throws -> Command {
        try await Self.telling {
            let command = try await self.gateway.controls.submit(request)
            return await self.gateway.controls.command(
                command.id,
                of: command.key,
                waitingMilliseconds: waitingMilliseconds
            ) ?? command
        }
    }

    func setLock(_ isLocked: Bool, _ context: ConsoleContext, reason: String) async throws {
        let device = try Self.device(context)
        guard self.gateway.controls.device(device) != nil else { throw Self.noDevice(device) }
        try await Self.telling {
            try await self.gateway.controls.setLock(
                isLocked,
                of: device,
                actor: Self.actor(context),
                reason: Self.trimmed(reason)
            )
        }
    }

    /// How long the present lesson lasts; refused outside lessons.
    func untilLessonEnd() throws -> Int64 {
        let site = self.gateway.site
        guard
            let left = site.timetable.millisecondsToLessonEnd(
                at: self.gateway.now,
                utcOffsetSeconds: site.utcOffsetSeconds
            )
        else {
            throw Problem.invalid(
                LocalizedText(
                    vi: "Bây giờ không phải giờ học; hãy chọn thời gian giữ.",
                    en: "There is no lesson now; say for how long to hold."
                )
            )
        }
        return left
    }

    static func milliseconds(_ seconds: Double) throws -> Int64 {
        guard (60...43_200).contains(seconds), let value = Int64(exactly: (seconds * 1_000).rounded()) else {
            throw Problem.invalid(
                LocalizedText(vi: "Giữ từ 60 đến 43200 giây.", en: "An override holds for 60 to 43200 seconds.")
            )
        }
        return value
    }

    // MARK: Words

    /// Blanks at the ends are nobody's reason, and control characters nobody's words.
    static func trimmed(_ text: String) -> String {
        let printable = text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 }
        var rest = printable[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    static func device(_ context: ConsoleContext) throws -> DeviceID {
        guard let id = context.parameters.get("device") else { throw Problem.notFound }
        return DeviceID(rawValue: id)
    }

    static func key(_ context: ConsoleContext) throws -> ControlKey {
        guard let control = context.parameters.get("control") else { throw Problem.notFound }
        return ControlKey(try self.device(context), control)
    }

    static func actor(_ context: ConsoleContext) -> CommandActor {
        let standing: CommandActor.Standing =
            switch context.role {
            case .administrator: .administrator
            case .facility: .role(.facility)
            case .lab: .role(.lab)
            case .viewer, nil: .viewer
            }
        return CommandActor(name: context.actor ?? "api", standing: standing)
    }

    static func noDevice(_ id: DeviceID) -> Problem {
        .notFound(LocalizedText(vi: "Không có thiết bị “\(id)”.", en: "There is no device “\(id)”."))
    }

    /// A refusal is the caller's to read.
    static func telling<Result>(_ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch let refusal as CommandRefusal {
            throw Problem(refusal)
        }
    }
}

extension Problem {
    init(_ refusal: CommandRefusal) {
        let status: HTTPResponse.Status =
            switch refusal.code {
            case .unknownDevice, .unknownControl: .notFound
            case .readOnly, .roleNeeded: .forbidden
            case .overridden, .locked, .busy: .conflict
            case .tooSoon: .tooManyRequests
            case .unreachable, .notRecorded: .serviceUnavailable
            case .reasonNeeded, .confirmationNeeded, .valueRefused: .badRequest
            }
        self.init(
            status,
            code: "control-\(refusal.code.rawValue)",
            title: LocalizedText(vi: "Lệnh không được gửi", en: "The command was not sent"),
            detail: refusal.text,
            headers: refusal.retryAfterMilliseconds.map { [.retryAfter: String(max(1, ($0 + 999) / 1_000))] } ?? [:]
        )
    }
}
