internal import AlertEngine
internal import CampusModel
package import StrictYAML

extension RulePack {
    /// Reads and checks a file of rules.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - file: The file's name, which must be the pack's identifier and `.yaml`; it also leads every message.
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> RulePack {
        let document = try YAMLDocument(yaml, file: file)
        let pack = RulePackReader(root: document.root).read(file: file)
        document.root.finish()
        try document.check()
        guard let pack else {
            throw YAMLProblems([
                YAMLProblem(file: file, line: 0, column: 0, path: "", message: "the pack is incomplete")
            ])
        }
        return pack
    }
}

/// Reads the head of a file of rules and hands the rules on.
private struct RulePackReader {
    let root: YAMLMap

    func read(file: String) -> RulePack? {
        let id = RuleParts.identifier("pack", "pack", self.root)
        let name = file.split(separator: "/").last.map(String.init) ?? file
        if let id, name != "\(id).yaml" {
            self.root.problem(at: "pack", "the file must be called \(id).yaml; it is called \(name)")
        }
        let title = RuleParts.localized("title", self.root, limit: 200)
        let sources = self.root.list("sources", limit: 64).compactMap { self.source($0.map()) }
        var limits: [String: RulePack.CitedLimit] = [:]
        if let map = self.root.optionalMap("limits") {
            for key in map.keys.prefix(256) {
                if let limit = self.limit(map.required(key)?.map(), sources) { limits[key] = limit }
            }
        }
        var seen: Set<String> = []
        let rules = self.root.list("rules", limit: 512)
            .compactMap { value -> RuleTemplate? in
                let map = value.map()
                let rule = RuleReader(map: map, limits: limits).read()
                map.finish()
                if let rule, !seen.insert(rule.rule.id).inserted {
                    map.problem(at: "id", "another rule is called '\(rule.rule.id)' already")
                }
                return rule
            }
        if self.root.optional("rules") == nil { self.root.problem("the key 'rules' is missing") }
        guard let id, let title else { return nil }
        return RulePack(id: id, title: title, sources: sources, limits: limits, rules: rules, file: file)
    }

    private func source(_ map: YAMLMap) -> RulePack.Source? {
        let id = RuleParts.identifier("id", "source", map)
        let title = map.string("title", limit: 300)
        let status = map.choice("status", of: RulePack.Source.Status.self)
        map.finish()
        guard let id, let title, let status else { return nil }
        return RulePack.Source(id: id, title: title, status: status)
    }

    private func limit(_ map: YAMLMap?, _ sources: [RulePack.Source]) -> RulePack.CitedLimit? {
        guard let map else { return nil }
        let value = map.required("value")?.double()
        let unit = RuleParts.unit("unit", map, isRequired: true)
        let source = map.string("source", limit: 64)
        let note = map.optionalString("note", limit: 400)
        map.finish()
        if let source, !sources.contains(where: { $0.id == source }) {
            let near = NearestWord.suggestion(for: source, among: sources.map(\.id))
            map.problem(
                at: "source",
                "there is no source called '\(source)' above\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
        }
        guard let value, let unit, let source else { return nil }
        return RulePack.CitedLimit(value: value, unit: unit, source: source, note: note)
    }
}

/// What several readers need.
enum RuleParts {
    static func identifier(_ key: String, _ kind: String, _ map: YAMLMap) -> String? {
        guard let text = map.string(key, limit: 64) else { return nil }
        do throws(IdentifierError) {
            try IdentifierRule.check(text, kind: kind)
            return text
        } catch {
            map.problem(at: key, error.description)
            return nil
        }
    }

    static func localized(_ key: String, _ map: YAMLMap, limit: Int) -> LocalizedText? {
        guard let inner = map.required(key)?.map() else { return nil }
        let vi = inner.string("vi", limit: limit)
        let en = inner.string("en", limit: limit)
        inner.finish()
        guard let vi, let en else { return nil }
        return LocalizedText(vi: vi, en: en)
    }

    static func unit(_ key: String, _ map: YAMLMap, isRequired: Bool = false) -> String? {
        guard let value = isRequired ? map.required(key) : map.optional(key), let unit = value.scalarText else {
            return nil
        }
        guard Units.display[unit] != nil else {
            let near = NearestWord.suggestion(for: unit, among: Units.display.keys.sorted())
            value.problem(
                "'\(unit)' is not a UCUM code that is known here\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
            return nil
        }
        return unit
    }

    static func states(_ key: String, _ map: YAMLMap) -> Set<TimetableState>? {
        guard let value = map.optional(key) else { return nil }
        return Set(value.list(limit: 6).compactMap { self.state($0) })
    }

    static func state(_ value: YAMLValue) -> TimetableState? {
        guard let text = value.scalarText else {
            value.problem("must be a state of the timetable")
            return nil
        }
        if let state = TimetableState(word: text) { return state }
        self.unknown(text, among: TimetableState.allCases.map(\.word), value)
        return nil
    }

    static func unknown(_ text: String, among words: [String], _ value: YAMLValue) {
        let near = NearestWord.suggestion(for: text, among: words).map { "; did you mean '\($0)'?" } ?? ""
        value.problem("'\(text.prefix(60))' is not one of \(words.joined(separator: ", "))\(near)")
    }

    static func texts(_ key: String, _ map: YAMLMap) -> [String] {
        map.list(key, limit: 512).compactMap { $0.string(limit: 128) }
    }
}
