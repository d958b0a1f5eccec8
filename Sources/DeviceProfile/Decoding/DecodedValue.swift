package import CampusModel

/// A decoded number, boolean or enumeration of one point.
package struct DecodedValue: Sendable, Hashable {
    /// Index into ``DeviceProfile/points``.
    package var point: Int
    /// In the point's unit; 0 when the quality is bad.
    package var value: Double
    package var quality: Quality

    package init(point: Int, value: Double, quality: Quality) {
        self.point = point
        self.value = value
        self.quality = quality
    }
}

/// A decoded text of one point.
package struct DecodedText: Sendable, Hashable {
    /// Index into ``DeviceProfile/points``.
    package var point: Int
    package var text: String

    package init(point: Int, text: String) {
        self.point = point
        self.text = text
    }
}

extension PointDefinition {
    /// What a raw value means: sentinels, scale, range and enumeration applied.
    ///
    /// - Parameters:
    ///   - raw: The value as on the wire; NaN and infinite values are allowed and never come out.
    ///   - exponent: The decimal exponent of ``Scale/exponentFrom``, 0 where there is none.
    func judged(raw: Double, exponent: Double = 0) -> (value: Double, quality: Quality) {
        for invalid in self.invalid {
            switch invalid {
            case .nan: if raw.isNaN { return (0, .bad(.sentinel)) }
            case .value(let value): if raw == value { return (0, .bad(.sentinel)) }
            case .range(let low, let high): if raw >= low, raw <= high { return (0, .bad(.sentinel)) }
            }
        }
        var value = raw
        if self.scale != .identity {
            value = value * self.scale.multiply / self.scale.divide
            if self.scale.power2 != 0 { value = Double(sign: .plus, exponent: self.scale.power2, significand: value) }
            if exponent < 0 {
                value /= PowersOfTen.value(-exponent)
            } else if exponent > 0 {
                value *= PowersOfTen.value(exponent)
            }
            value += self.scale.add
        }
        guard value.isFinite else { return (0, .bad(.malformed)) }
        if let range, !range.contains(value) { return (0, .bad(.range)) }
        if self.kind == .enumeration, !self.enumeration.contains(where: { $0.value == value }) {
            return self.keepsUnknown ? (value, .uncertain(.unknownValue)) : (0, .bad(.unknownValue))
        }
        return (value, .good)
    }

    /// The label of an enumeration or boolean value, if the profile names it.
    package func label(for value: Double) -> LocalizedText? {
        self.enumeration.first { $0.value == value }?.label
    }
}

/// Exact powers of ten.
enum PowersOfTen {
    private static let table: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// 10^exponent for whole exponents 0–22, which are exact; infinity for anything else.
    static func value(_ exponent: Double) -> Double {
        guard let index = Int(exactly: exponent), self.table.indices.contains(index) else { return .infinity }
        return self.table[index]
    }
}
