/// Paths inside this site, for redirects that follow what a browser sent.
package enum LocalPath {
    /// `path` when it stays on this site, else `/`.
    ///
    /// A browser reads `//host`, `/\host` and paths with tabs or line ends as another site or another header.
    package static func checked(_ path: String?) -> String {
        guard let path, path.first == "/", path.utf8.count <= 2048 else { return "/" }
        let second = path.dropFirst().first
        guard second != "/", second != "\\" else { return "/" }
        let isClean = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        return isClean ? path : "/"
    }

    /// `text` as the value of a query field.
    package static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.append(Character(Unicode.Scalar(byte)))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
