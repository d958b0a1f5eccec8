internal import Acquisition
internal import DeviceProfile
internal import Foundation
internal import LineTransport
internal import SiteConfiguration

/// Lets acquisition ask through a line bus.
struct LineReader: LineReading {
    let bus: LineBus

    var executor: (any TaskExecutor)? { self.bus.taskExecutor }

    func ask(_ requests: [LineAsk]) async -> [LineOutcome] {
        let fences = requests.first.map { ask in
            ask.wire.requests.indices.map { Self.request(LineAsk(unit: ask.unit, wire: ask.wire, request: $0)) }
        }
        return await self.bus.ask(requests.map(Self.request), fences: fences ?? [])
            .map { result in
                switch result {
                case .success(let reply):
                    .frame(
                        reply.frame,
                        receivedNanoseconds: reply.receivedNanoseconds,
                        latencyNanoseconds: reply.latencyNanoseconds
                    )
                case .failure(let error): .failure(Self.failure(error))
                }
            }
    }

    static func request(_ ask: LineAsk) -> LineRequest {
        let request = ask.wire.requests[ask.request]
        return LineRequest(unit: ask.unit, name: request.name, bytes: ask.wire.bytes(of: request, unit: ask.unit)) {
            switch ask.wire.verdict(on: $0, for: request, unit: ask.unit) {
            case .reply: .reply
            case .refusal: .refusal
            case .ignored: .ignored
            case .other: .other
            }
        }
    }

    private static func failure(_ error: LineError) -> BusFailure {
        let reason: DeviceHealth.Reason =
            switch error.code {
            case .timeout, .backedOff: .timeout
            case .notConnected: .notConnected
            case .refused: .refused
            case .badReply: .badReply
            }
        return BusFailure(
            reason: reason,
            isBackedOff: error.code == .backedOff,
            message: error.description,
            frames: error.exchange.map { BusFrames(request: $0.sent, response: $0.received, unitOffset: 0) }
        )
    }
}

/// The dialect that a profile describes, with the password that the site gives.
struct ProfileDialect: LineDialect {
    let wire: LineWire
    let passwordFile: String?

    var hasGreeting: Bool { !self.wire.greetings.isEmpty }

    func frameLength(in buffer: ArraySlice<UInt8>) -> (frame: Int, end: Int)? { self.wire.frameLength(in: buffer) }

    func trimmed(_ frame: ArraySlice<UInt8>) -> ArraySlice<UInt8> { self.wire.trimmed(frame) }

    func isEmpty(_ frame: ArraySlice<UInt8>) -> Bool { self.wire.isEmptyLine(frame) }

    func response(to greeting: ArraySlice<UInt8>) -> LineGreeting {
        for known in self.wire.greetings {
            guard let fields = known.match.match(greeting, unit: self.wire.unit) else { continue }
            switch known.response {
            case .none: return .ready(prefix: [])
            case .refused: return .refused("the device does not want us")
            case .md5Prefix(let field):
                guard let passwordFile else {
                    return .refused("the device asks for a password; name a 'passwordFile' under the bus's 'line'")
                }
                // Read at every connection: who changes the file need not restart anything.
                guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
                    return .refused("\(passwordFile) cannot be read; does it exist, and may this user read it?")
                }
                let password = text.trimmingCharacters(in: .newlines)
                let secret = (fields[field]?.text ?? "") + password
                return .ready(prefix: Array(LineDigest.md5Hex(Array(secret.utf8)).utf8))
            }
        }
        return .other
    }
}

extension LineBusSettings {
    /// The endpoint for the transport.
    var endpoint: LineEndpoint? {
        switch self.port {
        case .tcp(let host, let port): return port.map { .tcp(host: host, port: $0) }
        case .serial(let device, let settings):
            guard let settings else { return nil }
            let parity: LineEndpoint.Parity =
                switch settings.parity {
                case .none: .none
                case .even: .even
                case .odd: .odd
                }
            return .serial(
                device: device,
                baud: settings.baud,
                parity: parity,
                dataBits: settings.dataBits,
                stopBits: settings.stopBits
            )
        }
    }

    /// How patient the bus is.
    var options: LineOptions {
        LineOptions(
            timeoutMilliseconds: self.patience.timeoutMilliseconds,
            pauseMilliseconds: self.patience.pauseMilliseconds,
            connectPauseMilliseconds: self.patience.connectPauseMilliseconds,
            closesAfterBatch: self.wire.closesAfterPoll
        )
    }
}
