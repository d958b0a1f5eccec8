internal import AsyncHTTPClient
internal import Exporters
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import SiteConfiguration
internal import Synchronization

/// Posts line protocol to a server.
final class HTTPLineWriter: LineSink {
    private let configuration: HTTPClient.Configuration
    /// Made for the first body; `nil` before and after.
    private let client = Mutex<Client>(.unused)
    private let url: String
    /// The address without its query, for messages.
    private let place: String
    private let authorization: String?
    private let timeout: TimeAmount

    private enum Client: Sendable {
        case unused
        case open(HTTPClient)
        case closed
    }

    /// - Throws: ``GatewayError`` when a file that the target names cannot be read.
    init(_ target: ExporterDefinition.LineProtocolTarget, timeoutMilliseconds: Int64) throws(GatewayError) {
        guard var parts = URLComponents(string: target.url) else {
            throw GatewayError("\(target.url) is not an address")
        }
        parts.query = nil
        self.place = parts.string ?? target.url
        // InfluxDB 2 calls nanoseconds `ns`, the others `n`; everybody knows `ms`.
        let nanoseconds = parts.path.contains("/api/v2/") ? "ns" : "n"
        let precision = target.precision == .milliseconds ? "ms" : nanoseconds
        self.url = target.url + (target.url.contains("?") ? "&" : "?") + "precision=\(precision)"
        self.authorization = try Self.authorization(target)
        self.timeout = .milliseconds(timeoutMilliseconds)
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: self.timeout)
        configuration.connectionPool.retryConnectionEstablishment = false
        if let authority = target.authorityFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.file(authority)]
            configuration.tlsConfiguration = tls
        }
        self.configuration = configuration
    }

    private static func authorization(
        _ target: ExporterDefinition.LineProtocolTarget
    ) throws(GatewayError) -> String? {
        if let file = target.tokenFile {
            return (target.tokenScheme == .token ? "Token " : "Bearer ") + (try self.secret(file, "tokenFile"))
        }
        guard let user = target.username, let file = target.passwordFile else { return nil }
        return "Basic " + Data("\(user):\(try self.secret(file, "passwordFile"))".utf8).base64EncodedString()
    }

    /// The secret in a file; never part of a message.
    static func secret(_ file: String, _ key: String) throws(GatewayError) -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw GatewayError("\(key) \(file) cannot be read; does it exist, and may this user read it?")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func write(_ body: [UInt8]) async throws {
        var request = HTTPClientRequest(url: self.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let response: HTTPClientResponse
        var words = ""
        do {
            response = try await self.openClient().execute(request, timeout: self.timeout)
            // What a server says about a refusal is short; the rest is not read.
            if response.status.code >= 300 {
                words = (try? await String(buffer: response.body.collect(upTo: 16_384))) ?? ""
            }
        } catch {
            throw self.failure(error)
        }
        if let error = Self.verdict(response.status, words, self.place) { throw error }
    }

    private func openClient() throws(SinkError) -> HTTPClient {
        let client: HTTPClient? = self.client.withLock { client in
            if case .unused = client {
                client = .open(HTTPClient(eventLoopGroupProvider: .singleton, configuration: self.configuration))
            }
            if case .open(let open) = client { return open }
            return nil
        }
        guard let client else { throw SinkError(.retryable, "the exporter is being closed") }
        return client
    }

    func close() async {
        let client: HTTPClient? = self.client.withLock { client in
            defer { client = .closed }
            if case .open(let open) = client { return open }
            return nil
        }
        try? await client?.shutdown()
    }

    private func failure(_ error: any Error) -> SinkError {
        if let error = error as? SinkError { return error }
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout:
                return SinkError(
                    .retryable,
                    "\(self.place): nobody answers; is the server running, and is the network up?"
                )
            case .deadlineExceeded, .readTimeout, .writeTimeout:
                return SinkError(
                    .retryable,
                    "\(self.place): no answer within \(self.timeout.nanoseconds / 1_000_000) ms",
                    mayHaveArrived: true
                )
            case .remoteConnectionClosed:
                return SinkError(.retryable, "\(self.place): the server closed the connection", mayHaveArrived: true)
            default: break
            }
        }
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return SinkError(
                .refused,
                "\(self.place): the server's certificate is not trusted; name its authority under 'authority'"
            )
        }
        if text.contains("refused") {
            return SinkError(.retryable, "\(self.place): connection refused; is the server running?")
        }
        return SinkError(.retryable, "\(self.place): \(text.prefix(200))", mayHaveArrived: true)
    }

    /// What an answer means; `nil` when the server has taken the body.
    static func verdict(_ status: HTTPResponseStatus, _ words: String, _ place: String) -> SinkError? {
        let said = words.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300)
        let text = "\(place): \(status.code) \(status.reasonPhrase)" + (said.isEmpty ? "" : ": \(said)")
        switch status.code {
        case 200..<300: return nil
        case 400, 413, 422: return SinkError(.poison, text)
        case 401, 403: return SinkError(.refused, text + " (are token, user name and password right?)")
        case 404: return SinkError(.refused, text + " (is the path right, and does the database exist?)")
        case 408, 425, 429: return SinkError(.retryable, text)
        case 500...: return SinkError(.retryable, text, mayHaveArrived: true)
        default: return SinkError(.refused, text)
        }
    }
}
