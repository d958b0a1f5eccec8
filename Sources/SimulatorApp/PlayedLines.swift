internal import CampusModel
internal import DeviceProfile
internal import LineTransport

/// The devices of one line, playing their profile: each request is answered with what the signal is then.
struct PlayedLines: LineBank {
    /// One device on the line.
    struct Unit: Sendable {
        var device: String
        var unit: UInt8
        var profile: DeviceProfile
    }

    let units: [Unit]
    let model: SignalModel
    let clock: any TickClock

    func makeSession() -> any LineSession { PlayedLineSession(lines: self) }

    /// The request that `bytes` begin with, and whose it is.
    func request(in bytes: [UInt8]) -> (unit: Unit, wire: LineWire, request: Int, length: Int)? {
        for unit in self.units {
            guard case .line(let wire) = unit.profile.wire else { continue }
            for (index, request) in wire.requests.enumerated() {
                let expected = wire.bytes(of: request, unit: unit.unit)
                if bytes.starts(with: expected) { return (unit, wire, index, expected.count) }
            }
        }
        return nil
    }

    /// The reply to a request.
    func reply(_ unit: Unit, _ wire: LineWire, _ request: Int) -> [UInt8] {
        let tick = self.clock.now()
        var fields: [String: String] = [:]
        for (index, point) in unit.profile.points.enumerated() {
            guard case .payload(let places) = point.source, let place = places.first, place.messageIndex == request,
                let name = place.pointer?.tokens.first
            else { continue }
            if point.kind == .text {
                fields[name] = "SIM-\(unit.device)"
            } else {
                let value =
                    unit.profile.playedHelper(index, at: tick)
                    ?? self.model.value(of: point, device: unit.device, at: tick)
                fields[name] = point.enumeration.first { $0.value == value }?.text ?? Self.text(point.scale, value)
            }
        }
        return wire.replyBytes(to: wire.requests[request], unit: unit.unit, fields: fields)
    }

    private static func text(_ scale: PointDefinition.Scale, _ value: Double) -> String {
        let raw = (value - scale.add) * scale.divide / scale.multiply
        let hundredths = (raw * 100).rounded() / 100
        return NumberText.text(hundredths)
    }
}

/// One connection to played lines.
final class PlayedLineSession: LineSession {
    private let lines: PlayedLines

    init(lines: PlayedLines) { self.lines = lines }

    var greeting: [UInt8] {
        guard let unit = self.lines.units.first, case .line(let wire) = unit.profile.wire,
            let open = wire.greetings.first(where: { $0.response == .none })
        else { return [] }
        guard case .terminator(let end) = wire.framing else { return open.match.bytes(unit: unit.unit) }
        return open.match.bytes(unit: unit.unit) + end
    }

    func answer(_ buffer: inout [UInt8]) -> [UInt8]? {
        while !buffer.isEmpty {
            if let found = self.lines.request(in: buffer) {
                buffer.removeFirst(found.length)
                return self.lines.reply(found.unit, found.wire, found.request)
            }
            // A beginning may still become a request; anything else is noise.
            guard buffer.count < 64 else {
                buffer.removeFirst()
                continue
            }
            return nil
        }
        return nil
    }
}
