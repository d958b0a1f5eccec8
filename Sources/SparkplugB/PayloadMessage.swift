internal import SwiftProtobuf

/// `Payload` on the wire.
struct PayloadMessage: Message, Sendable {
    static let protoMessageName = "org.eclipse.tahu.protobuf.Payload"

    var payload = SparkplugPayload()
    var unknownFields = UnknownStorage()

    init() {}
    init(payload: SparkplugPayload) { self.payload = payload }

    var isInitialized: Bool { true }

    mutating func decodeMessage<Source: Decoder>(decoder: inout Source) throws {
        var metrics: [MetricMessage] = []
        while let field = try decoder.nextFieldNumber() {
            switch field {
            case 1: try decoder.decodeSingularUInt64Field(value: &self.payload.timestamp)
            case 2: try decoder.decodeRepeatedMessageField(value: &metrics)
            case 3: try decoder.decodeSingularUInt64Field(value: &self.payload.sequence)
            default: break
            }
        }
        self.payload.metrics += metrics.map(\.metric)
    }

    func traverse<Target: Visitor>(visitor: inout Target) throws {
        if let timestamp = self.payload.timestamp {
            try visitor.visitSingularUInt64Field(value: timestamp, fieldNumber: 1)
        }
        if !self.payload.metrics.isEmpty {
            try visitor.visitRepeatedMessageField(
                value: self.payload.metrics.map(MetricMessage.init(metric:)),
                fieldNumber: 2
            )
        }
        if let sequence = self.payload.sequence {
            try visitor.visitSingularUInt64Field(value: sequence, fieldNumber: 3)
        }
    }

    func isEqualTo(message: any Message) -> Bool { (message as? PayloadMessage)?.payload == self.payload }
    func hash(into hasher: inout Hasher) { hasher.combine(self.payload.metrics.count) }
    static func == (left: Self, right: Self) -> Bool { left.payload == right.payload }
}

/// `Payload.Metric` on the wire.
struct MetricMessage: Message, Sendable {
    static let protoMessageName = "org.eclipse.tahu.protobuf.Payload.Metric"

    var metric = SparkplugMetric()
    var unknownFields = UnknownStorage()

    init() {}
    init(metric: SparkplugMetric) { self.metric = metric }

    var isInitialized: Bool { true }

    mutating func decodeMessage<Source: Decoder>(decoder: inout Source) throws {
        while let field = try decoder.nextFieldNumber() {
            switch field {
            case 1: try decoder.decodeSingularStringField(value: &self.metric.name)
            case 2: try decoder.decodeSingularUInt64Field(value: &self.metric.alias)
            case 3: try decoder.decodeSingularUInt64Field(value: &self.metric.timestamp)
            case 4:
                var type: UInt32?
                try decoder.decodeSingularUInt32Field(value: &type)
                self.metric.type = type.flatMap { SparkplugMetric.DataType(rawValue: $0) }
            case 5: try decoder.decodeSingularBoolField(value: &self.metric.isHistorical)
            case 7:
                var isNull = false
                try decoder.decodeSingularBoolField(value: &isNull)
                if isNull { self.metric.value = .null }
            case 9:
                var set: PropertySetMessage?
                try decoder.decodeSingularMessageField(value: &set)
                self.metric.quality = set?.quality
                self.metric.unit = set?.unit
            default: try self.decodeValue(field, &decoder)
            }
        }
    }

    private mutating func decodeValue<Source: Decoder>(_ field: Int, _ decoder: inout Source) throws {
        switch field {
        case 10:
            var value: UInt32 = 0
            try decoder.decodeSingularUInt32Field(value: &value)
            self.metric.value = .int(value)
        case 11:
            var value: UInt64 = 0
            try decoder.decodeSingularUInt64Field(value: &value)
            self.metric.value = .long(value)
        case 12:
            var value: Float = 0
            try decoder.decodeSingularFloatField(value: &value)
            self.metric.value = .double(Double(value))
        case 13:
            var value = 0.0
            try decoder.decodeSingularDoubleField(value: &value)
            self.metric.value = .double(value)
        case 14:
            var value = false
            try decoder.decodeSingularBoolField(value: &value)
            self.metric.value = .boolean(value)
        case 15:
            var value = ""
            try decoder.decodeSingularStringField(value: &value)
            self.metric.value = .string(value)
        default: break
        }
    }

    func traverse<Target: Visitor>(visitor: inout Target) throws {
        let metric = self.metric
        if let name = metric.name { try visitor.visitSingularStringField(value: name, fieldNumber: 1) }
        if let alias = metric.alias { try visitor.visitSingularUInt64Field(value: alias, fieldNumber: 2) }
        if let timestamp = metric.timestamp { try visitor.visitSingularUInt64Field(value: timestamp, fieldNumber: 3) }
        if let type = metric.type { try visitor.visitSingularUInt32Field(value: type.rawValue, fieldNumber: 4) }
        if metric.isHistorical { try visitor.visitSingularBoolField(value: true, fieldNumber: 5) }
        if metric.value == .null { try visitor.visitSingularBoolField(value: true, fieldNumber: 7) }
        let properties = PropertySetMessage(quality: metric.quality, unit: metric.unit)
        if !properties.keys.isEmpty { try visitor.visitSingularMessageField(value: properties, fieldNumber: 9) }
        switch metric.value {
        case .null: break
        case .int(let value): try visitor.visitSingularUInt32Field(value: value, fieldNumber: 10)
        case .long(let value): try visitor.visitSingularUInt64Field(value: value, fieldNumber: 11)
        case .double(let value): try visitor.visitSingularDoubleField(value: value, fieldNumber: 13)
        case .boolean(let value): try visitor.visitSingularBoolField(value: value, fieldNumber: 14)
        case .string(let value): try visitor.visitSingularStringField(value: value, fieldNumber: 15)
        }
    }

    func isEqualTo(message: any Message) -> Bool { (message as? MetricMessage)?.metric == self.metric }
    func hash(into hasher: inout Hasher) { hasher.combine(self.metric.name) }
    static func == (left: Self, right: Self) -> Bool { left.metric == right.metric }
}

/// `Payload.PropertySet` with the two properties that are used: `Quality` and `engUnit`.
struct PropertySetMessage: Message, Equatable, Sendable {
    static let protoMessageName = "org.eclipse.tahu.protobuf.Payload.PropertySet"

    var keys: [String] = []
    var values: [PropertyValueMessage] = []
    var unknownFields = UnknownStorage()

    init() {}

    init(quality: SparkplugMetric.Quality?, unit: String?) {
        if let quality {
            self.keys.append("Quality")
            self.values.append(PropertyValueMessage(number: quality.rawValue))
        }
        if let unit {
            self.keys.append("engUnit")
            self.values.append(PropertyValueMessage(text: unit))
        }
    }

    var unit: String? { zip(self.keys, self.values).first { $0.0 == "engUnit" }?.1.text }

    var quality: SparkplugMetric.Quality? {
        zip(self.keys, self.values).first { $0.0 == "Quality" }?.1.number.flatMap { .init(rawValue: $0) }
    }

    var isInitialized: Bool { true }

    mutating func decodeMessage<Source: Decoder>(decoder: inout Source) throws {
        while let field = try decoder.nextFieldNumber() {
            switch field {
            case 1: try decoder.decodeRepeatedStringField(value: &self.keys)
            case 2: try decoder.decodeRepeatedMessageField(value: &self.values)
            default: break
            }
        }
    }

    func traverse<Target: Visitor>(visitor: inout Target) throws {
        try visitor.visitRepeatedStringField(value: self.keys, fieldNumber: 1)
        try visitor.visitRepeatedMessageField(value: self.values, fieldNumber: 2)
    }

    func isEqualTo(message: any Message) -> Bool { (message as? PropertySetMessage) == self }
    func hash(into hasher: inout Hasher) { hasher.combine(self.keys) }
    static func == (left: Self, right: Self) -> Bool { left.keys == right.keys && left.values == right.values }
}

/// `Payload.PropertyValue` with a whole number or a text.
struct PropertyValueMessage: Message, Equatable, Sendable {
    static let protoMessageName = "org.eclipse.tahu.protobuf.Payload.PropertyValue"

    var number: UInt32?
    var text: String?
    var unknownFields = UnknownStorage()

    init() {}
    init(number: UInt32) { self.number = number }
    init(text: String) { self.text = text }

    var isInitialized: Bool { true }

    mutating func decodeMessage<Source: Decoder>(decoder: inout Source) throws {
        while let field = try decoder.nextFieldNumber() {
            switch field {
            case 3: try decoder.decodeSingularUInt32Field(value: &self.number)
            case 8: try decoder.decodeSingularStringField(value: &self.text)
            default: break
            }
        }
    }

    func traverse<Target: Visitor>(visitor: inout Target) throws {
        let type = self.text == nil ? SparkplugMetric.DataType.int32 : .string
        try visitor.visitSingularUInt32Field(value: type.rawValue, fieldNumber: 1)
        if let number { try visitor.visitSingularUInt32Field(value: number, fieldNumber: 3) }
        if let text { try visitor.visitSingularStringField(value: text, fieldNumber: 8) }
    }

    func isEqualTo(message: any Message) -> Bool { (message as? PropertyValueMessage) == self }
    func hash(into hasher: inout Hasher) { hasher.combine(self.number) }
    static func == (left: Self, right: Self) -> Bool { left.number == right.number && left.text == right.text }
}
