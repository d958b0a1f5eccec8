internal import CampusModel

/// A JSON value under construction.
indirect enum VectorValue {
    case object([(name: String, value: VectorValue)])
    case list([VectorValue])
    /// A scalar, as JSON writes it.
    case scalar(String)

    var text: String {
        switch self {
        case .object(let members):
            "{\(members.map { "\(JSONText.quoted($0.name)):\($0.value.text)" }.joined(separator: ","))}"
        case .list(let elements): "[\(elements.map(\.text).joined(separator: ","))]"
        case .scalar(let text): text
        }
    }

    /// A value that the schema takes.
    ///
    /// - Parameters:
    ///   - schema: What it must be.
    ///   - isFull: With every optional member, at the upper end; otherwise as little as may be.
    static func valid(_ schema: PayloadSchema, isFull: Bool) -> VectorValue {
        if let allowed = schema.allowed {
            return .scalar((isFull ? allowed.last : allowed.first)?.description ?? "null")
        }
        switch schema.kinds.first {
        case .object:
            let members = schema.members.filter { $0.isRequired || isFull }
            return .object(members.map { ($0.name, self.valid($0.schema, isFull: isFull)) })
        case .array:
            let count = isFull ? min(schema.itemsMax ?? 1, 4) : schema.itemsMin
            let element = schema.items.first.map { self.valid($0, isFull: isFull) } ?? .scalar("null")
            return .list(Array(repeating: element, count: max(count, schema.itemsMin)))
        case .string:
            let text = schema.pattern?.example ?? String(repeating: "x", count: max(schema.lengthMin, isFull ? 1 : 0))
            return .scalar(JSONText.quoted(text))
        case .number, .integer: return .scalar(self.number(schema, isFull: isFull).description)
        case .boolean: return .scalar(isFull ? "true" : "false")
        case .null, nil: return .scalar("null")
        }
    }

    /// The end of the range that lies on a step, or 0.
    private static func number(_ schema: PayloadSchema, isFull: Bool) -> ExactDecimal {
        let step = schema.multipleOf ?? ExactDecimal(1)
        let decimals = max(0, step.decimals)
        guard let limit = isFull ? schema.maximum ?? schema.minimum : schema.minimum ?? schema.maximum,
            let stride = step.scaled(by: decimals), stride > 0,
            let end = ExactDecimal(coefficient: limit.value.coefficient, decimals: limit.value.decimals)
                .scaled(by: max(decimals, limit.value.decimals))
        else { return ExactDecimal(0) }
        // To the next step towards the inside, in units of the finer of the two.
        let finer = max(decimals, limit.value.decimals)
        guard let wide = step.scaled(by: finer), wide > 0 else { return ExactDecimal(0) }
        var count = end / wide
        let isLow = limit == schema.minimum
        if isLow, count * wide < end || (limit.isExclusive && count * wide == end) { count += 1 }
        if !isLow, count * wide > end || (limit.isExclusive && count * wide == end) { count -= 1 }
        let (product, overflow) = count.multipliedReportingOverflow(by: wide)
        return overflow ? ExactDecimal(0) : ExactDecimal(coefficient: product, decimals: finer)
    }
}
