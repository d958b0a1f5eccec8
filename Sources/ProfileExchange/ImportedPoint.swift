package import DeviceProfile

/// A quantity of another format, as a profile says it.
package struct ImportedPoint: Sendable {
    package var name: String
    package var title: String
    package var kind = PointDefinition.Kind.number
    package var unit = "1"
    package var table: ModbusWire.Table
    package var address: Int
    /// What the other format calls it.
    package var documentedAs: String
    package var type: RegisterSource.ValueType
    package var isLowByteFirst = false
    package var isLowWordFirst = false
    /// The only bit that counts.
    package var bit: Int?
    /// Registers of a text.
    package var length = 0
    package var multiply = 1.0
    package var add = 0.0
    /// The point with the decimal exponent.
    package var exponentFrom: String?
    package var invalid: [String] = []
    /// The point that must be 0.
    package var onlyWhileZero: String?
    package var enumeration: [(value: Int, text: String)] = []
    package var range: ClosedRange<Double>?
    package var isHidden = false
    package var isStatic = false
    /// The line in the file that was read.
    package var line: Int

    init(
        name: String,
        title: String,
        table: ModbusWire.Table,
        address: Int,
        documentedAs: String,
        type: RegisterSource.ValueType,
        line: Int
    ) {
        self.name = ImportedProfile.identifier(name) ?? "point"
        self.title = ImportedProfile.clipped(title, 200)
        self.table = table
        self.address = address
        self.documentedAs = ImportedProfile.clipped(documentedAs, 80)
        self.type = type
        self.line = line
    }

    /// How many addresses it takes.
    var addressCount: Int {
        if self.table.isBits { return 1 }
        switch self.type {
        case .int24, .uint24, .int32, .uint32, .float32, .bcd32: return 2
        case .int64, .uint64, .float64, .bcd64: return 4
        case .string, .hex: return self.length
        default: return 1
        }
    }

    /// The registers with ``example`` as the raw value, each high byte first.
    var exampleWords: [UInt16] {
        if self.table.isBits { return [1] }
        if self.type.isText {
            return [self.isLowByteFirst ? 0x0041 : 0x4100] + Array(repeating: 0, count: max(0, self.length - 1))
        }
        let bits: UInt64
        switch self.type {
        case .float16: bits = 0x3C00
        case .float32: bits = 0x3F80_0000
        case .float64: bits = 0x3FF0_0000_0000_0000
        default: bits = UInt64(clamping: self.example) << UInt64(clamping: self.bit ?? 0)
        }
        let count = self.addressCount
        return (0..<count)
            .map { index in
                let place = self.isLowWordFirst ? index : count - 1 - index
                let word = UInt16(truncatingIfNeeded: bits >> UInt64(place * 16))
                return self.isLowByteFirst ? word.byteSwapped : word
            }
    }

    /// The raw value of the constructed case.
    var example: Int { self.kind == .enumeration ? self.enumeration.first?.value ?? 1 : 1 }
}
