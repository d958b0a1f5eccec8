internal import CampusModel

extension MessageDecoder {
    /// The event that a bare text is.
    func readEvents(
        _ message: Message,
        text: String,
        arrival: Tick,
        into outcome: inout MessageOutcome
    ) -> MessageOutcome? {
        for index in message.events {
            guard case .payload(_, _, let fields) = self.profile.events[index].capture, let field = fields.first else {
                continue
            }
            guard !field.invalid.contains(text) else {
                outcome.isOtherEvent = true
                continue
            }
            let fieldText = PayloadView.text(text, of: field)
            if field.isRequired, (fieldText ?? "").isEmpty {
                return MessageOutcome(.violation(.missingField, detail: "the field '\(field.name)' is empty"))
            }
            guard let fieldText else { continue }
            let found = field.privacy == .drop ? [] : [Event.Field(fieldText, of: field)]
            outcome.events.append(self.event(index, sequence: nil, tick: arrival, isReplay: false, fields: found))
        }
        return nil
    }

    /// The events in a payload, or in one element of its list.
    func readEvents(
        _ message: Message,
        _ view: PayloadView,
        arrival: Tick,
        into outcome: inout MessageOutcome
    ) -> MessageOutcome? {
        for index in message.events {
            guard case .payload(_, let sequence, let definitions) = self.profile.events[index].capture else { continue }
            var fields: [Event.Field] = []
            var isOther = false
            for (offset, field) in definitions.enumerated() {
                if fields.contains(where: { $0.name == field.name }) { continue }
                let text = view.text(of: field)
                // The last place of a field decides that it is not there.
                let isLast = !definitions[(offset + 1)...].contains { $0.name == field.name }
                if let text, field.invalid.contains(text) {
                    isOther = true
                    outcome.isOtherEvent = true
                }
                if !isOther, field.isRequired, isLast, (text ?? "").isEmpty {
                    let detail = "the field '\(field.name)' is not there"
                    return MessageOutcome(.violation(.missingField, detail: detail))
                }
                guard let text, field.privacy != .drop else { continue }
                fields.append(Event.Field(text, of: field))
            }
            guard !isOther, !fields.isEmpty else { continue }
            outcome.events.append(
                self.event(
                    index,
                    sequence: sequence.flatMap { view.text($0) },
                    tick: outcome.time ?? arrival,
                    isReplay: outcome.isReplay,
                    fields: fields
                )
            )
        }
        return nil
    }

    private func event(
        _ index: Int,
        sequence: String?,
        tick: Tick,
        isReplay: Bool,
        fields: [Event.Field]
    ) -> Event {
        let definition = self.profile.events[index]
        return Event(
            device: self.device,
            name: definition.name,
            kind: definition.kind,
            tick: tick,
            sequence: sequence,
            windowMilliseconds: definition.windowMilliseconds,
            isReplay: isReplay,
            fields: fields
        )
    }
}

extension Event.Field {
    fileprivate init(_ text: String, of field: EventDefinition.PayloadField) {
        self.init(name: field.name, text: text, privacy: field.privacy, isIdentity: field.isIdentity)
    }
}
