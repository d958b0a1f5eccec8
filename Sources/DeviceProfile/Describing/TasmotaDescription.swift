internal import CampusModel

/// Makes a device of Tasmota's two retained announcements, `tasmota/discovery/<MAC>/config` and `/sensors`.
///
/// Facts: tasmota.github.io, "MQTT" and "Discovery" (SetOption19 0).
struct TasmotaDescription {
    static let pointsMax = 256
    /// Tasmota sends `SENSOR` and `STATE` every 300 s (TelePeriod) unless told otherwise; its announcement has not how.
    static let reportMilliseconds: Int64 = 300_000

    private var device: DescribedDevice
    private var points: [ProfileDraft.Point] = []
    private var names = PointNames()

    /// - Parameters:
    ///   - mac: As the topic has it.
    ///   - sensors: What `/sensors` told; `nil` when it did not come yet.
    static func device(mac: String, config: DescriptionValue, sensors: DescriptionValue?) throws(DescriptionError)
        -> DescribedDevice
    {
        guard config.isMap else { throw DescriptionError(description: "the payload must be a JSON object") }
        var reader = Self(
            device: DescribedDevice(
                family: .tasmota,
                identity: mac.lowercased(),
                name: config["dn"]?.text ?? config["hn"]?.text ?? mac,
                address: .mqtt(parameters: ["device": config["t"]?.text ?? ""])
            )
        )
        try reader.read(mac: mac, config, sensors)
        return reader.device
    }

    private init(device: DescribedDevice) { self.device = device }

    private mutating func read(
        mac: String,
        _ config: DescriptionValue,
        _ sensors: DescriptionValue?
    ) throws(DescriptionError) {
        let model = DescriptionText.cleaned(config["md"]?.text ?? "", charactersMax: 80)
        self.device.hardware = DescriptionText.cleaned(mac, charactersMax: 40)
        self.device.vendor = "Tasmota"
        self.device.model = model.isEmpty ? "?" : model
        self.device.firmware = DescriptionText.cleaned(config["sw"]?.text ?? "", charactersMax: 40)
        let topics = try Topics(config, mac: mac)
        var messages: [ProfileDraft.Message] = []
        self.readRelays(config, topics, into: &messages)
        self.readSensors(sensors?["sn"] ?? .map([:]))
        if sensors == nil {
            self.device.leave(
                "sensors",
                vi: "chưa có bản tin /sensors; các cảm biến sẽ hiện khi nó đến",
                en: "the announcement /sensors has not come; sensors will show with it"
            )
        }
        if self.points.contains(where: { $0.places.contains { $0.message == "sensor" } }) {
            messages.append(ProfileDraft.Message(name: "sensor", topic: topics.full("SENSOR", .tele), isRegular: true))
        }
        self.points.append(
            ProfileDraft.Point(
                name: self.names.name(for: "wifi"),
                title: LocalizedText(vi: "Sóng Wi-Fi", en: "Wi-Fi signal"),
                places: [ProfileDraft.Place(message: "state", pointer: ["Wifi", "RSSI"])],
                kind: .number(unit: "%", range: 0...100, invalid: []),
                deadband: 10
            )
        )
        messages.append(ProfileDraft.Message(name: "state", topic: topics.full("STATE", .tele), isRegular: true))
        let properties = self.points.map { $0.name.split(separator: "-").last.map(String.init) ?? "" }
        var draft = ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: "tasmota",
                comment: "Made of what a device with Tasmota told in tasmota/discovery.",
                source: "Tasmota discovery: what the device itself told",
                url: "https://tasmota.github.io/docs/MQTT/"
            ),
            vendor: "Tasmota",
            model: self.device.model,
            title: "Tasmota \(self.device.model)",
            category: DescribedWords.category(properties: Set(properties), types: []),
            messages: messages,
            points: self.points
        )
        draft.availability = ProfileDraft.Availability(
            topic: topics.full("LWT", .tele),
            online: Self.word(config["onln"]) ?? "Online",
            offline: Self.word(config["ofln"]) ?? "Offline"
        )
        self.device.draft = draft
    }

    private static func word(_ value: DescriptionValue?) -> String? {
        guard let text = value?.text, (1...40).contains(text.utf8.count), DescriptionText.isPlain(text) else {
            return nil
        }
        return text
    }

    /// Relays and lights: bare text on `stat/…/POWER<n>`, and the same in `tele/…/STATE`.
    private mutating func readRelays(
        _ config: DescriptionValue,
        _ topics: Topics,
        into messages: inout [ProfileDraft.Message]
    ) {
        let relays = (config["rl"]?.list ?? []).prefix(32).map { Int($0.number.flatMap { Int(exactly: $0) } ?? 0) }
        let count = relays.count { $0 > 0 }
        let words = config["state"]?.list ?? []
        let on = words.count > 1 ? Self.word(words[1]) : nil
        let off = words.isEmpty ? nil : Self.word(words[0])
        let isUsual = (on ?? "ON").lowercased() == "on" && (off ?? "OFF").lowercased() == "off"
        for (index, relay) in relays.enumerated() where relay > 0 {
            let member = count == 1 ? "POWER" : "POWER\(index + 1)"
            guard relay != 3 else {
                self.device.leave(member, vi: "cửa cuốn (shutter) chưa đọc được", en: "a shutter, which is not read")
                continue
            }
            let message = count == 1 ? "power" : "power\(index + 1)"
            messages.append(ProfileDraft.Message(name: message, topic: topics.full(member, .stat), isText: true))
            let number = count == 1 ? "" : " \(index + 1)"
            let title =
                relay == 2
                ? LocalizedText(vi: "Đèn\(number)", en: "Light\(number)")
                : LocalizedText(vi: "Công tắc\(number)", en: "Relay\(number)")
            self.points.append(
                ProfileDraft.Point(
                    name: self.names.name(for: relay == 2 ? "light\(number)" : "relay\(number)"),
                    title: title,
                    places: [
                        ProfileDraft.Place(message: message, pointer: []),
                        ProfileDraft.Place(message: "state", pointer: [member]),
                    ],
                    kind: .boolean(on: isUsual ? nil : on, off: isUsual ? nil : off, labels: [])
                )
            )
        }
    }

    /// Everything that the last `SENSOR` had.
    private mutating func readSensors(_ sensors: DescriptionValue) {
        guard case .map(let members) = sensors else { return }
        let temperature = members["TempUnit"]?.text == "F" ? "[degF]" : "Cel"
        let pressure = DescribedWords.unit(members["PressureUnit"]?.text ?? "hPa") ?? "hPa"
        let units = TasmotaUnits(temperature: temperature, pressure: pressure)
        for name in members.keys.sorted() where !["Time", "TempUnit", "PressureUnit", "SpeedUnit"].contains(name) {
            self.read(members[name] ?? .null, path: [name], units)
        }
    }

    private mutating func read(_ value: DescriptionValue, path: [String], _ units: TasmotaUnits) {
        let shown = path.joined(separator: "/")
        switch value {
        case .map(let members) where path.count < 4:
            for name in members.keys.sorted() { self.read(members[name] ?? .null, path: path + [name], units) }
        case .list(let values) where path.count < 4 && values.count <= 8:
            for (index, element) in values.enumerated() { self.read(element, path: path + ["\(index)"], units) }
        case .text(let text) where ["ON", "OFF"].contains(text):
            self.add(path, .boolean(on: nil, off: nil, labels: []))
        case .number, .null:
            guard let kind = units.kind(of: path) else {
                self.device.leave(
                    shown,
                    vi: "không biết đơn vị của '\(path.last ?? "")'; thêm điểm này vào tệp bằng tay nếu cần",
                    en: "its unit is not told and not known; add the point to the file by hand if it is needed"
                )
                return
            }
            self.add(path, kind)
        case .text: self.device.leave(shown, vi: "một chữ, không phải số đo", en: "a text, which is no measurement")
        case .bool: self.add(path, .boolean(on: nil, off: nil, labels: []))
        case .map, .list: self.device.leave(shown, vi: "lồng quá sâu", en: "nested too deeply")
        }
    }

    private mutating func add(_ path: [String], _ kind: ProfileDraft.Point.Kind) {
        let shown = path.joined(separator: " ")
        guard path.allSatisfy({ (1...100).contains($0.utf8.count) && DescriptionText.isPlain($0) }) else {
            self.device.leave(shown, vi: "tên trống, quá dài hoặc lạ", en: "a name that is empty, too long or odd")
            return
        }
        guard self.points.count < Self.pointsMax else {
            self.device.leave(shown, vi: "quá \(Self.pointsMax) giá trị", en: "more than \(Self.pointsMax) values")
            return
        }
        self.points.append(
            ProfileDraft.Point(
                name: self.names.name(for: shown),
                title: DescribedWords.title(sensor: path),
                places: [ProfileDraft.Place(message: "sensor", pointer: path)],
                kind: kind
            )
        )
    }

    /// The topics of a device, made of its `ft` (FullTopic).
    private struct Topics {
        enum Prefix: Int {
            case cmnd
            case stat
            case tele
        }

        private let template: String
        private let prefixes: [String]

        init(_ config: DescriptionValue, mac: String) throws(DescriptionError) {
            let told = config["tp"]?.list?.compactMap(\.text) ?? []
            self.prefixes = told.count == 3 ? told : ["cmnd", "stat", "tele"]
            let topic = config["t"]?.text ?? ""
            let full = config["ft"]?.text ?? "%prefix%/%topic%/"
            // What else stands in it is not the topic's, so it is plain text.
            let plain = [full, topic, config["hn"]?.text ?? ""] + self.prefixes
            guard
                plain.allSatisfy({
                    $0.utf8.count <= 200 && DescriptionText.isPlain($0) && !$0.contains(where: Self.isOdd)
                }),
                !topic.isEmpty, full.contains("%prefix%"), full.contains("%topic%")
            else {
                throw DescriptionError(
                    description: "its topic 't' and full topic 'ft' must be plain text without + # { }, and 'ft' must "
                        + "have %prefix% and %topic%"
                )
            }
            self.template = full.replacing("%topic%", with: "{device}")
                .replacing("%hostname%", with: config["hn"]?.text ?? "")
                .replacing("%id%", with: String(mac.suffix(6))).replacing("%macaddr%", with: mac)
            guard TopicTemplate(self.full("STATE", .tele))?.filter(parameters: ["device": topic]) != nil else {
                throw DescriptionError(description: "no topic can be made of its full topic 'ft'")
            }
        }

        private static func isOdd(_ character: Character) -> Bool { "+#{}".contains(character) }

        func full(_ command: String, _ prefix: Prefix) -> String {
            let start = self.template.replacing("%prefix%", with: self.prefixes[prefix.rawValue])
            return start.hasSuffix("/") ? start + command : "\(start)/\(command)"
        }
    }
}

/// What Tasmota's sensors call their values, and in which unit.
struct TasmotaUnits {
    var temperature: String
    var pressure: String

    /// `nil` when the unit is not known.
    func kind(of path: [String]) -> ProfileDraft.Point.Kind? {
        // The elements of a list are called as the list.
        let name = path.last { !$0.isEmpty && Int($0) == nil } ?? ""
        switch name {
        case "Temperature", "DewPoint", "HeatIndex", "ObjTMP", "AmbTMP":
            return .number(unit: self.temperature, range: nil, invalid: [])
        case "Humidity", "Moisture": return .number(unit: "%", range: 0...100, invalid: [])
        case "Pressure", "SeaPressure": return .number(unit: self.pressure, range: nil, invalid: [])
        default: return Self.units[name].map { .number(unit: $0, range: nil, invalid: []) }
        }
    }

    private static let units: [String: String] = [
        "CarbonDioxide": "[ppm]", "eCO2": "[ppm]", "CO2": "[ppm]", "TVOC": "[ppb]", "Illuminance": "lx",
        "Distance": "cm", "PM1": "ug/m3", "PM2.5": "ug/m3", "PM10": "ug/m3", "Gas": "kOhm",
        "Power": "W", "ApparentPower": "V.A", "ReactivePower": "var", "Factor": "1", "Voltage": "V", "Current": "A",
        "Frequency": "Hz", "Total": "kW.h", "Today": "kW.h", "Yesterday": "kW.h", "ExportTotal": "kW.h", "pH": "[pH]",
        "UvIndex": "1", "A0": "1", "C1": "1", "C2": "1", "C3": "1", "C4": "1",
    ]
}
