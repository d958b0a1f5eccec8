internal import Crypto
internal import Foundation
internal import _CryptoExtras

/// What is stored of a password.
struct PasswordHash: Sendable, Hashable {
    static let saltByteCount = 16
    static let keyByteCount = 32

    var parameters: ScryptParameters
    var salt: [UInt8]
    var key: [UInt8]

    /// Hashes a password with a new salt.
    ///
    /// Blocks for the time that `parameters` cost.
    static func make(_ password: String, parameters: ScryptParameters) throws -> PasswordHash {
        let salt = Secret.bytes(Self.saltByteCount)
        return PasswordHash(
            parameters: parameters,
            salt: salt,
            key: try Self.derive(password, salt: salt, parameters: parameters)
        )
    }

    /// Costs as much as a real hash and matches no password: keeps unknown users as slow as known ones.
    static func decoy(parameters: ScryptParameters) -> PasswordHash {
        PasswordHash(
            parameters: parameters,
            salt: [UInt8](repeating: 0x5A, count: Self.saltByteCount),
            key: Secret.bytes(Self.keyByteCount)
        )
    }

    /// Whether `password` is the one.
    ///
    /// Blocks for the time that the stored parameters cost.
    func matches(_ password: String) throws -> Bool {
        let key = try Self.derive(password, salt: self.salt, parameters: self.parameters)
        return Secret.areEqual(key, self.key)
    }

    /// One line, `scrypt$15,8,1$salt$key`.
    var stored: String {
        "scrypt$\(self.parameters)$\(Hexadecimal.text(self.salt))$\(Hexadecimal.text(self.key))"
    }

    init(parameters: ScryptParameters, salt: [UInt8], key: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.key = key
    }

    /// Reads ``stored``; `nil` for anything that this version did not write.
    init?(stored: String) {
        let parts = stored.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "scrypt", let parameters = ScryptParameters(parts[1]),
            let salt = Hexadecimal.bytes(parts[2]), salt.count == Self.saltByteCount,
            let key = Hexadecimal.bytes(parts[3]), key.count == Self.keyByteCount
        else { return nil }
        self.init(parameters: parameters, salt: salt, key: key)
    }

    private static func derive(_ password: String, salt: [UInt8], parameters: ScryptParameters) throws -> [UInt8] {
        guard parameters.isAcceptable else {
            throw RecordsError(.invalid, "scrypt parameters \(parameters) are outside the allowed range")
        }
        // Vietnamese keyboards send the same letter composed or decomposed; both are the same password.
        let bytes = Array(password.precomposedStringWithCanonicalMapping.utf8)
        let key = try KDF.Scrypt.deriveKey(
            from: bytes,
            salt: salt,
            outputByteCount: Self.keyByteCount,
            rounds: 1 << parameters.costLog2,
            blockSize: parameters.blockSize,
            parallelism: parameters.parallelism
        )
        return key.withUnsafeBytes { Array($0) }
    }
}
