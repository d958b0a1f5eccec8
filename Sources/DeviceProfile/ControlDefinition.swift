package import CampusModel

/// One thing that may be written to a device model, and within which bounds.
///
/// A profile without controls is read-only. What is here is a promise of the file's author about the device; who may
/// use it, when, and how it is written down is for whoever writes.
package struct ControlDefinition: Sendable {
    /// What is given.
    package enum Kind: String, Sendable, CaseIterable {
        case number
        case boolean
        case enumeration
        /// Nothing: a button that sends ``ControlDefinition/fixed``.
        case command
    }

    /// Who may use a control beside administrators; the words of the gateway's roles.
    package enum Role: String, Sendable, CaseIterable {
        case facility
        case lab
    }

    /// Where it is written.
    package enum Target: Sendable, Hashable {
        /// A coil or holding registers; `isMultiple`: with function 15 or 16 even where one address is written.
        case register(RegisterSource, isMultiple: Bool)
        /// A message whose payload has `{value}` once, and the placeholders of the device's topics.
        case message(topic: TopicTemplate, payload: String)
    }

    /// How it shows that the device did what it was told.
    package enum Readback: Sendable, Hashable {
        /// It does not show.
        case none
        /// The point of this index has the value, at most `tolerance` away, within the time.
        case point(Int, withinMilliseconds: Int64, tolerance: Double)
    }

    package var name: String
    package var title: LocalizedText
    package var kind: Kind
    /// UCUM code; `1` where there is none.
    package var unit: String
    package var target: Target
    package var scale: PointDefinition.Scale
    /// The values that may be written, in ``unit``; `nil` unless a number.
    package var range: ClosedRange<Double>?
    /// Values are whole multiples of it above the lower end of ``range``.
    package var step: Double?
    /// The only values of an enumeration; the names of a boolean's.
    package var enumeration: [PointDefinition.EnumerationCase]
    /// What a command sends.
    package var fixed: Double
    package var roles: Set<Role>
    /// Least time between two writes.
    package var minimumIntervalMilliseconds: Int64
    package var readback: Readback
    /// The value that does no harm where nobody knows better.
    package var safe: Double?
    /// A question that a person must answer with yes first.
    package var confirmation: LocalizedText?
}
