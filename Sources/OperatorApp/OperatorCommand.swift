package import ArgumentParser
internal import Foundation

/// `campusctl`: what an operator does from a shell.
package struct OperatorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "campusctl",
        abstract: "Looks after a Campus Gateway.",
        discussion: """
            Completion: campusctl --generate-completion-script bash
            Exit codes: 0 good, 1 there is a problem, 64 wrong arguments.
            """,
        subcommands: [
            StatusCommand.self, DevicesCommand.self, LatestCommand.self, QueryCommand.self, TailCommand.self,
            AdoptCommand.self, DescribedCommand.self, ControlCommand.self, ReloadCommand.self, CheckCommand.self,
            ProfileCommand.self,
            ContractCommand.self, RulesCommand.self,
            UserCommand.self, TokenCommand.self, CertificateCommand.self, RingCommand.self, ExportersCommand.self,
            ExportCommand.self, ImportCommand.self,
        ]
    )

    package init() {}

    /// Runs the command line and ends the process with its exit code.
    package static func runAndExit() async {
        do {
            var command = try self.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as OperatorError {
            FileHandle.standardError.write(Data("campusctl: \(error.description)\n".utf8))
            Foundation.exit(1)
        } catch {
            self.exit(withError: error)
        }
    }
}
