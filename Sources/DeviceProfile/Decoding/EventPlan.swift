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
    private let fields: [EventDefinition.RegisterField]
    private var lastSequence: Double?
    private var flagWasSet = false
    /// What was read of an event whose flag could not be cleared.
    private var uncleared: [[UInt16]]?

    /// The plans of all register events of a profile.
    package static func plans(of profile: DeviceProfile) -> [EventPlan] {
        profile.events.compactMap { EventPlan(definition: $0) }
    }

    private init?(definition: EventDefinition) {
        guard case .registers(let flag, let sequence, let clear, let poll, let fields) = definition.capture else {
            return nil
        }
        self.definition = definition
        self.flag = flag
        self.sequence = sequence
        self.clear = clear
        self.fields = fields
        self.poll = poll
        // The sign of a new event is read first and the fields after it, so that fields are never older than the sign.
        var reads: [RegisterRead] = []
        if let flag { reads.append(RegisterRead(table: flag.table, address: flag.address, count: 1)) }
        for source in [sequence].compactMap({ $0 }) + fields.map(\.source) {
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
        guard isNew else { return nil }
        var fields = zip(self.fields, words[next...]).compactMap { field, words in Self.field(field, words) }
        if missed > 0 {
            fields.append(Event.Field(name: "missed-before", text: String(missed), privacy: .none))
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

    private static func field(_ field: EventDefinition.RegisterField, _ words: [UInt16]) -> Event.Field? {
        guard field.privacy != .drop else { return nil }
        let text = words.withUnsafeBufferPointer { words -> String? in
            if field.source.type == .string { return field.source.text(in: words, at: 0) }
            // Whole numbers keep all their digits: a card number may have more than a Double.
            if let whole = field.source.whole(in: words, at: 0) { return whole }
            guard let raw = field.source.raw(in: words, at: 0), raw.isFinite else { return nil }
            return NumberText.text(raw)
        }
        return text.map { Event.Field(name: field.name, text: $0, privacy: field.privacy) }
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
