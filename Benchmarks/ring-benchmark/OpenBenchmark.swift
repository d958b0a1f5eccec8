import CampusModel
import Glibc
import TimeSeriesRing

/// Fills a ring of some gigabytes and times how long it takes until it answers.
struct OpenBenchmark {
    let folder: String
    let gigabytes: Int
    let memory = MemoryFolder()

    func run() throws {
        var configuration = TimeSeriesRing.Configuration(
            directory: self.folder,
            memoryDirectory: self.memory.path,
            seriesMax: 1_024
        )
        configuration.rawBytes = self.gigabytes << 30
        // Numbers that do not pack, so that it is full soon; a tenth of it is enough segments to be a year's.
        do {
            let ring = try TimeSeriesRing(configuration: configuration)
            let series = try (0..<100).map { try ring.series(named: "s\($0)") }
            var state: UInt64 = 88_172_645_463_325_252
            var tick: Int64 = 1_790_000_000_000
            var batch = series.map { SeriesSample(series: $0, sample: Sample(tick: Tick(rawValue: 0), value: 0)) }
            while ring.tierBytes.raw < configuration.rawBytes - (16 << 20) {
                for _ in 0..<1_000 {
                    tick += 1_000
                    for index in batch.indices {
                        state ^= state << 13
                        state ^= state >> 7
                        state ^= state << 17
                        batch[index].sample = Sample(
                            tick: Tick(milliseconds: tick),
                            value: Double(bitPattern: state & 0x7FEF_FFFF_FFFF_FFFF)
                        )
                    }
                    batch.withUnsafeBufferPointer { _ = ring.append(contentsOf: $0) }
                }
                try ring.maintain()
            }
            try ring.seal()
        }
        self.memory.forget()
        let times = try (0..<5)
            .map { _ in
                try median(of: 1) {
                    let ring = try TimeSeriesRing(configuration: configuration)
                    let series = try ring.series(named: "s42")
                    precondition(ring.latest(series) != nil, "the newest sample is there")
                    self.memory.forget()
                }
            }
        report("open_ms", times.sorted()[2] / 1_000_000, "ms to the first answer, \(self.gigabytes) GiB of segments")
    }
}
