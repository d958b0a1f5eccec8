/// How doubles become integers without losing a bit.
///
/// Sensors tell decimals: 23.18 is stored as 2318 and comes back as 2318 ÷ 100, which is the very same double. What is
/// no short decimal keeps its bits, those of a float where that is enough.
struct ValueForm: Hashable {
    /// Which way it is.
    ///
    /// 0–14: value × 10^n. 16–22: the same after rounding to a float, 10^(n − 16). 32: bits of a float. 33: bits of a
    /// double.
    var rawValue: UInt8

    static let floatBits = ValueForm(rawValue: 32)
    static let doubleBits = ValueForm(rawValue: 33)

    private static let decimalsMax: UInt8 = 14
    private static let floatDecimals: UInt8 = 16
    private static let floatDecimalsMax: UInt8 = 6
    /// Adding it rounds a double under 2^51 to a whole number, which is then in the lowest bits.
    private static let rounder = 6_755_399_441_055_744.0  // 1.5 × 2^52

    static let powers: [Double] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    ]

    var isKnown: Bool {
        self.rawValue <= Self.decimalsMax || self == .floatBits || self == .doubleBits
            || (Self.floatDecimals...(Self.floatDecimals + Self.floatDecimalsMax)).contains(self.rawValue)
    }

    var isDecimal: Bool { self.rawValue <= Self.decimalsMax }

    private static func power(_ decimals: UInt8) -> Double { self.powers[Int(decimals)] }

    /// Finds the form with the smallest integers and fills them in.
    static func choose(
        _ values: UnsafePointer<Double>,
        _ count: Int,
        into integers: UnsafeMutablePointer<Int64>
    ) -> ValueForm {
        if let form = self.decimal(values, count, 0...self.floatDecimalsMax, integers) { return form }
        // What came as a float and is no short decimal is no long one either.
        let isFloat = self.fillFloat(values, count, integers)
        if !isFloat {
            if let form = self.decimal(values, count, (self.floatDecimalsMax + 1)...self.decimalsMax, integers) {
                return form
            }
            for index in 0..<count { integers[index] = Int64(bitPattern: values[index].bitPattern) }
            return .doubleBits
        }
        for decimals in 0...self.floatDecimalsMax
        where self.fillFloatDecimal(values, count, self.power(decimals), integers) {
            return ValueForm(rawValue: self.floatDecimals + decimals)
        }
        _ = self.fillFloat(values, count, integers)
        return .floatBits
    }

    private static func decimal(
        _ values: UnsafePointer<Double>,
        _ count: Int,
        _ decimals: ClosedRange<UInt8>,
        _ integers: UnsafeMutablePointer<Int64>
    ) -> ValueForm? {
        for decimals in decimals where self.fillDecimal(values, count, self.power(decimals), integers) {
            return ValueForm(rawValue: decimals)
        }
        return nil
    }

    /// `values` × `power` as integers, when each comes back to the bit.
    private static func fillDecimal(
        _ values: UnsafePointer<Double>,
        _ count: Int,
        _ power: Double,
        _ integers: UnsafeMutablePointer<Int64>
    ) -> Bool {
        for index in 0..<count {
            let scaled = values[index] * power
            guard scaled.magnitude < 2_251_799_813_685_248 else { return false }  // 2^51; also no NaN
            let shifted = scaled + self.rounder
            guard ((shifted - self.rounder) / power).bitPattern == values[index].bitPattern else { return false }
            integers[index] = Int64(bitPattern: shifted.bitPattern &- self.rounder.bitPattern)
        }
        return true
    }

    private static func fillFloat(
        _ values: UnsafePointer<Double>,
        _ count: Int,
        _ integers: UnsafeMutablePointer<Int64>
    ) -> Bool {
        for index in 0..<count {
            let float = Float(values[index])
            guard Double(float).bitPattern == values[index].bitPattern else { return false }
            integers[index] = Int64(Int32(bitPattern: float.bitPattern))
        }
        return true
    }

    /// Like ``fillDecimal``, for values that a device told as floats: 230.1 arrives as 230.10000610351562.
    private static func fillFloatDecimal(
        _ values: UnsafePointer<Double>,
        _ count: Int,
        _ power: Double,
        _ integers: UnsafeMutablePointer<Int64>
    ) -> Bool {
        for index in 0..<count {
            let scaled = values[index] * power
            guard scaled.magnitude < 16_777_216 else { return false }
            let shifted = scaled + self.rounder
            let back = Double(Float((shifted - self.rounder) / power))
            guard back.bitPattern == values[index].bitPattern else { return false }
            integers[index] = Int64(bitPattern: shifted.bitPattern &- self.rounder.bitPattern)
        }
        return true
    }

    /// Most values of a table.
    static let tableMax = 2_048

    /// Where the integers lie, if a table of all values between pays.
    func bounds(_ integers: UnsafePointer<Int64>, _ count: Int) -> (lowest: Int64, range: UInt64)? {
        guard self.rawValue < Self.floatBits.rawValue else { return nil }
        var lowest = integers[0]
        var highest = lowest
        for index in 1..<count {
            lowest = min(lowest, integers[index])
            highest = max(highest, integers[index])
        }
        let range = UInt64(bitPattern: highest &- lowest)
        return range < UInt64(min(count / 2, Self.tableMax)) ? (lowest, range) : nil
    }

    /// The values of all integers of a range: a division takes longer than all the rest of a sample, and a sensor tells
    /// the same few hundred values again and again.
    func table(_ lowest: Int64, _ range: UInt64, _ values: UnsafeMutablePointer<Double>) -> ValueTable? {
        guard range < UInt64(Self.tableMax), self.rawValue < Self.floatBits.rawValue else { return nil }
        let size = Int(range) + 1
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: size) { row in
            guard let row = row.baseAddress else { return }
            for index in 0..<size { row[index] = lowest &+ Int64(index) }
            self.compute(row, size, into: values)
        }
        return ValueTable(lowest: lowest, range: range, values: values)
    }

    /// Turns integers back into values.
    func compute(_ integers: UnsafePointer<Int64>, _ count: Int, into values: UnsafeMutablePointer<Double>) {
        switch self {
        case .floatBits:
            for index in 0..<count {
                values[index] = Double(Float(bitPattern: UInt32(truncatingIfNeeded: integers[index])))
            }
        case .doubleBits:
            for index in 0..<count { values[index] = Double(bitPattern: UInt64(bitPattern: integers[index])) }
        default:
            let power = Self.power(self.isDecimal ? self.rawValue : self.rawValue - Self.floatDecimals)
            Self.divide(integers, count, power, into: values)
            guard !self.isDecimal else { return }
            for index in 0..<count { values[index] = Double(Float(values[index])) }
        }
    }

    /// Integers under 2^51 ÷ `power`, two at a time.
    @inline(__always)
    private static func divide(
        _ integers: UnsafePointer<Int64>,
        _ count: Int,
        _ power: Double,
        into values: UnsafeMutablePointer<Double>
    ) {
        let bits = SIMD2<UInt64>(repeating: self.rounder.bitPattern)
        let rounder = SIMD2<Double>(repeating: self.rounder)
        let divisor = SIMD2<Double>(repeating: power)
        var index = 0
        while index &+ 2 <= count {
            let pair = UnsafeRawPointer(integers + index).loadUnaligned(as: SIMD2<UInt64>.self)
            var numbers = unsafeBitCast(pair &+ bits, to: SIMD2<Double>.self) - rounder
            if power != 1 { numbers /= divisor }
            UnsafeMutableRawPointer(values + index).storeBytes(of: numbers, as: SIMD2<Double>.self)
            index &+= 2
        }
        if index < count {
            values[index] =
                (Double(bitPattern: UInt64(bitPattern: integers[index]) &+ self.rounder.bitPattern) - self.rounder)
                / power
        }
    }
}

/// The values of all integers from the lowest on.
struct ValueTable {
    let lowest: Int64
    let range: UInt64
    let values: UnsafeMutablePointer<Double>
}
