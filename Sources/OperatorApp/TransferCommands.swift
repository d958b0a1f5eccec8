internal import ArgumentParser
internal import Foundation

/// The command `campusctl export`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the history of points to a CSV file: point, at, value, quality."
    )

    @OptionGroup var gateway: GatewayOptions

    @Option(parsing: .unconditional, help: "Start: RFC 3339, or -24h and the like.")
    var from: String

    @Option(parsing: .unconditional, help: "End, not included; now without one.")
    var to: String?

    @Option(parsing: .upToNextOption, help: "Points as device/point, or whole devices; all without one.")
    var points: [String] = []

    @Option(help: "The file; '-' is standard output.")
    var csv: String

    /// Points of one request: their names are in its address.
    private static let requestPoints = 100

    func run() async throws {
        let client = try self.gateway.client()
        let known = try await PointValue.all(client, device: nil).filter(\.hasHistory).map(\.id)
        let wanted = try self.chosen(known)
        let output = try OutputFile(self.csv)
        try output.write(Data("point,at,value,quality\n".utf8))
        var count = 0
        for first in stride(from: 0, to: wanted.count, by: Self.requestPoints) {
            let points = wanted[first..<min(first + Self.requestPoints, wanted.count)]
            // Each answer begins with the names of the columns.
            var isHeader = true
            try await client.download(
                "history",
                query: [
                    ("series", points.joined(separator: ",")), ("from", self.from), ("to", self.to), ("format", "csv"),
                ]
            ) { bytes in
                var bytes = bytes[...]
                if isHeader {
                    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return }
                    isHeader = false
                    bytes = bytes[(end + 1)...]
                }
                count += bytes.count { $0 == UInt8(ascii: "\n") }
                try output.write(bytes)
                Progress.tell("\(points.endIndex) of \(wanted.count) points, \(count) samples")
            }
        }
        try output.finish()
        Progress.end()
    }

    private func chosen(_ known: [String]) throws -> [String] {
        guard !self.points.isEmpty else { return known }
        return try self.points.flatMap { name in
            let found = known.filter { $0 == name || $0.hasPrefix(name + "/") }
            if found.isEmpty { throw OperatorError("there is no point or device '\(name)' with a history") }
            return found
        }
    }
}

/// The command `campusctl import`.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Store samples from a CSV file: columns point, at, value, quality.",
        discussion: """
            What is there already is counted and changes nothing, so a file may be imported again. Samples that are
            older than the ring can put in order are refused with their line.
            """
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "The file.")
    var file: String

    @Flag(help: "Check everything, store nothing.")
    var dryRun = false

    /// Below the gateway's limit for a request.
    private static let requestBytes = 512 << 10

    private struct Answer: Codable {
        struct Problem: Codable {
            var line: Int
            var message: String
        }
        var stored = 0
        var duplicates = 0
        var refused = 0
        var problems: [Problem] = []
    }

    func run() async throws {
        let client = try self.gateway.client()
        let lines = try TextFile.read(self.file).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let header = lines.first, !header.isEmpty else { throw OperatorError("\(self.file) is empty") }
        var sum = Answer()
        var next = 1
        while next < lines.count {
            let first = next
            var body = "\(header)\n"
            repeat {
                body += "\(lines[next])\n"
                next += 1
            } while next < lines.count && body.utf8.count + lines[next].utf8.count < Self.requestBytes
            let data = try await client.call(
                "import",
                query: [("line", "\(first + 1)"), ("dryRun", self.dryRun ? "true" : nil)],
                method: "POST",
                body: Data(body.utf8)
            )
            let answer = try JSONDecoder().decode(Answer.self, from: data)
            sum.stored += answer.stored
            sum.duplicates += answer.duplicates
            sum.refused += answer.refused
            sum.problems += answer.problems
            Progress.tell("\(min(next, lines.count)) of \(lines.count) lines")
        }
        Progress.end()
        if self.gateway.json {
            print(String(decoding: try JSONEncoder().encode(sum), as: UTF8.self))
        } else {
            for problem in sum.problems { print("\(self.file):\(problem.line): \(problem.message)") }
            print(
                "\(sum.stored) \(self.dryRun ? "would be stored" : "stored"), \(sum.duplicates) there already, "
                    + "\(sum.refused) refused"
            )
        }
        if sum.refused > 0 { throw ExitCode(1) }
    }
}

/// A file that is there when it is whole, or standard output.
struct OutputFile {
    private let path: String?
    private let handle: FileHandle

    init(_ path: String) throws {
        guard path != "-" else {
            self.path = nil
            self.handle = .standardOutput
            return
        }
        self.path = path
        guard FileManager.default.createFile(atPath: path + ".part", contents: nil),
            let handle = FileHandle(forWritingAtPath: path + ".part")
        else { throw OperatorError("\(path).part cannot be written; may this user write there?") }
        self.handle = handle
    }

    func write(_ data: Data) throws { try self.handle.write(contentsOf: data) }

    func finish() throws {
        guard let path else { return }
        try self.handle.close()
        guard rename(path + ".part", path) == 0 else { throw OperatorError("\(path) cannot be written") }
    }
}

/// One line on standard error that changes, where somebody looks at it.
enum Progress {
    static func tell(_ text: String) {
        guard isatty(2) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    static func end() { if isatty(2) == 1 { FileHandle.standardError.write(Data("\n".utf8)) } }
}
