/// Where everything is on the card; `docs/formats/ring.md` has the picture.
struct RingGeometry: Sendable, Hashable {
    static let pageBytes = 4_096
    static let recordBytes = 192

    var unitBytes: Int
    var seriesMax: Int
    var journalBytes: Int
    var rawBytes: Int
    var minuteBytes: Int
    var quarterBytes: Int

    init(_ configuration: TimeSeriesRing.Configuration) throws(RingError) {
        func pages(_ bytes: Int, least: Int) -> Int { (max(bytes, least) + 65_535) / 65_536 * 65_536 }
        guard (1...1_000_000).contains(configuration.seriesMax), [4_096, 16_384].contains(configuration.unitBytes),
            configuration.journalBytes >= 64 * configuration.unitBytes,
            [configuration.rawBytes, configuration.minuteBytes, configuration.quarterBytes]
                .allSatisfy({ (65_536...(1 << 42)).contains($0) })
        else {
            throw RingError(
                .configuration,
                "the ring takes 1 to 1000000 series, units of 4096 or 16384 bytes, a journal of at least 64 units and "
                    + "at least 64 KiB a tier"
            )
        }
        self.unitBytes = configuration.unitBytes
        self.seriesMax = configuration.seriesMax
        self.journalBytes = pages(configuration.journalBytes, least: 64 * configuration.unitBytes)
        self.rawBytes = pages(configuration.rawBytes, least: 65_536)
        self.minuteBytes = pages(configuration.minuteBytes, least: 65_536)
        self.quarterBytes = pages(configuration.quarterBytes, least: 65_536)
    }

    /// The numbers as they stand in a superblock.
    init(words: [UInt64]) {
        let numbers = words.map { Int(truncatingIfNeeded: min($0, 1 << 44)) }
        self.unitBytes = numbers[0]
        self.seriesMax = numbers[1]
        self.journalBytes = numbers[2]
        self.rawBytes = numbers[3]
        self.minuteBytes = numbers[4]
        self.quarterBytes = numbers[5]
    }

    var words: [UInt64] {
        [self.unitBytes, self.seriesMax, self.journalBytes, self.rawBytes, self.minuteBytes, self.quarterBytes]
            .map { UInt64($0) }
    }

    /// Whether the numbers can be a ring's.
    var isSane: Bool {
        [4_096, 16_384].contains(self.unitBytes) && (1...1_000_000).contains(self.seriesMax)
            && [self.journalBytes, self.rawBytes, self.minuteBytes, self.quarterBytes]
                .allSatisfy { (65_536...(1 << 42)).contains($0) && $0 % 65_536 == 0 }
    }

    /// Segments that a tier may have; a superblock must have room for all of them.
    func segmentsMax(_ tier: Tier) -> Int { min(max(self.bytes(tier) / 262_144, 512), 32_768) }

    /// One of the two superblocks.
    var superblockBytes: Int {
        let bytes = Superblock.headBytes + Tier.allCases.reduce(0) { $0 + 16 + self.segmentsMax($1) * 16 }
        return (bytes + 16_383) / 16_384 * 16_384
    }

    /// One of the two copies of the series' names.
    var catalogueBytes: Int { (self.seriesMax * Self.recordBytes + 16_383) / 16_384 * 16_384 }

    var catalogue: Int { 2 * self.superblockBytes }
    var journal: Int { self.catalogue + 2 * self.catalogueBytes }
    var journalUnits: Int { self.journalBytes / self.unitBytes }

    func bytes(_ tier: Tier) -> Int {
        switch tier {
        case .raw: self.rawBytes
        case .minute: self.minuteBytes
        case .quarter: self.quarterBytes
        }
    }

    func offset(_ tier: Tier) -> Int {
        let start = self.journal + self.journalBytes
        return switch tier {
        case .raw: start
        case .minute: start + self.rawBytes
        case .quarter: start + self.rawBytes + self.minuteBytes
        }
    }

    var totalBytes: Int { self.offset(.quarter) + self.quarterBytes }

    /// Superblocks, names and journal are written again and again; only they are written with zeros at first.
    var rewrittenBytes: Int { self.journal + self.journalBytes }
}

/// How finely a segment tells the past.
enum Tier: UInt8, CaseIterable, Sendable {
    case raw = 0
    case minute = 1
    case quarter = 2

    /// Length of a roll-up, milliseconds.
    var stepMilliseconds: Int64 {
        switch self {
        case .raw: 0
        case .minute: 60_000
        case .quarter: 900_000
        }
    }
}
