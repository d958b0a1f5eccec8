internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Packs answers of the API and assets with gzip for whoever accepts it.
///
/// Pages are left alone: they hold a session's form token beside what the address says, and the length of a packed
/// answer would tell of it (BREACH). Live events are left alone, as they must not wait for more.
struct Compression: RouterMiddleware {
    typealias Context = ConsoleContext

    /// Answers that are shorter fit into a packet or two anyway.
    private static let bytesMin = 1_400
    /// For rows of numbers the usual level 6 takes five times as long and saves a fifth.
    private static let level: Int32 = 1
    private static let types = ["application/json", "text/csv", "text/javascript", "text/css", "image/svg+xml"]

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard request.method == .get, Self.isPackable(request, response) else { return response }
        // Caches must know that there are two forms, whichever this one is.
        response.headers[.vary] = "Accept-Encoding"
        guard Self.accepts(request.headers[.acceptEncoding]), let stream = GzipStream(level: Self.level) else {
            return response
        }
        response.headers[.contentEncoding] = "gzip"
        if let tag = response.headers[.eTag], !tag.hasPrefix("W/") { response.headers[.eTag] = "W/" + tag }
        let plain = response.body
        let once = Once(stream)
        response.body = ResponseBody { writer in
            try await plain.write(GzipBodyWriter(writer, once.stream))
        }
        return response
    }

    /// A stream that one body's closure uses, one write after the other.
    private struct Once: @unchecked Sendable {
        // @unchecked: the server runs the closure of a body once, in one task.
        let stream: GzipStream

        init(_ stream: GzipStream) { self.stream = stream }
    }

    private static func isPackable(_ request: Request, _ response: Response) -> Bool {
        guard request.path.hasPrefix("/api/") || request.path.hasPrefix("/assets/"), response.status == .ok,
            response.headers[.contentEncoding] == nil, let type = response.headers[.contentType],
            self.types.contains(where: { type.hasPrefix($0) })
        else { return false }
        return response.body.contentLength.map { $0 >= self.bytesMin } ?? true
    }

    /// Whether `Accept-Encoding` takes gzip: by name or by `*`, and not with a weight of 0.
    static func accepts(_ header: String?) -> Bool {
        guard let header else { return false }
        var any: Bool?
        for entry in header.split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            let isTaken = weight.map { (Double($0) ?? 0) > 0 } ?? true
            if name == "gzip" || name == "x-gzip" { return isTaken }
            if name == "*" { any = isTaken }
        }
        return any ?? false
    }
}
