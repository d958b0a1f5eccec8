internal import Crypto

/// The named digests that devices ask for when a connection is made.
package enum LineDigest {
    /// MD5 (RFC 1321) in lower-case hexadecimal digits.
    ///
    /// Only because devices of the field speak nothing better: it proves a password without sending it, and hides
    /// nothing else.
    package static func md5Hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: Insecure.MD5.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }
}
