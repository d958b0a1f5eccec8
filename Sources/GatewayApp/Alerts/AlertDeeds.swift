internal import AlertEngine
internal import CampusModel
internal import SchoolRecords
internal import WebConsole

/// What people do about alerts, from pages and from the API.
struct AlertDeeds: Sendable {
    let gateway: Gateway

    /// A second person who agrees, with their password.
    struct Second: Sendable {
        var name: String
        var password: String
    }

    /// Does it, writes it down, and returns when both are on the disk.
    ///
    /// - Throws: ``GatewayError`` in words for whoever asked; `Problem` 404 when there is no such alert.
    func perform(_ command: AlertCommand, on key: AlertKey, by actor: String) async throws {
        let gateway = self.gateway
        do {
            try await gateway.records.perform { records in
                try gateway.alerts.perform(command, on: key, by: actor)
                try records.audit(actor: actor, action: "alert.\(Self.word(command))", subject: "\(key)")
            }
        } catch let error as AlertCommandError {
            if error == .unknown { throw Problem.notFound }
            throw GatewayError(Self.words(error))
        }
    }

    /// Whether a second person agrees: another user who may change things, and whose password is right.
    ///
    /// - Returns: Their name; `nil` where nobody was named.
    func agreed(_ second: Second?, actor: String, source: String) async throws -> String? {
        guard let second, !second.name.isEmpty else { return nil }
        let refused = GatewayError(
            vi: "Người thứ hai: sai tên hoặc mật khẩu, hoặc không có quyền, hoặc chính là bạn.",
            en: "the second person's name or password is wrong, or they may not do this, or it is you"
        )
        guard second.name != actor else { throw refused }
        let verdict = try await self.gateway.records.verifyPassword(
            of: second.name,
            second.password,
            source: source
        )
        guard case .correct(let user) = verdict, user.role == .facility || user.role == .administrator else {
            throw refused
        }
        return user.name
    }

    /// The end of a shelf that lasts so many minutes from now.
    func end(ofMinutes minutes: Int) -> Tick {
        self.gateway.clock.now().advanced(byMilliseconds: Int64(min(max(minutes, 0), 1_000_000)) * 60_000)
    }

    private static func word(_ command: AlertCommand) -> String {
        switch command {
        case .acknowledge: "acknowledge"
        case .reset: "reset"
        case .shelve: "shelve"
        case .unshelve: "unshelve"
        case .takeOutOfService: "out-of-service"
        case .returnToService: "in-service"
        case .restart: "restart"
        }
    }

    private static func words(_ error: AlertCommandError) -> LocalizedText {
        switch error {
        case .unknown: LocalizedText(vi: "Không có cảnh báo này.", en: "There is no such alert.")
        case .superseded(let present):
            LocalizedText(
                vi: "Cảnh báo đã xảy ra lại (lần \(present)); hãy xem lại rồi xác nhận.",
                en: "It has been active again (activation \(present)); look at it, then acknowledge."
            )
        case .alreadySo: LocalizedText(vi: "Đã như vậy rồi.", en: "It is so already.")
        case .shelfLength(let longest):
            LocalizedText(
                vi: "Chỉ được gác lại từ 1 phút đến \(longest / 60_000) phút.",
                en: "It may be set aside for 1 to \(longest / 60_000) minutes."
            )
        case .reasonMissing: LocalizedText(vi: "Hãy ghi lý do.", en: "Write the reason.")
        case .secondPersonMissing:
            LocalizedText(
                vi: "Cảnh báo an toàn tính mạng: cần người thứ hai đồng ý.",
                en: "A life-safety alert: a second person has to agree."
            )
        case .notResettable:
            LocalizedText(
                vi: "Chưa đặt lại được: còn đang xảy ra hoặc chưa ai xác nhận.",
                en: "It cannot be reset: it is still active, or nobody has acknowledged it."
            )
        case .nothingToRestart: LocalizedText(vi: "Luật này không đếm gì.", en: "This rule counts nothing.")
        }
    }
}
