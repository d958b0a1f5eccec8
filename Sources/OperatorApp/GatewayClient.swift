internal import ArgumentParser
internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat
internal import NIOHTTP1
internal import NIOSSL

/// Where the gateway is and how to show who we are.
struct GatewayOptions: ParsableArguments {
    @Option(help: "State folder of a gateway on this machine; gives address and token.")
    var state = ProcessInfo.processInfo.environment["CAMPUS_STATE"] ?? "/var/lib/campus-gateway"

    @Option(help: "Address of the gateway, such as https://gateway.school:8080.")
    var address: String?

    @Option(help: "File with an API token.")
    var tokenFile: String?

    @Option(help: "PEM file of the authority that signed the gateway's certificate, besides those the system trusts.")
    var authority: String?

    @Flag(help: "Print JSON.")
    var json = false

    func client() throws -> GatewayClient {
        let file = self.tokenFile ?? "\(self.state)/operator.token"
        guard let token = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw OperatorError(
                "\(file) cannot be read: is the gateway's state there (--state DIR or CAMPUS_STATE), and may this user read it?"
            )
        }
        var address = self.address
        if address == nil { address = try? String(contentsOfFile: "\(self.state)/address", encoding: .utf8) }
        guard let address else {
            throw OperatorError(
                "\(self.state)/address is missing: has the gateway been started? Or name it with --address"
            )
        }
        // A gateway on this machine says itself what certificate it shows.
        let own = "\(self.state)/certificate.pem"
        let authority =
            self.authority ?? (self.address == nil && FileManager.default.fileExists(atPath: own) ? own : nil)
        return GatewayClient(
            address: address.trimmingCharacters(in: .whitespacesAndNewlines),
            token: token.trimmingCharacters(in: .whitespacesAndNewlines),
            authority: authority
        )
    }
}

/// Speaks the gateway's API.
struct GatewayClient: Sendable {
    let address: String
    let token: String
    /// PEM file of a further authority to trust.
    let authority: String?

    private struct Problem: Decodable {
        var title: String
        var detail: String?
    }

    /// The body of an answer; throws the gateway's own words for anything but success.
    func call(
        _ path: String,
        query: [(String, String?)] = [],
        method: String = "GET",
        body: Data? = nil
    ) async throws -> Data {
        var request = self.request(path, query)
        request.method = .RAW(value: method)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        return try await self.answer(to: request, within: .seconds(30)) { response in
            Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        }
    }

    private static let answerBytesMax = 256 << 20

    /// Hands the body of an answer of any length over while it arrives.
    ///
    /// - Throws: Also when the answer breaks off.
    func download(_ path: String, query: [(String, String?)], _ take: (Data) throws -> Void) async throws {
        try await self.answer(to: self.request(path, query), within: .hours(24)) { response in
            for try await buffer in response.body { try take(Data(buffer.readableBytesView)) }
        }
    }

    private func request(_ path: String, _ query: [(String, String?)]) -> HTTPClientRequest {
        var url = self.address + "/api/v1/" + path
        // What the gateway answers is read in a shell, whose texts are English.
        let pairs = (query + [("lang", "en")])
            .compactMap { name, value in
                value?.addingPercentEncoding(withAllowedCharacters: .alphanumerics).map { "\(name)=\($0)" }
            }
        if !pairs.isEmpty { url += "?" + pairs.joined(separator: "&") }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Authorization", value: "Bearer \(self.token)")
        return request
    }

    private func answer<Result>(
        to request: HTTPClientRequest,
        within time: TimeAmount,
        _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        // A refused connection is an answer: nobody wants to wait ten seconds for it.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.read = .seconds(60)
        if let authority {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.file(authority)]
            configuration.tlsConfiguration = tls
        }
        return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            let response: HTTPClientResponse
            do {
                response = try await client.execute(request, timeout: time)
            } catch let error as NIOSSLExtraError where error == .failedToValidateHostname {
                throw OperatorError("the certificate of \(self.address) is for another name: \(error)")
            } catch let error as HTTPClientError where error == .remoteConnectionClosed {
                throw OperatorError("\(self.address) closed the connection: is it https?")
            } catch {
                let hint = "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
                throw OperatorError(
                    hint
                        ? "the certificate of \(self.address) is not trusted; name its authority with --authority ca.pem"
                        : "\(self.address) does not answer: is the gateway running? (\(error))"
                )
            }
            guard (200..<300).contains(response.status.code) else {
                let body = try await response.body.collect(upTo: 1 << 20)
                let problem = try? JSONDecoder().decode(Problem.self, from: Data(body.readableBytesView))
                throw OperatorError(
                    problem.map { "\($0.title): \($0.detail ?? "")" } ?? "the gateway answered \(response.status.code)"
                )
            }
            do {
                return try await read(response)
            } catch let error as HTTPClientError {
                throw OperatorError("\(self.address) broke its answer off: \(error); ask again")
            }
        }
    }

    /// The same, decoded.
    func get<Body: Decodable>(
        _ type: Body.Type,
        _ path: String,
        query: [(String, String?)] = []
    ) async throws -> Body {
        try JSONDecoder().decode(type, from: try await self.call(path, query: query))
    }
}

extension GatewayClient {
    /// Every item of a list, page by page.
    func all<Item: Decodable>(
        _ type: Item.Type,
        _ path: String,
        query: [(String, String?)] = []
    ) async throws -> [Item] {
        var items: [Item] = []
        var after: String?
        repeat {
            let page = try await self.get(Listing<Item>.self, path, query: query + [("after", after)])
            items += page.items
            after = page.next
        } while after != nil
        return items
    }
}

/// What `--json` prints.
enum JSONOutput {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Texts in two languages.
struct Words: Decodable {
    var vi: String
    var en: String
}

/// One page of a list.
struct Listing<Item: Decodable>: Decodable {
    var items: [Item]
    var next: String?
}

/// Prints rows under headings, columns aligned.
enum TextTable {
    static func print(_ headings: [String], _ rows: [[String]]) {
        var widths = headings.map(\.count)
        for row in rows { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated()
                .map { index, cell in
                    index == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
                }
            return padded.joined(separator: "  ")
        }
        Swift.print(line(headings))
        for row in rows { Swift.print(line(row)) }
    }
}
