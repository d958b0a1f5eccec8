internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import SiteConfiguration

/// A described device as pages and API show it.
struct DescribedView: Sendable {
    /// What is to be done with it.
    enum State: String, Sendable, CaseIterable {
        /// Waits for a person.
        case waiting
        /// Adopted, and tells something else now; it is read as before.
        case changed
        case adopted
        /// A device that was configured otherwise reads its topics.
        case known
        /// Nothing that it told can be used.
        case unusable
        case refused
    }

    var entry: DescriptionInventory.Entry
    var state: State
    /// The device that it is.
    var device: DeviceID?
    /// What it tells now against what it is read with.
    var differences: [LocalizedText] = []

    var key: String { self.entry.device.key }

    /// An identifier made of its name that no device has.
    func proposedID(isTaken: (String) -> Bool) -> String {
        // Vietnamese without its marks: "Ổ cắm" is "o-cam".
        let plain = self.entry.device.name.lowercased().replacing("đ", with: "d").decomposedStringWithCanonicalMapping
            .unicodeScalars.filter { $0.properties.generalCategory != .nonspacingMark }
        let allowed = plain.map { scalar -> Character in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "-"
        }
        let words = String(allowed).split(separator: "-").joined(separator: "-")
        let base = words.isEmpty ? self.entry.device.family.rawValue : String(words.prefix(56))
        guard isTaken(base) else { return base }
        return (2...100_000).lazy.map { "\(base)-\($0)" }.first { !isTaken($0) } ?? base
    }
}

extension Gateway {
    /// The described devices, by state and name.
    var describedViews: [DescribedView] {
        let site = self.site
        let adopted = Dictionary(
            site.devices.compactMap { device in device.describedBy.map { ($0, device) } },
            uniquingKeysWith: { first, _ in first }
        )
        let order = DescribedView.State.allCases
        return self.described.entries.map { self.view($0, adopted[$0.device.key]) }
            .sorted { left, right in
                let (first, second) = (order.firstIndex(of: left.state) ?? 0, order.firstIndex(of: right.state) ?? 0)
                return (first, left.entry.device.name, left.key) < (second, right.entry.device.name, right.key)
            }
    }

    /// The described device with this key.
    func describedView(_ key: String) -> DescribedView? {
        guard let entry = self.described.entry(key: key) else { return nil }
        return self.view(entry, self.site.devices.first { $0.describedBy == key })
    }

    private func view(_ entry: DescriptionInventory.Entry, _ adopted: SiteDefinition.Device?) -> DescribedView {
        let device = entry.device
        if let adopted {
            let differences = self.differences(device, adopted)
            return DescribedView(
                entry: entry,
                state: differences.isEmpty ? .adopted : .changed,
                device: adopted.id,
                differences: differences
            )
        }
        if self.described.isRefused(device.key) { return DescribedView(entry: entry, state: .refused) }
        if let known = self.described.device(reading: device.topics) {
            return DescribedView(entry: entry, state: .known, device: known)
        }
        return DescribedView(entry: entry, state: device.draft == nil ? .unusable : .waiting)
    }

    /// How what a device tells now differs from what it is read with.
    private func differences(_ described: DescribedDevice, _ adopted: SiteDefinition.Device) -> [LocalizedText] {
        guard let entry = self.files.library[adopted.profile] else { return [] }
        guard let draft = described.draft else {
            return [LocalizedText(vi: "không còn mô tả giá trị nào", en: "it describes no value any more")]
        }
        let address = described.address
        if let made = self.described.comparison(of: described.key), made.draft == draft, made.address == address,
            made.revision == entry.revision
        {
            return made.lines
        }
        var lines: [LocalizedText] = []
        var (old, new): ([String: String], [String: String]) = ([:], [:])
        switch (adopted.address, address) {
        case (.mqtt(let inUse), .mqtt(let told)): (old, new) = (inUse, told)
        case (.bus(let bus, let unit), .modbus(let newBus, let newUnit)) where bus == newBus && unit ?? 1 == newUnit:
            break
        default:
            let text = described.addressText
            lines.append(LocalizedText(vi: "địa chỉ bây giờ là \(text)", en: "it is reached at \(text) now"))
        }
        do throws(DescriptionError) {
            let (profile, _) = try draft.proven(id: adopted.profile)
            lines += ProfileDifference.lines(
                inUse: .init(entry.profile, parameters: old),
                described: .init(profile, parameters: new)
            )
        } catch {
            lines.append(
                LocalizedText(
                    vi: "mô tả mới không thành hồ sơ đúng: \(error.description)",
                    en: "no valid profile can be made of what it tells now: \(error.description)"
                )
            )
        }
        self.described.keep(
            DescribedRegistry.Comparison(draft: draft, address: address, revision: entry.revision, lines: lines),
            of: described.key
        )
        return lines
    }
}

extension DescribedDevice {
    /// Where it is reached, for people.
    var addressText: String {
        switch self.address {
        case .mqtt(let parameters):
            let topics = self.topics
            if let first = topics.first { return topics.count > 1 ? "\(first) +\(topics.count - 1)" : first }
            return parameters.values.sorted().joined(separator: ", ")
        case .modbus(let bus, let unit): return "\(bus), unit \(unit)"
        }
    }
}
