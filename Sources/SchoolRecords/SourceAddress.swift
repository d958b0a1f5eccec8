internal import Glibc

/// The source of a login as failures are counted: an IPv4 address, or the /64 network of an IPv6 address.
///
/// Whoever has one IPv6 address has 2^64 of them. Other texts (a socket's path) count as they are.
enum SourceAddress {
    static func group(_ text: String) -> String {
        // A zone (`fe80::1%eth0`) names an interface of ours.
        let address = String(text.prefix { $0 != "%" })
        var bytes = [UInt8](repeating: 0, count: 16)
        guard text.utf8.count <= 100, inet_pton(AF_INET6, address, &bytes) == 1 else {
            return Bounded.text(text, bytesMax: 100)
        }
        let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        if Array(bytes.prefix(12)) == mappedPrefix {
            return bytes.suffix(4).map { String($0) }.joined(separator: ".")
        }
        return Hexadecimal.text(bytes.prefix(8)) + "/64"
    }
}
