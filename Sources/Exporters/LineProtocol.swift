internal import CampusModel

/// InfluxDB's line protocol, which VictoriaMetrics, InfluxDB 1 and 2, and QuestDB read.
///
/// One line a sample: `measurement,tag=value field=value time`.
package struct LineProtocol: Sendable, Hashable {
    /// How the quality is told.
    package enum QualityForm: String, Sendable, CaseIterable {
        /// A text field `quality="good"`.
        case field
        /// A tag: one series for each quality.
        case tag
        /// A whole-number field, the stored byte: 0 good, 64–127 uncertain, 128–191 bad.
        case code
        /// Not at all.
        case none
    }

    /// The resolution of times; ticks are milliseconds, so both say the same.
    package enum Precision: String, Sendable, CaseIterable {
        case milliseconds = "ms"
        case nanoseconds = "ns"
    }

    package var measurement = "campus"
    package var quality = QualityForm.field
    package var precision = Precision.milliseconds

    package init() {}

    /// Appends the lines of a run.
    ///
    /// A sample of quality bad has no value: it is a line with its quality alone, or, where the quality is no field,
    /// left out.
    package func append(_ run: SeriesRun, to body: inout [UInt8]) {
        var prefix = Self.escaped(self.measurement, ", ")
        let identity = run.identity
        let tags = [
            ("device", identity.device), ("point", identity.point), ("room", identity.room), ("site", identity.site),
            ("unit", identity.unit),
        ]
        for (name, value) in tags where !value.isEmpty {
            prefix += Array(",\(name)=".utf8) + Self.escaped(value, ",= ")
        }
        for sample in run.samples { self.append(sample, prefix, to: &body) }
    }

    private func append(_ sample: Sample, _ prefix: [UInt8], to body: inout [UInt8]) {
        let hasValue = sample.quality.level != .bad && sample.value.isFinite
        guard hasValue || self.quality == .field || self.quality == .code else { return }
        body += prefix
        if self.quality == .tag { body += ",quality=\(sample.quality)".utf8 }
        body.append(UInt8(ascii: " "))
        // The shortest text that reads back as the same number.
        if hasValue { body += "value=\(sample.value)".utf8 }
        if hasValue, self.quality == .field || self.quality == .code { body.append(UInt8(ascii: ",")) }
        switch self.quality {
        case .field: body += "quality=\"\(sample.quality)\"".utf8
        case .code: body += "quality=\(sample.quality.rawValue)i".utf8
        case .tag, .none: break
        }
        body += " \(sample.tick.rawValue)".utf8
        if self.precision == .nanoseconds { body += "000000".utf8 }
        body.append(UInt8(ascii: "\n"))
    }

    /// A name with `special` characters escaped.
    ///
    /// Line breaks cannot be escaped and become blanks; a backslash at the end would escape what follows, so it gets
    /// company.
    static func escaped(_ text: String, _ special: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isBreak = byte == 0x0A || byte == 0x0D
            let plain = isBreak ? UInt8(ascii: " ") : byte
            if special.utf8.contains(plain) { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(plain)
        }
        if bytes.last == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
        return bytes
    }
}

/// Sends line protocol, one body a request.
package struct LineProtocolSink: ExportSink {
    private let format: LineProtocol
    private let writer: any LineSink

    package init(format: LineProtocol, writer: any LineSink) {
        self.format = format
        self.writer = writer
    }

    package func run() async {
        // Connections are the writer's; there is nothing to keep until the end comes.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        await self.writer.close()
    }

    package func send(_ runs: [SeriesRun]) async throws -> SinkReceipt {
        var body: [UInt8] = []
        for run in runs { self.format.append(run, to: &body) }
        // Bad samples alone, in a form that has no line for them.
        guard !body.isEmpty else { return SinkReceipt(bytes: 0) }
        try await self.writer.write(body)
        return SinkReceipt(bytes: body.count)
    }
}
