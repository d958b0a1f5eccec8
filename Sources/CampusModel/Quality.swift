/// Whether a value may be believed, and if not, why.
///
/// One byte: two bits of level, six bits of reason.
package struct Quality: RawRepresentable, Hashable, Sendable {
    /// How far a value may be believed.
    package enum Level: UInt8, Sendable, CaseIterable {
        /// Decoded, in range, from a device that answers.
        case good = 0
        /// Usable with care: the reason says what is doubtful.
        case uncertain = 1
        /// Not a measurement; shown struck out, never averaged.
        case bad = 2
    }

    /// Why a value is not good.
    package enum Reason: UInt8, Sendable, CaseIterable {
        case none = 0
        /// The device did not answer, or the link to it is down.
        case communication = 1
        /// The device sent its own "no value" code (0x7FFF, NaN, …).
        case sentinel = 2
        /// Outside the range that the profile says is physically possible.
        case range = 3
        /// Changed faster than the profile believes possible.
        case rateOfChange = 4
        /// No new value for several periods.
        case stale = 5
        /// The device says it is not ready (warming up, probe broken, `validWhen` not met).
        case notReady = 6
        /// An enumeration value that the profile does not know.
        case unknownValue = 7
        /// The payload or register cannot be read as the profile says.
        case malformed = 8
    }

    package var rawValue: UInt8

    /// Restores a stored byte; unknown levels or reasons read as bad and malformed.
    package init(rawValue: UInt8) {
        let known = Level(rawValue: rawValue >> 6) != nil && Reason(rawValue: rawValue & 0x3F) != nil
        self.rawValue = known ? rawValue : Quality.bad(.malformed).rawValue
    }

    private init(level: Level, reason: Reason) { self.rawValue = level.rawValue << 6 | reason.rawValue }

    package static let good = Quality(level: .good, reason: .none)

    package static func uncertain(_ reason: Reason) -> Quality { Quality(level: .uncertain, reason: reason) }

    package static func bad(_ reason: Reason) -> Quality { Quality(level: .bad, reason: reason) }

    package var level: Level { Level(rawValue: self.rawValue >> 6) ?? .bad }

    package var reason: Reason { Reason(rawValue: self.rawValue & 0x3F) ?? .malformed }

    package var isGood: Bool { self.rawValue == 0 }
}

extension Quality: CustomStringConvertible {
    /// `good`, `uncertain:stale`, `bad:sentinel`, … — the form of the API and of exports.
    package var description: String {
        self.isGood ? "good" : "\(self.level):\(self.reason)"
    }
}
