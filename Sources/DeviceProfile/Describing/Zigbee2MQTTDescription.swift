internal import CampusModel

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

    /// Reads a whole payload into profiles and addresses.
    ///
    /// - Throws: When it is not a list in acceptable JSON; what is wrong with one device only leaves that one out.
    package func read(_ payload: [UInt8]) throws(DescriptionError) -> DescribedDevices {
        let (described, leftOut) = try self.describe(payload)
        var result = DescribedDevices(leftOut: leftOut)
        var drafts: [ProfileDraft: String] = [:]
        for device in described {
            guard let draft = device.draft else {
                result.leftOut += device.leftOut
                continue
            }
            var id = drafts[draft]
            if id == nil {
                let known = Set(result.profiles.map(\.profile.id))
                let new = draft.freeIdentifier { known.contains($0) }
                do throws(DescriptionError) {
                    let (profile, yaml) = try draft.proven(id: new)
                    result.profiles.append(
                        DescribedDevices.Model(profile: profile, yaml: yaml, leftOut: device.leftOut)
                    )
                } catch {
                    result.leftOut.append(.init(unprovenProfileOf: device.name, error))
                    continue
                }
                drafts[draft] = new
                id = new
            }
            guard case .mqtt(let parameters) = device.address else { continue }
            result.devices.append(
                DescribedDevices.Device(
                    name: device.name,
                    hardware: device.hardware,
                    profile: id ?? "",
                    parameters: parameters
                )
            )
        }
        return result
    }

    /// Reads a whole payload.
    ///
    /// - Returns: All devices, those of which nothing can be read too; and what is no device.
    /// - Throws: When it is not a list in acceptable JSON.
    package func describe(
        _ payload: [UInt8]
    ) throws(DescriptionError) -> (devices: [DescribedDevice], leftOut: [DescribedDevices.LeftOut]) {
        guard let entries = try DescriptionValue(described: payload).list else {
            throw DescriptionError(
                description: "the payload of \(self.baseTopic)/bridge/devices must be a JSON list of devices"
            )
        }
        var devices: [DescribedDevice] = []
        var leftOut: [DescribedDevices.LeftOut] = []
        var seen: Set<String> = []
        for (index, entry) in entries.enumerated() {
            guard index < Self.devicesMax else {
                leftOut.append(
                    DescribedDevices.LeftOut(
                        "\(entries.count - index) …",
                        vi: "nhiều hơn \(Self.devicesMax) thiết bị",
                        en: "more than \(Self.devicesMax) devices"
                    )
                )
                break
            }
            let name = entry["friendly_name"]?.text ?? ""
            let shown = name.isEmpty ? "[\(index)]" : name
            if let problem = Self.problem(with: entry, name: name) {
                let left = DescribedDevices.LeftOut(shown, vi: problem.vi, en: problem.en)
                if let hardware = entry["ieee_address"]?.text, entry["type"]?.text != "Coordinator" {
                    var device = self.device(entry, name: shown, hardware: hardware)
                    device.leftOut.append(left)
                    devices.append(device)
                } else {
                    leftOut.append(left)
                }
                continue
            }
            guard seen.insert(name).inserted else {
                leftOut.append(DescribedDevices.LeftOut(name, vi: "trùng tên", en: "the name stands twice"))
                continue
            }
            var device = self.device(entry, name: name, hardware: entry["ieee_address"]?.text ?? "")
            self.fill(&device, entry["definition"])
            devices.append(device)
        }
        return (devices, leftOut)
    }

    private func device(_ entry: DescriptionValue, name: String, hardware: String) -> DescribedDevice {
        var device = DescribedDevice(
            family: .zigbee2mqtt,
            identity: hardware.isEmpty ? "\(self.baseTopic)/\(name)" : hardware.lowercased(),
            name: name,
            address: .mqtt(parameters: ["device": name])
        )
        device.hardware = DescriptionText.cleaned(hardware, charactersMax: 40)
        device.vendor = DescriptionText.cleaned(entry["definition"]?["vendor"]?.text ?? "", charactersMax: 80)
        device.model = DescriptionText.cleaned(entry["definition"]?["model"]?.text ?? "", charactersMax: 80)
        device.firmware = DescriptionText.cleaned(entry["software_build_id"]?.text ?? "", charactersMax: 40)
        return device
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

    private func fill(_ device: inout DescribedDevice, _ definition: DescriptionValue?) {
        let exposes = ZigbeeExposes(definition?["exposes"]?.list ?? [])
        device.leftOut = exposes.leftOut
        guard !exposes.points.isEmpty || exposes.action != nil else {
            let left = DescribedDevices.LeftOut(
                device.name,
                vi: "mô tả không có giá trị nào dùng được",
                en: "its description has no value that can be taken"
            )
            device.leftOut = [left]
            return
        }
        device.draft = self.draft(definition, exposes)
    }

    private func draft(_ definition: DescriptionValue?, _ exposes: ZigbeeExposes) -> ProfileDraft {
        let model = DescriptionText.cleaned(definition?["model"]?.text ?? "", charactersMax: 80)
        let vendor = DescriptionText.cleaned(definition?["vendor"]?.text ?? "", charactersMax: 80)
        let told = DescriptionText.cleaned(definition?["description"]?.text ?? "", charactersMax: 100)
        let shownModel = model.isEmpty ? "?" : model
        let shownVendor = vendor.isEmpty ? "?" : vendor
        let topic = "\(self.baseTopic)/{device}"
        var draft = ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: "z2m",
                comment: "Made of what Zigbee2MQTT told about the model in \(self.baseTopic)/bridge/devices.",
                source: "Zigbee2MQTT, bridge/devices: what the bridge itself told about the model",
                url: "https://www.zigbee2mqtt.io/guide/usage/exposes.html"
            ),
            vendor: shownVendor,
            model: shownModel,
            title: told.isEmpty ? "\(shownVendor) \(shownModel)" : told,
            category: DescribedWords.category(
                properties: Set(exposes.points.compactMap(\.places.first?.pointer.last)),
                types: exposes.types
            ),
            points: exposes.points,
            availability: ProfileDraft.Availability(
                topic: "\(topic)/availability",
                pointer: ["state"],
                online: "online",
                offline: "offline"
            )
        )
        // A press may come alone or with values; a state that tells nothing would break the profile.
        if !draft.points.isEmpty {
            let when = exposes.action.map { ProfileDraft.Condition.present([$0], false) }
            draft.messages.append(ProfileDraft.Message(name: "state", topic: topic, when: when))
        }
        if let action = exposes.action {
            draft.messages.append(
                ProfileDraft.Message(
                    name: "action",
                    topic: topic,
                    when: .present([action], true),
                    ignoresRetained: true
                )
            )
            draft.press = ProfileDraft.Press(message: "action", pointer: [action])
            for index in draft.points.indices {
                let places = draft.points[index].places
                draft.points[index].places += places.map { ProfileDraft.Place(message: "action", pointer: $0.pointer) }
            }
        }
        return draft
    }
}
