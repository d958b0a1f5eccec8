internal import CampusModel

/// The places of everything in the ring's files; `docs/formats/ring.md` has the pictures.
struct RingLayout: Sendable, Hashable {
    static let magic: UInt64 = 0x3230_474E_5249_5543  // "CUIRNG02"
    static let pageBytes = 4_096
    static let headerBytes = 128
    static let sampleBytes = 16
    static let blockSamples = 16
    static let blockBytes = 256
    static let rollupBytes = 48
    static let nameBytes = 192
    /// Series whose blocks of one number lie side by side in the cold file, as their hot blocks do, so that a device
    /// that
    /// fills them at the same moment has them written in one go.
    static let groupSeries = 16

    let seriesMax: Int
    /// Blocks of 16 samples kept a series, besides the block being filled.
    let blocksPerSeries: Int
    let minutesPerSeries: Int

    init(_ configuration: TimeSeriesRing.Configuration) throws(RingError) {
        guard (1...1_000_000).contains(configuration.seriesMax),
            (Self.blockSamples...(1 << 24)).contains(configuration.samplesPerSeries),
            (2...(1 << 22)).contains(configuration.minuteRollupsPerSeries)
        else {
            throw RingError(
                .configuration,
                "the ring takes 1 to 1000000 series, 16 to 16777216 samples and 2 to 4194304 minutes"
            )
        }
        self.seriesMax = configuration.seriesMax
        self.blocksPerSeries = (configuration.samplesPerSeries + Self.blockSamples - 1) / Self.blockSamples
        self.minutesPerSeries = configuration.minuteRollupsPerSeries
    }

    /// One page of geometry, then the headers, then the hot blocks.
    var hotBytes: Int { Self.pageBytes + self.seriesMax * (Self.headerBytes + Self.blockBytes) }
    /// One block a series is always free to be written, so that a kill never leaves a block half old and half new.
    var coldBytes: Int {
        let groups = (self.seriesMax + Self.groupSeries - 1) / Self.groupSeries
        return groups * Self.groupSeries * (self.blocksPerSeries + 1) * Self.blockBytes
    }
    var minuteBytes: Int { self.seriesMax * self.minutesPerSeries * Self.rollupBytes }
    var nameFileBytes: Int { self.seriesMax * Self.nameBytes }

    func header(_ series: Int) -> Int { Self.pageBytes + series * Self.headerBytes }

    func hotBlock(_ series: Int) -> Int {
        Self.pageBytes + self.seriesMax * Self.headerBytes + series * Self.blockBytes
    }

    func coldBlock(_ series: Int, _ number: UInt64) -> Int {
        let group = series / Self.groupSeries
        let row = group * (self.blocksPerSeries + 1) + Int(number % UInt64(self.blocksPerSeries + 1))
        return (row * Self.groupSeries + series % Self.groupSeries) * Self.blockBytes
    }

    /// Which neighbours a series belongs to.
    func group(_ series: SeriesIndex) -> Int { Int(series.rawValue) / Self.groupSeries }

    func minute(_ series: Int, _ number: UInt64) -> Int {
        (series * self.minutesPerSeries + Int(number % UInt64(self.minutesPerSeries))) * Self.rollupBytes
    }
}

/// A sample as it is stored: tick × 256 + quality, and the value's bits.
struct StoredSample {
    var word: Int64
    var value: Double

    init(_ sample: Sample) {
        self.word = sample.tick.rawValue << 8 | Int64(sample.quality.rawValue)
        self.value = sample.value
    }

    var tick: Int64 { self.word >> 8 }

    var sample: Sample {
        Sample(
            tick: Tick(rawValue: self.tick),
            value: self.value,
            quality: Quality(rawValue: UInt8(truncatingIfNeeded: self.word))
        )
    }
}

/// A 1-minute roll-up as it is stored.
struct StoredRollup {
    var start: Int64
    var minimum: Double
    var maximum: Double
    var sum: Double
    var count: UInt32
    var badCount: UInt32
    var reserved: UInt64

    init(start: Int64) {
        self.start = start
        self.minimum = 0
        self.maximum = 0
        self.sum = 0
        self.count = 0
        self.badCount = 0
        self.reserved = 0
    }

    mutating func add(_ sample: Sample) {
        guard sample.quality.level != .bad else {
            if self.badCount < .max { self.badCount += 1 }
            return
        }
        self.minimum = self.count == 0 ? sample.value : min(self.minimum, sample.value)
        self.maximum = self.count == 0 ? sample.value : max(self.maximum, sample.value)
        self.sum += sample.value
        if self.count < .max { self.count += 1 }
    }

    var rollup: Rollup {
        Rollup(
            start: Tick(rawValue: self.start),
            minimum: self.minimum,
            maximum: self.maximum,
            sum: self.sum,
            count: self.count,
            badCount: self.badCount
        )
    }
}

/// The head of one series in the hot file: 96 bytes of a place of 128.
struct SeriesHeader {
    /// Samples ever stored; the newest 16-sample block is hot, those before it are cold.
    var stored: UInt64
    var lastTick: Int64
    /// Minutes ever closed.
    var minutes: UInt64
    var running: StoredRollup
    var hasRunning: UInt64
    var isUsed: UInt64
    /// Samples whose blocks are in the cold file; behind ``stored`` by one block for the moment between the two.
    var flushed: UInt64

    static let empty = SeriesHeader(
        stored: 0,
        lastTick: 0,
        minutes: 0,
        running: StoredRollup(start: 0),
        hasRunning: 0,
        isUsed: 0,
        flushed: 0
    )

    /// Whether the numbers can be true; a header that fails this is set aside.
    func isSane(_ layout: RingLayout) -> Bool {
        self.stored < 1 << 56 && self.minutes < 1 << 56 && self.hasRunning <= 1 && self.isUsed == 1
            && (self.stored == 0 || Tick.storable.contains(Tick(rawValue: self.lastTick)))
    }
}
