package import AlertEngine
package import CampusModel

/// A file of unit tests for rules: a small site, series of values, and what must be true when.
package struct RuleTestFile: Sendable {
    /// One value of a series, or none.
    package enum Step: Sendable, Hashable {
        case value(Double)
        case quality(Quality)
        case nothing
    }

    /// The values of one point.
    package struct Series: Sendable {
        package var point: Int
        package var every: Int64
        package var steps: [Step]
    }

    /// What somebody does.
    package struct Deed: Sendable {
        package var at: Int64
        package var key: AlertKey
        package var actor: String
        package var command: Command
    }

    /// What somebody does, with a shelf's length instead of its end.
    package enum Command: Sendable, Hashable {
        case acknowledge
        case reset
        case restart
        case shelve(milliseconds: Int64, second: String?)
        case unshelve
        case takeOutOfService(second: String?)
        case returnToService
    }

    /// What must be true at an instant.
    package struct Expectation: Sendable {
        /// What is looked at.
        package enum Subject: Sendable, Hashable {
            case alert(AlertKey, state: AlertState, activations: Int64?)
            /// Exactly these are active.
            case active(Set<String>)
            /// People were called so often since the beginning.
            case calls(Int)
        }

        package var at: Int64
        package var subject: Subject
        package var line: Int
    }

    /// One test.
    package struct Test: Sendable {
        package var name: String
        package var line: Int
        package var start: Tick
        package var series: [Series]
        package var deeds: [Deed]
        package var expectations: [Expectation]
    }

    package var file: String
    /// As written; relative to the file.
    package var ruleFiles: [String]
    package var site: WatchedSite
    package var tests: [Test]
}
