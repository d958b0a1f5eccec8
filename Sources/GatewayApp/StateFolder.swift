internal import Foundation

/// The folder of everything that the gateway writes, and the secrets in it.
struct StateFolder: Sendable {
    let path: String

    init(_ path: String) throws(GatewayError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw GatewayError("the state folder \(path) cannot be made: \(error)")
        }
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    /// A secret that is made once and kept in a file that only its owner reads.
    func secret(_ name: String) throws(GatewayError) -> String {
        if let text = try? String(contentsOfFile: self.file(name), encoding: .utf8) {
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if !trimmed.isEmpty { return trimmed }
        }
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<32)
            .map { _ in String("abcdefghijkmnpqrstuvwxyz23456789".randomElement(using: &generator) ?? "x") }
            .joined()
        try self.write(secret + "\n", to: name)
        return secret
    }

    /// Writes a file that only its owner reads.
    func write(_ text: String, to name: String) throws(GatewayError) {
        let path = self.file(name)
        do {
            // Made empty with its mode first, so that the content is never readable by others.
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
            try handle.close()
        } catch {
            throw GatewayError("\(path) cannot be written: \(error)")
        }
    }
}
