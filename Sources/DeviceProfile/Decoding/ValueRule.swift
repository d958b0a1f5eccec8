internal import CampusModel

/// What turns a point's raw value into its value and quality: sentinels, scale, range, enumeration.
///
/// A class with plain fields: it is asked for every value, and asking copies nothing of the definition.
final class ValueRule: Sendable {
    private let multiply: Double
    private let divide: Double
    private let power2: Int
    private let add: Double
    private let isScaled: Bool
    private let pieces: [PointDefinition.ScalePiece]
    private let low: Double
    private let high: Double
    private let hasInvalid: Bool
    private let invalid: [PointDefinition.Invalid]
    private let isBoolean: Bool
    private let isEnumeration: Bool
    private let enumeration: [Double]
    private let keepsUnknown: Bool

    init(_ point: PointDefinition) {
        self.multiply = point.scale.multiply
        self.divide = point.scale.divide
        self.power2 = point.scale.power2
        self.add = point.scale.add
        self.isScaled = point.scale != .identity || !point.pieces.isEmpty
        self.pieces = point.pieces
        self.low = point.range?.lowerBound ?? -.greatestFiniteMagnitude
        self.high = point.range?.upperBound ?? .greatestFiniteMagnitude
        self.hasInvalid = !point.invalid.isEmpty
        self.invalid = point.invalid
        self.isBoolean = point.kind == .boolean
        self.isEnumeration = point.kind == .enumeration
        self.enumeration = point.enumeration.map(\.value)
        self.keepsUnknown = point.keepsUnknown
    }

    /// What a raw value means.
    ///
    /// - Parameters:
    ///   - raw: The value as on the wire; NaN and infinite values are allowed and never come out.
    ///   - exponent: The decimal exponent of ``PointDefinition/Scale/exponentFrom``, 0 where there is none.
    ///   - factor: The value of ``PointDefinition/Scale/multiplyFrom``, 1 where there is none.
    func judged(raw: Double, exponent: Double = 0, factor: Double = 1) -> (value: Double, quality: Quality) {
        if self.hasInvalid, self.isInvalid(raw) { return (0, .bad(.sentinel)) }
        var value = raw
        if self.isScaled, !self.pieces.isEmpty {
            guard let piece = self.pieces.first(where: { $0.raw.contains(raw) }) else { return (0, .bad(.range)) }
            value = piece.scale.value(of: raw)
        } else if self.isScaled {
            value = value * self.multiply / self.divide
            if self.power2 != 0 { value = Double(sign: .plus, exponent: self.power2, significand: value) }
            if exponent < 0 {
                value /= PowersOfTen.value(-exponent)
            } else if exponent > 0 {
                value *= PowersOfTen.value(exponent)
            }
            value *= factor
            value += self.add
        }
        guard value.isFinite else { return (0, .bad(.malformed)) }
        guard value >= self.low, value <= self.high else { return (0, .bad(.range)) }
        if self.isEnumeration, !self.enumeration.contains(value) {
            return self.keepsUnknown ? (value, .uncertain(.unknownValue)) : (0, .bad(.unknownValue))
        }
        if self.isBoolean, value != 0, value != 1 { return (0, .bad(.unknownValue)) }
        return (value, .good)
    }

    /// Whether a text in a payload means "no value".
    func isInvalid(text: String) -> Bool {
        guard self.hasInvalid else { return false }
        return self.invalid.contains { invalid in
            switch invalid {
            case .text(let listed): listed == text
            case .nan: text.lowercased() == "nan"
            case .value, .range: false
            }
        }
    }

    private func isInvalid(_ raw: Double) -> Bool {
        self.invalid.contains { invalid in
            switch invalid {
            case .nan: raw.isNaN
            case .value(let value): raw == value
            case .range(let low, let high): raw >= low && raw <= high
            case .text: false
            }
        }
    }
}
