internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Dispatch
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import SiteConfiguration
internal import Synchronization

/// What is known about one pushed request.
private struct PushContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var address: String

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.address = source.channel.remoteAddress?.ipAddress ?? ""
    }
}

/// Listens for devices that push over HTTP, on a port of its own.
///
/// A request is answered with 200 only after its messages were decoded and its events committed; what breaks its
/// profile is put into the quarantine and answered with 200, too, because the device would send it for ever. What an
/// unknown device sends is not taken: it keeps it until somebody has adopted the device.
final class PushListener: Service {
    private let gateway: Gateway
    private let configuration: GatewayConfiguration.Push
    private let limits: PushLimits
    private let counters = Mutex(PushCounters())
    private let waiting = Mutex(0)
    /// Commits wait for the card: not on the pool.
    private let queue = DispatchQueue(label: "push")

    /// Connections at the same time; more wait to be accepted.
    private static let connectionMax = 64
    /// Requests that wait for the card; more are told to come again.
    private static let waitingMax = 32
    /// Longest life of a connection.
    private static let connectionSeconds: Int64 = 30

    init(gateway: Gateway, configuration: GatewayConfiguration.Push) {
        self.gateway = gateway
        self.configuration = configuration
        self.limits = PushLimits(perSecond: configuration.requestsPerSecond)
    }

    var statistics: PushCounters { self.counters.withLock { $0 } }

    func run() async throws {
        let router = Router(context: PushContext.self)
        for method in [HTTPRequest.Method.get, .post, .put] {
            router.on("**", method: method) { request, context in await self.respond(to: request, context) }
        }
        let state = self.gateway.state
        let application = Application(
            router: router,
            server: try GatewayApplication.server(
                self.configuration.tls.map { ($0.certificate, $0.key) },
                HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionAgeGuard(age: .seconds(Self.connectionSeconds))],
                    idleTimeout: .seconds(15),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 4_096,
                        maxHeaderListSize: 8_192,
                        maxHeaderFieldCount: 64
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(self.configuration.host, port: Int(self.configuration.port)),
                serverName: nil,
                availableConnectionsDelegate: .maximum(Self.connectionMax, logger: self.gateway.logger)
            ),
            onServerRunning: { channel in
                try? state.write("\(channel.localAddress?.port ?? 0)\n", to: "push-port")
            },
            // Requests are not logged: their paths may have secrets.
            logger: Logger(label: "push") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.run()
    }

    private func respond(to request: Hummingbird.Request, _ context: PushContext) async -> Response {
        self.counters.withLock { $0.requests &+= 1 }
        let address = context.address
        let networks = self.configuration.networks
        guard networks.isEmpty || networks.contains(where: { $0.contains(address) }) else {
            return self.refusal(.forbidden)
        }
        guard self.limits.admits(address, at: DispatchTime.now().uptimeNanoseconds) else {
            return self.refusal(.tooManyRequests)
        }
        let target = request.head.path ?? ""
        guard let known = self.gateway.pushed(method: request.method.rawValue, target: target) else {
            return self.refusal(.notFound)
        }
        guard known.runtime == nil || known.isProven else { return self.refusal(.forbidden) }
        return await self.take(known, request)
    }

    private func take(_ known: PushDirectory.Request, _ request: Hummingbird.Request) async -> Response {
        let route = known.route
        guard let form = route.body else {
            // Not even looked at: the body is never read into memory as a whole.
            guard await self.isThrownAway(request) else { return self.refusal(.contentTooLarge) }
            known.runtime.map { self.gateway.heard($0) }
            return self.answer(route.answer(serial: known.match.serial, count: 0))
        }
        var body: [UInt8] = []
        do {
            let buffer = try await request.body.collect(upTo: self.configuration.bodyBytesMax)
            body = Array(buffer.readableBytesView)
        } catch {
            return self.refusal(.contentTooLarge)
        }
        let payloads = HTTPWire.payloads(body, as: form, contentType: request.headers[.contentType] ?? "")
        let received = SystemPollTimer().nowNanoseconds
        let messages = payloads.map {
            InboundMessage(
                topic: known.match.topic,
                payload: $0,
                isRetained: false,
                receivedNanoseconds: received
            )
        }
        guard await self.isCommitted(messages) else { return self.refusal(.serviceUnavailable) }
        // Kept apart, where somebody can adopt the device; it sends again what is not taken.
        guard known.runtime != nil else { return self.refusal(.serviceUnavailable) }
        self.counters.withLock { $0.messages &+= UInt64(messages.count) }
        return self.answer(route.answer(serial: known.match.serial, count: messages.count))
    }

    /// Reads a body to its end, piece by piece; whether it was short enough.
    private func isThrownAway(_ request: Hummingbird.Request) async -> Bool {
        var count = 0
        do {
            for try await piece in request.body {
                count += piece.readableBytes
                guard count <= self.configuration.bodyBytesMax else { return false }
            }
        } catch {
            return false
        }
        if count > 0 { self.counters.withLock { $0.dropped &+= 1 } }
        return true
    }

    private func isCommitted(_ messages: [InboundMessage]) async -> Bool {
        let mayWait = self.waiting.withLock { waiting in
            guard waiting < Self.waitingMax else { return false }
            waiting += 1
            return true
        }
        guard mayWait else { return false }
        defer { self.waiting.withLock { $0 -= 1 } }
        let ingest = self.gateway.engine.ingest
        return await withCheckedContinuation { continuation in
            self.queue.async {
                do {
                    try ingest.receive(messages)
                    continuation.resume(returning: true)
                } catch {
                    continuation.resume(returning: false)
                }
            }
        }
    }

    private func answer(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    private func refusal(_ status: HTTPResponse.Status) -> Response {
        self.counters.withLock { $0.refused[status.code, default: 0] &+= 1 }
        // What is left of a body is not worth reading.
        return Response(status: status, headers: [.connection: "close", .contentType: "text/plain"])
    }
}
