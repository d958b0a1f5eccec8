/// A decimal number as it is written: 0.1 is one tenth, not the nearest binary fraction.
///
/// Limits and resolutions of contracts are compared in it, so that 21.53 is a multiple of 0.01. At most 18 significant
/// digits and 18 decimals; everything that a device measures has fewer.
package struct ExactDecimal: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number without its point.
    package let coefficient: Int64
    /// How many digits stand behind the point, 0–18; negative for trailing zeros that were taken off.
    package let decimals: Int

    /// `coefficient` ÷ 10^`decimals`, brought to the shortest form.
    package init(coefficient: Int64, decimals: Int) {
        var coefficient = coefficient
        var decimals = coefficient == 0 ? 0 : decimals
        while coefficient != 0, coefficient % 10 == 0 {
            coefficient /= 10
            decimals -= 1
        }
        self.coefficient = coefficient
        self.decimals = decimals
    }

    /// A whole number.
    package init(_ whole: Int64) { self.init(coefficient: whole, decimals: 0) }

    /// Reads a number by the grammar of JSON; `nil` for anything else and for more digits than are kept.
    package init?(_ text: some StringProtocol) {
        var coefficient: Int64 = 0
        var decimals = 0
        var exponent = 0
        var digits = 0
        var hasPoint = false
        var bytes = Array(text.utf8.prefix(65))[...]
        guard bytes.count <= 64 else { return nil }
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { bytes = bytes.dropFirst() }
        while let byte = bytes.first {
            if byte == UInt8(ascii: "."), !hasPoint, digits > 0 {
                hasPoint = true
            } else if (0x30...0x39).contains(byte) {
                let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
                guard !overflow, !carry else { return nil }
                coefficient = sum
                digits += 1
                if hasPoint { decimals += 1 }
            } else {
                break
            }
            bytes = bytes.dropFirst()
        }
        guard digits > 0 else { return nil }
        if let byte = bytes.first {
            guard byte | 0x20 == UInt8(ascii: "e"),
                let found = Int(String(decoding: bytes.dropFirst(), as: UTF8.self)), (-36...36).contains(found)
            else { return nil }
            exponent = found
        }
        self.init(coefficient: isNegative ? -coefficient : coefficient, decimals: decimals - exponent)
        guard abs(self.decimals) <= 18 else { return nil }
    }

    /// Both numbers as whole multiples of the same power of ten; `nil` when they lie too far apart.
    private static func aligned(_ left: ExactDecimal, _ right: ExactDecimal) -> (Int128, Int128)? {
        let decimals = max(left.decimals, right.decimals)
        guard let one = self.scaled(left, decimals), let other = self.scaled(right, decimals) else { return nil }
        return (one, other)
    }

    private static func scaled(_ number: ExactDecimal, _ decimals: Int) -> Int128? {
        var result = Int128(number.coefficient)
        for _ in 0..<max(0, decimals - number.decimals) {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            result = product
        }
        return result
    }

    /// The number times 10^`decimals`, when that is a whole number of 64 bits.
    package func scaled(by decimals: Int) -> Int64? {
        guard decimals >= self.decimals, let scaled = Self.scaled(self, decimals) else { return nil }
        return Int64(exactly: scaled)
    }

    package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        if let (one, other) = self.aligned(left, right) { return one < other }
        return left.value < right.value
    }

    /// Whether the number is a whole multiple of `step`, which is above 0.
    package func isMultiple(of step: ExactDecimal) -> Bool {
        guard step.coefficient > 0, let (one, other) = Self.aligned(self, step) else { return false }
        return one % other == 0
    }

    /// The nearest binary number.
    package var value: Double { Double(self.description) ?? 0 }

    /// As JSON writes it, without an exponent.
    package var description: String {
        let sign = self.coefficient < 0 ? "-" : ""
        let digits = "\(self.coefficient.magnitude)"
        if self.decimals <= 0 { return sign + digits + String(repeating: "0", count: -self.decimals) }
        let padded = String(repeating: "0", count: max(0, self.decimals + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(self.decimals)).\(padded.suffix(self.decimals))"
    }
}
