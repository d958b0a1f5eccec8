package import CampusModel

/// How an event that shows as a level in registers is caught: polled, noticed by a flag or a changed sequence number,
/// read, and cleared.
package struct EventPlan: Sendable {
    /// A caught event.
    package struct Captured: Sendable {
        /// `nil`: the flag is still set of an event that was caught before and could not be cleared.
        package var event: Event?
        /// What to write so that the device can present the next event.
        package var clear: EventDefinition.Clear?
        /// Events that the device counted and nobody could read, as its sequence number shows.
        package var missed: UInt64
    }

    package let poll: PointDefinition.PollClass
    package let reads: [RegisterRead]
    private let definition: EventDefinition
    private let flag: EventDefinition.Flag?
    private let sequence: RegisterSource?
    private let clear: EventDefinition.Clear?
    private let isChange: Bool
    private let fields: [EventDefinition.RegisterField]
    private var lastSequence: Double?
    private var flagWasSet = false
    /// The fields' registers of the round before, for events that show as a change; `nil` before the first.
    private var lastWords: [[UInt16]]?
    /// What was read of an event whose flag could not be cleared.
    private var uncleared: [[UInt16]]?

    /// The plans of all register events of a profile.
    package static func plans(of profile: DeviceProfile) -> [EventPlan] {
        profile.events.compactMap { EventPlan(definition: $0) }
    }

    private init?(definition: EventDefinition) {
        guard
            case .registers(let flag, let sequence, let clear, let isChange, let poll, let fields) = definition.capture
        else { return nil }
        self.definition = definition
        self.flag = flag
        self.sequence = sequence
        self.clear = clear
        self.isChange = isChange
        self.fields = fields
        self.poll = poll
        // The sign of a new event is read first and the fields after it, so that fields are never older than the sign.
        var reads: [RegisterRead] = []
        if let flag { reads.append(RegisterRead(table: flag.table, address: flag.address, count: 1)) }
        for source in [sequence].compactMap({ $0 }) + fields.flatMap({ [$0.lengthFrom, $0.source].compactMap { $0 } }) {
            reads.append(
                RegisterRead(table: source.table, address: source.address, count: UInt16(clamping: source.addressCount))
            )
        }
        self.reads = reads
    }

    /// Looks at one round of replies, all of which must be words.
    ///
    /// The first sequence number that is seen is where counting starts, not an event. Returns `nil` when nothing new
    /// happened.
    package mutating func evaluate(replies: [RegisterReply], device: DeviceID, tick: Tick) -> Captured? {
        var words: [[UInt16]] = []
        for reply in replies {
            guard case .words(let found) = reply else { return nil }
            words.append(found)
        }
        guard words.count == self.reads.count else { return nil }
        var next = 0
        var isNew = false
        if let flag {
            let word = words[next].first ?? 0
            let isSet = flag.table.isBits ? word != 0 : word >> UInt16(flag.bit) & 1 == 1
            isNew = isSet && (self.clear != nil || !self.flagWasSet)
            self.flagWasSet = isSet
            next += 1
        }
        defer { self.uncleared = nil }
        if isNew, words == self.uncleared { return Captured(event: nil, clear: self.clear, missed: 0) }
        var missed: UInt64 = 0
        if let sequence {
            let found = words[next].withUnsafeBufferPointer { sequence.raw(in: $0, at: 0) }
            next += 1
            if self.flag == nil { isNew = self.lastSequence != nil && found != self.lastSequence }
            if isNew, let found, let last = self.lastSequence, found > last + 1 {
                missed = UInt64(exactly: found - last - 1) ?? 0
            }
            self.lastSequence = found
        }
        if self.isChange {
            let found = Array(words[next...])
            isNew = self.lastWords != nil && found != self.lastWords && found.contains { $0.contains { $0 != 0 } }
            self.lastWords = found
        }
        guard isNew else { return nil }
        var fields: [Event.Field] = []
        for field in self.fields {
            var bytesMax: Int?
            if let length = field.lengthFrom {
                let count = words[next].withUnsafeBufferPointer { length.raw(in: $0, at: 0) }
                bytesMax = count.flatMap { Int(exactly: $0) }
                next += 1
            }
            if let found = Self.field(field, words[next], bytesMax: bytesMax) { fields.append(found) }
            next += 1
        }
        if missed > 0 {
            fields.append(Event.Field(name: "missed-before", text: String(missed), privacy: .none, isIdentity: false))
        }
        let event = Event(
            device: device,
            name: self.definition.name,
            kind: self.definition.kind,
            tick: tick,
            windowMilliseconds: self.definition.windowMilliseconds,
            fields: fields
        )
        return Captured(event: event, clear: self.clear, missed: missed)
    }

    /// The event that the registers of `image` present by themselves; `nil` when its flag is not set or they do not
    /// tell all of it.
    func presented(in image: RegisterImage, device: DeviceID, tick: Tick) -> Event? {
        var plan = self
        // Any other number than the one that is there: then this one is new.
        plan.lastSequence = .nan
        plan.flagWasSet = false
        plan.lastWords = []
        var replies: [RegisterReply] = []
        for read in self.reads {
            guard let words = image.words(read.table, read.address, Int(read.count)) else { return nil }
            replies.append(.words(words))
        }
        return plan.evaluate(replies: replies, device: device, tick: tick)?.event
    }

    /// The flag could not be cleared: the same registers at the next poll are the same event.
    package mutating func clearingFailed(replies: [RegisterReply]) {
        self.uncleared = replies.map { if case .words(let words) = $0 { words } else { [] } }
    }

    private static func field(
        _ field: EventDefinition.RegisterField,
        _ words: [UInt16],
        bytesMax: Int?
    ) -> Event.Field? {
        guard field.privacy != .drop else { return nil }
        let text = words.withUnsafeBufferPointer { words -> String? in
            if field.source.type.isText { return field.source.text(in: words, at: 0, bytesMax: bytesMax) }
            // Whole numbers keep all their digits: a card number may have more than a Double.
            if field.scale == .identity, let whole = field.source.whole(in: words, at: 0) { return whole }
            guard let raw = field.source.raw(in: words, at: 0) else { return nil }
            return field.scale.text(of: raw)
        }
        return text.map {
            Event.Field(name: field.name, text: $0, privacy: field.privacy, isIdentity: field.isIdentity)
        }
    }
}

extension PointDefinition.Scale {
    /// A raw number as scaled text; `nil` when it is no finite number.
    func text(of raw: Double) -> String? {
        let value = self.value(of: raw)
        return value.isFinite ? NumberText.text(value) : nil
    }

    /// The scaled number, for the exponent 0 and the factor 1.
    func value(of raw: Double) -> Double {
        guard self != .identity else { return raw }
        var value = raw * self.multiply / self.divide
        if self.power2 != 0 { value = Double(sign: .plus, exponent: self.power2, significand: value) }
        return value + self.add
    }

    /// The raw number of a scaled one, for the exponent 0 and the factor 1.
    func raw(of value: Double) -> Double {
        guard self != .identity else { return value }
        var raw = value - self.add
        if self.power2 != 0 { raw = Double(sign: .plus, exponent: -self.power2, significand: raw) }
        return raw * self.divide / self.multiply
    }
}

/// Numbers as text for fields, topics and payloads.
package enum NumberText {
    /// Whole numbers without a point, everything else in the shortest form that reads back the same.
    package static func text(_ value: Double) -> String {
        if let whole = Int64(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return value.description
    }
}
