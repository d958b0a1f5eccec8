package import CampusModel

/// What differs from one console to another.
package struct ConsoleConfiguration: Sendable {
    /// One entry of the top navigation.
    package struct NavigationItem: Sendable {
        /// What a ``Page`` names as its `navigation`.
        package var id: String
        package var title: LocalizedText
        package var address: String
        /// Who sees the entry.
        package var role: ConsoleRole

        package init(id: String, title: LocalizedText, address: String, role: ConsoleRole = .viewer) {
            self.id = id
            self.title = title
            self.address = address
            self.role = role
        }
    }

    /// The product's name, in the header.
    package var productName: LocalizedText
    /// The school's or centre's name, beside it.
    package var siteName: LocalizedText
    /// The site's local time minus UTC, minutes: what charts are labelled in, whatever the reader's clock.
    package var utcOffsetMinutes: Int
    /// The version, in the footer.
    package var version: String
    /// Whether the server speaks TLS: cookies become Secure, browsers are told to stay on TLS.
    package var isTLS: Bool
    /// The top navigation.
    package var navigation: [NavigationItem]
    /// Paths that anybody may ask for, beside the console's own.
    package var publicPaths: Set<String>
    /// Paths outside `/api/` whose callers are programs: errors are problem+json.
    package var programPaths: Set<String>
    /// The most bytes of a request's body.
    package var bodyBytesMax: Int
    /// Where Debian's libjs-dygraphs puts its files.
    package var chartFolder: String
    /// Login attempts that one address may make at once; then one every six seconds.
    package var loginBurst: Int

    package init(
        productName: LocalizedText = LocalizedText(vi: "Cổng Trường", en: "Campus Gateway"),
        siteName: LocalizedText,
        utcOffsetMinutes: Int = 0,
        version: String,
        isTLS: Bool,
        navigation: [NavigationItem],
        publicPaths: Set<String> = ["/healthz", "/readyz"],
        programPaths: Set<String> = ["/healthz", "/readyz", "/metrics"],
        bodyBytesMax: Int = 1 << 20,
        chartFolder: String = "/usr/share/javascript/dygraphs",
        loginBurst: Int = 10
    ) {
        self.productName = productName
        self.siteName = siteName
        self.utcOffsetMinutes = utcOffsetMinutes
        self.version = version
        self.isTLS = isTLS
        self.navigation = navigation
        self.publicPaths = publicPaths
        self.programPaths = programPaths
        self.bodyBytesMax = bodyBytesMax
        self.chartFolder = chartFolder
        self.loginBurst = loginBurst
    }
}
