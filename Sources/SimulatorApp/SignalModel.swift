internal import CampusModel
internal import DeviceProfile
internal import SiteConfiguration

/// Believable values: a function of seed, point and time, so that the same seed gives the same day.
struct SignalModel: Sendable {
    let seed: UInt64
    let timetable: SiteDefinition.Timetable
    let utcOffsetSeconds: Int64

    /// How full the room is at `tick`: 0 at night, near 1 in a lesson.
    func occupancy(at tick: Tick) -> Double {
        let local = tick.rawValue / 1_000 + self.utcOffsetSeconds
        let day = local / 86_400
        let minute = Double(local % 86_400) / 60
        guard self.timetable.hasLessons(onDay: day) else { return 0 }
        var best = 0.0
        for lesson in self.timetable.lessons {
            let rise = min(max((minute - Double(lesson.fromMinute) + 5) / 10, 0), 1)
            let fall = min(max((Double(lesson.toMinute) + 5 - minute) / 10, 0), 1)
            best = max(best, min(rise, fall))
        }
        return best
    }

    /// The value of a point, in its unit, inside its range.
    func value(of point: PointDefinition, device: String, at tick: Tick) -> Double {
        let noise = self.noise(device, point.name, tick)
        let occupancy = self.occupancy(at: tick)
        let dayPhase = Double((tick.rawValue / 1_000 + self.utcOffsetSeconds) % 86_400) / 86_400
        let warmth = 0.5 - 0.5 * Self.cosine(dayPhase - 0.1)
        switch point.kind {
        case .text: return 0
        case .boolean: return self.flag(point.name, occupancy: occupancy, noise: noise)
        case .enumeration:
            // The first value is the normal one; others are rare.
            let cases = point.enumeration
            guard cases.count > 1, noise > 0.97 else { return cases.first?.value ?? 0 }
            return cases[1].value
        case .number: break
        }
        let raw: Double =
            switch point.unit {
            case "Cel": point.name.contains("probe") ? 4 + noise : 26 + 5 * warmth + occupancy + 0.4 * noise
            case "%":
                point.name.contains("batt") || point.name.contains("charge")
                    ? 96 + 2 * noise : 55 + 15 * (1 - warmth) + 3 * noise
            case "[ppm]": 420 + 650 * occupancy + 25 * noise
            case "[ppb]": 120 + 300 * occupancy + 20 * noise
            case "lx": 20 + 380 * occupancy + 200 * warmth + 10 * noise
            case "dB[SPL]", "dB": 34 + 30 * occupancy + 4 * noise
            case "V":
                point.name.contains("sound")
                    ? 0.05 + 0.3 * occupancy * abs(noise)
                    : point.name.contains("battery") ? 27.2 + 0.2 * noise : 229 + 3 * noise
            case "A": 0.3 + 6 * occupancy + 0.2 * noise
            case "W", "V.A", "var": 40 + 1_400 * occupancy + 20 * noise
            case "kW": 0.1 + 3 * occupancy
            case "Hz": 50 + 0.03 * noise
            case "kW.h", "W.h": Double(tick.rawValue / 1_000 % 100_000_000) / 3_600
            case "[pH]": 7 + 0.3 * noise
            case "m/s": 0.5 + 0.04 * noise
            case "hPa": 1_008 + 4 * noise
            case "{people}": (38 * occupancy + noise).rounded()
            case "dB[mW]": -68 + 5 * noise
            case "m": 3 + noise
            case "mm": 800 + 50 * noise
            case "s", "min", "h", "d", "{count}": Double(tick.rawValue / 1_000 % 60_000 / 10)
            default: (2 + 2 * occupancy + noise).rounded()
            }
        // Sensors say no more digits than they measure.
        let factor: Double = abs(raw) >= 100 ? 10 : 100
        let rounded = point.unit == "%" || point.unit == "1" ? raw.rounded() : (raw * factor).rounded() / factor
        guard let range = point.range else { return rounded }
        return min(max(rounded, range.lowerBound), range.upperBound)
    }

    private func flag(_ name: String, occupancy: Double, noise: Double) -> Double {
        let isFault = ["fault", "alarm", "trouble", "active", "disabled", "overload", "bypass", "battery", "open"]
            .contains { name.contains($0) }
        if isFault { return 0 }
        if name.contains("relay") || name.contains("socket") || name.contains("output") {
            return occupancy > 0.5 || noise > 0.9 ? 1 : 0
        }
        return 1
    }

    /// −1…1, smooth over about a minute.
    private func noise(_ device: String, _ name: String, _ tick: Tick) -> Double {
        let position = Double(tick.rawValue) / 60_000
        let base = position.rounded(.down)
        let fraction = position - base
        let left = self.random(device, name, Int64(base))
        let right = self.random(device, name, Int64(base) + 1)
        return left + (right - left) * fraction * fraction * (3 - 2 * fraction)
    }

    private func random(_ device: String, _ name: String, _ step: Int64) -> Double {
        var mixed = self.seed ^ UInt64(bitPattern: step) &* 0x9E37_79B9_7F4A_7C15
        for byte in device.utf8 { mixed = (mixed ^ UInt64(byte)) &* 1_099_511_628_211 }
        for byte in name.utf8 { mixed = (mixed ^ UInt64(byte)) &* 1_099_511_628_211 }
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ mixed >> 31) >> 11) / Double(1 << 52) - 1
    }

    /// cos(2π·turns), near enough, without the math library.
    private static func cosine(_ turns: Double) -> Double {
        let x = abs(turns - turns.rounded()) * 4
        return x <= 1 ? 1 - x * x : (2 - x) * (2 - x) - 1
    }
}
