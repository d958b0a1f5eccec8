internal import Glibc

/// Why the ring cannot do something.
package struct RingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What sort of failure.
    package enum Code: String, Sendable {
        /// The file system refused: no room, no permission, a fault of the card.
        case inputOutput
        /// All series that the ring was made for are taken.
        case seriesLimit
        /// A series' name is empty or too long.
        case name
        /// The configuration is out of range.
        case configuration
    }

    package var code: Code
    /// What the operator reads, with what to do.
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// What the system just said about `path`.
    static func system(_ what: String, _ path: String) -> RingError {
        RingError(.inputOutput, "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
