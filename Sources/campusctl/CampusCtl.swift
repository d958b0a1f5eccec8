internal import OperatorApp

/// The operator's command line.
@main
enum CampusCtl {
    static func main() async { await OperatorCommand.runAndExit() }
}
