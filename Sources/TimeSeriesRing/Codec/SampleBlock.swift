internal import CampusModel

/// Samples of one series, oldest first, as a sequence of bytes that needs nothing but the first tick to be read.
///
/// ```
/// flags u8 (1 late, 2 mixed quality, 4 narrow) | form of values u8 | count varint
/// where narrow: lowest integer (zig-zag varint), highest minus lowest (varint)
/// ticks minus the first, an IntegerLane | values as integers, an IntegerLane
/// quality u8, or where mixed: (run varint, quality u8) until all are covered
/// ```
enum SampleBlock {
    static let samplesMax = DecodeScratch.blockMax
    /// Blocks of fewer samples are quick to read without a table.
    static let narrowMin = 512

    enum Flag {
        static let late: UInt8 = 1
        static let mixedQuality: UInt8 = 2
        /// The integers lie so close together that a table of all their values is worth it.
        static let narrow: UInt8 = 4
        static let all = late | mixedQuality | narrow
    }

    /// Most bytes that `count` samples can take: a tick and a value of 64 bits each and a quality of its own.
    static func bytesMax(_ count: Int) -> Int { count * 22 + count / 64 + 128 }

    /// - Returns: the first tick, which the bytes do not have.
    @discardableResult
    static func encode(
        _ samples: UnsafePointer<StoredSample>,
        _ count: Int,
        isLate: Bool = false,
        _ effort: IntegerLane.Effort,
        _ scratch: EncodeScratch,
        into writer: inout ByteWriter
    ) -> Int64 {
        precondition(count >= 1 && count <= scratch.capacity, "a block has 1 to \(scratch.capacity) samples")
        let first = samples[0].tick
        let quality = samples[0].quality
        var isMixed = false
        var last = 0.0
        for index in 0..<count {
            let sample = samples[index]
            scratch.integers[index] = sample.tick &- first
            isMixed = isMixed || sample.quality != quality
            // A bad sample has no value; the one before costs least.
            if sample.quality < StoredSample.badQuality { last = sample.value }
            scratch.values[index] = last
        }
        let form = ValueForm.choose(scratch.values, count, into: scratch.moreIntegers)
        let bounds = count >= self.narrowMin ? form.bounds(scratch.moreIntegers, count) : nil
        writer.put8((isLate ? Flag.late : 0) | (isMixed ? Flag.mixedQuality : 0) | (bounds != nil ? Flag.narrow : 0))
        writer.put8(form.rawValue)
        writer.varint(UInt64(count))
        if let bounds {
            writer.signed(bounds.lowest)
            writer.varint(bounds.range)
        }
        let step = IntegerLane.commonStep(scratch.integers, count)
        IntegerLane.encode(
            scratch.integers,
            count,
            step: step,
            effort,
            scratch: scratch.numbers,
            into: &writer
        )
        IntegerLane.encode(
            scratch.moreIntegers,
            count,
            step: 0,
            effort,
            scratch: scratch.numbers,
            into: &writer
        )
        guard isMixed else {
            writer.put8(quality)
            return first
        }
        var index = 0
        while index < count {
            let quality = samples[index].quality
            let start = index
            while index < count, samples[index].quality == quality { index += 1 }
            writer.varint(UInt64(index - start))
            writer.put8(quality)
        }
        return first
    }

    /// How many samples a block has, read without decoding it; `nil` when it is none.
    static func count(_ reader: ByteReader) -> Int? {
        var reader = reader
        _ = reader.get8()
        _ = reader.get8()
        let count = reader.length(upTo: self.samplesMax)
        return reader.isBroken ? nil : count
    }

    /// Reads a block into `columns`, behind what is there; `false`, and nothing added, when the bytes are no block.
    static func decode(
        _ bytes: ByteReader,
        first: Int64,
        into columns: SampleColumns,
        _ scratch: DecodeScratch
    ) -> Bool {
        var reader = bytes
        let flags = reader.get8()
        let form = ValueForm(rawValue: reader.get8())
        let count = reader.length(upTo: self.samplesMax)
        guard !reader.isBroken, form.isKnown, flags & ~Flag.all == 0 else { return false }
        columns.makeRoom(for: count)
        let ticks = columns.ticks + columns.count
        let values = columns.values + columns.count
        var table: ValueTable?
        if flags & Flag.narrow != 0 {
            let lowest = reader.signed()
            let range = reader.varint()
            guard !reader.isBroken, let made = form.table(lowest, range, scratch.values) else { return false }
            table = made
        }
        guard IntegerLane.decode(&reader, count, offset: first, into: ticks, scratch) else { return false }
        if let table {
            guard IntegerLane.decode(&reader, count, through: table, into: values, scratch) else { return false }
        } else {
            guard IntegerLane.decode(&reader, count, into: scratch.integers, scratch) else { return false }
            form.compute(scratch.integers, count, into: values)
        }
        let qualities = columns.qualities + columns.count
        if flags & Flag.mixedQuality == 0 {
            let quality = reader.get8()
            qualities.initialize(repeating: quality, count: count)
            if quality >= StoredSample.badQuality { values.initialize(repeating: 0, count: count) }
        } else {
            var index = 0
            while index < count {
                let run = reader.length(upTo: count - index)
                let quality = reader.get8()
                guard !reader.isBroken else { return false }
                (qualities + index).initialize(repeating: quality, count: run)
                if quality >= StoredSample.badQuality { (values + index).initialize(repeating: 0, count: run) }
                index += run
            }
        }
        guard !reader.isBroken else { return false }
        columns.count += count
        return true
    }
}
