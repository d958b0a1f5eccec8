internal import CampusModel

/// The rows of a CSV file with samples: columns `point`, `at`, `value` and `quality`, in any order.
struct BackfillRows {
    /// One sample with its line in the file.
    struct Row: Equatable {
        var line: Int
        var point: String
        var sample: Sample
    }

    /// What is wrong with a line.
    struct Problem: Encodable, Equatable {
        var line: Int
        var message: String
    }

    private(set) var rows: [Row] = []
    private(set) var problems: [Problem] = []

    /// - Parameters:
    ///   - text: The header and rows.
    ///   - firstLine: The line in the file that the first row is.
    init(_ text: String, firstLine: Int) throws {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let header = lines.first.map(Self.fields) ?? []
        guard let point = header.firstIndex(of: "point"), let at = header.firstIndex(of: "at"),
            let value = header.firstIndex(of: "value")
        else { throw APIRoutes.invalid("the first line names the columns: point,at,value,quality") }
        let quality = header.firstIndex(of: "quality")
        for (offset, line) in lines.dropFirst().enumerated() where !line.isEmpty {
            let number = firstLine + offset
            let fields = Self.fields(line)
            guard fields.count == header.count else {
                self.problems.append(
                    Problem(line: number, message: "has \(fields.count) fields; the header has \(header.count)")
                )
                continue
            }
            switch Self.sample(at: fields[at], value: fields[value], quality: quality.map { fields[$0] } ?? "good") {
            case .success(let sample): self.rows.append(Row(line: number, point: fields[point], sample: sample))
            case .failure(let reason): self.problems.append(Problem(line: number, message: reason.text))
            }
        }
    }

    private struct Reason: Error { var text: String }

    private static func sample(at: String, value: String, quality: String) -> Result<Sample, Reason> {
        guard let tick = UTCText.tick(rfc3339: at) else {
            return .failure(Reason(text: "'\(at.prefix(40))' is not a time such as 2026-11-24T07:00:00.000Z"))
        }
        guard Tick.storable.contains(tick) else {
            return .failure(Reason(text: "\(at.prefix(40)) is outside 1970 to 2100"))
        }
        guard let quality = Quality(quality) else {
            return .failure(
                Reason(text: "'\(quality.prefix(40))' is not a quality such as good, uncertain:stale or bad:sentinel")
            )
        }
        if quality.level == .bad { return .success(Sample(tick: tick, value: 0, quality: quality)) }
        guard let number = Double(value), number.isFinite else {
            return .failure(Reason(text: "'\(value.prefix(40))' is not a number"))
        }
        return .success(Sample(tick: tick, value: number, quality: quality))
    }

    /// Fields between commas; none of these columns has a comma inside, so quotes are only taken off.
    private static func fields(_ line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false)
            .map { field in
                let text = field.filter { $0 != " " }
                let isQuoted = text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
                return String(isQuoted ? text.dropFirst().dropLast() : text[...])
            }
    }
}
