/// Reads bytes as each of the ring's packed forms, whatever they are: the door that the fuzzer comes in by.
package final class BlockProbe {
    private let scratch = DecodeScratch()
    private let columns = SampleColumns()
    private let buffer = ByteBuffer(capacity: 65_536)

    package init() {}

    /// Tries the bytes as a block of samples, a block of roll-ups and the runs of a journal unit.
    ///
    /// - Returns: how many samples and roll-ups came out, all three together.
    package func read(_ bytes: UnsafeRawBufferPointer) -> Int {
        self.buffer.count = 0
        self.buffer.append(bytes)
        self.columns.count = 0
        let reader = ByteReader(self.buffer.base, count: self.buffer.count)
        var count = 0
        if SampleBlock.decode(reader, first: 1_790_000_000_000, into: self.columns, self.scratch) {
            count += self.columns.count
        }
        var rollups: [StoredRollup] = []
        if RollupBlock.decode(reader, first: 0, into: &rollups, self.scratch) { count += rollups.count }
        guard bytes.count >= JournalUnit.headBytes else { return count }
        // The head's length is what the unit says of itself; the checksum before it is not asked here.
        _ = JournalUnit.forEachRun(self.buffer.bytes, self.scratch) { _, _, samples in count += samples.count }
        return count
    }
}
