internal import CampusModel

/// The text of the file.
extension ProfileDraft {
    package func yaml(id: String) -> String {
        var lines = [
            "# \(self.origin.comment)",
            "# Nobody has seen it work yet: compare the values with the device, then say so under 'verified'.",
            "profile: \(Self.quoted(id))",
            "vendor: \(Self.quoted(self.vendor))",
            "model: \(Self.quoted(self.model))",
            "category: \(self.category.rawValue)",
            "title: \(Self.localized(LocalizedText(vi: self.title, en: self.title)))",
            "sources:",
            "  - title: \(Self.quoted(self.origin.source))",
            "    url: \(Self.quoted(self.origin.url))",
            "    trust: B",
            "verified: false",
        ]
        if self.messages.isEmpty {
            lines += ["modbus:", "  byteOrder: high-first", "  wordOrder: high-first"]
        } else {
            lines += ["mqtt:", "  messages:"]
            lines += self.messages.map { "    - \(Self.line($0))" }
            if let availability { lines.append("  availability: \(Self.line(availability))") }
        }
        lines.append(self.points.isEmpty ? "points: []" : "points:")
        lines += self.points.map { "  - \(Self.line($0))" }
        if let press {
            lines += [
                "events:",
                "  - name: action",
                "    title: {vi: Thao tác, en: Action}",
                "    kind: button",
                "    message: \(press.message)",
                "    fields:",
                "      - {name: action, pointer: \(Self.pointer(press.pointer)), required: true, invalid: [\"\"]}",
            ]
        }
        lines.append("tests:")
        lines += self.messages.isEmpty ? self.registerCases : self.messageCases
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ message: Message) -> String {
        var parts = ["name: \(message.name)", "topic: \(self.quoted(message.topic))"]
        if message.isText { parts.append("payload: text") }
        if !message.isRegular { parts.append("sent: on-change") }
        if message.ignoresRetained { parts.append("retained: ignore") }
        switch message.when {
        case .present(let path, let isThere):
            parts.append("when: {pointer: \(self.pointer(path)), present: \(isThere)}")
        case .oneOf(let path, let words):
            let list = words.map(self.quoted).joined(separator: ", ")
            parts.append("when: {pointer: \(self.pointer(path)), in: [\(list)]}")
        case nil: break
        }
        if let each = message.each {
            parts += [
                "each: \(self.pointer(each.list))",
                "clock: {pointer: \(self.pointer(each.milliseconds)), format: unix-milliseconds}",
                "replay: {pointer: \(self.pointer(each.isHistory)), equals: \"true\"}",
            ]
        }
        return "{\(parts.joined(separator: ", "))}"
    }

    private static func line(_ availability: Availability) -> String {
        let place = availability.pointer.map { "pointer: \(self.pointer($0)), " } ?? ""
        return "{topic: \(self.quoted(availability.topic)), \(place)online: \(self.quoted(availability.online)), "
            + "offline: \(self.quoted(availability.offline))}"
    }

    private static func line(_ point: Point) -> String {
        var parts = ["name: \(self.quoted(point.name))", "title: \(self.localized(point.title))"]
        switch point.kind {
        case .number(let unit, let range, let invalid):
            parts.append("unit: \(self.quoted(unit))")
            if let range {
                let (low, high) = (NumberText.text(range.lowerBound), NumberText.text(range.upperBound))
                parts.append("range: {min: \(low), max: \(high)}")
            }
            if !invalid.isEmpty { parts.append("invalid: [\(invalid.joined(separator: ", "))]") }
        case .boolean(let on, let off, let labels):
            parts.append("kind: boolean")
            if let cases = self.cases(on: on, off: off, labels: labels) { parts.append("enumeration: [\(cases)]") }
        case .enumeration(let texts):
            let cases = texts.enumerated()
                .map { index, text in
                    let label = DescriptionText.cleaned(text.replacing("_", with: " "), charactersMax: 80)
                    return "{value: \(index), text: \(self.quoted(text)), "
                        + "\(self.localizedMembers(LocalizedText(vi: label, en: label)))}"
                }
            parts += ["kind: enumeration", "enumeration: [\(cases.joined(separator: ", "))]"]
        case .numbered(let words):
            let cases = words.sorted { $0.key < $1.key }
                .map { "{value: \($0.key), \(self.localizedMembers($0.value))}" }
            parts += ["kind: enumeration", "enumeration: [\(cases.joined(separator: ", "))]"]
        case .text: parts.append("kind: text")
        }
        if let deadband = point.deadband { parts.append("deadband: \(NumberText.text(deadband))") }
        if let scale = self.scale(of: point) { parts.append("scale: {\(scale)}") }
        if point.isHidden { parts.append("hidden: true") }
        if point.register?.isSlow == true { parts.append("poll: slow") }
        parts.append("wire: \(self.wire(of: point))")
        return "{\(parts.joined(separator: ", "))}"
    }

    private static func cases(on: String?, off: String?, labels: [LocalizedText]) -> String? {
        guard on != nil || off != nil || labels.count == 2 else { return nil }
        return [(1, on), (0, off)].enumerated()
            .map { index, entry in
                let (value, text) = entry
                let label = labels.count == 2 ? labels[index] : LocalizedText(vi: text ?? "", en: text ?? "")
                let written = text.map { "text: \(self.quoted($0)), " } ?? ""
                return "{value: \(value), \(written)\(self.localizedMembers(label))}"
            }
            .joined(separator: ", ")
    }

    private static func scale(of point: Point) -> String? {
        var parts: [String] = []
        if point.scale.multiply != 1 { parts.append("multiply: \(NumberText.text(point.scale.multiply))") }
        if point.scale.divide != 1 { parts.append("divide: \(NumberText.text(point.scale.divide))") }
        if point.scale.add != 0 { parts.append("add: \(NumberText.text(point.scale.add))") }
        if let exponent = point.register?.exponentFrom { parts.append("exponentFrom: \(self.quoted(exponent))") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func wire(of point: Point) -> String {
        if let register = point.register {
            let length = register.length.map { ", length: \($0)" } ?? ""
            return "{table: holding, address: \(register.address), type: \(register.type)\(length)}"
        }
        let places = point.places.map { place in
            let pointer = place.pointer.isEmpty ? "" : ", pointer: \(self.pointer(place.pointer))"
            return "{message: \(place.message)\(pointer)}"
        }
        return places.count == 1 ? places[0] : "[\(places.joined(separator: ", "))]"
    }

    private static func pointer(_ path: [String]) -> String {
        self.quoted(path.map(JSONText.token).joined())
    }

    static func localized(_ text: LocalizedText) -> String { "{\(self.localizedMembers(text))}" }

    private static func localizedMembers(_ text: LocalizedText) -> String {
        "vi: \(self.quoted(text.vi)), en: \(self.quoted(text.en))"
    }

    /// A double-quoted YAML scalar.
    ///
    /// The quote is written as its number, so that a scan for quotes is never led astray.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\x22"
            case "\\": result += "\\\\"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
