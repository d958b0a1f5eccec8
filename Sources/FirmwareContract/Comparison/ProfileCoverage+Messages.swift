internal import DeviceProfile

extension ProfileCoverage {
    /// Compares what a message is and means, apart from its values.
    mutating func check(_ message: MQTTWire.Message, _ reading: Reading) {
        let place = "message \(message.name)"
        let promised = reading.message
        if (message.payload == .text) != (promised.content == .text) {
            self.note(
                place,
                vi: "hợp đồng nói nội dung là \(promised.content.rawValue)",
                en: "the contract says that the content is \(promised.content.rawValue)"
            )
        }
        self.checkClock(message, reading, place)
        if message.each == nil {
            self.checkReplay(message, promised, place)
        } else if case .when(let condition) = message.replay, reading.resolve(condition.pointer) == nil {
            self.note(
                place,
                vi: "'replay' tại \(condition.pointer) không có trong hợp đồng",
                en: "'replay' at \(condition.pointer) is not in the contract"
            )
        }
        if promised.semantics.retained == .ignore, message.retained != .ignore {
            self.note(
                place,
                vi: "hợp đồng nói bản tin giữ lại không có nghĩa: cần retained: ignore",
                en: "the contract says that a retained message means nothing: retained: ignore is needed"
            )
        }
    }

    private mutating func checkClock(_ message: MQTTWire.Message, _ reading: Reading, _ place: String) {
        let promised = reading.message.semantics.clock
        guard let clock = message.clock else {
            if let promised {
                self.note(
                    place,
                    isProblem: false,
                    vi: "không dùng đồng hồ của thiết bị tại \(promised.pointer)",
                    en: "the device's clock at \(promised.pointer) is not used"
                )
            }
            return
        }
        // The contract's clock is the payload's; of one in the elements of a list it says the type only.
        if message.each != nil, !clock.pointer.isOfPayload {
            let kinds = reading.resolve(clock.pointer).map { Set($0.schema.kinds).subtracting([.null]) } ?? []
            let fitting: Set<PayloadSchema.Kind> =
                switch clock.format {
                case .rfc3339, .local: [.string]
                case .unixSeconds, .unixMilliseconds: [.number, .integer, .string]
                }
            if kinds.isEmpty || !kinds.isSubset(of: fitting) {
                self.note(
                    place,
                    vi: "hợp đồng không có đồng hồ \(clock.format.rawValue) tại \(clock.pointer) trong phần tử",
                    en: "the contract has no \(clock.format.rawValue) clock at \(clock.pointer) in the elements"
                )
            }
            return
        }
        if clock.pointer.tokens != promised?.pointer.tokens || clock.format != promised?.format {
            let text = promised.map { "\($0.format.rawValue), \($0.pointer)" } ?? "–"
            self.note(place, vi: "đồng hồ theo hợp đồng: \(text)", en: "the clock of the contract is \(text)")
        }
    }

    private mutating func checkReplay(
        _ message: MQTTWire.Message,
        _ promised: FirmwareContract.Message,
        _ place: String
    ) {
        guard let replay = promised.semantics.replay else {
            if message.replay != nil {
                self.note(
                    place,
                    isProblem: false,
                    vi: "hợp đồng không nói gì về bản tin phát lại",
                    en: "the contract says nothing of history"
                )
            }
            return
        }
        let range = Self.range(message.when, replay)
        // A condition that lets one of the two pass only has told them apart already.
        guard range != .live || message.replay != nil else { return }
        switch message.replay {
        case nil: self.replayIsMissing(replay, place)
        case .always where range == .history: break
        case .always:
            self.note(
                place,
                vi: "'replay: true' nhưng hợp đồng nói chỉ khi \(replay.pointer) là \(Self.list(replay.accepted))",
                en: "'replay: true', but by the contract only if \(replay.pointer) is \(Self.list(replay.accepted))"
            )
        case .when(let condition):
            guard condition.pointer.tokens == replay.pointer.tokens else {
                self.replayIsMissing(replay, place)
                return
            }
            guard !Self.means(condition, replay, promised.schema) else { return }
            self.note(
                place,
                vi: "'replay' phải đúng khi và chỉ khi \(replay.pointer) là \(Self.list(replay.accepted))",
                en: "'replay' must hold if and only if \(replay.pointer) is \(Self.list(replay.accepted))"
            )
        }
    }

    private mutating func replayIsMissing(_ replay: FirmwareContract.Replay, _ place: String) {
        self.note(
            place,
            vi: "thiếu 'replay' tại \(replay.pointer): bản tin phát lại sẽ bị tính là mới",
            en: "'replay' at \(replay.pointer) is missing: history would count as live"
        )
    }

    /// What of history and live messages a condition lets pass.
    private enum Range {
        case both
        case history
        case live
    }

    private static func range(_ when: MQTTWire.Condition?, _ replay: FirmwareContract.Replay) -> Range {
        guard let when, when.pointer.tokens == replay.pointer.tokens, case .oneOf(let accepted) = when.test else {
            return .both
        }
        if Set(accepted).isSubset(of: replay.accepted) { return .history }
        return Set(accepted).isDisjoint(with: replay.accepted) ? .live : .both
    }

    /// Whether a condition on the member that tells history holds for exactly the payloads that are history.
    private static func means(
        _ condition: MQTTWire.Condition,
        _ replay: FirmwareContract.Replay,
        _ schema: PayloadSchema
    ) -> Bool {
        let allowed = schema.resolve(replay.pointer)?.schema.allowed?.filter { $0 != .null }.map(\.plainText)
        switch condition.test {
        case .oneOf(let accepted):
            // Words that no valid payload has make no difference.
            let heard = Set(accepted).filter { allowed?.contains($0) ?? true }
            return heard == Set(replay.accepted)
        case .present(true): return allowed.map { !$0.isEmpty && Set($0).isSubset(of: replay.accepted) } ?? false
        case .present(false): return false
        }
    }

    private static func list(_ texts: [String]) -> String { texts.joined(separator: ", ") }
}
