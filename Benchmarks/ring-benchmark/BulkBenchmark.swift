import CampusModel
import Glibc
import TimeSeriesRing

/// Appends a data set, seals it and reads it in every way.
struct BulkBenchmark {
    let data: DataSet
    let folder: String
    let memory = MemoryFolder()

    private var configuration: TimeSeriesRing.Configuration {
        var configuration = TimeSeriesRing.Configuration(
            directory: self.folder,
            memoryDirectory: self.memory.path,
            seriesMax: 1_024
        )
        configuration.rawBytes = 512 << 20
        return configuration
    }

    private var range: Range<Tick> {
        let first = Tick(milliseconds: self.data.firstTick)
        return first..<first.advanced(byMilliseconds: Int64(self.data.seconds) * 1_000)
    }

    func run() throws {
        let before = residentMebibytes("VmRSS")
        do {
            let ring = try TimeSeriesRing(configuration: self.configuration)
            let series = try self.data.names.map { try ring.series(named: $0) }
            let written = try self.fill(ring, series)
            report("rss_running_mib", residentMebibytes("VmRSS") - before, "MiB above the process without the ring")
            report("bytes_per_sample", written, "bytes a sample: blocks, index and headers of the raw tier")
            self.read(ring, series)
        }
        try self.appendAlone()
        try self.reopen()
    }

    /// All samples in time order, committed and sealed as the keeper would.
    private func fill(_ ring: TimeSeriesRing, _ series: [SeriesIndex]) throws -> Double {
        var batch = series.map { SeriesSample(series: $0, sample: Sample(tick: Tick(rawValue: 0), value: 0)) }
        let start = processorNanoseconds()
        for second in 0..<self.data.seconds {
            let tick = Tick(milliseconds: self.data.firstTick + Int64(second) * 1_000)
            for index in batch.indices {
                batch[index].sample.tick = tick
                batch[index].sample.value = self.data.values[index][second]
            }
            batch.withUnsafeBufferPointer { _ = ring.append(contentsOf: $0) }
            if second % 5 == 4 { try ring.maintain() }
        }
        try ring.seal()
        let count = Double(self.data.seconds * series.count)
        report(
            "ingest_all_ns",
            Double(processorNanoseconds() - start) / count,
            "ns of processor, commits and seals in it"
        )
        let sizes = ring.tierBytes
        report("bytes_per_sample_all_tiers", Double(sizes.raw + sizes.minute + sizes.quarter) / count, "bytes a sample")
        return Double(sizes.raw) / count
    }

    private func read(_ ring: TimeSeriesRing, _ series: [SeriesIndex]) {
        let ticks = UnsafeMutableBufferPointer<Int64>.allocate(capacity: self.data.seconds)
        let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: self.data.seconds)
        let qualities = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: self.data.seconds)
        defer {
            ticks.deallocate()
            values.deallocate()
            qualities.deallocate()
        }
        var raw: [Double] = []
        for (index, one) in series.enumerated() {
            raw.append(
                median(of: 7) {
                    let count = ring.read(one, in: self.range, ticks: ticks, values: values, qualities: qualities)
                    precondition(count == self.data.seconds, "every sample comes back")
                }
            )
            let column = self.data.values[index]
            for second in 0..<self.data.seconds {
                precondition(
                    values[second] == column[second],
                    "\(self.data.names[index]) at \(second) is not what it was"
                )
            }
        }
        raw.sort()
        report("raw_24h_us_median", raw[raw.count / 2] / 1_000, "µs, median of all series, into the caller's buffers")
        report("raw_24h_us_worst", raw[raw.count - 1] / 1_000, "µs, slowest series")
        self.readMinutes(ring, series)
    }

    private func readMinutes(_ ring: TimeSeriesRing, _ series: [SeriesIndex]) {
        let minutes = self.data.seconds / 60
        var tier: [Double] = []
        var fromRaw: [Double] = []
        for one in series {
            tier.append(
                median(of: 7) {
                    let rows = ring.aggregate(one, in: self.range, stepMilliseconds: 60_000, limit: .max)
                    precondition(rows.count >= minutes, "every minute comes back")
                }
            )
            fromRaw.append(
                median(of: 5) {
                    let rows = ring.aggregateSamples(one, in: self.range, stepMilliseconds: 60_000, limit: .max)
                    precondition(rows.count >= minutes, "every minute comes back")
                }
            )
        }
        report(
            "minute_24h_tier_us",
            tier.sorted()[tier.count / 2] / 1_000,
            "µs, from the minute tier into an array, median of all series"
        )
        report(
            "minute_24h_raw_us",
            fromRaw.sorted()[tier.count / 2] / 1_000,
            "µs, from the samples, median of all series"
        )
        let dashboard = median(of: 7) {
            var rows = 0
            var highest = -Double.infinity
            for one in series {
                ring.forEachRollup(one, in: self.range, stepMilliseconds: 60_000) { found in
                    rows += found.count
                    for row in found { highest = max(highest, row.maximum) }
                    return true
                }
            }
            precondition(rows >= series.count * minutes && highest.isFinite, "every minute of every series comes back")
        }
        report("dashboard_100x24h_ms", dashboard / 1_000_000, "ms, all series, 24 h in minutes, each maximum looked at")
        var sum = 0.0
        let rounds = 1_000_000
        let latest = median(of: 7) {
            var next = 0
            for _ in 0..<rounds {
                sum += ring.latest(series[next])?.value ?? 0
                next = next + 1 < series.count ? next + 1 : 0
            }
        }
        precondition(sum.isFinite, "there are values")
        report("latest_ns", latest / Double(rounds), "ns")
    }

    /// 1,000 series at one second each, one thread; commits and seals beside it, their processor time in the figure.
    private func appendAlone() throws {
        let folder = "\(self.folder)/append"
        var configuration = self.configuration
        configuration.directory = folder
        self.memory.forget()
        let ring = try TimeSeriesRing(configuration: configuration)
        let count = 1_000
        let series = try (0..<count).map { try ring.series(named: "s\($0)") }
        var batch = series.map { SeriesSample(series: $0, sample: Sample(tick: Tick(rawValue: 0), value: 0)) }
        let seconds = 2_000
        var appending: UInt64 = 0
        var keeping: UInt64 = 0
        var slowest: [UInt64] = []
        for second in 0..<seconds {
            for index in 0..<count {
                batch[index].sample.tick = Tick(milliseconds: self.data.firstTick + Int64(second) * 1_000)
                batch[index].sample.value = self.data.values[index % self.data.values.count][second % self.data.seconds]
            }
            let start = nanoseconds()
            batch.withUnsafeBufferPointer { _ = ring.append(contentsOf: $0) }
            appending += nanoseconds() - start
            if second % 5 == 4 {
                let start = processorNanoseconds()
                try ring.maintain()
                keeping += processorNanoseconds() - start
            }
        }
        let samples = Double(seconds * count)
        report("append_ns", Double(appending) / samples, "ns a sample: window, roll-ups, packing into the arena")
        report(
            "append_with_keeper_ns",
            Double(appending + keeping) / samples,
            "the same, and the journal's and seals' processor time"
        )
        slowest = self.appendWhileCommitting(ring, series, from: seconds)
        slowest.sort()
        report(
            "append_p999_us",
            Double(slowest[slowest.count * 999 / 1_000]) / 1_000,
            "µs a call while commits and seals run"
        )
        report("append_max_us", Double(slowest[slowest.count - 1]) / 1_000, "µs a call while commits and seals run")
    }

    /// Times single appends while another thread commits without a pause and seals now and then.
    private func appendWhileCommitting(_ ring: TimeSeriesRing, _ series: [SeriesIndex], from second: Int) -> [UInt64] {
        let keeper = KeeperThread(ring)
        var times: [UInt64] = []
        times.reserveCapacity(1_000_000)
        for round in 0..<1_000 {
            let tick = Tick(milliseconds: self.data.firstTick + Int64(second + round) * 1_000)
            for (index, one) in series.enumerated() {
                let value = self.data.values[index % self.data.values.count][round]
                let sample = SeriesSample(series: one, sample: Sample(tick: tick, value: value))
                let start = nanoseconds()
                withUnsafePointer(to: sample) { _ = ring.append(contentsOf: UnsafeBufferPointer(start: $0, count: 1)) }
                times.append(nanoseconds() - start)
            }
        }
        keeper.stop()
        return times
    }

    private func reopen() throws {
        let start = nanoseconds()
        let before = residentMebibytes("VmRSS")
        // Without the memory of this process, as after a power cut.
        self.memory.forget()
        let ring = try TimeSeriesRing(configuration: self.configuration)
        let series = try ring.series(named: self.data.names[0])
        precondition(ring.latest(series) != nil, "the newest sample is there")
        report("reopen_ms", Double(nanoseconds() - start) / 1_000_000, "ms to the first answer")
        report("rss_recovering_mib", residentMebibytes("VmRSS") - before, "MiB above the process before it was opened")
    }
}
