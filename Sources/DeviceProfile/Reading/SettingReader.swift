internal import CampusModel
internal import StrictYAML

/// Reads the settings of a profile and, in its parts, under which of them they hold.
struct SettingReader {
    let settings: [SettingDefinition]

    /// Reads the list under `settings`.
    static func read(_ root: YAMLMap) -> [SettingDefinition] {
        let settings = root.list("settings", limit: 8).compactMap { self.setting($0.map()) }
        ProfileParts.checkUnique(settings.map(\.name), what: "setting", in: root, key: "settings")
        if settings.reduce(1, { $0 * max($1.options.count, 1) }) > 256 {
            root.problem(at: "settings", "more than 256 combinations: nobody can know them all; make two profiles")
        }
        return settings
    }

    private static func setting(_ map: YAMLMap) -> SettingDefinition? {
        let name = map.string("name", limit: 64)
        if let name { ProfileParts.checkIdentifier(name, key: "name", kind: "setting", in: map) }
        let title = ProfileParts.localized("title", in: map)
        let options = (map.required("options")?.list(limit: 16) ?? [])
            .compactMap { value -> SettingDefinition.Option? in
                let inner = value.map()
                let text = inner.string("value", limit: 64)
                let vi = inner.string("vi", limit: 200)
                let en = inner.string("en", limit: 200)
                inner.finish()
                guard let text, let vi, let en else { return nil }
                return SettingDefinition.Option(value: text, label: LocalizedText(vi: vi, en: en))
            }
        if options.count < 2 { map.problem(at: "options", "at least two options are needed") }
        ProfileParts.checkUnique(options.map(\.value), what: "option", in: map, key: "options")
        let standard = map.optionalString("default", limit: 64)
        if let standard, !options.contains(where: { $0.value == standard }) {
            let known = options.map(\.value).joined(separator: ", ")
            map.problem(at: "default", "'\(standard)' is none of the options \(known)")
        }
        map.finish()
        guard let name, let title else { return nil }
        return SettingDefinition(name: name, title: title, options: options, standard: standard)
    }

    /// Reads `only`: a map from settings to one option or a list of them.
    func only(in map: YAMLMap) -> SettingCondition {
        var condition = SettingCondition()
        guard let inner = map.optionalMap("only") else { return condition }
        if inner.keys.isEmpty { inner.problem("names no setting") }
        for name in inner.keys {
            guard let value = inner.required(name) else { continue }
            guard let setting = self.settings.first(where: { $0.name == name }) else {
                let hint =
                    NearestWord.suggestion(for: name, among: self.settings.map(\.name))
                    .map { "; did you mean '\($0)'?" } ?? ""
                value.problem("there is no setting called '\(name)'\(hint)")
                continue
            }
            let options = value.isList ? value.list(limit: 16).compactMap(\.scalarText) : [value.scalarText ?? ""]
            for option in options where !setting.options.contains(where: { $0.value == option }) {
                let known = setting.options.map(\.value).joined(separator: ", ")
                value.problem("'\(option)' is no option of '\(name)': \(known)")
            }
            condition.accepted[name] = Set(options)
        }
        return condition
    }

    /// Every combination of options.
    var combinations: [[String: String]] { self.settings.combinations }

    /// What holds where a site says nothing: the defaults, and the first option where there is none.
    var standard: [String: String] {
        Dictionary(
            self.settings.map { ($0.name, $0.standard ?? $0.options.first?.value ?? "") },
            uniquingKeysWith: { first, _ in first }
        )
    }
}

extension [SettingDefinition] {
    /// Every combination of options.
    var combinations: [[String: String]] {
        self.reduce([[:]]) { found, setting in
            guard found.count <= 256 else { return found }
            return found.flatMap { choices in
                setting.options.map { option in choices.merging([setting.name: option.value]) { $1 } }
            }
        }
    }
}
