/// What went wrong with the school's records, and what the operator does about it.
package struct RecordsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    package enum Code: String, Sendable, CaseIterable {
        /// The file cannot be opened, made or locked; nothing was changed.
        case cannotOpen
        /// Another process has the database open.
        case inUse
        /// The file was damaged and has been moved aside; the next start makes a new one.
        case setAside
        /// The file was written by a newer version of the gateway.
        case newerVersion
        /// The site key is not the one that the database was made with.
        case wrongSiteKey
        /// The records were closed.
        case closed
        /// A read or write failed; nothing of the transaction was kept.
        case storage
        /// What was given does not fit: see the message.
        case invalid
        /// There is no such user, token, session or setting.
        case notFound
        /// There is one already.
        case alreadyExists
        /// The password breaks a rule.
        case weakPassword
        /// Too much is waiting already; try again shortly.
        case busy
    }

    package var code: Code
    /// Says what is wrong and what to do; never holds personal data or a secret.
    package var message: String
    /// Where the damaged file went, for ``Code/setAside``.
    package var setAsidePath: String?

    package init(_ code: Code, _ message: String, setAsidePath: String? = nil) {
        self.code = code
        self.message = message
        self.setAsidePath = setAsidePath
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }
}
