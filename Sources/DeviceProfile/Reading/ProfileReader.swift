internal import CampusModel
package import StrictYAML

extension DeviceProfile {
    /// Reads and checks a profile.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - file: The file's name, which must be the identifier and `.yaml`; it also leads every message.
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> DeviceProfile {
        let document = try YAMLDocument(yaml, file: file)
        let reader = ProfileReader(root: document.root)
        let profile = reader.read(fileName: file.split(separator: "/").last.map(String.init) ?? file)
        document.root.finish()
        try document.check()
        guard let profile else {
            throw YAMLProblems([
                YAMLProblem(file: file, line: 0, column: 0, path: "", message: "the profile is incomplete")
            ])
        }
        return profile
    }
}

/// Reads the head of a profile and hands the parts on.
struct ProfileReader {
    let root: YAMLMap

    func read(fileName: String) -> DeviceProfile? {
        let id = self.root.string("profile", limit: 64)
        if let id {
            ProfileParts.checkIdentifier(id, key: "profile", kind: "profile", in: self.root)
            if fileName != "\(id).yaml" {
                self.root.problem(at: "profile", "the file must be called \(id).yaml; it is called \(fileName)")
            }
        }
        let vendor = self.root.string("vendor", limit: 120)
        let model = self.root.string("model", limit: 120)
        let category = self.root.choice("category", of: DeviceProfile.Category.self)
        let title = ProfileParts.localized("title", in: self.root)
        let notes = self.root.optionalString("notes")
        let contract = self.contract()
        let sources = self.sources()
        let verification = self.verification()
        let settings = SettingReader(settings: SettingReader.read(self.root))
        guard let (wire, messageConditions) = self.wire(settings) else {
            // Without a wire, points cannot be read; their keys are still known.
            for key in ["points", "events", "controls", "failsafe", "tests"] { _ = self.root.optional(key) }
            return nil
        }
        let points = PointReader(wire: wire, settings: settings).read(self.root.list("points", limit: 5_000))
        let events = EventReader(wire: wire, settings: settings).read(self.root.list("events", limit: 64))
        if points.isEmpty, events.isEmpty { self.root.problem("a profile needs at least one point or event") }
        let controls = ControlReader(wire: wire, points: points.map(\.part), settings: settings)
            .read(self.root.list("controls", limit: 256))
        let failsafe = FailsafeReader(wire: wire, pointNames: Set(points.map(\.part.content.name))).read(self.root)
        if category == .lifeSafety, failsafe?.feed != nil {
            self.root.problem(at: "failsafe", "a profile of the category life-safety is read-only: nothing is fed")
        }
        if category == .lifeSafety { self.refuseWrites(controls.map(\.map), events) }
        let template = ProfileTemplate(
            wire: wire,
            messageConditions: messageConditions,
            points: points.map(\.part),
            events: events.map(\.part),
            controls: controls.map(\.part)
        )
        self.checkCombinations(template, settings, points.map(\.map), events.map(\.map), controls.map(\.map))
        let tests = GoldenReader(wire: wire, template: template, settings: settings.settings).read(self.root)
        let standard = settings.standard
        guard let id, let vendor, let model, let category, let title,
            let resolved = try? template.resolved(standard)
        else { return nil }
        return DeviceProfile(
            id: id,
            vendor: vendor,
            model: model,
            category: category,
            title: title,
            notes: notes,
            contract: contract,
            sources: sources,
            verification: verification,
            wire: resolved.wire,
            points: resolved.points,
            events: resolved.events,
            controls: resolved.controls,
            failsafe: failsafe,
            tests: tests,
            settings: settings.settings,
            choices: standard,
            template: settings.settings.isEmpty ? nil : template
        )
    }

    /// Nothing is written to what protects lives: neither controls nor flags of events.
    private func refuseWrites(
        _ controls: [YAMLMap],
        _ events: [(part: ProfileTemplate.Part<EventDefinition>, map: YAMLMap)]
    ) {
        let reason = "a profile of the category life-safety is read-only: nothing may be written to such a device"
        for control in controls { control.problem(reason) }
        for (part, map) in events {
            if case .registers(_, _, .some, _, _, _) = part.content.capture { map.problem(at: "capture", reason) }
        }
    }

    /// Every variant must be whole: names once, and everything that is referred to there.
    private func checkCombinations(
        _ template: ProfileTemplate,
        _ settings: SettingReader,
        _ points: [YAMLMap],
        _ events: [YAMLMap],
        _ controls: [YAMLMap]
    ) {
        var told: Set<ProfileTemplate.Problem.Place> = []
        for choices in settings.combinations {
            do throws(ProfileTemplate.Problem) {
                let resolved = try template.resolved(choices)
                if resolved.points.isEmpty, resolved.events.isEmpty, !points.isEmpty || !events.isEmpty {
                    self.root.problem("nothing is left of the profile \(Self.text(of: choices))")
                    return
                }
            } catch {
                guard told.insert(error.place).inserted else { continue }
                let message = error.message + Self.text(of: choices)
                switch error.place {
                case .point(let index): points[index].problem(message)
                case .event(let index): events[index].problem(message)
                case .control(let index): controls[index].problem(message)
                }
            }
        }
    }

    private static func text(of choices: [String: String]) -> String {
        guard !choices.isEmpty else { return "" }
        let parts = choices.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return " where the settings are {\(parts.joined(separator: ", "))}"
    }

    private func contract() -> String? {
        guard let value = self.root.optional("contract"), let text = value.string(limit: 80) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count != 2 || parts[0].isEmpty || parts[1].first != "v" || Int(parts[1].dropFirst()) == nil {
            value.problem("must be FAMILY/v1, a folder of Firmware-Contracts; it is '\(text)'")
        }
        if self.root.optional("mqtt") == nil { value.problem("a contract is for payloads of MQTT") }
        return text
    }

    private func sources() -> [DeviceProfile.Source] {
        guard let value = self.root.required("sources") else { return [] }
        let list = value.list(limit: 32)
        if list.isEmpty { value.problem("at least one source is needed: where were the facts learnt?") }
        return list.compactMap { value in
            let map = value.map()
            let title = map.string("title", limit: 400)
            let url = map.optionalString("url", limit: 1_000)
            let page = map.optionalString("page", limit: 120)
            let trust = map.choice("trust", of: DeviceProfile.Source.Trust.self)
            map.finish()
            guard let title, let trust else { return nil }
            return DeviceProfile.Source(title: title, url: url, page: page, trust: trust)
        }
    }

    private func verification() -> DeviceProfile.Verification? {
        guard let value = self.root.required("verified") else { return nil }
        guard value.isMap else {
            if value.plainText != "false" { value.problem("must be false, or {by, date, serial}") }
            return nil
        }
        let map = value.map()
        let by = map.string("by", limit: 120)
        let date = map.string("date", limit: 10)
        let serial = map.optionalString("serial", limit: 120)
        map.finish()
        guard let by, let date else { return nil }
        return DeviceProfile.Verification(by: by, date: date, serial: serial)
    }

    private func wire(_ settings: SettingReader) -> (DeviceProfile.Wire, [SettingCondition])? {
        let modbus = self.root.optional("modbus")
        let mqtt = self.root.optional("mqtt")
        let line = self.root.optional("line")
        let http = self.root.optional("http")
        switch (modbus, mqtt, line, http) {
        case (.some(let value), nil, nil, nil): return WireReader.modbus(value.map()).map { (.modbus($0), []) }
        case (nil, .some(let value), nil, nil):
            return WireReader.mqtt(value.map(), settings).map { (.mqtt($0.wire), $0.conditions) }
        case (nil, nil, .some(let value), nil):
            return LineWireReader(map: value.map()).read()
                .map { (.line($0), $0.requests.map { _ in SettingCondition() }) }
        case (nil, nil, nil, .some(let value)):
            return HTTPWireReader(map: value.map()).read()
                .map { (.http($0), $0.routes.map { _ in SettingCondition() }) }
        default:
            self.root.problem("exactly one of the keys 'modbus', 'mqtt', 'line' and 'http' is needed")
            return nil
        }
    }
}

/// Readings that several parts of a profile share.
enum ProfileParts {
    static func localized(_ key: String, in map: YAMLMap) -> LocalizedText? {
        guard let value = map.required(key) else { return nil }
        let inner = value.map()
        let vi = inner.string("vi", limit: 400)
        let en = inner.string("en", limit: 400)
        inner.finish()
        guard let vi, let en else { return nil }
        return LocalizedText(vi: vi, en: en)
    }

    static func checkIdentifier(_ text: String, key: String, kind: String, in map: YAMLMap) {
        do {
            try IdentifierRule.check(text, kind: kind)
        } catch {
            map.problem(at: key, error.description)
        }
    }

    static func checkUnique(_ names: [String], what: String, in map: YAMLMap, key: String) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            map.problem(at: key, "two \(what)s are called '\(name)'")
        }
    }

    static func pointer(_ key: String, in map: YAMLMap) -> JSONPointer? {
        guard let text = map.string(key, limit: 512) else { return nil }
        guard let pointer = JSONPointer(text) else {
            map.problem(
                at: key,
                "'\(text)' is not a JSON pointer: it starts with / (or ^/ for the whole payload), ~ is written ~0 and / in a "
                    + "name ~1, 16 steps at most"
            )
            return nil
        }
        return pointer
    }

    static func condition(_ key: String, in map: YAMLMap) -> MQTTWire.Condition? {
        guard let inner = map.optionalMap(key) else { return nil }
        let pointer = self.pointer("pointer", in: inner)
        var tests: [MQTTWire.Condition.Test] = []
        if let equals = inner.optional("equals") {
            if equals.scalarText == nil { equals.problem("must be one value") }
            tests.append(.oneOf([equals.scalarText ?? ""]))
        }
        if let list = inner.optional("in") {
            let accepted = list.list(limit: 64)
                .compactMap { value in
                    if value.scalarText == nil { value.problem("must be one value") }
                    return value.scalarText
                }
            if accepted.isEmpty { list.problem("names no value") }
            tests.append(.oneOf(accepted))
        }
        if let present = inner.optional("present")?.bool() { tests.append(.present(present)) }
        inner.finish()
        guard let pointer, let test = tests.first, tests.count == 1 else {
            inner.problem("needs 'pointer' and one of 'equals', 'in' and 'present'")
            return nil
        }
        return MQTTWire.Condition(pointer: pointer, test: test)
    }
}
