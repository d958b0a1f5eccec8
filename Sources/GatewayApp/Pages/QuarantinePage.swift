internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Hummingbird
internal import MQTTTransport
internal import SchoolRecords
internal import SiteConfiguration
internal import TimeSeriesRing
internal import WebConsole

/// Messages that were kept out, and taking their devices in.
extension PageRoutes {
    func quarantine(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let offset = self.gateway.site.utcOffsetSeconds
        let rooms = self.gateway.site.nodes.filter { $0.kind == .room }
            .map { ["id": $0.id.rawValue, "name": $0.name.text(in: language)] }
        let rows = self.gateway.engine.quarantine.entries.prefix(200)
            .map { entry -> [String: Any] in
                [
                    "id": "\(entry.id)", "topic": entry.topic,
                    "reason": QuarantineReason.label(entry.reason).text(in: language),
                    // Of a message that nobody claims, the reason says all.
                    "details": entry.reason == "unclaimed" ? [] : ["\(entry.reason): \(entry.detail)"],
                    "has_differences": !entry.differences.isEmpty,
                    "differences": entry.differences.map { ["line": $0.text(in: language)] },
                    "devices": entry.device.map { [["id": $0.rawValue]] } ?? [],
                    "payload": entry.payload, "bytes": "\(entry.payloadBytes)",
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
    static func proposedID(_ entry: Quarantine.Entry) -> String {
        let text =
            entry.suggestions.first?.parameters.sorted { $0.key < $1.key }.map(\.value).joined(separator: "-") ?? ""
        let allowed = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return String(String(allowed).drop { $0 == "-" }.prefix(60))
    }

    func adopt(_ request: Request, _ context: ConsoleContext) async throws -> Response {
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
            throw Problem.invalid(error.text)
        }
        return self.console.redirect(to: "/devices/\(device)", notice: "notice.adopted")
    }
}
