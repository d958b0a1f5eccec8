/// A network of IPv4 addresses, as `192.168.20.0/24`; without a length one address.
package struct AddressRange: Sendable, Hashable {
    private let network: UInt32
    private let mask: UInt32

    /// Reads a network; `nil` when it is none, or when the address has bits beyond its length.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = Self.address(parts[0]),
            let length = parts.count == 1 ? 32 : Int(parts[1]), (0...32).contains(length)
        else { return nil }
        self.mask = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
        self.network = address
        guard address & ~self.mask == 0 else { return nil }
    }

    /// Whether an address lies in it; one of IPv4 that is written as of IPv6 does, too.
    package func contains(_ text: String) -> Bool {
        let plain = text.hasPrefix("::ffff:") ? text.dropFirst(7) : text[...]
        return Self.address(plain).map { $0 & self.mask == self.network } ?? false
    }

    private static func address(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
