/// Why the gateway does not start or cannot do something, in words for the operator.
package struct GatewayError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
