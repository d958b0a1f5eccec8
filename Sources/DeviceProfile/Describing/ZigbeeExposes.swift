internal import CampusModel

/// Reads the `exposes` of a Zigbee2MQTT definition: what a model publishes.
///
/// Only what is in the published state (bit 1 of `access`) is taken. What may be set is no control: who may switch what
/// is for people to decide, not for a device to announce.
struct ZigbeeExposes {
    static let pointsMax = 256
    static let valuesMax = 128
    static let depthMax = 3

    private(set) var points: [ProfileDraft.Point] = []
    private(set) var action: String?
    private(set) var leftOut: [DescribedDevices.LeftOut] = []
    private(set) var types: Set<String> = []
    private var taken: Set<[String]> = []

    /// Light, switch, fan and so on: their features are members of the payload itself.
    private static let specific: Set<String> = ["light", "switch", "fan", "cover", "lock", "climate"]

    init(_ exposes: [DescriptionValue]) {
        for expose in exposes { self.read(expose, path: [], depth: 0) }
    }

    private mutating func read(_ expose: DescriptionValue, path: [String], depth: Int) {
        let property = expose["property"]?.text ?? expose["name"]?.text ?? ""
        let name = (path + [property]).joined(separator: "/")
        guard let type = expose["type"]?.text else {
            self.leave(name, vi: "mô tả không có 'type'", en: "its description has no 'type'")
            return
        }
        let isSpecific = Self.specific.contains(type)
        if isSpecific || type == "composite" {
            self.types.insert(DescriptionText.cleaned(type, charactersMax: 20))
            guard depth < Self.depthMax, isSpecific || path.isEmpty else {
                self.leave(name, vi: "lồng quá sâu", en: "nested too deeply")
                return
            }
            for feature in expose["features"]?.list ?? [] {
                self.read(feature, path: isSpecific ? path : [property], depth: depth + 1)
            }
            return
        }
        guard !property.isEmpty, property.utf8.count <= 100, DescriptionText.isPlain(property) else {
            self.leave(
                name,
                vi: "tên thuộc tính trống, quá dài hoặc có ký tự điều khiển",
                en: "its property is empty, too long or has control characters"
            )
            return
        }
        guard let access = expose["access"]?.number.flatMap({ Int(exactly: $0) }), access & 1 != 0 else {
            self.leave(
                name,
                vi: "không có trong trạng thái được gửi (access), chỉ để đặt hoặc hỏi",
                en: "not in the published state (access), only to be set or asked"
            )
            return
        }
        self.take(expose, type: type, path: path + [property], name: name)
    }

    private mutating func take(_ expose: DescriptionValue, type: String, path: [String], name: String) {
        guard !self.taken.contains(path) else { return }
        if type == "enum", path == ["action"] {
            self.action = path[0]
            self.taken.insert(path)
            return
        }
        guard let kind = self.kind(expose, type: type, name: name) else { return }
        guard self.points.count < Self.pointsMax else {
            self.leave(
                name,
                vi: "quá \(Self.pointsMax) giá trị",
                en: "more than \(Self.pointsMax) values"
            )
            return
        }
        self.taken.insert(path)
        let title = DescribedWords.title(property: path.last ?? "", label: expose["label"]?.text)
        self.points.append(
            ProfileDraft.Point(
                name: self.freeName(for: path),
                title: title,
                places: [ProfileDraft.Place(message: "state", pointer: path)],
                kind: kind,
                deadband: path == ["linkquality"] ? 20 : nil
            )
        )
    }

    private mutating func kind(
        _ expose: DescriptionValue,
        type: String,
        name: String
    ) -> ProfileDraft.Point.Kind? {
        switch type {
        case "numeric": return self.number(expose, name: name)
        case "binary": return self.boolean(expose, name: name)
        case "enum": return self.enumeration(expose, name: name)
        case "text": return .text
        case "list": self.leave(name, vi: "một danh sách", en: "a list, which is no value")
        default:
            let word = DescriptionText.cleaned(type, charactersMax: 40)
            self.leave(name, vi: "kiểu '\(word)' không biết", en: "the type '\(word)' is not known")
        }
        return nil
    }

    private mutating func number(_ expose: DescriptionValue, name: String) -> ProfileDraft.Point.Kind? {
        let told = expose["unit"]?.text ?? ""
        guard let unit = DescribedWords.unit(told) else {
            let word = DescriptionText.cleaned(told, charactersMax: 40)
            self.leave(
                name,
                vi: "đơn vị '\(word)' không biết; thêm điểm này vào tệp bằng tay nếu cần",
                en: "the unit '\(word)' is not known here; add the point to the file by hand if it is needed"
            )
            return nil
        }
        var range: ClosedRange<Double>?
        if let low = expose["value_min"]?.number, let high = expose["value_max"]?.number, low < high {
            range = low...high
        }
        // A preset outside the range is a word ("as before"), no quantity.
        let presets = expose["presets"]?.list ?? []
        var invalid: [Double] = []
        for value in presets.prefix(32).compactMap({ $0["value"]?.number }) {
            if let range, !range.contains(value), !invalid.contains(value) { invalid.append(value) }
        }
        return .number(unit: unit, range: range, invalid: invalid.map(NumberText.text))
    }

    private mutating func boolean(_ expose: DescriptionValue, name: String) -> ProfileDraft.Point.Kind? {
        switch (expose["value_on"], expose["value_off"]) {
        case (.bool(let on)?, .bool(let off)?) where on != off:
            // `contact` is true while the door is closed; its "on" is false.
            let isContact = expose["name"]?.text == "contact"
            let labels = [LocalizedText(vi: "đóng", en: "closed"), LocalizedText(vi: "mở", en: "open")]
            return .boolean(on: nil, off: nil, labels: isContact ? labels : [])
        case (.number(1)?, .number(0)?): return .boolean(on: nil, off: nil, labels: [])
        case (.text(let on)?, .text(let off)?) where on != off && Self.isWord(on) && Self.isWord(off):
            if on.lowercased() == "on", off.lowercased() == "off" { return .boolean(on: nil, off: nil, labels: []) }
            return .boolean(on: on, off: off, labels: [])
        default:
            self.leave(
                name,
                vi: "value_on và value_off không phân biệt được",
                en: "value_on and value_off cannot be told apart"
            )
            return nil
        }
    }

    private mutating func enumeration(_ expose: DescriptionValue, name: String) -> ProfileDraft.Point.Kind? {
        let values = expose["values"]?.list ?? []
        let texts = values.compactMap(\.text)
        guard texts.count == values.count, (1...Self.valuesMax).contains(texts.count),
            Set(texts).count == texts.count, texts.allSatisfy(Self.isWord)
        else {
            self.leave(
                name,
                vi: "'values' phải là 1 đến \(Self.valuesMax) chữ khác nhau",
                en: "its 'values' must be 1 to \(Self.valuesMax) different texts"
            )
            return nil
        }
        return .enumeration(texts)
    }

    static func isWord(_ text: String) -> Bool {
        (1...80).contains(text.utf8.count) && DescriptionText.isPlain(text)
            && !DescriptionText.cleaned(text.replacing("_", with: " "), charactersMax: 80).isEmpty
    }

    /// The path as an identifier that no other point has.
    private func freeName(for path: [String]) -> String {
        let base = DescriptionText.identifier(path.joined(separator: "-"), charactersMax: 56)
        let names = Set(self.points.map(\.name))
        let first = base.isEmpty ? "value" : base
        guard names.contains(first) else { return first }
        return (2...Self.pointsMax + 1).lazy.map { "\(first)-\($0)" }.first { !names.contains($0) } ?? first
    }

    private mutating func leave(_ name: String, vi: String, en: String) {
        guard self.leftOut.count < Self.pointsMax else { return }
        self.leftOut.append(DescribedDevices.LeftOut(name, vi: vi, en: en))
    }
}
