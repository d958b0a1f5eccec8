/// Why the console cannot start, with what the operator can do about it.
package struct WebConsoleError: Error, CustomStringConvertible, Sendable {
    /// What kind of thing is wrong.
    package enum Code: String, Sendable {
        /// A resource folder or file is not where it should be.
        case resourceMissing
        /// A template cannot be parsed, or asks for a partial that does not exist.
        case templateInvalid
        /// A text is missing in a language, used but not defined, or defined twice.
        case textInvalid
        /// Two modules bring a resource of the same name.
        case resourceDuplicate
    }

    /// What kind of thing is wrong.
    package let code: Code
    /// What is wrong and what to do.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }
}
