internal import ArgumentParser
internal import Foundation

/// The command `campusctl user`.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Users of the pages.",
        subcommands: [Add.self, List.self, Role.self, Disable.self, Enable.self, Remove.self, Reset.self]
    )

    private struct Login: Codable {
        var user: String
        var password: String?

        func show(asJSON: Bool) throws {
            if asJSON {
                print(try JSONOutput.text(self))
            } else if let password {
                print("user \(self.user)  password \(password)  (told this once; to be changed at the first login)")
            } else {
                print("user \(self.user)")
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user, with a generated password unless --password-file."
        )

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name: a-z 0-9 - _ .")
        var name: String

        @Option(help: "administrator, facility, lab or viewer.")
        var role = "viewer"

        @Option(help: "File whose first line is the password; '-' reads it from standard input.")
        var passwordFile: String?

        func run() async throws {
            var request = ["name": self.name, "role": self.role]
            if let passwordFile {
                let text =
                    passwordFile == "-" ? readLine() ?? "" : try TextFile.read(passwordFile)
                request["password"] = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
            }
            let body = try JSONEncoder().encode(request)
            let data = try await self.gateway.client().call("users", method: "POST", body: body)
            try JSONDecoder().decode(Login.self, from: data).show(asJSON: self.gateway.json)
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Generate a new password for a user.")

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name.")
        var name: String

        func run() async throws {
            let data = try await self.gateway.client().call("users/\(self.name)/reset", method: "POST", body: Data())
            try JSONDecoder().decode(Login.self, from: data).show(asJSON: self.gateway.json)
        }
    }
    private struct User: Codable {
        var name: String
        var role: String
        var isDisabled: Bool
        var mustChangePassword: Bool
        var createdAt: String

        func show(asJSON: Bool) throws {
            let state = self.isDisabled ? "  disabled" : ""
            print(asJSON ? try JSONOutput.text(self) : "user \(self.name)  \(self.role)\(state)")
        }
    }

    private static func change(_ name: String, _ gateway: GatewayOptions, _ change: some Encodable) async throws {
        let body = try JSONEncoder().encode(change)
        let data = try await gateway.client().call("users/\(name)", method: "PATCH", body: body)
        try JSONDecoder().decode(User.self, from: data).show(asJSON: gateway.json)
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the users.")

        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let users = try await self.gateway.client().all(User.self, "users")
            if self.gateway.json { return print(try JSONOutput.text(users)) }
            TextTable.print(
                ["USER", "ROLE", "STATE", "CREATED"],
                users.map { user in
                    let state = user.isDisabled ? "disabled" : user.mustChangePassword ? "first password" : "enabled"
                    return [user.name, user.role, state, user.createdAt]
                }
            )
        }
    }

    struct Role: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a user another role.")

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name.")
        var name: String

        @Argument(help: "administrator, facility, lab or viewer.")
        var role: String

        func run() async throws { try await UserCommand.change(self.name, self.gateway, ["role": self.role]) }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keep a user out and end the user's sessions.")

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name.")
        var name: String

        func run() async throws { try await UserCommand.change(self.name, self.gateway, ["isDisabled": true]) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled user in again.")

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name.")
        var name: String

        func run() async throws { try await UserCommand.change(self.name, self.gateway, ["isDisabled": false]) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a user; what the user did stays in the audit."
        )

        @OptionGroup var gateway: GatewayOptions

        @Argument(help: "Login name.")
        var name: String

        func run() async throws {
            _ = try await self.gateway.client().call("users/\(self.name)", method: "DELETE")
            print(self.gateway.json ? try JSONOutput.text(["removed": self.name]) : "user \(self.name) is removed")
        }
    }
}
