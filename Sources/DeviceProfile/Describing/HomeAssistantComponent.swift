internal import CampusModel

/// One component of Home Assistant's MQTT discovery: a few values on their topics.
struct HomeAssistantComponent: Hashable, Sendable {
    /// A value with its own topic.
    struct Value: Hashable, Sendable {
        var word: String
        var title: LocalizedText
        var topic: String
        /// `nil`: bare text.
        var pointer: [String]?
        var kind: ProfileDraft.Point.Kind
        var scale = ProfileDraft.Scale()
    }

    /// What says whether the device is there.
    struct Will: Hashable, Sendable {
        var topic: String
        var pointer: [String]?
        var online: String
        var offline: String
    }

    private(set) var values: [Value] = []
    private(set) var leftOut: [DescribedDevices.LeftOut] = []
    private(set) var will: Will?
    /// Seconds after which a value that was not told again is void.
    private(set) var expiresSeconds: Double?

    private let name: String
    /// While it is read.
    private var config: DescriptionValue

    /// Reads a component whose names are written out.
    ///
    /// - Parameter fallback: What it is called when it does not say.
    init(platform: String, config: DescriptionValue, fallback: String) {
        self.config = config
        let told = config["name"]?.text ?? config["device_class"]?.text ?? fallback
        self.name = DescriptionText.cleaned(told, charactersMax: 60)
        self.expiresSeconds = config["expire_after"]?.number
        self.will = Self.will(config)
        self.read(platform)
        if self.values.isEmpty, self.leftOut.isEmpty {
            self.leave(vi: "không có 'state_topic'", en: "it has no 'state_topic'")
        }
        self.config = .null
    }

    /// Values, and reasons why others are not.
    private mutating func read(_ platform: String) {
        switch platform {
        case "sensor": self.readSensor()
        case "number": self.add(self.number(unit: self.config["unit_of_measurement"]?.text ?? ""))
        case "binary_sensor", "switch", "siren", "humidifier", "fan", "light": self.readSwitch(platform)
        case "lock": self.readSwitch(platform, on: ("state_locked", "LOCKED"), off: ("state_unlocked", "UNLOCKED"))
        case "select": self.add(self.enumeration(self.config["options"]?.list))
        case "text": self.add(.text)
        case "cover", "valve": self.readCover()
        case "climate": self.readClimate()
        default:
            let word = DescriptionText.cleaned(platform, charactersMax: 40)
            self.leave(
                vi: "loại '\(word)' không có giá trị đọc được",
                en: "a component of kind '\(word)' has no value that can be read"
            )
        }
    }

    private mutating func readSensor() {
        let unit = self.config["unit_of_measurement"]?.text
        let deviceClass = self.config["device_class"]?.text
        if deviceClass == "enum" { return self.add(self.enumeration(self.config["options"]?.list)) }
        if ["timestamp", "date"].contains(deviceClass) { return self.add(.text) }
        let hasNumber =
            unit != nil || self.config["state_class"] != nil || self.config["suggested_display_precision"] != nil
            || ["aqi", "ph", "power_factor"].contains(deviceClass)
        guard hasNumber else { return self.add(.text) }
        self.add(self.number(unit: unit ?? (deviceClass == "ph" ? "pH" : "")))
    }

    private mutating func number(unit told: String) -> ProfileDraft.Point.Kind? {
        guard let unit = DescribedWords.unit(told) else {
            let word = DescriptionText.cleaned(told, charactersMax: 40)
            self.leave(
                vi: "đơn vị '\(word)' không biết; thêm điểm này vào tệp bằng tay nếu cần",
                en: "the unit '\(word)' is not known here; add the point to the file by hand if it is needed"
            )
            return nil
        }
        var range: ClosedRange<Double>?
        if let low = self.config["min"]?.number, let high = self.config["max"]?.number, low < high {
            range = low...high
        }
        let shares: Set<String> = ["humidity", "battery", "moisture"]
        if range == nil, unit == "%", shares.contains(self.config["device_class"]?.text ?? "") { range = 0...100 }
        return .number(unit: unit, range: range, invalid: ["nan", "\"unknown\"", "\"unavailable\"", "\"None\""])
    }

    private mutating func enumeration(_ values: [DescriptionValue]?) -> ProfileDraft.Point.Kind? {
        let texts = (values ?? []).compactMap(\.text)
        guard texts.count == values?.count, (1...ZigbeeExposes.valuesMax).contains(texts.count),
            Set(texts).count == texts.count, texts.allSatisfy(ZigbeeExposes.isWord)
        else {
            self.leave(
                vi: "phải có 1 đến \(ZigbeeExposes.valuesMax) chữ khác nhau trong 'options'",
                en: "it needs 1 to \(ZigbeeExposes.valuesMax) different texts in 'options'"
            )
            return nil
        }
        return .enumeration(texts)
    }

    private mutating func readSwitch(
        _ platform: String,
        on: (key: String, text: String) = ("state_on", "ON"),
        off: (key: String, text: String) = ("state_off", "OFF")
    ) {
        let schema = self.config["schema"]?.text ?? "basic"
        guard ["basic", "default"].contains(schema) || platform == "light" && schema == "json" else {
            return self.leave(vi: "kiểu mẫu của đèn chưa đọc được", en: "a light of that schema is not read")
        }
        let onText = self.config[on.key]?.text ?? self.config["payload_on"]?.text ?? on.text
        let offText = self.config[off.key]?.text ?? self.config["payload_off"]?.text ?? off.text
        guard onText != offText, ZigbeeExposes.isWord(onText), ZigbeeExposes.isWord(offText) else {
            return self.leave(vi: "hai trạng thái không phân biệt được", en: "its two states cannot be told apart")
        }
        let isUsual = onText.lowercased() == "on" && offText.lowercased() == "off"
        let isPlain = isUsual || onText.lowercased() == "true" && offText.lowercased() == "false"
        let kind = ProfileDraft.Point.Kind.boolean(
            on: isPlain ? nil : onText,
            off: isPlain ? nil : offText,
            labels: []
        )
        if schema == "json" {
            return self.add(kind, pointer: ["state"])
        }
        let template = self.config["state_value_template"] == nil ? "value_template" : "state_value_template"
        self.add(kind, template: template)
    }

    private mutating func readCover() {
        if self.config["state_topic"] != nil {
            let words = [
                ("state_open", "open"), ("state_closed", "closed"), ("state_opening", "opening"),
                ("state_closing", "closing"), ("state_stopped", "stopped"),
            ]
            self.add(self.enumeration(words.map { .text(self.config[$0.0]?.text ?? $0.1) }))
        }
        guard self.config["position_topic"] != nil else { return }
        let open = self.config["position_open"]?.number ?? 100
        let closed = self.config["position_closed"]?.number ?? 0
        guard open == 100, closed == 0 else {
            return self.leave(vi: "vị trí không phải 0 đến 100", en: "its position is not 0 to 100")
        }
        let kind = ProfileDraft.Point.Kind.number(unit: "%", range: 0...100, invalid: [])
        self.add(kind, topic: "position_topic", template: "position_template", word: "position", vi: "Vị trí")
    }

    private mutating func readClimate() {
        let unit = self.config["temperature_unit"]?.text == "F" ? "[degF]" : "Cel"
        let temperature = ProfileDraft.Point.Kind.number(unit: unit, range: nil, invalid: ["nan"])
        let humidity = ProfileDraft.Point.Kind.number(unit: "%", range: 0...100, invalid: ["nan"])
        let modes = self.config["mode_state_topic"]
            .flatMap { _ in
                self.enumeration(
                    self.config["modes"]?.list
                        ?? ["auto", "off", "cool", "heat", "dry", "fan_only"].map { .text($0) }
                )
            }
        let parts: [(String, ProfileDraft.Point.Kind?, String, String)] = [
            ("current_temperature", temperature, "current_temperature", "Nhiệt độ phòng"),
            ("current_humidity", humidity, "current_humidity", "Độ ẩm phòng"),
            ("temperature_state", temperature, "setpoint", "Nhiệt độ đặt"), ("mode_state", modes, "mode", "Chế độ"),
        ]
        for (key, kind, word, vi) in parts where self.config["\(key)_topic"] != nil {
            self.add(kind, topic: "\(key)_topic", template: "\(key)_template", word: word, vi: vi)
        }
    }

    private mutating func add(
        _ kind: ProfileDraft.Point.Kind?,
        topic key: String = "state_topic",
        template: String = "value_template",
        pointer: [String]? = nil,
        word: String? = nil,
        vi: String? = nil
    ) {
        guard let kind, let topic = self.config[key]?.text else { return }
        guard Self.isTopic(topic) else {
            return self.leave(
                vi: "'\(key)' phải là chữ thường không có + # { }, dài nhất 200 byte",
                en: "its '\(key)' must be plain text of 1 to 200 bytes without + # { }"
            )
        }
        var place = pointer
        var scale = ProfileDraft.Scale()
        if let text = self.config[template]?.text, pointer == nil {
            guard let read = HomeAssistantTemplate(text) else {
                let shown = DescriptionText.cleaned(text, charactersMax: 60)
                return self.leave(
                    vi: "mẫu '\(shown)' nhiều hơn một giá trị và phép nhân, không được chạy ở đây",
                    en: "its template '\(shown)' is more than one value and a scale, and is not run here"
                )
            }
            (place, scale) = (read.pointer, read.scale)
        }
        if case .number = kind {
        } else {
            guard scale == ProfileDraft.Scale() else {
                return self.leave(vi: "mẫu tính toán với chữ", en: "its template calculates with what is no number")
            }
        }
        let deviceClass = self.config["device_class"]?.text ?? ""
        let vietnamese = vi ?? DescribedWords.vietnamese(deviceClass) ?? self.name
        let english = word.map { "\(self.name) \($0.replacing("_", with: " "))" } ?? self.name
        self.values.append(
            Value(
                word: word.map { "\(self.name)-\($0)" } ?? self.name,
                title: LocalizedText(vi: vietnamese.isEmpty ? english : vietnamese, en: english),
                topic: topic,
                pointer: place,
                kind: kind,
                scale: scale
            )
        )
    }

    private mutating func leave(vi: String, en: String) {
        self.leftOut.append(DescribedDevices.LeftOut(self.name, vi: vi, en: en))
    }

    /// A topic that can be subscribed and written into a profile as it is.
    static func isTopic(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && DescriptionText.isPlain(text) && !text.contains { "+#{}".contains($0) }
    }

    /// The first availability: a profile has one.
    private static func will(_ config: DescriptionValue) -> Will? {
        let entry = config["availability"]?.list?.first ?? config["availability"]
        let topic = config["availability_topic"]?.text ?? entry?["topic"]?.text
        guard let topic, self.isTopic(topic) else { return nil }
        let words = entry?.isMap == true ? entry : config
        let online = words?["payload_available"]?.text ?? "online"
        let offline = words?["payload_not_available"]?.text ?? "offline"
        guard online != offline, ZigbeeExposes.isWord(online), ZigbeeExposes.isWord(offline) else { return nil }
        var pointer: [String]?
        if let text = config["availability_template"]?.text ?? entry?["value_template"]?.text {
            guard let template = HomeAssistantTemplate(text), template.scale == ProfileDraft.Scale() else { return nil }
            pointer = template.pointer
        }
        return Will(topic: topic, pointer: pointer, online: online, offline: offline)
    }
}
