internal import CampusModel

/// The models of SunSpec that are read: where their values are, counted from the model's number.
///
/// Facts: SunSpec Alliance, models 1, 101–103, 111–113 and 201–204 (github.com/sunspec/models).
enum SunSpecModels {
    struct Value: Sendable {
        var name: String
        var title: LocalizedText
        var unit: String
        /// Registers from the model's number on.
        var offset: Int
        var type: RegisterSource.ValueType
        /// Where the decimal exponent is.
        var exponent: Int?

        init(
            _ name: String,
            _ vi: String,
            _ en: String,
            _ unit: String,
            _ offset: Int,
            _ type: RegisterSource.ValueType = .uint16,
            exponent: Int? = nil
        ) {
            self.name = name
            self.title = LocalizedText(vi: vi, en: en)
            self.unit = unit
            self.offset = offset
            self.type = type
            self.exponent = exponent
        }

        /// How many registers it has.
        var count: Int { self.type == .uint32 || self.type == .float32 ? 2 : 1 }

        /// The raw value that means that the device does not have it, as profiles write it.
        var invalid: String {
            switch self.type {
            case .int16: "-32768"
            case .float32: "nan"
            // An accumulator of 0 has not counted, or is none.
            case .uint32: "0"
            default: "0xFFFF"
            }
        }
    }

    static let states: [Int: LocalizedText] = [
        1: LocalizedText(vi: "Tắt", en: "Off"), 2: LocalizedText(vi: "Ngủ", en: "Sleeping"),
        3: LocalizedText(vi: "Khởi động", en: "Starting"),
        4: LocalizedText(vi: "Đang phát (MPPT)", en: "Producing (MPPT)"),
        5: LocalizedText(vi: "Giảm công suất", en: "Throttled"), 6: LocalizedText(vi: "Đang tắt", en: "Shutting down"),
        7: LocalizedText(vi: "Lỗi", en: "Fault"), 8: LocalizedText(vi: "Chờ", en: "Standby"),
    ]

    /// Numbers of the states of an inverter, by model.
    static func stateOffset(model: Int) -> Int? {
        switch model {
        case 101...103: 38
        case 111...113: 48
        default: nil
        }
    }

    static func values(model: Int) -> [Value]? {
        switch model {
        case 101...103: self.inverter
        case 111...113: self.floatInverter
        case 201...204: self.meter
        default: nil
        }
    }

    private static let inverter = [
        Value("current", "Dòng điện AC", "AC current", "A", 2, exponent: 6),
        Value("current-a", "Dòng pha A", "Current phase A", "A", 3, exponent: 6),
        Value("current-b", "Dòng pha B", "Current phase B", "A", 4, exponent: 6),
        Value("current-c", "Dòng pha C", "Current phase C", "A", 5, exponent: 6),
        Value("voltage-a", "Điện áp pha A", "Voltage phase A", "V", 10, exponent: 13),
        Value("voltage-b", "Điện áp pha B", "Voltage phase B", "V", 11, exponent: 13),
        Value("voltage-c", "Điện áp pha C", "Voltage phase C", "V", 12, exponent: 13),
        Value("power", "Công suất AC", "AC power", "W", 14, .int16, exponent: 15),
        Value("frequency", "Tần số", "Frequency", "Hz", 16, exponent: 17),
        Value("apparent", "Công suất biểu kiến", "Apparent power", "V.A", 18, .int16, exponent: 19),
        Value("reactive", "Công suất phản kháng", "Reactive power", "var", 20, .int16, exponent: 21),
        Value("pf", "Hệ số công suất", "Power factor", "%", 22, .int16, exponent: 23),
        Value("energy", "Điện năng đã phát", "Energy produced", "W.h", 24, .uint32, exponent: 26),
        Value("dc-current", "Dòng điện DC", "DC current", "A", 27, exponent: 28),
        Value("dc-voltage", "Điện áp DC", "DC voltage", "V", 29, exponent: 30),
        Value("dc-power", "Công suất DC", "DC power", "W", 31, .int16, exponent: 32),
        Value("temperature", "Nhiệt độ tủ", "Cabinet temperature", "Cel", 33, .int16, exponent: 37),
        Value("heatsink", "Nhiệt độ tản nhiệt", "Heat sink temperature", "Cel", 34, .int16, exponent: 37),
    ]

    private static let floatInverter = [
        Value("current", "Dòng điện AC", "AC current", "A", 2, .float32),
        Value("current-a", "Dòng pha A", "Current phase A", "A", 4, .float32),
        Value("current-b", "Dòng pha B", "Current phase B", "A", 6, .float32),
        Value("current-c", "Dòng pha C", "Current phase C", "A", 8, .float32),
        Value("voltage-a", "Điện áp pha A", "Voltage phase A", "V", 16, .float32),
        Value("voltage-b", "Điện áp pha B", "Voltage phase B", "V", 18, .float32),
        Value("voltage-c", "Điện áp pha C", "Voltage phase C", "V", 20, .float32),
        Value("power", "Công suất AC", "AC power", "W", 22, .float32),
        Value("frequency", "Tần số", "Frequency", "Hz", 24, .float32),
        Value("apparent", "Công suất biểu kiến", "Apparent power", "V.A", 26, .float32),
        Value("reactive", "Công suất phản kháng", "Reactive power", "var", 28, .float32),
        Value("pf", "Hệ số công suất", "Power factor", "%", 30, .float32),
        Value("energy", "Điện năng đã phát", "Energy produced", "W.h", 32, .float32),
        Value("dc-current", "Dòng điện DC", "DC current", "A", 34, .float32),
        Value("dc-voltage", "Điện áp DC", "DC voltage", "V", 36, .float32),
        Value("dc-power", "Công suất DC", "DC power", "W", 38, .float32),
        Value("temperature", "Nhiệt độ tủ", "Cabinet temperature", "Cel", 40, .float32),
        Value("heatsink", "Nhiệt độ tản nhiệt", "Heat sink temperature", "Cel", 42, .float32),
    ]

    private static let meter = [
        Value("current", "Tổng dòng điện", "Total current", "A", 2, .int16, exponent: 6),
        Value("current-a", "Dòng pha A", "Current phase A", "A", 3, .int16, exponent: 6),
        Value("current-b", "Dòng pha B", "Current phase B", "A", 4, .int16, exponent: 6),
        Value("current-c", "Dòng pha C", "Current phase C", "A", 5, .int16, exponent: 6),
        Value("voltage-a", "Điện áp pha A", "Voltage phase A", "V", 8, .int16, exponent: 15),
        Value("voltage-b", "Điện áp pha B", "Voltage phase B", "V", 9, .int16, exponent: 15),
        Value("voltage-c", "Điện áp pha C", "Voltage phase C", "V", 10, .int16, exponent: 15),
        Value("frequency", "Tần số", "Frequency", "Hz", 16, .int16, exponent: 17),
        Value("power", "Tổng công suất", "Total power", "W", 18, .int16, exponent: 22),
        Value("power-a", "Công suất pha A", "Power phase A", "W", 19, .int16, exponent: 22),
        Value("power-b", "Công suất pha B", "Power phase B", "W", 20, .int16, exponent: 22),
        Value("power-c", "Công suất pha C", "Power phase C", "W", 21, .int16, exponent: 22),
        Value("exported", "Điện năng phát", "Energy exported", "W.h", 38, .uint32, exponent: 54),
        Value("imported", "Điện năng nhận", "Energy imported", "W.h", 46, .uint32, exponent: 54),
    ]
}
