/// Converts values between units of one dimension.
///
/// Knows those of ``Units/display`` that measure the same thing in different sizes; any other unit converts to itself
/// only.
package struct UnitConversion: Sendable, Hashable {
    /// New value = old value × factor + offset.
    package var factor: Double
    package var offset: Double

    package static let identity = UnitConversion(factor: 1, offset: 0)

    private init(factor: Double, offset: Double) {
        self.factor = factor
        self.offset = offset
    }

    /// The conversion from one UCUM code to another; `nil` when they do not measure the same thing.
    package init?(from: String, to: String) {
        if from == to {
            self = .identity
            return
        }
        guard let source = Self.sizes[from], let target = Self.sizes[to], source.dimension == target.dimension else {
            return nil
        }
        self.factor = source.factor / target.factor
        self.offset = (source.offset - target.offset) / target.factor
    }

    package func apply(_ value: Double) -> Double { value * self.factor + self.offset }

    private enum Dimension {
        case temperature, amount, mass, massConcentration, mixture, pressure, speed, length, voltage, current, charge
        case power, apparent, reactive, energy, reactiveEnergy, resistance, time, volume, flow, sound, conductivity
        case bytes, explosive, mixtureRate
    }

    /// Value in the dimension's first unit = value × factor + offset; factors are those of UCUM's tables.
    private static let sizes: [String: (dimension: Dimension, factor: Double, offset: Double)] = [
        "K": (.temperature, 1, 0), "Cel": (.temperature, 1, 273.15),
        "[degF]": (.temperature, 5.0 / 9, 273.15 - 32 * 5.0 / 9),
        "1": (.amount, 1, 0), "%": (.amount, 0.01, 0),
        "g": (.mass, 1, 0), "kg": (.mass, 1_000, 0),
        "ug/m3": (.massConcentration, 1, 0), "mg/m3": (.massConcentration, 1_000, 0),
        "mg/L": (.massConcentration, 1_000_000, 0),
        "[ppb]": (.mixture, 1, 0), "[ppm]": (.mixture, 1_000, 0),
        "[ppm]/min": (.mixtureRate, 1, 0), "[ppm]/s": (.mixtureRate, 60, 0),
        "Pa": (.pressure, 1, 0), "hPa": (.pressure, 100, 0), "kPa": (.pressure, 1_000, 0),
        "bar": (.pressure, 100_000, 0),
        "m/s": (.speed, 1, 0), "[ft_i]/min": (.speed, 0.3048 / 60, 0),
        "mm": (.length, 0.001, 0), "cm": (.length, 0.01, 0), "m": (.length, 1, 0),
        "mV": (.voltage, 0.001, 0), "V": (.voltage, 1, 0), "mA": (.current, 0.001, 0), "A": (.current, 1, 0),
        "W": (.power, 1, 0), "kW": (.power, 1_000, 0), "V.A": (.apparent, 1, 0), "kV.A": (.apparent, 1_000, 0),
        "var": (.reactive, 1, 0), "kvar": (.reactive, 1_000, 0),
        "W.h": (.energy, 1, 0), "kW.h": (.energy, 1_000, 0), "MW.h": (.energy, 1_000_000, 0),
        "Ohm": (.resistance, 1, 0), "kOhm": (.resistance, 1_000, 0),
        "ms": (.time, 0.001, 0), "s": (.time, 1, 0), "min": (.time, 60, 0), "h": (.time, 3_600, 0),
        "d": (.time, 86_400, 0),
        "L": (.volume, 1, 0), "m3": (.volume, 1_000, 0),
        "mL/min": (.flow, 1, 0), "L/min": (.flow, 1_000, 0), "m3/h": (.flow, 1_000_000 / 60.0, 0),
        "dB": (.sound, 1, 0), "dB[SPL]": (.sound, 1, 0),
        "uS/cm": (.conductivity, 1, 0), "mS/cm": (.conductivity, 1_000, 0),
        "By": (.bytes, 1, 0), "kBy": (.bytes, 1_000, 0),
        "[LEL]": (.explosive, 1, 0), "%{LEL}": (.explosive, 1, 0),
    ]
}
