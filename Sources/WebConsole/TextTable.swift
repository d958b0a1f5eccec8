package import CampusModel
package import FoundationEssentials
internal import Mustache

/// Every text of the pages in both languages, by key.
///
/// Keys are dotted (`login.title`). A template writes `{{t.login.title}}`; code asks ``text(_:_:_:)``.
package struct TextTable: Sendable {
    private var texts: [String: LocalizedText] = [:]
    private var prefixes: Set<String> = []

    /// An empty table.
    package init() {}

    /// Adds a `strings.json`: `{"key": {"vi": "…", "en": "…"}}`.
    package mutating func add(json: some DataProtocol, from place: String) throws(WebConsoleError) {
        let added: [String: LocalizedText]
        do {
            added = try JSONDecoder().decode([String: LocalizedText].self, from: Data(json))
        } catch {
            throw WebConsoleError(.textInvalid, "\(place) is not {\"key\": {\"vi\": …, \"en\": …}}: \(error)")
        }
        for (key, text) in added.sorted(by: { $0.key < $1.key }) {
            try self.add(key, text, from: place)
        }
    }

    /// Adds one text.
    package mutating func add(_ key: String, _ text: LocalizedText, from place: String) throws(WebConsoleError) {
        guard self.texts[key] == nil else {
            throw WebConsoleError(.resourceDuplicate, "\(place) defines the text “\(key)” a second time")
        }
        guard !text.vi.isEmpty, !text.en.isEmpty else {
            throw WebConsoleError(.textInvalid, "\(place): the text “\(key)” is empty in one language")
        }
        self.texts[key] = text
        var end = key.startIndex
        while let dot = key[end...].firstIndex(of: ".") {
            self.prefixes.insert(String(key[..<dot]))
            end = key.index(after: dot)
        }
        if let both = self.prefixes.first(where: { self.texts[$0] != nil }) {
            throw WebConsoleError(.textInvalid, "\(place): “\(both)” is a text and a group of texts: rename one")
        }
    }

    /// All keys, sorted.
    package var keys: [String] { self.texts.keys.sorted() }

    /// The text of `key` in both languages, or nil.
    package subscript(key: String) -> LocalizedText? { self.texts[key] }

    /// The text of `key` in `language` with `{name}` replaced from `values`; the key itself when it does not exist.
    package func text(_ key: String, _ language: Language, _ values: [String: String] = [:]) -> String {
        guard let template = self.texts[key]?.text(in: language) else { return key }
        return values.isEmpty ? template : Self.fill(template, values)
    }

    /// The text of `key` in both languages with `{name}` replaced from `values`.
    package func localized(_ key: String, _ values: [String: String] = [:]) -> LocalizedText {
        LocalizedText(vi: self.text(key, .vi, values), en: self.text(key, .en, values))
    }

    /// What templates see as `t`.
    func templateValue(_ language: Language) -> some MustacheParent {
        TextNode(table: self, language: language, prefix: "")
    }

    /// One pass, so that a value which itself holds `{…}` is not replaced again.
    private static func fill(_ template: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            result += values[name] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    private struct TextNode: MustacheParent {
        var table: TextTable
        var language: Language
        var prefix: String

        func child(named name: String) -> Any? {
            let key = self.prefix + name
            if let text = self.table.texts[key] { return text.text(in: self.language) }
            guard self.table.prefixes.contains(key) else { return nil }
            return TextNode(table: self.table, language: self.language, prefix: key + ".")
        }
    }
}
