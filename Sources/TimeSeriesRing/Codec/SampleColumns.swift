internal import CampusModel

/// Decoded samples side by side: ticks, values, qualities.
final class SampleColumns: @unchecked Sendable {
    // @unchecked: belongs to the one query that made it.
    private let isOwner: Bool
    private(set) var ticks: UnsafeMutablePointer<Int64>
    private(set) var values: UnsafeMutablePointer<Double>
    private(set) var qualities: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int = DecodeScratch.blockMax) {
        self.isOwner = true
        self.capacity = capacity
        self.ticks = .allocate(capacity: capacity)
        self.values = .allocate(capacity: capacity)
        self.qualities = .allocate(capacity: capacity)
    }

    /// Columns in somebody else's memory; whoever fills them sees to it that they do not have to grow.
    init(
        ticks: UnsafeMutablePointer<Int64>,
        values: UnsafeMutablePointer<Double>,
        qualities: UnsafeMutablePointer<UInt8>,
        capacity: Int
    ) {
        self.isOwner = false
        self.capacity = capacity
        self.ticks = ticks
        self.values = values
        self.qualities = qualities
    }

    deinit {
        guard self.isOwner else { return }
        self.ticks.deallocate()
        self.values.deallocate()
        self.qualities.deallocate()
    }

    func makeRoom(for more: Int) {
        guard self.count + more > self.capacity else { return }
        precondition(self.isOwner, "somebody else's memory does not grow")
        let capacity = max(self.capacity * 2, self.count + more)
        self.ticks = Self.grown(self.ticks, self.count, capacity)
        self.values = Self.grown(self.values, self.count, capacity)
        self.qualities = Self.grown(self.qualities, self.count, capacity)
        self.capacity = capacity
    }

    private static func grown<T: BitwiseCopyable>(_ old: UnsafeMutablePointer<T>, _ count: Int, _ capacity: Int)
        -> UnsafeMutablePointer<T>
    {
        let new = UnsafeMutablePointer<T>.allocate(capacity: capacity)
        new.update(from: old, count: count)
        old.deallocate()
        return new
    }

    func append(_ sample: StoredSample) {
        self.makeRoom(for: 1)
        self.ticks[self.count] = sample.tick
        self.values[self.count] = sample.value
        self.qualities[self.count] = sample.quality
        self.count += 1
    }

    subscript(_ index: Int) -> Sample {
        Sample(
            tick: Tick(rawValue: self.ticks[index]),
            value: self.values[index],
            quality: Quality(rawValue: self.qualities[index])
        )
    }

    /// Puts rows in order of their ticks; rows of one tick keep their order.
    func sort() {
        var isSorted = true
        for index in 1..<max(self.count, 1) where self.ticks[index] < self.ticks[index - 1] { isSorted = false }
        guard !isSorted else { return }
        let order = (0..<self.count).sorted { (self.ticks[$0], $0) < (self.ticks[$1], $1) }
        let rows = order.map { (self.ticks[$0], self.values[$0], self.qualities[$0]) }
        for (index, row) in rows.enumerated() {
            (self.ticks[index], self.values[index], self.qualities[index]) = row
        }
    }
}
