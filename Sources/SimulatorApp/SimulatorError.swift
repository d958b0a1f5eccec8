/// Why the simulator cannot do something, in words for its user.
package struct SimulatorError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
