internal import CampusModel

/// The members of Shelly's components.
enum ShellyComponents {
    struct Value: Sendable {
        var name: String
        var path: [String]
        var title: LocalizedText
        var kind: ProfileDraft.Point.Kind

        init(_ name: String, _ path: [String], _ vi: String, _ en: String, _ kind: ProfileDraft.Point.Kind) {
            self.name = name
            self.path = path
            self.title = LocalizedText(vi: vi, en: en)
            self.kind = kind
        }
    }

    /// Of the device itself, nothing that a room is judged by.
    static let housekeeping: Set<String> = [
        "ble", "bthome", "cloud", "eth", "knx", "matter", "modbus", "mqtt", "schedule", "script", "sys", "ui", "wifi",
        "ws",
    ]

    private static func number(_ unit: String, _ range: ClosedRange<Double>? = nil) -> ProfileDraft.Point.Kind {
        .number(unit: unit, range: range, invalid: [])
    }

    private static let yesNo = ProfileDraft.Point.Kind.boolean(on: nil, off: nil, labels: [])
    private static let meter = [
        Value("power", ["apower"], "Công suất", "Active power", number("W")),
        Value("voltage", ["voltage"], "Điện áp", "Voltage", number("V")),
        Value("current", ["current"], "Dòng điện", "Current", number("A")),
        Value("pf", ["pf"], "Hệ số công suất", "Power factor", number("1", -1...1)),
        Value("frequency", ["freq"], "Tần số", "Frequency", number("Hz")),
        Value("energy", ["aenergy", "total"], "Điện năng", "Energy", number("W.h")),
        Value("returned", ["ret_aenergy", "total"], "Điện năng phát ngược", "Returned energy", number("W.h")),
        Value("temperature", ["temperature", "tC"], "Nhiệt độ thiết bị", "Device temperature", number("Cel")),
    ]
    private static let output = Value("output", ["output"], "Đóng điện", "Output", yesNo)
    private static let brightness = Value("brightness", ["brightness"], "Độ sáng", "Brightness", number("%", 0...100))

    private static let phases = ["a", "b", "c"]
        .flatMap { phase in
            [
                Value(
                    "\(phase)-power",
                    ["\(phase)_act_power"],
                    "Công suất pha \(phase)",
                    "Power phase \(phase)",
                    number("W")
                ),
                Value(
                    "\(phase)-voltage",
                    ["\(phase)_voltage"],
                    "Điện áp pha \(phase)",
                    "Voltage phase \(phase)",
                    number("V")
                ),
                Value(
                    "\(phase)-current",
                    ["\(phase)_current"],
                    "Dòng pha \(phase)",
                    "Current phase \(phase)",
                    number("A")
                ),
                Value(
                    "\(phase)-pf",
                    ["\(phase)_pf"],
                    "Hệ số pha \(phase)",
                    "Factor phase \(phase)",
                    number("1", -1...1)
                ),
            ]
        }

    static let tables: [String: [Value]] = [
        "switch": [output] + meter,
        "pm1": meter,
        "light": [output, brightness] + meter,
        "rgb": [output, brightness] + meter,
        "rgbw": [output, brightness] + meter,
        "cct": [output, brightness] + meter,
        "cover": [
            Value(
                "state",
                ["state"],
                "Trạng thái",
                "State",
                .enumeration(["open", "closed", "opening", "closing", "stopped", "calibrating"])
            ), Value("position", ["current_pos"], "Vị trí", "Position", number("%", 0...100)),
        ] + meter,
        "em": phases + [
            Value("power", ["total_act_power"], "Tổng công suất", "Total power", number("W")),
            Value("apparent", ["total_aprt_power"], "Tổng công suất biểu kiến", "Total apparent power", number("V.A")),
            Value("current", ["total_current"], "Tổng dòng điện", "Total current", number("A")),
            Value("n-current", ["n_current"], "Dòng trung tính", "Neutral current", number("A")),
        ],
        "emdata": [
            Value("energy", ["total_act"], "Tổng điện năng", "Total energy", number("W.h")),
            Value("returned", ["total_act_ret"], "Tổng phát ngược", "Total returned energy", number("W.h")),
        ],
        "em1": [
            Value("power", ["act_power"], "Công suất", "Active power", number("W")),
            Value("apparent", ["aprt_power"], "Công suất biểu kiến", "Apparent power", number("V.A")),
            Value("voltage", ["voltage"], "Điện áp", "Voltage", number("V")),
            Value("current", ["current"], "Dòng điện", "Current", number("A")),
            Value("pf", ["pf"], "Hệ số công suất", "Power factor", number("1", -1...1)),
            Value("frequency", ["freq"], "Tần số", "Frequency", number("Hz")),
        ],
        "em1data": [
            Value("energy", ["total_act_energy"], "Điện năng", "Energy", number("W.h")),
            Value("returned", ["total_act_ret_energy"], "Điện năng phát ngược", "Returned energy", number("W.h")),
        ],
        "temperature": [Value("temperature", ["tC"], "Nhiệt độ", "Temperature", number("Cel"))],
        "humidity": [Value("humidity", ["rh"], "Độ ẩm", "Humidity", number("%", 0...100))],
        "illuminance": [Value("illuminance", ["lux"], "Độ rọi", "Illuminance", number("lx"))],
        "voltmeter": [Value("voltage", ["voltage"], "Điện áp", "Voltage", number("V"))],
        "devicepower": [
            Value("battery", ["battery", "percent"], "Pin", "Battery", number("%", 0...100)),
            Value("battery-voltage", ["battery", "V"], "Điện áp pin", "Battery voltage", number("V")),
        ],
        "input": [
            Value("state", ["state"], "Đầu vào", "Input", yesNo),
            Value("percent", ["percent"], "Đầu vào tương tự", "Analog input", number("%", 0...100)),
        ],
        "smoke": [Value("alarm", ["alarm"], "Khói", "Smoke", yesNo)],
        "flood": [Value("alarm", ["alarm"], "Rò nước", "Water leak", yesNo)],
    ]
}
