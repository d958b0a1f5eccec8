/// The keys of one map of a YAML file.
///
/// Each key is asked for once by name; ``finish()`` reports those nobody asked for.
///
/// Accessors for required keys record a problem and return `nil` when the key is absent or wrong; those with a default
/// return it when the key is absent.
package final class YAMLMap {
    private let value: YAMLValue
    private let entries: [String: YAMLValue]
    private let isReadable: Bool
    private var known: Set<String> = []

    init(value: YAMLValue, entries: [String: YAMLValue], isReadable: Bool) {
        self.value = value
        self.entries = entries
        self.isReadable = isReadable
    }

    /// The line where the map starts.
    package var line: Int { self.value.line }

    /// Where in the structure the map is.
    package var path: String { self.value.path }

    /// The keys as written, sorted; for maps whose keys are data.
    package var keys: [String] { self.entries.keys.sorted() }

    /// The value of a key, if it is there and not null.
    package func optional(_ key: String) -> YAMLValue? {
        self.known.insert(key)
        guard let value = self.entries[key], !value.isNull else { return nil }
        return value
    }

    /// The value of a key that must be there.
    package func required(_ key: String) -> YAMLValue? {
        if let value = self.optional(key) { return value }
        if self.isReadable { self.problem("the key '\(key)' is missing") }
        return nil
    }

    /// Records a problem with the map as a whole.
    package func problem(_ message: String) { self.value.problem(message) }

    /// Records a problem with a key, or with the map when the key is absent.
    package func problem(at key: String, _ message: String) {
        (self.entries[key] ?? self.value).problem(message)
    }

    /// Reports every key that was not asked for, with the nearest one that was.
    package func finish() {
        guard self.isReadable else { return }
        for (key, value) in self.entries where !self.known.contains(key) {
            let hint =
                NearestWord.suggestion(for: key, among: self.known.sorted()).map { "; did you mean '\($0)'?" }
                ?? "; known here: \(self.known.sorted().joined(separator: ", "))"
            value.problem("unknown key '\(key.prefix(60))'\(hint)")
        }
    }

    /// A required text.
    package func string(_ key: String, limit: Int = 4_096) -> String? { self.required(key)?.string(limit: limit) }

    /// A text that may be absent.
    package func optionalString(_ key: String, limit: Int = 4_096) -> String? {
        self.optional(key)?.string(limit: limit)
    }

    /// A required whole number.
    package func int(_ key: String, in range: ClosedRange<Int>) -> Int? { self.required(key)?.int(in: range) }

    /// A whole number with a default.
    package func int(_ key: String, in range: ClosedRange<Int>, default standard: Int) -> Int {
        self.optional(key).map { $0.int(in: range) ?? standard } ?? standard
    }

    /// A number with a default.
    package func double(_ key: String, default standard: Double) -> Double {
        self.optional(key).map { $0.double() ?? standard } ?? standard
    }

    /// A number that may be absent.
    package func optionalDouble(_ key: String) -> Double? { self.optional(key)?.double() }

    /// `true` or `false` with a default.
    package func bool(_ key: String, default standard: Bool) -> Bool {
        self.optional(key).map { $0.bool() ?? standard } ?? standard
    }

    /// A required word of an enumeration.
    package func choice<Choice>(_ key: String, of type: Choice.Type) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        self.required(key)?.choice(of: type)
    }

    /// A word of an enumeration with a default.
    package func choice<Choice>(_ key: String, of type: Choice.Type, default standard: Choice) -> Choice
    where Choice: CaseIterable & RawRepresentable<String> {
        self.optional(key).map { $0.choice(of: type) ?? standard } ?? standard
    }

    /// A time span in milliseconds with a default.
    package func milliseconds(_ key: String, in range: ClosedRange<Int64>, default standard: Int64) -> Int64 {
        self.optional(key).map { $0.milliseconds(in: range) ?? standard } ?? standard
    }

    /// A size in bytes with a default.
    package func bytes(_ key: String, in range: ClosedRange<Int>, default standard: Int) -> Int {
        self.optional(key).map { $0.bytes(in: range) ?? standard } ?? standard
    }

    /// A list that may be absent.
    package func list(_ key: String, limit: Int = 10_000) -> [YAMLValue] {
        self.optional(key)?.list(limit: limit) ?? []
    }

    /// A map that may be absent.
    package func optionalMap(_ key: String) -> YAMLMap? { self.optional(key)?.map() }
}
