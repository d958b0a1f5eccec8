/// Something that happened once: a card read, a tag seen, a button pressed.
///
/// Never a sample.
package struct Event: Hashable, Sendable {
    /// What happened.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case card
        case tag
        case button
        case other
    }

    /// One field of an event, with what may be done with it.
    package struct Field: Hashable, Sendable {
        package var name: String
        /// The value as decoded.
        ///
        /// Fields of class ``PrivacyClass/drop`` never get here.
        package var text: String
        package var privacy: PrivacyClass
        /// Whether it must be equal in two reports of one event; `false` for what varies, such as a signal strength.
        package var isIdentity: Bool

        package init(name: String, text: String, privacy: PrivacyClass, isIdentity: Bool = true) {
            self.name = name
            self.text = text
            self.privacy = privacy
            self.isIdentity = isIdentity
        }
    }

    package var device: DeviceID
    /// The event's name in the profile.
    package var name: String
    package var kind: Kind
    /// When it happened: the device's clock where it has one, otherwise the arrival.
    package var tick: Tick
    /// The device's own number for it, where it has one: unique for ever within the device.
    package var sequence: String?
    /// Without a sequence: an equal event within this many milliseconds is the same one.
    ///
    /// 0 = every event is new.
    package var windowMilliseconds: Int64
    /// The device says that this is history, or the broker replayed it: a record, never live.
    package var isReplay: Bool
    package var fields: [Field]

    package init(
        device: DeviceID,
        name: String,
        kind: Kind,
        tick: Tick,
        sequence: String? = nil,
        windowMilliseconds: Int64 = 0,
        isReplay: Bool = false,
        fields: [Field]
    ) {
        self.device = device
        self.name = name
        self.kind = kind
        self.tick = tick
        self.sequence = sequence
        self.windowMilliseconds = windowMilliseconds
        self.isReplay = isReplay
        self.fields = fields
    }
}
