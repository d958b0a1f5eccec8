/// Why a command failed, in words for its user.
package struct OperatorError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
