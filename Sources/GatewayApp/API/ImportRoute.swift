internal import CampusModel
internal import Hummingbird
internal import NIOCore
internal import SchoolRecords
internal import TimeSeriesRing
internal import WebConsole

/// `POST /api/v1/import`: samples from a file, into the ring as if they arrived now.
struct ImportRoute {
    let gateway: Gateway
    let console: Console

    /// Problems that are told one by one; the others are counted.
    private static let problemsMax = 100

    private struct Answer: Encodable {
        var stored = 0
        var duplicates = 0
        var refused = 0
        var problems: [BackfillRows.Problem] = []

        mutating func refuse(_ line: Int, _ message: String) {
            self.refused += 1
            if self.problems.count < ImportRoute.problemsMax {
                self.problems.append(BackfillRows.Problem(line: line, message: message))
            }
        }
    }

    func add(to administrator: RouterGroup<ConsoleContext>) {
        administrator.post("import") { request, context in
            guard let firstLine = Int(request.query["line"] ?? "2"), (2...1_000_000_000).contains(firstLine) else {
                throw APIRoutes.invalid("line: the number of the first row in the file, from 2")
            }
            let isDryRun = request.query["dryRun"] == "true"
            let buffer = try await request.body.collect(upTo: context.maxUploadSize)
            let rows = try BackfillRows(String(buffer: buffer), firstLine: firstLine)
            let answer = self.take(rows, isDryRun: isDryRun)
            if !isDryRun {
                let actor = context.actor ?? "api"
                try await self.gateway.records.perform { records in
                    try records.audit(
                        actor: actor,
                        action: "import",
                        subject: "samples",
                        detail: [
                            "from line": "\(firstLine)", "stored": "\(answer.stored)",
                            "duplicates": "\(answer.duplicates)", "refused": "\(answer.refused)",
                        ]
                    )
                }
            }
            return try self.console.json(answer)
        }
    }

    private func take(_ rows: BackfillRows, isDryRun: Bool) -> Answer {
        var answer = Answer()
        for problem in rows.problems { answer.refuse(problem.line, problem.message) }
        for row in rows.rows {
            // Only what the gateway reads itself: neither unknown nor personal points come in this way.
            guard let series = self.gateway.ring.existingSeries(named: row.point),
                self.gateway.exportSource.identity(of: Int(series.rawValue)) != nil
            else {
                answer.refuse(row.line, "there is no point '\(row.point.prefix(80))'")
                continue
            }
            switch isDryRun ? self.outcome(series, row.sample) : self.gateway.store.append(series, row.sample) {
            case .stored: answer.stored += 1
            case .duplicate: answer.duplicates += 1
            case .late: answer.refuse(row.line, "too old: the ring cannot put it in order any more")
            case .rejected: answer.refuse(row.line, "the ring cannot store this value")
            }
        }
        answer.problems.sort { $0.line < $1.line }
        return answer
    }

    /// What would become of a sample; whether it is too old shows only when it is stored.
    private func outcome(_ series: SeriesIndex, _ sample: Sample) -> AppendOutcome {
        let instant = sample.tick..<sample.tick.advanced(byMilliseconds: 1)
        return self.gateway.ring.samples(series, in: instant, limit: 10_000).contains(sample) ? .duplicate : .stored
    }
}
