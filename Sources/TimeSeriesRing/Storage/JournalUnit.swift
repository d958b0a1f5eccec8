internal import CampusModel

/// One unit of the journal: runs of samples that need nothing else to be read.
///
/// ```
/// checksum u32 | bytes used u32 | sequence u64 | base tick i64 | ring u64, then runs:
/// series varint | count × 4 + late × 2 + mixed quality varint | form of values u8 | quality u8 unless mixed
/// for each sample: quality u8 if mixed | change of the tick's step (zig-zag varint) | change of the value (same)
/// ```
/// The first step counts from the unit's base tick, the first value from 0. Unit `n` lies at `n` modulo the number of
/// units; its checksum covers the used bytes and the place.
enum JournalUnit {
    static let headBytes = 32
    /// Most samples of one run; they fit an empty unit whatever they are.
    static let runMax = 128

    /// Adds a run; `false`, and nothing added, when it does not fit.
    static func append(
        _ samples: UnsafePointer<StoredSample>,
        _ count: Int,
        series: UInt32,
        isLate: Bool,
        base: Int64,
        _ scratch: EncodeScratch,
        to writer: inout ByteWriter
    ) -> Bool {
        let start = writer.count
        let quality = samples[0].quality
        var isMixed = false
        for index in 0..<count {
            isMixed = isMixed || samples[index].quality != quality
            scratch.values[index] = samples[index].value
        }
        let form = ValueForm.choose(scratch.values, count, into: scratch.integers)
        writer.varint(UInt64(series))
        writer.varint(UInt64(count) << 2 | (isLate ? 2 : 0) | (isMixed ? 1 : 0))
        writer.put8(form.rawValue)
        if !isMixed { writer.put8(quality) }
        var tick = base
        var step: Int64 = 0
        var value: Int64 = 0
        for index in 0..<count {
            let sample = samples[index]
            if isMixed { writer.put8(sample.quality) }
            writer.signed(sample.tick &- tick &- step)
            // The distance to the base says nothing of the step.
            if index > 0 { step = sample.tick &- tick }
            tick = sample.tick
            writer.signed(scratch.integers[index] &- value)
            value = scratch.integers[index]
        }
        guard writer.isOverfull else { return true }
        writer.rewind(to: start)
        return false
    }

    /// Closes a unit that was filled behind ``headBytes`` for its place on the card.
    static func seal(
        _ unit: UnsafeMutableRawPointer,
        used: Int,
        sequence: UInt64,
        base: Int64,
        at place: Int,
        ring: UInt64
    ) {
        unit.storeBytes(of: UInt32(truncatingIfNeeded: used).littleEndian, toByteOffset: 4, as: UInt32.self)
        unit.storeBytes(of: sequence.littleEndian, toByteOffset: 8, as: UInt64.self)
        unit.storeBytes(of: base.littleEndian, toByteOffset: 16, as: Int64.self)
        unit.storeBytes(of: ring.littleEndian, toByteOffset: 24, as: UInt64.self)
        let sum = Checksum.of(UnsafeRawBufferPointer(start: unit + 4, count: used - 4), at: place, of: ring)
        unit.storeBytes(of: sum.littleEndian, as: UInt32.self)
    }

    /// The sequence of a unit that was written whole at `place` of this ring; `nil` when it was not.
    static func sequence(_ unit: UnsafeRawBufferPointer, at place: Int, ring: UInt64) -> UInt64? {
        guard let base = unit.baseAddress, unit.count >= self.headBytes else { return nil }
        let used = Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard (self.headBytes...unit.count).contains(used),
            UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 24, as: UInt64.self)) == ring,
            UInt32(littleEndian: base.loadUnaligned(as: UInt32.self))
                == Checksum.of(UnsafeRawBufferPointer(start: base + 4, count: used - 4), at: place, of: ring)
        else { return nil }
        return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Hands the runs of a unit over; `false` when something in it cannot be a run.
    static func forEachRun(
        _ unit: UnsafeRawBufferPointer,
        _ scratch: DecodeScratch,
        _ body: (_ series: UInt32, _ isLate: Bool, _ samples: [StoredSample]) -> Void
    ) -> Bool {
        guard let bytes = unit.baseAddress, unit.count >= self.headBytes else { return false }
        let used = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard used <= unit.count else { return false }
        let base = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self))
        var reader = ByteReader(bytes, count: used)
        _ = reader.take(self.headBytes)
        while reader.offset < used {
            let series = reader.varint()
            let head = reader.varint()
            let form = ValueForm(rawValue: reader.get8())
            guard let series = UInt32(exactly: series), form.isKnown, !reader.isBroken,
                (1...UInt64(self.runMax)).contains(head >> 2)
            else { return false }
            let samples = self.run(&reader, Int(head >> 2), form, isMixed: head & 1 == 1, base, scratch)
            guard !reader.isBroken else { return false }
            body(series, head & 2 != 0, samples)
        }
        return true
    }

    private static func run(
        _ reader: inout ByteReader,
        _ count: Int,
        _ form: ValueForm,
        isMixed: Bool,
        _ base: Int64,
        _ scratch: DecodeScratch
    ) -> [StoredSample] {
        var quality = isMixed ? 0 : reader.get8()
        var samples: [StoredSample] = []
        samples.reserveCapacity(count)
        var tick = base
        var step: Int64 = 0
        var value: Int64 = 0
        for index in 0..<count {
            if isMixed { quality = reader.get8() }
            let next = tick &+ step &+ reader.signed()
            if index > 0 { step = next &- tick }
            tick = next
            value = value &+ reader.signed()
            scratch.integers[index] = value
            samples.append(StoredSample(tick: tick, value: 0, quality: quality))
        }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { values in
            guard let values = values.baseAddress else { return }
            form.compute(scratch.integers, count, into: values)
            for index in 0..<count { samples[index].value = values[index] }
        }
        return samples
    }
}
