/// The cost of a password hash (RFC 7914): `N` = 2^``costLog2``, block size `r`, parallelism `p`.
package struct ScryptParameters: Sendable, Hashable, CustomStringConvertible {
    package var costLog2: Int
    package var blockSize: Int
    package var parallelism: Int

    package init(costLog2: Int, blockSize: Int, parallelism: Int) {
        self.costLog2 = costLog2
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// N = 2^15, r = 8, p = 1: 32 MiB and some 0.1 s on a small board.
    ///
    /// More than 32 MiB in one allocation is always mapped and returned by glibc, so the memory does not stay.
    package static let standard = ScryptParameters(costLog2: 15, blockSize: 8, parallelism: 1)

    /// The memory of one derivation.
    package var memoryBytes: Int { self.isAcceptable ? 128 * self.blockSize << self.costLog2 : 0 }

    /// Whether these may be run.
    ///
    /// They may come from a file, and swift-crypto does not pass a memory limit on, so the bound is here: at most 64
    /// MiB and p ≤ 16.
    package var isAcceptable: Bool {
        (1...16).contains(self.costLog2) && (1...16).contains(self.blockSize) && (1...16).contains(self.parallelism)
            && self.blockSize << self.costLog2 <= 1 << 19
    }

    /// `15,8,1`, the stored form.
    package var description: String { "\(self.costLog2),\(self.blockSize),\(self.parallelism)" }

    /// Reads the stored form; `nil` when it is not one or costs too much.
    package init?(_ text: String) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let cost = numbers[0], let block = numbers[1], let parallelism = numbers[2] else {
            return nil
        }
        self.init(costLog2: cost, blockSize: block, parallelism: parallelism)
        guard self.isAcceptable else { return nil }
    }
}
