internal import CampusModel
internal import DeviceProfile

/// Walks through two versions of a contract and gathers what changed.
///
/// Inside a major version both directions must hold: a gateway that knows only the old version takes what the new
/// firmware sends, and one that knows the new version takes what old firmware sends. So a limit may neither become
/// wider nor narrower; what may come is a new optional member of an open object, and a new channel.
struct ContractComparer {
    private(set) var changes: [ContractChange] = []

    private mutating func note(_ level: ContractChange.Level, _ place: String, vi: String, en: String) {
        self.changes.append(ContractChange(level: level, place: place, text: LocalizedText(vi: vi, en: en)))
    }

    /// Notes that something was and is.
    private mutating func differ<Value: Equatable>(
        _ old: Value,
        _ new: Value,
        _ level: ContractChange.Level,
        _ place: String,
        _ what: LocalizedText,
        _ text: (Value) -> String
    ) {
        guard old != new else { return }
        self.note(
            level,
            place,
            vi: "\(what.vi): trước là \(text(old)), nay là \(text(new))",
            en: "\(what.en): was \(text(old)), is \(text(new))"
        )
    }

    mutating func compare(_ old: FirmwareContract, _ new: FirmwareContract) {
        self.differ(old.title, new.title, .patch, "info", LocalizedText(vi: "tiêu đề", en: "title")) { $0 }
        self.differ(
            old.name.family,
            new.name.family,
            .major,
            "info",
            LocalizedText(vi: "họ firmware", en: "family")
        ) { $0 }
        for channel in old.channels where new.channel(channel.name) == nil {
            self.note(.major, "channel \(channel.name)", vi: "không còn", en: "is gone")
        }
        for channel in new.channels {
            guard let before = old.channel(channel.name) else {
                self.note(.minor, "channel \(channel.name)", vi: "mới", en: "is new")
                continue
            }
            self.compare(before, channel, old, new)
        }
        for message in new.messages {
            guard let before = old.message(message.name) else { continue }
            self.compare(before, message)
        }
    }

    private mutating func compare(
        _ old: FirmwareContract.Channel,
        _ new: FirmwareContract.Channel,
        _ oldContract: FirmwareContract,
        _ newContract: FirmwareContract
    ) {
        let place = "channel \(new.name)"
        let address = LocalizedText(vi: "địa chỉ", en: "address")
        self.differ(old.address.description, new.address.description, .major, place, address) { $0 }
        let direction = LocalizedText(vi: "chiều", en: "direction")
        self.differ(old.direction, new.direction, .major, place, direction) { $0.rawValue }
        let quality = LocalizedText(vi: "QoS", en: "QoS")
        self.differ(old.qualityOfService, new.qualityOfService, .major, place, quality) { "\($0)" }
        let retain = LocalizedText(vi: "cờ retain", en: "retain")
        self.differ(old.isRetained, new.isRetained, .major, place, retain) { "\($0)" }
        let discriminator = LocalizedText(vi: "trường phân loại", en: "discriminator")
        self.differ(old.discriminator, new.discriminator, .major, place, discriminator, Self.text)
        let before = old.messages.map { oldContract.messages[$0].name }
        let after = new.messages.map { newContract.messages[$0].name }
        for name in before where !after.contains(name) {
            self.note(.major, place, vi: "không còn bản tin '\(name)'", en: "the message '\(name)' is gone")
        }
        for name in after where !before.contains(name) {
            // An older gateway quarantines what it cannot tell by the discriminator: it must not be bothered.
            self.note(
                .major,
                place,
                vi: "bản tin '\(name)' mới trên kênh cũ: gateway cũ không biết nó; hãy cho nó kênh riêng",
                en:
                    "the message '\(name)' is new on an old channel, where an older gateway does not know it; give it a "
                    + "channel of its own"
            )
        }
    }

    private static func text(_ pointer: JSONPointer?) -> String { pointer?.description ?? "none" }

    private mutating func compare(_ old: FirmwareContract.Message, _ new: FirmwareContract.Message) {
        let place = "message \(new.name)"
        self.differ(old.title, new.title, .patch, place, LocalizedText(vi: "tiêu đề", en: "title")) { $0 ?? "none" }
        let content = LocalizedText(vi: "kiểu nội dung", en: "content type")
        self.differ(old.content, new.content, .major, place, content) { $0.rawValue }
        self.compare(old.bounds, new.bounds, place)
        self.compare(old.semantics, new.semantics, place)
        self.compare(old.schema, new.schema, place, "")
    }

    private mutating func compare(_ old: FirmwareContract.Bounds, _ new: FirmwareContract.Bounds, _ place: String) {
        let bytes = LocalizedText(vi: "số byte nhiều nhất", en: "bytesMax")
        self.differ(old.bytesMax, new.bytesMax, .major, place, bytes) { "\($0)" }
        let depth = LocalizedText(vi: "độ lồng nhiều nhất", en: "depthMax")
        self.differ(old.depthMax, new.depthMax, .major, place, depth) { "\($0)" }
        let rate = LocalizedText(vi: "số bản tin mỗi phút", en: "perMinuteMax")
        let isLess = (new.perMinuteMax ?? .max) < (old.perMinuteMax ?? .max)
        self.differ(old.perMinuteMax, new.perMinuteMax, isLess ? .minor : .major, place, rate) {
            $0.map { "\($0)" } ?? "none"
        }
    }

    private mutating func compare(
        _ old: FirmwareContract.Semantics,
        _ new: FirmwareContract.Semantics,
        _ place: String
    ) {
        let clock = LocalizedText(vi: "đồng hồ", en: "clock")
        self.differ(old.clock, new.clock, .major, place, clock) {
            $0.map { "\($0.format.rawValue) at \($0.pointer)" } ?? "none"
        }
        // What is new can be left unused; what was relied on cannot go.
        let sequence = LocalizedText(vi: "số thứ tự", en: "sequence")
        self.differ(old.sequence, new.sequence, old.sequence == nil ? .minor : .major, place, sequence, Self.text)
        let same = LocalizedText(vi: "khóa chống trùng", en: "deduplicate")
        self.differ(
            old.deduplicate,
            new.deduplicate,
            old.deduplicate == nil ? .minor : .major,
            place,
            same,
            Self.text
        )
        let replay = LocalizedText(vi: "cờ phát lại", en: "replay")
        self.differ(old.replay, new.replay, .major, place, replay) { $0?.pointer.description ?? "none" }
        let retained = LocalizedText(vi: "ý nghĩa của retain", en: "what retained means")
        self.differ(old.retained, new.retained, .major, place, retained) { $0.rawValue }
        let absent = LocalizedText(vi: "ý nghĩa khi vắng", en: "what absent means")
        self.differ(old.absent, new.absent, .major, place, absent) { $0.rawValue }
        let heartbeat = LocalizedText(vi: "nhịp gửi", en: "heartbeat")
        self.differ(old.heartbeatMilliseconds, new.heartbeatMilliseconds, .major, place, heartbeat) {
            $0.map { "\($0) ms" } ?? "none"
        }
        let offline = LocalizedText(vi: "số nhịp vắng", en: "offlineAfter")
        self.differ(old.offlineAfter, new.offlineAfter, .major, place, offline) { "\($0)" }
        let version = LocalizedText(vi: "nơi ghi phiên bản", en: "version")
        self.differ(old.version, new.version, .major, place, version, Self.text)
    }

    private mutating func compare(_ old: PayloadSchema, _ new: PayloadSchema, _ message: String, _ pointer: String) {
        let place = pointer.isEmpty ? message : "\(message) \(pointer)"
        let kinds = LocalizedText(vi: "kiểu", en: "type")
        self.differ(Set(old.kinds), Set(new.kinds), .major, place, kinds) {
            $0.map(\.rawValue).sorted().joined(separator: " or ")
        }
        self.compareLimits(old, new, place)
        self.compareWords(old, new, place)
        let unit = LocalizedText(vi: "đơn vị", en: "unit")
        self.differ(old.unit, new.unit, .major, place, unit) { $0?.description ?? "none" }
        let encodes = LocalizedText(vi: "chữ thay cho số", en: "text that stands for a number")
        self.differ(old.encodesNumber, new.encodesNumber, .major, place, encodes) { "\($0)" }
        let privacy = LocalizedText(vi: "mức riêng tư", en: "privacy")
        self.differ(
            old.privacy,
            new.privacy,
            new.privacy.strictness > old.privacy.strictness ? .minor : .major,
            place,
            privacy
        ) { $0.rawValue }
        if let one = old.items.first, let other = new.items.first {
            self.compare(one, other, message, "\(pointer)/-")
        }
        self.compareMembers(old, new, message, pointer)
    }

    private mutating func compareLimits(_ old: PayloadSchema, _ new: PayloadSchema, _ place: String) {
        func text(_ limit: PayloadSchema.Limit?) -> String {
            limit.map { ($0.isExclusive ? "exclusive " : "") + $0.value.description } ?? "none"
        }
        func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "none" }
        let low = LocalizedText(vi: "nhỏ nhất", en: "minimum")
        self.differ(old.minimum, new.minimum, .major, place, low, text)
        let high = LocalizedText(vi: "lớn nhất", en: "maximum")
        self.differ(old.maximum, new.maximum, .major, place, high, text)
        let step = LocalizedText(vi: "độ phân giải", en: "multipleOf")
        self.differ(old.multipleOf, new.multipleOf, .major, place, step) { $0?.description ?? "none" }
        let shortest = LocalizedText(vi: "độ dài ít nhất", en: "minLength")
        self.differ(old.lengthMin, new.lengthMin, .major, place, shortest) { "\($0)" }
        let longest = LocalizedText(vi: "độ dài nhiều nhất", en: "maxLength")
        self.differ(old.lengthMax, new.lengthMax, .major, place, longest, number)
        let pattern = LocalizedText(vi: "dạng", en: "pattern")
        self.differ(old.pattern, new.pattern, .major, place, pattern) { $0?.description ?? "none" }
        let fewest = LocalizedText(vi: "số phần tử ít nhất", en: "minItems")
        self.differ(old.itemsMin, new.itemsMin, .major, place, fewest) { "\($0)" }
        let most = LocalizedText(vi: "số phần tử nhiều nhất", en: "maxItems")
        self.differ(old.itemsMax, new.itemsMax, .major, place, most, number)
        let allowed = LocalizedText(vi: "các giá trị cho phép", en: "allowed values")
        self.differ(old.allowed.map(Set.init), new.allowed.map(Set.init), .major, place, allowed) {
            $0.map { $0.map(\.description).sorted().joined(separator: ", ") } ?? "any"
        }
    }

    private mutating func compareWords(_ old: PayloadSchema, _ new: PayloadSchema, _ place: String) {
        let words = old.title != new.title || old.notes != new.notes
        if words { self.note(.patch, place, vi: "đổi lời mô tả", en: "described in other words") }
        let deprecated = LocalizedText(vi: "không nên dùng", en: "deprecated")
        self.differ(old.isDeprecated, new.isDeprecated, .patch, place, deprecated) { "\($0)" }
    }

    private mutating func compareMembers(
        _ old: PayloadSchema,
        _ new: PayloadSchema,
        _ message: String,
        _ pointer: String
    ) {
        let place = pointer.isEmpty ? message : "\(message) \(pointer)"
        let closed = LocalizedText(vi: "đối tượng đóng", en: "closed object")
        self.differ(old.isClosed, new.isClosed, .major, place, closed) { "\($0)" }
        for member in old.members where new.member(member.name) == nil {
            let near = new.members.first {
                $0.name.lowercased() == member.name.lowercased() && old.member($0.name) == nil
            }
            self.note(
                .major,
                message + " " + pointer + JSONText.token(member.name),
                vi: "không còn" + (near.map { "; nay viết là '\($0.name)'" } ?? ""),
                en: "is gone" + (near.map { "; it is spelled '\($0.name)' now" } ?? "")
            )
        }
        for member in new.members {
            let name = "\(pointer)\(JSONText.token(member.name))"
            guard let before = old.member(member.name) else {
                self.noteNew(member, isClosed: old.isClosed, "\(message) \(name)")
                continue
            }
            let required = LocalizedText(vi: "bắt buộc", en: "required")
            self.differ(before.isRequired, member.isRequired, .major, "\(message) \(name)", required) { "\($0)" }
            self.compare(before.schema, member.schema, message, name)
        }
    }

    private mutating func noteNew(_ member: PayloadSchema.Member, isClosed: Bool, _ place: String) {
        if member.isRequired {
            self.note(
                .major,
                place,
                vi: "mới và bắt buộc: firmware cũ không gửi",
                en: "is new and required: older firmware does not send it"
            )
        } else if isClosed {
            self.note(
                .major,
                place,
                vi: "mới trong đối tượng đóng: gateway cũ từ chối",
                en: "is new in a closed object: an older gateway refuses it"
            )
        } else {
            self.note(.minor, place, vi: "mới, không bắt buộc", en: "is new and optional")
        }
    }
}

extension PrivacyClass {
    /// How much is kept back.
    var strictness: Int {
        switch self {
        case .none: 0
        case .mask: 1
        case .hash: 2
        case .drop: 3
        }
    }
}
