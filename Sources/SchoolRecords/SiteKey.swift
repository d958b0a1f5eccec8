internal import Crypto
internal import FoundationEssentials
internal import Glibc

/// The school's secret from which pseudonyms are made: the same card always gives the same pseudonym in this school,
/// and nobody without the key can find the card by trying numbers.
package struct SiteKey: Sendable {
    /// The number of bytes of a key.
    package static let byteCount = 32

    private let key: SymmetricKey

    /// Takes a key of exactly ``byteCount`` bytes.
    package init(bytes: [UInt8]) throws(RecordsError) {
        guard bytes.count == Self.byteCount else {
            throw RecordsError(.invalid, "a site key has \(Self.byteCount) bytes, this one has \(bytes.count)")
        }
        self.key = SymmetricKey(data: bytes)
    }

    /// Makes a new random key.
    package static func random() -> SiteKey { SiteKey(key: SymmetricKey(size: .bits256)) }

    /// Reads the key file, or makes it (mode 0600, synchronised to the disk) when there is none.
    package static func loadOrCreate(path: String) throws(RecordsError) -> SiteKey {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw RecordsError(.cannotOpen, "cannot open the site key \(path) (errno \(errno)); check folder and owner")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.byteCount + 1)
        let count = read(descriptor, &bytes, bytes.count)
        if count == Self.byteCount {
            return try SiteKey(bytes: Array(bytes.prefix(Self.byteCount)))
        }
        guard count == 0 else {
            throw RecordsError(
                .cannotOpen,
                "the site key \(path) does not have \(Self.byteCount) bytes; restore it from the backup"
            )
        }
        let key = SiteKey.random()
        let text = key.key.withUnsafeBytes { Array($0) }
        guard fchmod(descriptor, 0o600) == 0, write(descriptor, text, text.count) == text.count,
            fsync(descriptor) == 0
        else {
            throw RecordsError(.cannotOpen, "cannot write the site key \(path) (errno \(errno)); is the disk full?")
        }
        return key
    }

    private init(key: SymmetricKey) { self.key = key }

    /// The pseudonym of an identifier: HMAC-SHA256 as 64 hexadecimal digits.
    func pseudonym(of text: String) -> String {
        Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: self.key))
    }

    /// A keyed digest for other uses; `purpose` keeps it apart from pseudonyms.
    func digest(of parts: [String], purpose: String) -> String {
        var code = HMAC<SHA256>(key: self.key)
        for part in [purpose] + parts {
            // Length first, so that no two lists of parts give the same bytes.
            code.update(data: Array("\(part.utf8.count):".utf8))
            code.update(data: Array(part.utf8))
        }
        return Hexadecimal.text(code.finalize())
    }
}
