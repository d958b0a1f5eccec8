internal import CampusModel

/// The fields of an event as they go into the database.
struct EventFields {
    /// The longest text of a field, in UTF-8 bytes.
    static let textBytesMax = 1_024
    /// The fields that an event keeps.
    static let countMax = 64

    /// One field as it is stored; short keys, because there are millions.
    struct Stored: Codable {
        var n: String
        var t: String
        var p: PrivacyClass
    }

    /// What everybody's queries read: plain values, pseudonyms and masked texts.
    var open: [Stored] = []
    /// The texts of class `mask`, for roles that may see them.
    var personal: [String: String] = [:]
    /// How many fields were shortened or left out.
    var shortenedCount = 0

    init(_ fields: [Event.Field], siteKey: SiteKey) {
        self.shortenedCount = max(fields.count - Self.countMax, 0)
        for field in fields.prefix(Self.countMax) {
            if field.text.utf8.count > Self.textBytesMax { self.shortenedCount += 1 }
            let name = Bounded.text(field.name, bytesMax: 100)
            let text = Bounded.text(field.text, bytesMax: Self.textBytesMax)
            switch field.privacy {
            case .none: self.open.append(Stored(n: name, t: text, p: .none))
            case .hash: self.open.append(Stored(n: name, t: siteKey.pseudonym(of: field.text), p: .hash))
            case .mask:
                self.open.append(Stored(n: name, t: Masking.masked(text), p: .mask))
                self.personal[name] = text
            case .drop: continue
            }
        }
    }

    /// The fields as `role` may see them.
    static func shown(open: [Stored], personal: [String: String], to role: UserRole) -> [EventRecord.Field] {
        open.map { field in
            let text =
                switch field.p {
                case .hash: role.seesPersonalFields ? field.t : Masking.masked(field.t)
                case .mask: role.seesPersonalFields ? personal[field.n] ?? field.t : field.t
                case .none, .drop: field.t
                }
            return EventRecord.Field(name: field.n, text: text, privacy: field.p)
        }
    }
}
