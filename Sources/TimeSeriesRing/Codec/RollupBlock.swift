/// Roll-ups of one series and one step, oldest first, as a sequence of bytes that needs nothing but the first start.
///
/// ```
/// count varint | form of minimum and maximum u8 | form of sums u8
/// IntegerLanes: starts minus the first, counts, bad counts, minima, maxima minus minima,
///               sums minus minimum × count (decimals) or their bits
/// ```
enum RollupBlock {
    static let rollupsMax = DecodeScratch.blockMax / 2

    static func bytesMax(_ count: Int) -> Int { count * 64 + count / 8 + 256 }

    @discardableResult
    static func encode(
        _ rollups: UnsafePointer<StoredRollup>,
        _ count: Int,
        _ effort: IntegerLane.Effort,
        _ scratch: EncodeScratch,
        into writer: inout ByteWriter
    ) -> Int64 {
        precondition(count >= 1 && count <= scratch.capacity, "a block has 1 to \(scratch.capacity) roll-ups")
        let first = rollups[0].start
        for index in 0..<count {
            scratch.values[index] = rollups[index].minimum
            scratch.values[count + index] = rollups[index].maximum
        }
        let form = ValueForm.choose(scratch.values, 2 * count, into: scratch.integers)
        let minima = scratch.integers
        let maxima = scratch.integers + count
        let sums = scratch.moreIntegers
        let sumForm = self.sums(rollups, count, form, minima, into: sums)
        for index in 0..<count { maxima[index] = maxima[index] &- minima[index] }
        writer.varint(UInt64(count))
        writer.put8(form.rawValue)
        writer.put8(sumForm.rawValue)
        func lane(_ numbers: UnsafePointer<Int64>, step: Int64 = 0) {
            IntegerLane.encode(numbers, count, step: step, effort, scratch: scratch.numbers, into: &writer)
        }
        // The minima are needed to the end; the lanes of times and counts borrow the values' room.
        let borrowed = UnsafeMutableRawPointer(scratch.values).bindMemory(to: Int64.self, capacity: count)
        for index in 0..<count { borrowed[index] = rollups[index].start &- first }
        lane(borrowed, step: IntegerLane.commonStep(borrowed, count))
        for index in 0..<count { borrowed[index] = Int64(rollups[index].count) }
        lane(borrowed)
        for index in 0..<count { borrowed[index] = Int64(rollups[index].badCount) }
        lane(borrowed)
        _ = UnsafeMutableRawPointer(scratch.values).bindMemory(to: Double.self, capacity: 2 * count)
        lane(minima)
        lane(maxima)
        lane(sums)
        return first
    }

    /// The sum of decimals is a decimal; what adding doubles did to it is put right.
    private static func sums(
        _ rollups: UnsafePointer<StoredRollup>,
        _ count: Int,
        _ form: ValueForm,
        _ minima: UnsafePointer<Int64>,
        into sums: UnsafeMutablePointer<Int64>
    ) -> ValueForm {
        if form.isDecimal {
            let power = ValueForm.powers[Int(form.rawValue)]
            var isDecimal = true
            for index in 0..<count where isDecimal {
                let scaled = rollups[index].sum * power
                let rounded = scaled.rounded()
                isDecimal = rounded.magnitude < 2_251_799_813_685_248 && (scaled - rounded).magnitude <= 1e-6
                guard isDecimal else { break }
                sums[index] = Int64(rounded) &- minima[index] &* Int64(rollups[index].count)
            }
            if isDecimal { return form }
        }
        for index in 0..<count { sums[index] = Int64(bitPattern: rollups[index].sum.bitPattern) }
        return .doubleBits
    }

    /// Reads a block; `false` when the bytes are none.
    ///
    /// What was added before that stays.
    static func decode(
        _ bytes: ByteReader,
        first: Int64,
        into rollups: inout [StoredRollup],
        _ scratch: DecodeScratch
    ) -> Bool {
        var reader = bytes
        let count = reader.length(upTo: self.rollupsMax)
        let form = ValueForm(rawValue: reader.get8())
        let sumForm = ValueForm(rawValue: reader.get8())
        guard !reader.isBroken, form.isKnown, sumForm == .doubleBits || (sumForm == form && form.isDecimal) else {
            return false
        }
        let start = rollups.count
        let integers = scratch.integers
        rollups.append(contentsOf: repeatElement(StoredRollup(start: 0), count: count))
        return rollups.withUnsafeMutableBufferPointer { buffer in
            guard let target = buffer.baseAddress.map({ $0 + start }) else { return false }
            func lane() -> Bool { IntegerLane.decode(&reader, count, into: integers, scratch) }
            guard IntegerLane.decode(&reader, count, offset: first, into: integers, scratch) else { return false }
            for index in 0..<count { target[index].start = integers[index] }
            guard lane() else { return false }
            for index in 0..<count { target[index].count = UInt32(truncatingIfNeeded: integers[index]) }
            guard lane() else { return false }
            for index in 0..<count { target[index].badCount = UInt32(truncatingIfNeeded: integers[index]) }
            guard lane() else { return false }
            return self.decodeValues(&reader, count, (form, sumForm), into: target, scratch)
        }
    }

    /// The last three lanes; the minima are in the scratch's integers.
    private static func decodeValues(
        _ reader: inout ByteReader,
        _ count: Int,
        _ forms: (values: ValueForm, sums: ValueForm),
        into target: UnsafeMutablePointer<StoredRollup>,
        _ scratch: DecodeScratch
    ) -> Bool {
        // A block has at most half of what the scratch holds: the upper half serves the second row.
        let minima = scratch.integers
        let others = scratch.integers + self.rollupsMax
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { values in
            guard let values = values.baseAddress else { return false }
            forms.values.compute(minima, count, into: values)
            for index in 0..<count { target[index].minimum = values[index] }
            guard IntegerLane.decode(&reader, count, into: others, scratch) else { return false }
            for index in 0..<count { others[index] = others[index] &+ minima[index] }
            forms.values.compute(others, count, into: values)
            for index in 0..<count { target[index].maximum = values[index] }
            guard IntegerLane.decode(&reader, count, into: others, scratch) else { return false }
            if forms.sums.isDecimal {
                for index in 0..<count {
                    others[index] = others[index] &+ minima[index] &* Int64(target[index].count)
                }
            }
            forms.sums.compute(others, count, into: values)
            for index in 0..<count { target[index].sum = values[index] }
            return !reader.isBroken
        }
    }
}
