internal import Crypto
package import FoundationEssentials
internal import Hummingbird
internal import Mustache

/// The static files of the pages: read once at start, served from memory by exact name.
///
/// No request ever becomes a file path, so path traversal is impossible. A file is served under its name
/// (`console.css`, revalidated) and under a name with the hash of its contents (`console.1f3a….css`, cached for ever).
package struct AssetLibrary: Sendable {
    /// One file.
    package struct Asset: Sendable {
        /// The address with the hash of the contents: `/assets/console.1f3a….css`.
        package let address: String
        let contents: ByteBuffer
        let contentType: String
        let etag: String
    }

    private var byName: [String: Asset] = [:]
    private var byHashedName: [String: Asset] = [:]
    private var templateNames: [String: String] = [:]

    /// An empty library.
    package init() {}

    /// Adds a file.
    ///
    /// A template names it `{{asset.console_css}}`: dots and slashes become underscores.
    package mutating func add(_ name: String, _ contents: some DataProtocol) throws(WebConsoleError) {
        guard self.byName[name] == nil else {
            throw WebConsoleError(.resourceDuplicate, "two modules bring an asset named \(name): rename one")
        }
        let digest = SHA256.hash(data: contents).prefix(12)
        let hash = digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let hashedName = (parts.dropLast() + [hash[...]] + parts.suffix(1)).joined(separator: ".")
        let asset = Asset(
            address: "/assets/\(hashedName)",
            contents: ByteBuffer(bytes: contents),
            contentType: Self.contentType(of: parts.last ?? ""),
            etag: "\"\(hash)\""
        )
        self.byName[name] = asset
        self.byHashedName[hashedName] = asset
        self.templateNames[String(name.map { $0 == "." || $0 == "/" ? "_" : $0 })] = asset.address
    }

    /// Adds a file from outside the package when it exists there (Debian's dygraphs); tells whether it did.
    package mutating func addIfPresent(_ name: String, path: String) throws(WebConsoleError) -> Bool {
        guard let contents = try? Data(contentsOf: URL(filePath: path)) else { return false }
        try self.add(name, contents)
        return true
    }

    /// The hashed address of `name`, or nil.
    package func address(of name: String) -> String? { self.byName[name]?.address }

    /// What templates see as `asset`.
    var templateValue: [String: String] { self.templateNames }

    /// The answer for the path behind `/assets/`, or nil when there is no such file.
    func response(for name: String, request: Request) -> Response? {
        let hashed = self.byHashedName[name]
        guard let asset = hashed ?? self.byName[name] else { return nil }
        let headers: HTTPFields = [
            .contentType: asset.contentType,
            .eTag: asset.etag,
            .cacheControl: hashed == nil ? "no-cache" : "public, max-age=31536000, immutable",
        ]
        if let known = request.headers[.ifNoneMatch], known.contains(asset.etag) {
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: asset.contents))
    }

    private static func contentType(of suffix: Substring) -> String {
        switch suffix {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "json": "application/json"
        case "woff2": "font/woff2"
        default: "application/octet-stream"
        }
    }
}
