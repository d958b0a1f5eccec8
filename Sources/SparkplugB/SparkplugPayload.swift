internal import SwiftProtobuf

/// The payload of every Sparkplug B message, as `sparkplug_b.proto` describes it.
package struct SparkplugPayload: Sendable, Equatable {
    /// Milliseconds since 1970.
    package var timestamp: UInt64?
    package var metrics: [SparkplugMetric] = []
    /// 0 to 255; only deaths have none.
    package var sequence: UInt64?

    package init(timestamp: UInt64? = nil, sequence: UInt64? = nil, metrics: [SparkplugMetric] = []) {
        self.timestamp = timestamp
        self.sequence = sequence
        self.metrics = metrics
    }

    /// Reads a payload; fields that this product does not use are passed over.
    ///
    /// - Returns: `nil` when the bytes are no protobuf message of this form.
    package init?(bytes: [UInt8]) {
        guard let message = try? PayloadMessage(serializedBytes: bytes) else { return nil }
        self = message.payload
    }

    /// The bytes of the payload.
    package var bytes: [UInt8] {
        // Nothing of it can fail: no required fields, no `Any`.
        (try? PayloadMessage(payload: self).serializedBytes()) ?? []
    }
}

/// One metric of a payload.
package struct SparkplugMetric: Sendable, Equatable {
    /// The types of single values, with the specification's numbers; of the others only these are known by name.
    package enum DataType: UInt32, Sendable {
        case int8 = 1
        case int16 = 2
        case int32 = 3
        case int64 = 4
        case uint8 = 5
        case uint16 = 6
        case uint32 = 7
        case uint64 = 8
        case float = 9
        case double = 10
        case boolean = 11
        case string = 12
        case dateTime = 13
        case text = 14
        case uuid = 15
        case dataSet = 16
        case bytes = 17
        case file = 18
        case template = 19
    }

    /// A value; `null` has none.
    package enum Value: Sendable, Equatable {
        case null
        case int(UInt32)
        case long(UInt64)
        case double(Double)
        case boolean(Bool)
        case string(String)
    }

    /// Quality codes of the property `Quality`.
    package enum Quality: UInt32, Sendable {
        case bad = 0
        case good = 192
        case stale = 500
    }

    package var name: String?
    package var alias: UInt64?
    package var timestamp: UInt64?
    package var type: DataType?
    package var isHistorical = false
    package var quality: Quality?
    /// The property `engUnit`, as many edge nodes name the unit.
    package var unit: String?
    package var value = Value.null

    package init(name: String? = nil, alias: UInt64? = nil, timestamp: UInt64? = nil, type: DataType? = nil) {
        self.name = name
        self.alias = alias
        self.timestamp = timestamp
        self.type = type
    }
}
