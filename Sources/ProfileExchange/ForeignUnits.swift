internal import CampusModel

/// Units as other formats write them.
enum ForeignUnits {
    private static let codes: [String: String] = [
        "pct": "%", "percent": "%", "%": "%", "c": "Cel", "°c": "Cel", "degc": "Cel", "celsius": "Cel",
        "degrees celsius": "Cel", "f": "[degF]", "°f": "[degF]", "va": "V.A", "kva": "kV.A", "wh": "W.h",
        "kwh": "kW.h", "mwh": "MW.h", "ah": "A.h", "var": "var", "kvarh": "kvar.h", "hz": "Hz", "v": "V", "mv": "mV",
        "a": "A", "ma": "mA", "w": "W", "kw": "kW", "ohms": "Ohm", "ohm": "Ohm", "secs": "s", "sec": "s",
        "seconds": "s", "mins": "min", "hrs": "h", "deg": "deg", "degrees": "deg", "ppm": "[ppm]", "rpm": "/min",
        "w/m2": "W/m2", "lux": "lx", "cos()": "1", "pf": "1", "ug/m3": "ug/m3", "µg/m³": "ug/m3", "m³": "m3",
    ]

    /// The UCUM code; `nil` when it is not known here.
    static func code(_ text: String) -> String? {
        if Units.display[text] != nil { return text }
        return self.codes[text.lowercased()]
    }
}
