internal import ArgumentParser
internal import Foundation

/// The command `campusctl token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "API tokens of programs.",
        subcommands: [Add.self, List.self, Revoke.self]
    )

    private struct Token: Codable {
        var id: String
        var label: String
        var role: String
        var createdAt: String
        var expiresAt: String?
        var lastUsedAt: String?
        var secret: String?
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; its secret is told once.",
            discussion: "With --secret-file the secret goes into a file that only its owner reads, not on the screen."
        )

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "What the token is for; unique.")
        var label: String

        @Option(help: "administrator, facility, lab or viewer.")
        var role = "viewer"

        @Option(help: "Until when it holds, RFC 3339; until it is revoked without one.")
        var expires: String?

        @Option(help: "New file for the secret.")
        var secretFile: String?

        func run() async throws {
            var request = ["label": self.label, "role": self.role]
            request["expiresAt"] = self.expires
            if let secretFile { try SecretFile.make(secretFile) }
            var token: Token
            do {
                let body = try JSONEncoder().encode(request)
                let data = try await self.gateway.client().call("tokens", method: "POST", body: body)
                token = try JSONDecoder().decode(Token.self, from: data)
            } catch {
                if let secretFile { try? FileManager.default.removeItem(atPath: secretFile) }
                throw error
            }
            if let secretFile, let secret = token.secret {
                try SecretFile.write(secret, to: secretFile)
                token.secret = nil
            }
            if self.gateway.json { return print(try JSONOutput.text(token)) }
            print("token \(token.id)  \(token.label)  \(token.role)")
            if let secret = token.secret { print("secret \(secret)  (told this once)") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tokens, without their secrets.")

        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let tokens = try await self.gateway.client().all(Token.self, "tokens")
            if self.gateway.json { return print(try JSONOutput.text(tokens)) }
            TextTable.print(
                ["TOKEN", "LABEL", "ROLE", "CREATED", "EXPIRES", "LAST USED"],
                tokens.map { [$0.id, $0.label, $0.role, $0.createdAt, $0.expiresAt ?? "-", $0.lastUsedAt ?? "-"] }
            )
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token at once.")

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Its id or label.")
        var token: String

        func run() async throws {
            let client = try self.gateway.client()
            let tokens = try await client.all(Token.self, "tokens")
            guard let found = tokens.first(where: { $0.id == self.token || $0.label == self.token }) else {
                throw OperatorError("there is no token '\(self.token)'; `campusctl token list` shows them")
            }
            _ = try await client.call("tokens/\(found.id)", method: "DELETE")
            print(self.gateway.json ? try JSONOutput.text(["revoked": found.id]) : "token \(found.label) is revoked")
        }
    }
}

/// A new file that only its owner reads.
private enum SecretFile {
    static func make(_ path: String) throws {
        let made = FileManager.default.createFile(
            atPath: path,
            contents: nil,
            attributes: [.posixPermissions: 0o600]
        )
        guard made else { throw OperatorError("\(path) cannot be made; is the folder there?") }
    }

    static func write(_ secret: String, to path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data((secret + "\n").utf8))
        try handle.close()
    }
}
