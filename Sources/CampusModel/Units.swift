/// The units that points may have: UCUM codes with the text that pages show.
package enum Units {
    /// UCUM code to display text.
    package static let display: [String: String] = [
        "1": "", "%": "%", "Cel": "°C", "[degF]": "°F", "K": "K", "[ppm]": "ppm", "[ppb]": "ppb", "ug/m3": "µg/m³",
        "mg/m3": "mg/m³", "mg/L": "mg/L", "lx": "lx", "dB": "dB", "dB[SPL]": "dB", "Pa": "Pa", "hPa": "hPa",
        "kPa": "kPa", "bar": "bar", "m/s": "m/s", "[ft_i]/min": "ft/min", "mm": "mm", "cm": "cm", "m": "m", "deg": "°",
        "V": "V", "mV": "mV", "A": "A", "mA": "mA", "A.h": "Ah", "W": "W", "kW": "kW", "V.A": "VA", "kV.A": "kVA",
        "var": "var", "kvar": "kvar", "Hz": "Hz", "W.h": "Wh", "kW.h": "kWh", "MW.h": "MWh", "kvar.h": "kvarh",
        "[pH]": "pH", "Ohm": "Ω", "kOhm": "kΩ", "s": "s", "ms": "ms", "min": "min", "h": "h", "d": "d", "g": "g",
        "kg": "kg", "L": "L", "m3": "m³", "m3/h": "m³/h", "L/min": "L/min", "mL/min": "mL/min", "/min": "rpm",
        "dB[mW]": "dBm", "mS/cm": "mS/cm", "uS/cm": "µS/cm", "[LEL]": "%LEL", "{count}": "", "{people}": "",
        "{index}": "", "g/kg": "g/kg", "kg/kg": "kg/kg", "[ppm]/min": "ppm/min", "[ppm]/s": "ppm/s", "mm/h": "mm/h",
        "W/m2": "W/m²", "%{LEL}": "%LEL", "[PSU]": "PSU", "By": "B", "kBy": "kB",
    ]

    /// The text for `code`; the code itself when it is not listed.
    package static func text(for code: String) -> String { self.display[code] ?? code }
}
