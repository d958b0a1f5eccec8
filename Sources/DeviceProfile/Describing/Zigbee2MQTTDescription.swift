internal import CampusModel
internal import StrictYAML

/// Turns Zigbee2MQTT's retained `bridge/devices` into profiles and addresses.
///
/// Facts: zigbee2mqtt.io, "MQTT Topics and Messages" and "Exposes".
package struct Zigbee2MQTTDescription: Sendable {
    /// The most devices that are taken; a Zigbee network has a few hundred at most.
    package static let devicesMax = 1_000

    /// The topic before `/bridge/devices`.
    private let baseTopic: String

    /// - Throws: When `baseTopic` cannot be the beginning of a topic.
    package init(baseTopic: String = "zigbee2mqtt") throws(DescriptionError) {
        let isPlain = DescriptionText.isPlain(baseTopic) && !baseTopic.contains { "+#{}".contains($0) }
        guard (1...200).contains(baseTopic.utf8.count), isPlain, !baseTopic.hasSuffix("/") else {
            throw DescriptionError(
                description: "the base topic '\(DescriptionText.cleaned(baseTopic, charactersMax: 80))' must be plain "
                    + "text of 1 to 200 bytes without + # { } and without / at its end, such as zigbee2mqtt"
            )
        }
        self.baseTopic = baseTopic
    }

    /// Reads a whole payload.
    ///
    /// - Throws: When it is not a list in acceptable JSON; what is wrong with one device only leaves that one out.
    package func read(_ payload: [UInt8]) throws(DescriptionError) -> DescribedDevices {
        let root: DescriptionValue
        do throws(BoundedJSON.Problem) {
            root = try DescriptionValue(payload)
        } catch {
            throw DescriptionError(description: Self.text(of: error))
        }
        guard let entries = root.list else {
            throw DescriptionError(
                description: "the payload of \(self.baseTopic)/bridge/devices must be a JSON list of devices"
            )
        }
        var result = DescribedDevices()
        var drafts: [ProfileDraft: String] = [:]
        var seen: Set<String> = []
        for (index, entry) in entries.enumerated() {
            guard index < Self.devicesMax else {
                result.leftOut.append(
                    DescribedDevices.LeftOut(
                        "\(entries.count - index) …",
                        vi: "nhiều hơn \(Self.devicesMax) thiết bị",
                        en: "more than \(Self.devicesMax) devices"
                    )
                )
                break
            }
            let name = entry["friendly_name"]?.text ?? ""
            if let problem = Self.problem(with: entry, name: name) {
                let shown = name.isEmpty ? "[\(index)]" : name
                result.leftOut.append(DescribedDevices.LeftOut(shown, vi: problem.vi, en: problem.en))
                continue
            }
            guard seen.insert(name).inserted else {
                result.leftOut.append(DescribedDevices.LeftOut(name, vi: "trùng tên", en: "the name stands twice"))
                continue
            }
            self.take(entry, name: name, into: &result, drafts: &drafts)
        }
        return result
    }

    /// Why an entry cannot be a device, or `nil`.
    private static func problem(with entry: DescriptionValue, name: String) -> LocalizedText? {
        guard entry.isMap else { return LocalizedText(vi: "không phải là đối tượng JSON", en: "not a JSON object") }
        if entry["type"]?.text == "Coordinator" {
            return LocalizedText(vi: "bộ điều phối Zigbee, không đo gì", en: "the coordinator, which measures nothing")
        }
        guard (1...200).contains(name.utf8.count), DescriptionText.isPlain(name),
            !name.contains(where: { "+#".contains($0) })
        else {
            return LocalizedText(
                vi: "'friendly_name' phải có 1 đến 200 byte, không có + và #; đổi tên trong Zigbee2MQTT",
                en: "its 'friendly_name' must have 1 to 200 bytes without + and #; rename it in Zigbee2MQTT"
            )
        }
        if entry["disabled"]?.flag == true {
            return LocalizedText(vi: "đã tắt trong Zigbee2MQTT", en: "disabled in Zigbee2MQTT")
        }
        guard entry["definition"]?.isMap == true else {
            return LocalizedText(
                vi: "Zigbee2MQTT chưa biết kiểu thiết bị này (definition trống)",
                en: "Zigbee2MQTT does not know the model (no definition)"
            )
        }
        return nil
    }

    private func take(
        _ entry: DescriptionValue,
        name: String,
        into result: inout DescribedDevices,
        drafts: inout [ProfileDraft: String]
    ) {
        let definition = entry["definition"]
        let exposes = ZigbeeExposes(definition?["exposes"]?.list ?? [])
        guard !exposes.points.isEmpty || exposes.action != nil else {
            result.leftOut.append(
                DescribedDevices.LeftOut(
                    name,
                    vi: "mô tả không có giá trị nào dùng được",
                    en: "its description has no value that can be taken"
                )
            )
            return
        }
        let draft = self.draft(definition, exposes)
        var id = drafts[draft]
        if id == nil {
            let new = Self.freeIdentifier(for: draft, among: Set(result.profiles.map(\.profile.id)))
            do throws(DescriptionError) {
                let profile = try Self.proven(draft, id: new)
                result.profiles.append(
                    DescribedDevices.Model(profile: profile, yaml: draft.yaml(id: new), leftOut: exposes.leftOut)
                )
            } catch {
                result.leftOut.append(
                    DescribedDevices.LeftOut(
                        name,
                        vi: "không tạo được hồ sơ đúng: \(error.description)",
                        en: "no valid profile can be made of it: \(error.description)"
                    )
                )
                return
            }
            drafts[draft] = new
            id = new
        }
        result.devices.append(
            DescribedDevices.Device(
                name: name,
                hardware: DescriptionText.cleaned(entry["ieee_address"]?.text ?? "", charactersMax: 40),
                profile: id ?? "",
                parameters: ["device": name]
            )
        )
    }

    private func draft(_ definition: DescriptionValue?, _ exposes: ZigbeeExposes) -> ProfileDraft {
        let model = DescriptionText.cleaned(definition?["model"]?.text ?? "", charactersMax: 80)
        let vendor = DescriptionText.cleaned(definition?["vendor"]?.text ?? "", charactersMax: 80)
        let told = DescriptionText.cleaned(definition?["description"]?.text ?? "", charactersMax: 100)
        let shownModel = model.isEmpty ? "?" : model
        let shownVendor = vendor.isEmpty ? "?" : vendor
        return ProfileDraft(
            vendor: shownVendor,
            model: shownModel,
            title: told.isEmpty ? "\(shownVendor) \(shownModel)" : told,
            category: DescribedWords.category(
                properties: Set(exposes.points.compactMap(\.pointer.last)),
                types: exposes.types
            ),
            baseTopic: self.baseTopic,
            points: exposes.points,
            action: exposes.action
        )
    }

    /// `z2m-vendor-model`, and a number where devices of one model tell different things.
    private static func freeIdentifier(for draft: ProfileDraft, among taken: Set<String>) -> String {
        let base = DescriptionText.identifier("z2m-\(draft.vendor)-\(draft.model)", charactersMax: 58)
        guard taken.contains(base) else { return base }
        return (2...Self.devicesMax + 1).lazy.map { "\(base)-\($0)" }.first { !taken.contains($0) } ?? base
    }

    /// The profile as the strict reader sees it; its golden case must pass.
    private static func proven(_ draft: ProfileDraft, id: String) throws(DescriptionError) -> DeviceProfile {
        let profile: DeviceProfile
        do throws(YAMLProblems) {
            profile = try DeviceProfile.read(yaml: draft.yaml(id: id), file: "\(id).yaml")
        } catch {
            throw DescriptionError(description: String(error.description.prefix(400)))
        }
        if let failure = GoldenRunner.run(profile).first {
            throw DescriptionError(description: String("\(failure)".prefix(400)))
        }
        return profile
    }

    private static func text(of problem: BoundedJSON.Problem) -> String {
        switch problem {
        case .tooLarge: "the description has more than \(DescriptionValue.bytesMax >> 20) MiB"
        case .notUTF8: "the description is not UTF-8 text"
        case .syntax: "the description is not JSON"
        case .tooDeep: "the description is nested more than \(BoundedJSON.depthMax) levels deep"
        case .tooMany:
            "the description has more than \(DescriptionValue.tokensMax) values, or a list of more than "
                + "\(BoundedJSON.membersMax)"
        case .duplicateKey: "a key stands twice in the description"
        }
    }
}
