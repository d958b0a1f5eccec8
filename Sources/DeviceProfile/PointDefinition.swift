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
        case payload(PayloadSource)
    }

    /// How often a Modbus value is read.
    package enum PollClass: String, Sendable, CaseIterable {
        case fast
        case normal
        case slow
        case once
    }

    /// value = raw × multiply ÷ divide × 2^power2 × 10^(point exponentFrom) + add.
    package struct Scale: Sendable, Hashable {
        package var multiply: Double
        package var divide: Double
        package var power2: Int
        package var add: Double
        /// Index of the point that holds the decimal exponent (SunSpec scale factors).
        package var exponentFrom: Int?

        package static let identity = Scale(multiply: 1, divide: 1, power2: 0, add: 0, exponentFrom: nil)
    }

    /// A raw value that means "no value".
    package enum Invalid: Sendable, Hashable {
        case nan
        case value(Double)
        case range(Double, Double)
    }

    /// The value counts only while another point has (or has not) one of these values.
    package struct Validity: Sendable, Hashable {
        /// Index of the other point.
        package var point: Int
        package var values: [Double]
        /// `true`: must be one of `values`; `false`: must be none of them.
        package var mustEqual: Bool
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
    package var invalid: [Invalid]
    package var validity: Validity?
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
    package struct PayloadField: Sendable, Hashable {
        package var name: String
        package var pointer: JSONPointer?
        package var privacy: PrivacyClass
        package var isRequired: Bool
    }

    /// A field in registers.
    package struct RegisterField: Sendable, Hashable {
        package var name: String
        package var source: RegisterSource
        package var privacy: PrivacyClass
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

    /// An event that must come out, with the fields that are compared.
    package struct ExpectedEvent: Sendable, Hashable {
        package var name: String
        package var fields: [String: String]
    }

    package var name: String
    /// The line in the file, for messages.
    package var line: Int
    package var exchanges: [Exchange]
    /// Topic and payload of an MQTT case.
    package var message: (topic: String, payload: [UInt8])?
    package var parameters: [String: String]
    package var expect: [String: Expectation]
    package var expectedTime: Tick?
    /// `nil`: events are not compared.
    package var expectedEvents: [ExpectedEvent]?
}
