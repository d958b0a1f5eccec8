package import CampusModel

/// Why a payload breaks its profile.
///
/// The raw value is a fixed word, usable as a metric label.
package enum DecodeReason: String, Sendable, CaseIterable {
    case payloadTooLarge
    case notUTF8
    case jsonSyntax
    case jsonTooDeep
    case jsonTooMany
    case jsonDuplicateKey
    /// Not one of the profile's points or events could be read from it.
    case nothingDecoded
    /// A required field of an event is not there.
    case missingField
    /// The device's clock is not there or not readable.
    case clockMalformed
    /// More than a day after its arrival.
    case clockInFuture
    /// Before 1970 or after 2100.
    case clockOutOfRange
}

/// What became of one message.
package struct MessageOutcome: Sendable {
    /// The verdict.
    package enum Status: Sendable, Hashable {
        /// The topic or the condition is not this device's.
        case notMine
        /// Values, texts or events came out.
        case decoded
        /// The last will: the device came or went.
        case availability(isOnline: Bool)
        /// Rightly left alone: retained, and the profile says to ignore those.
        case ignored
        /// The payload breaks the profile; nothing of it may be used. The detail has no personal data.
        case violation(DecodeReason, detail: String)
    }

    package var status: Status
    package var values: [DecodedValue] = []
    package var texts: [DecodedText] = []
    package var events: [Event] = []
    /// Which of the profile's messages it was; several when they share a topic.
    package var messages: [Int] = []
    /// The device's own time, where its profile has a clock.
    package var time: Tick?
    /// The device or the broker says that this is history.
    package var isReplay = false
    /// The device itself says so: with its own time, true then and not now.
    package var isHistory = false
    /// The device's number for the message.
    package var sequence: String?
    /// Of a payload with a list: one outcome for each element, with its own time, in the order of the list.
    ///
    /// Their events are in ``events``.
    package var elements: [MessageOutcome] = []
    /// A field said that the message is another event than the profile's: it is whole and there is nothing to take.
    var isOtherEvent = false

    init(_ status: Status) { self.status = status }
}
