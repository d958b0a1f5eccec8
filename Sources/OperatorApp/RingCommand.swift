internal import ArgumentParser
internal import CampusModel
internal import Foundation
internal import SiteConfiguration
internal import TimeSeriesRing

/// What is in the ring's file: for a look, for doubt, and for the case that nothing else is left.
struct RingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring",
        abstract: "Looks at the ring's file itself; changes nothing, and needs no running gateway.",
        subcommands: [Inspect.self, Verify.self, Salvage.self]
    )

    /// Where the ring is.
    struct Place: ParsableArguments {
        @Argument(help: "The ring's folder: STATE/ring.")
        var folder: String

        @Option(help: "gateway.yaml, for the sizes of a ring both of whose superblocks are damaged.")
        var config: String?

        func inspector() throws -> RingInspector {
            var sizes: TimeSeriesRing.Configuration?
            if let config = self.config {
                let ring = try GatewayConfiguration.read(yaml: TextFile.read(config), file: config).ring
                var configuration = TimeSeriesRing.Configuration(
                    directory: self.folder,
                    memoryDirectory: nil,
                    seriesMax: ring.seriesMax
                )
                configuration.unitBytes = ring.unitBytes
                configuration.journalBytes = ring.journalBytes
                configuration.rawBytes = ring.rawBytes
                configuration.minuteBytes = ring.minuteBytes
                configuration.quarterBytes = ring.quarterBytes
                sizes = configuration
            }
            return try RingInspector(directory: self.folder, configuration: sizes)
        }
    }

    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tells sizes, tiers, journal and series.")

        @OptionGroup var place: Place
        @Flag(help: "Also lists the names of all series.") var series = false

        func run() async throws {
            let inspector = try self.place.inspector()
            let facts = inspector.facts
            print("ring \(String(facts.ring, radix: 16)), superblock \(facts.generation), \(facts.bytes >> 20) MiB")
            print("series    \(facts.series.count) of \(facts.seriesMax)")
            print(
                "journal   \(facts.journalUnitsUsed) of \(facts.journalUnits) units of \(facts.unitBytes) bytes in use, "
                    + "from \(facts.checkpoint) on"
            )
            for tier in facts.tiers {
                let range =
                    tier.oldest.flatMap { oldest in
                        tier.newest.map { ", \(UTCText.rfc3339(oldest)) to \(UTCText.rfc3339($0))" }
                    } ?? ""
                print(
                    tier.name.padding(toLength: 10, withPad: " ", startingAt: 0)
                        + "\(tier.segments) segments, \(tier.blocks) blocks, \(tier.count) "
                        + (tier.name == "raw" ? "samples" : "roll-ups")
                        + ", \(tier.bytes >> 10) of \(tier.capacity >> 10) KiB\(range)"
                )
            }
            for row in facts.clock {
                print("clock     from \(UTCText.rfc3339(Tick(rawValue: row.from))): \(row.offset) ms (\(row.source))")
            }
            if self.series { for (number, name) in facts.series.enumerated() { print("\(number)\t\(name)") } }
            for problem in inspector.problems { print("problem   \(problem)") }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads and unpacks every block; exits with 1 when anything is damaged."
        )

        @OptionGroup var place: Place

        func run() async throws {
            let progress = ProgressLine("verifying")
            let verdict = try self.place.inspector().verify { progress.show($0) }
            progress.finish()
            print(
                "\(verdict.segments) segments, \(verdict.blocks) blocks, \(verdict.units) units of the journal, "
                    + "\(verdict.samples) samples"
            )
            for problem in verdict.problems { print("problem: \(problem)") }
            guard verdict.problems.isEmpty else { throw ExitCode(1) }
            print("nothing is damaged")
        }
    }

    struct Salvage: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes every sample that can still be read to a CSV file, whatever else is damaged.",
            discussion: "Rows are point,at,value,quality, as `campusctl import` reads them; a sample may come twice."
        )

        @OptionGroup var place: Place
        @Option(name: .shortAndLong, help: "The file to write; it must not exist.") var output: String

        func run() async throws {
            let inspector = try self.place.inspector()
            guard !FileManager.default.fileExists(atPath: self.output) else {
                throw ValidationError("\(self.output) exists; name another file")
            }
            guard FileManager.default.createFile(atPath: self.output, contents: nil),
                let file = FileHandle(forWritingAtPath: self.output)
            else { throw ValidationError("\(self.output) cannot be written") }
            let progress = ProgressLine("salvaging")
            var buffer = Data("point,at,value,quality\r\n".utf8)
            var count = 0
            func write(_ series: String, _ sample: Sample) throws {
                let value = sample.quality.level == .bad ? "" : "\(sample.value)"
                buffer.append(
                    contentsOf: Data("\(series),\(UTCText.rfc3339(sample.tick)),\(value),\(sample.quality)\r\n".utf8)
                )
                count += 1
                guard buffer.count > 1 << 20 else { return }
                try file.write(contentsOf: buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            let problems = try inspector.salvage(progress: progress.show, into: write)
            try file.write(contentsOf: buffer)
            try file.close()
            progress.finish()
            print("\(count) samples in \(self.output)")
            for problem in problems { print("lost: \(problem)") }
        }
    }
}

/// How far something is, on standard error, where that is a terminal.
final class ProgressLine {
    private let what: String
    private let isTerminal = isatty(2) != 0
    private var shown = -1

    init(_ what: String) { self.what = what }

    func show(_ part: Double) {
        let percent = min(max(Int((part * 100).rounded(.down)), 0), 100)
        guard self.isTerminal, percent != self.shown else { return }
        self.shown = percent
        FileHandle.standardError.write(Data("\r\(self.what) \(percent) %".utf8))
    }

    func finish() { if self.shown >= 0 { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
