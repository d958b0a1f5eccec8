internal import CampusModel

/// Words of self-describing families, in ours: UCUM units and Vietnamese titles.
enum DescribedWords {
    /// The UCUM code of a unit as Zigbee2MQTT and Home Assistant write it; `nil` when it is not known here.
    static func unit(_ text: String) -> String? {
        if Units.display[text] != nil { return text }
        // U+03BC, the Greek letter, is written as often as U+00B5, the micro sign.
        return self.units[text.replacing("\u{3BC}", with: "\u{B5}")]
    }

    private static let units: [String: String] = [
        "": "1", "°C": "Cel", "°F": "[degF]", "ppm": "[ppm]", "ppb": "[ppb]", "\u{B5}g/m³": "ug/m3",
        "\u{B5}g/m3": "ug/m3", "mg/m³": "mg/m3", "lux": "lx", "°": "deg", "Ah": "A.h", "VA": "V.A", "kVA": "kV.A",
        "VAR": "var", "kVAR": "kvar", "Wh": "W.h", "kWh": "kW.h", "MWh": "MW.h", "kvarh": "kvar.h",
        "kVArh": "kvar.h", "Ω": "Ohm", "kΩ": "kOhm", "sec": "s", "seconds": "s", "minutes": "min", "mins": "min",
        "hours": "h", "hour": "h", "days": "d", "day": "d", "l": "L", "m³": "m3", "m³/h": "m3/h", "rpm": "/min",
        "dBm": "dB[mW]", "mS/cm": "mS/cm", "\u{B5}S/cm": "uS/cm", "pH": "[pH]", "lqi": "{index}", "%LEL": "[LEL]",
        "mL/min": "mL/min", "W/m²": "W/m2", "l/min": "L/min", "B": "By", "kB": "kBy",
    ]

    /// The title of a property; English in both languages where the Vietnamese word is not known.
    static func title(property: String, label: String?) -> LocalizedText {
        if let vi = self.titles[property] { return LocalizedText(vi: vi, en: self.english(property, label)) }
        // `state_l1`, `power_left`: a property of one endpoint.
        if let underscore = property.lastIndex(of: "_"), let vi = self.titles[String(property[..<underscore])] {
            let endpoint = DescriptionText.cleaned(
                String(property[property.index(after: underscore)...]),
                charactersMax: 30
            )
            return LocalizedText(vi: "\(vi) (\(endpoint))", en: self.english(property, label))
        }
        let english = self.english(property, label)
        return LocalizedText(vi: english, en: english)
    }

    /// The title of a value of a sensor: `SCD40`, `CarbonDioxide`.
    static func title(sensor path: [String]) -> LocalizedText {
        let value = path.last { Int($0) == nil } ?? ""
        let words = DescriptionText.cleaned(path.joined(separator: " "), charactersMax: 80)
        let known = self.sensorTitles[value] ?? self.titles[value.lowercased()]
        guard let known else { return LocalizedText(vi: words, en: words) }
        let rest = DescriptionText.cleaned(path.filter { $0 != value }.joined(separator: " "), charactersMax: 60)
        return LocalizedText(vi: rest.isEmpty ? known : "\(known) (\(rest))", en: words)
    }

    private static let sensorTitles: [String: String] = [
        "CarbonDioxide": "CO₂", "eCO2": "CO₂ tương đương", "TVOC": "VOC", "PM2.5": "PM2.5", "DewPoint": "Điểm sương",
        "Distance": "Khoảng cách", "Moisture": "Độ ẩm đất", "Power": "Công suất",
        "ApparentPower": "Công suất biểu kiến",
        "ReactivePower": "Công suất phản kháng", "Factor": "Hệ số công suất", "Frequency": "Tần số",
        "Total": "Điện năng", "Today": "Điện năng hôm nay", "Yesterday": "Điện năng hôm qua",
        "SeaPressure": "Áp suất mực nước biển",
    ]

    /// The Vietnamese word for a property or a class, `nil` where none is known.
    static func vietnamese(_ property: String) -> String? { self.titles[property] }

    private static func english(_ property: String, _ label: String?) -> String {
        let told = DescriptionText.cleaned(label ?? "", charactersMax: 80)
        if !told.isEmpty { return told }
        let words = DescriptionText.cleaned(property.replacing("_", with: " "), charactersMax: 80)
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    private static let titles: [String: String] = [
        "temperature": "Nhiệt độ", "local_temperature": "Nhiệt độ phòng", "device_temperature": "Nhiệt độ thiết bị",
        "humidity": "Độ ẩm", "soil_moisture": "Độ ẩm đất", "pressure": "Áp suất", "co2": "CO₂", "co": "CO",
        "voc": "VOC", "voc_index": "Chỉ số VOC", "formaldehyd": "Formaldehyde", "hcho": "Formaldehyde",
        "pm25": "PM2.5", "pm10": "PM10", "pm1": "PM1", "aqi": "Chỉ số không khí", "air_quality": "Chất lượng không khí",
        "illuminance": "Độ rọi", "illuminance_lux": "Độ rọi", "noise": "Tiếng ồn", "battery": "Pin",
        "battery_low": "Pin yếu", "linkquality": "Chất lượng sóng", "occupancy": "Có người", "presence": "Có người",
        "contact": "Cửa đóng", "water_leak": "Rò nước", "smoke": "Khói", "gas": "Khí gas",
        "carbon_monoxide": "Khí CO", "vibration": "Rung", "tamper": "Bị cạy", "state": "Trạng thái",
        "brightness": "Độ sáng", "position": "Vị trí", "power": "Công suất", "energy": "Điện năng",
        "voltage": "Điện áp", "current": "Dòng điện", "power_factor": "Hệ số công suất", "ac_frequency": "Tần số",
        "power_apparent": "Công suất biểu kiến", "power_reactive": "Công suất phản kháng",
        "power_outage_count": "Số lần mất điện", "occupied_heating_setpoint": "Nhiệt độ đặt (sưởi)",
        "occupied_cooling_setpoint": "Nhiệt độ đặt (làm mát)", "current_heating_setpoint": "Nhiệt độ đặt",
        "system_mode": "Chế độ", "running_state": "Đang chạy", "fan_mode": "Chế độ quạt", "fan_state": "Quạt",
        "action": "Thao tác", "lock_state": "Trạng thái khóa", "child_lock": "Khóa trẻ em", "water_valve": "Van nước",
        "rain": "Mưa", "wind_speed": "Tốc độ gió", "uv_index": "Chỉ số UV", "door_state": "Trạng thái cửa",
    ]

    /// What a device with these properties is for.
    static func category(properties: Set<String>, types: Set<String>) -> DeviceProfile.Category {
        if !properties.isDisjoint(with: ["power", "energy", "current"]) { return .energy }
        let climate: Set<String> = [
            "temperature", "humidity", "co2", "voc", "pm25", "pm10", "formaldehyd", "illuminance", "noise", "pressure",
        ]
        if types.isDisjoint(with: ["light", "switch", "fan", "cover", "lock", "climate"]),
            !properties.isDisjoint(with: climate)
        {
            return .environment
        }
        return properties.isDisjoint(with: ["smoke", "water_leak", "gas", "carbon_monoxide"])
            ? .classroom : .infrastructure
    }
}
