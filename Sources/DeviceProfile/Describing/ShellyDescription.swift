internal import CampusModel

/// Makes a device of what a Shelly of the second generation or later tells by itself.
///
/// It announces who it is (`shellies/announce`), not what it measures. That shows in its notifications
/// (`<prefix>/events/rpc`), of which each has only what changed: so what was seen is gathered.
/// Facts: shelly-api-docs.shelly.cloud, gen2, "Notifications" and "Components and Services".
struct ShellyDescription: Sendable {
    static let pointsMax = 128
    static let componentsMax = 64

    /// `shellyplus1pm-a8032ab12345`.
    let id: String
    /// The beginning of its topics; `nil` before it was heard.
    private(set) var prefix: String?
    private var name = ""
    private var model = ""
    private var firmware = ""
    private var isFirstGeneration = false
    /// Paths of values that were seen, by component and member.
    private var seen: [String: Set<String>] = [:]
    private var unknown: Set<String> = []

    init(id: String) { self.id = id }

    /// Whether a text can be a Shelly's identifier.
    static func isIdentifier(_ text: String) -> Bool {
        (3...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x5F
            }
    }

    /// Takes an announcement.
    mutating func take(announcement: DescriptionValue) {
        let generation = announcement["gen"]?.number ?? 1
        self.isFirstGeneration = generation < 2
        self.name = DescriptionText.cleaned(announcement["name"]?.text ?? self.name, charactersMax: 80)
        let model = announcement["app"]?.text ?? announcement["model"]?.text ?? self.model
        self.model = DescriptionText.cleaned(model, charactersMax: 60)
        let firmware = announcement["ver"]?.text ?? announcement["fw_ver"]?.text ?? self.firmware
        self.firmware = DescriptionText.cleaned(firmware, charactersMax: 60)
    }

    /// Takes a notification; `false` when it told nothing new.
    mutating func take(notification: DescriptionValue, prefix: String) -> Bool {
        guard case .map(let components)? = notification["params"] else { return false }
        let before = (self.prefix, self.seen, self.unknown)
        self.prefix = prefix
        for (component, value) in components where component != "ts" {
            guard case .map(let members) = value else { continue }
            let kind = component.prefix { $0 != ":" }
            guard let table = ShellyComponents.tables[String(kind)] else {
                let isNew = !ShellyComponents.housekeeping.contains(String(kind))
                if isNew, self.unknown.count < Self.componentsMax { self.unknown.insert(component) }
                continue
            }
            guard Self.isComponent(component), self.seen[component] != nil || self.seen.count < Self.componentsMax
            else { continue }
            for value in table where Self.isTold(members, value.path) {
                self.seen[component, default: []].insert(value.name)
            }
        }
        return before != (self.prefix, self.seen, self.unknown)
    }

    private static func isComponent(_ text: String) -> Bool {
        text.utf8.count <= 24 && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x3A).contains($0) }
    }

    private static func isTold(_ members: [String: DescriptionValue], _ path: [String]) -> Bool {
        var value = members[path[0]]
        for name in path.dropFirst() { value = value?[name] }
        switch value {
        case .number?, .bool?, .text?: return true
        default: return false
        }
    }

    var device: DescribedDevice {
        var device = DescribedDevice(
            family: .shelly,
            identity: self.id.lowercased(),
            name: self.name.isEmpty ? self.id : self.name,
            address: .mqtt(parameters: ["prefix": self.prefix ?? self.id])
        )
        device.hardware = self.id
        device.vendor = "Shelly"
        device.model = self.model.isEmpty ? String(self.id.prefix { $0 != "-" }) : self.model
        device.firmware = self.firmware
        if self.isFirstGeneration {
            device.leave(
                self.id,
                vi: "Shelly thế hệ 1 không mô tả giá trị của nó; cần một hồ sơ viết sẵn",
                en: "a Shelly of the first generation does not describe its values; it needs a written profile"
            )
        } else if self.prefix == nil {
            device.leave(
                self.id,
                vi: "mới báo tên, chưa gửi giá trị nào; bật 'RPC status notifications over MQTT' trong thiết bị",
                en: "it has told its name and no value yet; turn on 'RPC status notifications over MQTT' in the device"
            )
        }
        for component in self.unknown.sorted() {
            device.leave(
                component,
                vi: "thành phần '\(component)' chưa đọc được",
                en: "the component is not known here"
            )
        }
        if self.seen.keys.contains(where: { $0.hasPrefix("input") }) {
            device.leave(
                "NotifyEvent",
                vi: "thao tác nút (NotifyEvent) không được đọc; cần một hồ sơ viết sẵn",
                en: "button presses (NotifyEvent) are not read; they need a written profile"
            )
        }
        device.draft = self.draft(model: device.model, &device)
        return device
    }

    private func draft(model: String, _ device: inout DescribedDevice) -> ProfileDraft? {
        var points: [ProfileDraft.Point] = []
        var names = PointNames()
        for (component, told) in self.seen.sorted(by: { $0.key < $1.key }) {
            let kind = String(component.prefix { $0 != ":" })
            for value in ShellyComponents.tables[kind] ?? [] where told.contains(value.name) {
                guard points.count < Self.pointsMax else {
                    device.leave(
                        component,
                        vi: "quá \(Self.pointsMax) giá trị",
                        en: "more than \(Self.pointsMax) values"
                    )
                    break
                }
                let number = component.split(separator: ":").last.flatMap { Int($0) } ?? 0
                let place = number == 0 ? "" : " \(number)"
                points.append(
                    ProfileDraft.Point(
                        name: names.name(for: "\(component.replacing(":", with: ""))-\(value.name)"),
                        title: LocalizedText(vi: value.title.vi + place, en: value.title.en + place),
                        places: [ProfileDraft.Place(message: "status", pointer: ["params", component] + value.path)],
                        kind: value.kind
                    )
                )
            }
        }
        guard !points.isEmpty else { return nil }
        let properties = points.map { $0.name.split(separator: "-").last.map(String.init) ?? "" }
        return ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: "shelly",
                comment: "Made of the notifications that a Shelly sent.",
                source: "Shelly Gen2 API, notifications: what the device itself told",
                url: "https://shelly-api-docs.shelly.cloud/gen2/General/Notifications"
            ),
            vendor: "Shelly",
            model: model,
            title: "Shelly \(model)",
            category: DescribedWords.category(properties: Set(properties), types: []),
            messages: [
                ProfileDraft.Message(
                    name: "status",
                    topic: "{prefix}/events/rpc",
                    when: .oneOf(["method"], ["NotifyStatus", "NotifyFullStatus"])
                )
            ],
            points: points,
            availability: ProfileDraft.Availability(topic: "{prefix}/online", online: "true", offline: "false")
        )
    }
}
