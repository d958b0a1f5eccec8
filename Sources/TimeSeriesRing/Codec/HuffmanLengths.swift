/// Lengths and codes of a canonical Huffman code whose longest code is bounded.
enum HuffmanLengths {
    /// The length of each symbol's code, 0 for symbols that do not occur.
    ///
    /// Where the true lengths pass the bound, the counts are flattened and the tree is built again.
    static func lengths(_ counts: [Int], longest: Int) -> [UInt8] {
        var counts = counts
        while true {
            let lengths = self.unbounded(counts)
            if lengths.allSatisfy({ $0 <= longest }) { return lengths }
            counts = counts.map { $0 > 0 ? ($0 + 1) / 2 : 0 }
        }
    }

    private static func unbounded(_ counts: [Int]) -> [UInt8] {
        var lengths = [UInt8](repeating: 0, count: counts.count)
        let symbols = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $0) < (counts[$1], $1) }
        guard symbols.count > 1 else {
            if let only = symbols.first { lengths[only] = 1 }
            return lengths
        }
        // Two queues: leaves by weight, and inner nodes, which come out in ascending weight by themselves.
        var weights = symbols.map { counts[$0] }
        var parents = [Int](repeating: 0, count: 2 * symbols.count - 1)
        var leaf = 0
        var inner = symbols.count
        for next in symbols.count..<(2 * symbols.count - 1) {
            var weight = 0
            for _ in 0..<2 {
                let takesLeaf = leaf < symbols.count && (inner >= next || weights[leaf] <= weights[inner])
                let child = takesLeaf ? leaf : inner
                if takesLeaf { leaf += 1 } else { inner += 1 }
                weight += weights[child]
                parents[child] = next
            }
            weights.append(weight)
        }
        var depths = [UInt8](repeating: 0, count: parents.count)
        for node in stride(from: parents.count - 2, through: 0, by: -1) { depths[node] = depths[parents[node]] + 1 }
        for (place, symbol) in symbols.enumerated() { lengths[symbol] = depths[place] }
        return lengths
    }

    /// The code of each symbol, its first bit lowest.
    static func codes(_ lengths: [UInt8]) -> [UInt16] {
        var codes = [UInt16](repeating: 0, count: lengths.count)
        var next: UInt16 = 0
        for length in 1...16 {
            next <<= 1
            for symbol in lengths.indices where lengths[symbol] == length {
                var reversed: UInt16 = 0
                for bit in 0..<length where next >> UInt16(bit) & 1 == 1 { reversed |= 1 << UInt16(length - 1 - bit) }
                codes[symbol] = reversed
                next &+= 1
            }
        }
        return codes
    }
}
