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
