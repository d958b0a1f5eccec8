import CampusModel
import Glibc
import TimeSeriesRing

/// A school's pace: each series once a second, a commit every few; for counting what reaches the card.
struct RealtimeBenchmark {
    let folder: String
    let series: Int
    let seconds: Int
    let commitSeconds: Int
    let memory = MemoryFolder()

    func run() throws {
        var configuration = TimeSeriesRing.Configuration(
            directory: self.folder,
            // In memory, as in service: what is there is no write to the card.
            memoryDirectory: self.memory.path,
            seriesMax: max(self.series, 128)
        )
        configuration.journalBytes = 4 << 20
        configuration.rawBytes = 16 << 20
        configuration.minuteBytes = 8 << 20
        configuration.quarterBytes = 8 << 20
        let ring = try TimeSeriesRing(configuration: configuration)
        let series = try (0..<self.series).map { try ring.series(named: "s\($0)") }
        try ring.commit()
        report("ready", 1, "")
        let start = nanoseconds()
        for second in 1...self.seconds {
            let due = start + UInt64(second) * 1_000_000_000
            let now = nanoseconds()
            if due > now { usleep(UInt32((due - now) / 1_000)) }
            let tick = Tick(milliseconds: 1_790_000_000_000 + Int64(second) * 1_000)
            ring.append(
                series.enumerated()
                    .map { index, one in
                        let value = Double(2_100 + (second * (index % 7 + 1) / 13) % 90) / 100
                        return SeriesSample(series: one, sample: Sample(tick: tick, value: value))
                    }
            )
            if second % self.commitSeconds == 0 { try ring.maintain() }
        }
        try ring.commit()
        report("samples", Double(self.series * self.seconds), "samples")
        report("written_bytes", Double(ring.statistics.bytesWritten), "bytes that the ring wrote")
    }
}
