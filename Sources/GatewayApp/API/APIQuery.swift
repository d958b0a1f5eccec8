internal import CampusModel
internal import Hummingbird
internal import WebConsole

/// Query parameters of the API.
enum APIQuery {
    static func limit(_ request: Request, standard: Int, maximum: Int) throws -> Int {
        guard let text = request.query["limit"] else { return standard }
        guard let limit = Int(text), (1...maximum).contains(limit) else {
            throw APIRoutes.invalid("limit: 1 to \(maximum)")
        }
        return limit
    }

    /// `from` and `to`: RFC 3339, or a span back from now such as `-24h`.
    ///
    /// Without `from` the range begins `standardMilliseconds` ago.
    static func range(
        _ request: Request,
        now: Tick,
        standardMilliseconds: Int64 = 3_600_000
    ) throws -> Range<Tick> {
        let from =
            try self.tick(request.query["from"], now: now) ?? now.advanced(byMilliseconds: -standardMilliseconds)
        let to = try self.tick(request.query["to"], now: now) ?? Tick(milliseconds: 4_102_444_800_000)
        guard from <= to else { throw APIRoutes.invalid("from must not be after to") }
        return from..<to
    }

    /// The range of `from` and `to` where a list without them has everything.
    static func openRange(_ request: Request, now: Tick) throws -> Range<Tick>? {
        guard request.query["from"] != nil || request.query["to"] != nil else { return nil }
        return try self.range(request, now: now, standardMilliseconds: now.rawValue)
    }

    /// A word of a fixed set.
    static func word<Word: RawRepresentable & CaseIterable>(
        _ request: Request,
        _ name: String,
        _ type: Word.Type = Word.self
    ) throws -> Word? where Word.RawValue == String {
        guard let text = request.query[name] else { return nil }
        guard let word = Word(rawValue: text) else {
            throw APIRoutes.invalid("\(name): \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// The cursor `after`, a whole number.
    static func number(after request: Request) throws -> Int64? {
        guard let text = request.query["after"] else { return nil }
        guard let number = Int64(text) else { throw APIRoutes.invalid("after: what the last page gave as next") }
        return number
    }

    static func milliseconds(_ request: Request, _ name: String, standard: Int64) throws -> Int64 {
        guard let text = request.query[name] else { return standard }
        guard let value = self.span(text), (1_000...31_536_000_000).contains(value) else {
            throw APIRoutes.invalid("\(name): a span such as 10s, 1min, 1h or 1d")
        }
        return value
    }

    private static func tick(_ text: String?, now: Tick) throws -> Tick? {
        guard let text else { return nil }
        if text.hasPrefix("-"), let span = self.span(String(text.dropFirst())) {
            return now.advanced(byMilliseconds: -span)
        }
        guard let tick = UTCText.tick(rfc3339: text.replacing(" ", with: "+")) ?? UTCText.tick(rfc3339: text) else {
            throw APIRoutes.invalid("times: RFC 3339 such as 2026-01-31T07:00:00Z, or -24h")
        }
        return tick
    }

    private static func span(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), digits.count <= 9 else { return nil }
        switch text.dropFirst(digits.count) {
        case "s": return number * 1_000
        case "min": return number * 60_000
        case "h": return number * 3_600_000
        case "d": return number * 86_400_000
        default: return nil
        }
    }
}

extension APIModel.List {
    /// One page of `elements`: at most `limit`, and the cursor of the last one when more follow.
    static func page<Element>(
        _ elements: some Sequence<Element>,
        limit: Int,
        cursor: (Element) -> String,
        _ item: (Element) -> Item
    ) -> Self {
        var found: [Element] = []
        for element in elements {
            if found.count == limit { return Self(items: found.map(item), next: found.last.map(cursor)) }
            found.append(element)
        }
        return Self(items: found.map(item))
    }
}
