package import CampusModel

/// One quantity of a device model.
package struct PointDefinition: Sendable {
    /// What the value is.
    package enum Kind: String, Sendable, CaseIterable {
        case number
        case boolean
        case enumeration
        case text
    }

    /// Where the value is on the wire.
    package enum Source: Sendable, Hashable {
        case register(RegisterSource)
        /// One or more places that tell it; within one message the first that is there counts.
        case payload([PayloadSource])
    }

    /// How often a value is asked for.
    package enum PollClass: String, Sendable, CaseIterable {
        case fast
        case normal
        case slow
        case once
    }

    /// value = raw × multiply ÷ divide × 2^power2 × 10^(point exponentFrom) × (point multiplyFrom) + add.
    package struct Scale: Sendable, Hashable {
        package var multiply: Double
        package var divide: Double
        package var power2: Int
        package var add: Double
        /// Index of the point that holds the decimal exponent (SunSpec scale factors).
        package var exponentFrom: Int?
        /// Index of the point that holds a factor (the ratio of current transformers).
        package var multiplyFrom: Int?

        package static let identity = Scale(
            multiply: 1,
            divide: 1,
            power2: 0,
            add: 0,
            exponentFrom: nil,
            multiplyFrom: nil
        )

        /// The same without what other points say.
        var isFixed: Bool { self.exponentFrom == nil && self.multiplyFrom == nil }
    }

    /// A scale that holds for some raw values only.
    package struct ScalePiece: Sendable, Hashable {
        package var raw: ClosedRange<Double>
        package var scale: Scale
    }

    /// A raw value that means "no value".
    package enum Invalid: Sendable, Hashable {
        case nan
        case value(Double)
        case range(Double, Double)
        /// A text in a payload.
        case text(String)
    }

    /// The value counts only while another point fulfils this.
    package struct Validity: Sendable, Hashable {
        /// What the other point must be.
        package enum Test: Sendable, Hashable {
            case oneOf([Double])
            case noneOf([Double])
            /// A heartbeat: its value must not stay the same for longer.
            case changesWithin(milliseconds: Int64)
        }

        /// Index of the other point.
        package var point: Int
        package var test: Test

        /// Whether a value of the other point that is not bad fulfils this, as far as one value can tell.
        package func accepts(_ value: Double) -> Bool {
            switch self.test {
            case .oneOf(let values): values.contains(value)
            case .noneOf(let values): !values.contains(value)
            case .changesWithin: true
            }
        }
    }

    /// One value of an enumeration.
    package struct EnumerationCase: Sendable, Hashable {
        package var value: Double
        /// The text on the wire that stands for it.
        package var text: String?
        package var label: LocalizedText
    }

    package var name: String
    package var title: LocalizedText
    /// UCUM code; `1` where there is none.
    package var unit: String
    package var kind: Kind
    package var source: Source
    package var scale: Scale
    /// Instead of ``scale``: the first piece that has the raw value; one that no piece has is out of range.
    package var pieces: [ScalePiece]
    package var invalid: [Invalid]
    /// All must hold.
    package var validities: [Validity]
    package var enumeration: [EnumerationCase]
    /// Whether an unlisted enumeration value is kept as uncertain (otherwise bad).
    package var keepsUnknown: Bool
    package var range: ClosedRange<Double>?
    package var maximumChangePerSecond: Double?
    package var poll: PollClass
    package var deadband: Double
    package var isHidden: Bool
    package var privacy: PrivacyClass
    package var durability = Durability.telemetry
}

/// Something that happens once on a device model.
package struct EventDefinition: Sendable {
    /// A field in a JSON payload.
    ///
    /// Of several fields with one name the first that is there counts.
    package struct PayloadField: Sendable, Hashable {
        /// How the text of the payload becomes the field's.
        package enum Decoding: String, Sendable, CaseIterable {
            /// Base64, with the alphabet of RFC 4648 section 4 or 5, to hexadecimal digits.
            case base64
        }

        package var name: String
        package var pointer: JSONPointer?
        package var decoding: Decoding?
        /// What a number is scaled by.
        package var scale: PointDefinition.Scale
        /// Texts with which the message is not this event.
        package var invalid: [String]
        package var privacy: PrivacyClass
        package var isRequired: Bool
        /// Whether two reports of one event have it in common.
        package var isIdentity: Bool
    }

    /// A field in registers.
    package struct RegisterField: Sendable, Hashable {
        package var name: String
        package var source: RegisterSource
        /// The register that says how many bytes of a text count.
        package var lengthFrom: RegisterSource?
        package var scale: PointDefinition.Scale
        package var privacy: PrivacyClass
        /// Whether two reports of one event have it in common.
        package var isIdentity: Bool
    }

    /// One bit of a table that says "there is something new".
    package struct Flag: Sendable, Hashable {
        package var table: ModbusWire.Table
        package var address: UInt16
        /// The bit in a register; 0 in bit tables.
        package var bit: Int
    }

    /// What to write after the event was read, so that the device can present the next.
    package struct Clear: Sendable, Hashable {
        /// `coil` or `holding`.
        package var table: ModbusWire.Table
        package var address: UInt16
        package var value: UInt16
    }

    /// How an event is caught.
    package enum Capture: Sendable {
        case payload(messageIndex: Int, sequence: JSONPointer?, fields: [PayloadField])
        case registers(
            newFlag: Flag?,
            sequence: RegisterSource?,
            clear: Clear?,
            /// Neither flag nor sequence: new is what differs from the last round.
            isChange: Bool,
            poll: PointDefinition.PollClass,
            fields: [RegisterField]
        )
    }

    package var name: String
    package var title: LocalizedText
    package var kind: Event.Kind
    package var windowMilliseconds: Int64
    package var capture: Capture
}

/// Real bytes and what they must decode to.
package struct GoldenCase: Sendable {
    /// One request and its reply, RTU frames with CRC.
    package struct Exchange: Sendable, Hashable {
        package var request: [UInt8]
        package var response: [UInt8]
    }

    /// What a point must be.
    package enum Expectation: Sendable, Hashable {
        case number(Double)
        case text(String)
        case quality(Quality)
    }

    /// What one element of a list must be.
    package struct ExpectedElement: Sendable, Hashable {
        package var time: Tick?
        package var expect: [String: Expectation]
    }

    /// An event that must come out, with the fields that are compared.
    package struct ExpectedEvent: Sendable, Hashable {
        package var name: String
        package var fields: [String: String]
    }

    package var name: String
    /// The line in the file, for messages.
    package var line: Int
    package var exchanges: [Exchange]
    /// Requests and replies of a line device.
    package var lines: [LineExchange] = []
    /// The device's address in ``lines``; `nil`: the profile's.
    package var unit: UInt8?
    /// Topic and payload of an MQTT case.
    package var message: (topic: String, payload: [UInt8])?
    /// What an HTTP device asks.
    package var http: HTTPExchange?
    /// Whether the broker had kept that message.
    package var isRetained: Bool
    package var parameters: [String: String]
    /// What was said of the device when it was installed.
    package var settings: [String: String]
    /// A control and the value given to it; the bytes are what must be sent.
    package var write: (control: String, value: Double?)?
    package var expect: [String: Expectation]
    package var expectedTime: Tick?
    /// The elements of a list, in order; `nil`: they are not compared.
    package var expectedElements: [ExpectedElement]?
    /// `nil`: events are not compared.
    package var expectedEvents: [ExpectedEvent]?
}
