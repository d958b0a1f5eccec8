extension IntegerLane {
    /// Reads `count` numbers straight into their values; `false` when the bytes cannot be such a lane, or a number is
    /// outside the table.
    static func decode(
        _ reader: inout ByteReader,
        _ count: Int,
        through table: ValueTable,
        into values: UnsafeMutablePointer<Double>,
        _ scratch: DecodeScratch
    ) -> Bool {
        let form = (reader.base + reader.offset).load(as: UInt8.self)
        guard reader.offset < reader.count, form == Form.stepped || form == Form.entropy else {
            guard self.decode(&reader, count, into: scratch.integers, scratch) else { return false }
            for index in 0..<count {
                let place = UInt64(bitPattern: scratch.integers[index] &- table.lowest)
                guard place <= table.range else { return false }
                values[index] = table.values[Int(truncatingIfNeeded: place)]
            }
            return true
        }
        _ = reader.get8()
        let first = reader.signed()
        let step = reader.signed()
        var place = UInt64(bitPattern: first &- table.lowest)
        guard place <= table.range else { return false }
        values[0] = table.values[Int(truncatingIfNeeded: place)]
        if form == Form.entropy, step == 0 {
            guard scratch.sums.decode(&reader, count - 1, scratch.table) else { return false }
            return self.look(scratch.sums, count - 1, place, table, into: values + 1)
        }
        if form == Form.entropy {
            guard EntropyCoder.decode(&reader, count - 1, into: scratch.numbers, table: scratch.table) else {
                return false
            }
            return self.look(scratch.numbers, count - 1, step, &place, table, into: values + 1)
        }
        var start = 1
        while start < count {
            let size = min(PackedBits.groupMax, count &- start)
            let group = PackedBits.decode(&reader, size, into: scratch.numbers)
            guard group.isWell else { return false }
            if group.isZero, step == 0 {
                (values + start).initialize(repeating: values[start &- 1], count: size)
            } else {
                if group.isZero { scratch.numbers.initialize(repeating: 0, count: size) }
                guard self.look(scratch.numbers, size, step, &place, table, into: values + start) else { return false }
            }
            start &+= size
        }
        return !reader.isBroken
    }

    /// Adds differences up and looks each sum up.
    @inline(__always)
    private static func look(
        _ differences: UnsafePointer<UInt64>,
        _ count: Int,
        _ step: Int64,
        _ place: inout UInt64,
        _ table: ValueTable,
        into values: UnsafeMutablePointer<Double>
    ) -> Bool {
        var sum = place
        var isInside = true
        var value = table.values[Int(truncatingIfNeeded: sum)]
        var index = 0
        while index < count {
            // Most sensors tell the same again and again: four at a time where none of them changes.
            if step == 0 {
                while index &+ 4 <= count,
                    differences[index] | differences[index &+ 1] | differences[index &+ 2] | differences[index &+ 3]
                        == 0
                {
                    UnsafeMutableRawPointer(values + index)
                        .storeBytes(of: SIMD4(repeating: value), as: SIMD4<Double>.self)
                    index &+= 4
                }
                guard index < count else { break }
            }
            sum = sum &+ UInt64(bitPattern: step &+ ZigZag.decode(differences[index]))
            // Outside, any value will do: the block is refused at the end.
            let isGood = sum <= table.range
            isInside = isInside && isGood
            value = table.values[isGood ? Int(truncatingIfNeeded: sum) : 0]
            values[index] = value
            index &+= 1
        }
        place = sum
        return isInside
    }

    /// Looks the sums of differences up.
    private static func look(
        _ sums: EntropySums,
        _ count: Int,
        _ first: UInt64,
        _ table: ValueTable,
        into values: UnsafeMutablePointer<Double>
    ) -> Bool {
        var base = Int(truncatingIfNeeded: first)
        var values = values
        for index in 0..<4 {
            let quarter = sums.quarter(index, of: count)
            guard let sums = quarter.baseAddress, let last = quarter.last else { continue }
            guard self.isInside(quarter, base, Int(truncatingIfNeeded: table.range)) else { return false }
            let row = table.values + base
            self.look(sums, quarter.count, row, into: values)
            values += quarter.count
            base += Int(last)
        }
        return true
    }

    @inline(__always)
    private static func look(
        _ sums: UnsafePointer<Int16>,
        _ count: Int,
        _ row: UnsafePointer<Double>,
        into values: UnsafeMutablePointer<Double>
    ) {
        var index = 0
        while index &+ 4 <= count {
            let first = sums[index]
            let value = row[Int(first)]
            // Most sensors tell the same again and again.
            let four = UnsafeRawPointer(sums + index).loadUnaligned(as: UInt64.self)
            if four == UInt64(UInt16(bitPattern: first)) &* 0x0001_0001_0001_0001 {
                let target = UnsafeMutableRawPointer(values + index)
                target.storeBytes(of: SIMD2(repeating: value), as: SIMD2<Double>.self)
                (target + 16).storeBytes(of: SIMD2(repeating: value), as: SIMD2<Double>.self)
            } else {
                values[index] = value
                values[index &+ 1] = row[Int(sums[index &+ 1])]
                values[index &+ 2] = row[Int(sums[index &+ 2])]
                values[index &+ 3] = row[Int(sums[index &+ 3])]
            }
            index &+= 4
        }
        while index < count {
            values[index] = row[Int(sums[index])]
            index &+= 1
        }
    }

    private static func isInside(_ sums: UnsafeBufferPointer<Int16>, _ base: Int, _ range: Int) -> Bool {
        guard let start = sums.baseAddress else { return true }
        var lowest = SIMD8<Int16>(repeating: start[0])
        var highest = lowest
        var index = 0
        while index + 8 <= sums.count {
            let eight = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD8<Int16>.self)
            lowest = pointwiseMin(lowest, eight)
            highest = pointwiseMax(highest, eight)
            index += 8
        }
        while index < sums.count {
            let one = SIMD8(repeating: start[index])
            lowest = pointwiseMin(lowest, one)
            highest = pointwiseMax(highest, one)
            index += 1
        }
        return base + Int(lowest.min()) >= 0 && base + Int(highest.max()) <= range
    }
}
