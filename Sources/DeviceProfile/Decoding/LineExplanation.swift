package import CampusModel

/// One request of a line device and what came back, as bytes.
package struct LineExchange: Sendable, Hashable {
    /// The name of the request.
    package var request: String
    /// What must be sent; `nil`: not compared.
    package var send: [UInt8]?
    /// What the device answers, terminator included.
    package var reply: [UInt8]

    package init(request: String, send: [UInt8]? = nil, reply: [UInt8]) {
        self.request = request
        self.send = send
        self.reply = reply
    }
}

extension ProfileExplanation {
    /// Explains replies of a line device, each cut and decoded as the gateway does.
    ///
    /// - Parameter unit: The device's address; `nil`: the profile's.
    package init(profile: DeviceProfile, lines: [LineExchange], unit: UInt8?, arrival: Tick) {
        guard case .line(let wire) = profile.wire else {
            self.problem = "profile '\(profile.id)' is not for lines"
            return
        }
        for line in lines {
            guard let request = wire.requests.first(where: { $0.name == line.request }) else {
                let known = wire.requests.map(\.name).joined(separator: ", ")
                self.problem = "there is no request called '\(line.request)'; the profile has \(known)"
                return
            }
            if let send = line.send, send != wire.bytes(of: request, unit: unit ?? wire.unit) {
                let found = ByteText.text(wire.bytes(of: request, unit: unit ?? wire.unit))
                self.problem = "'\(request.name)' is sent as \(found), expected \(ByteText.text(send))"
                return
            }
            switch wire.firstVerdict(in: line.reply, for: request, unit: unit ?? wire.unit) {
            case .reply(let payload):
                let found = ProfileExplanation(
                    profile: profile,
                    topic: LineWire.topicText(of: request.name),
                    payload: Array(payload.utf8),
                    parameters: [:],
                    zonelessOffsetSeconds: 0,
                    arrival: arrival
                )
                self.rows += found.rows
                self.problem = self.problem ?? found.problem
            case .refusal: self.problem = "'\(request.name)': the device refuses"
            case .ignored, .other:
                self.problem = "'\(request.name)': \(ByteText.text(line.reply)) is no reply to it"
            }
        }
        self.rows.sort { $0.point < $1.point }
    }
}

extension LineWire {
    /// The verdict on the first frame that is not left aside; ``Verdict/other`` when there is no whole one.
    func firstVerdict(in bytes: [UInt8], for request: Request, unit: UInt8) -> Verdict {
        var rest = bytes[...]
        while let length = self.frameLength(in: rest), length.frame + length.end > 0 {
            let frame = rest.prefix(length.frame)
            rest = rest.dropFirst(length.frame + length.end)
            if self.isEmptyLine(frame) { continue }
            let verdict = self.verdict(on: self.trimmed(frame), for: request, unit: unit)
            if verdict != .ignored { return verdict }
        }
        return .other
    }

    /// A line without the other half of a line end before or after it.
    package func trimmed(_ frame: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard case .terminator = self.framing else { return frame }
        var line = frame.drop { $0 == 0x0D || $0 == 0x0A }
        while line.last == 0x0D || line.last == 0x0A { line.removeLast() }
        return line
    }

    /// Whether a line says nothing at all; devices put them between others.
    package func isEmptyLine(_ frame: ArraySlice<UInt8>) -> Bool {
        guard case .terminator = self.framing else { return false }
        return self.trimmed(frame).isEmpty
    }
}

/// Bytes as people read them: text with its controls written out, or hexadecimal.
package enum ByteText {
    /// Text in quotes where nearly all is printable, hexadecimal otherwise.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        let isText = bytes.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0D || $0 == 0x0A }
        guard isText else { return HexText.text(bytes) }
        let text = String(decoding: bytes, as: UTF8.self)
        return "'" + text.replacing("\r", with: "\\r").replacing("\n", with: "\\n") + "'"
    }

    /// The bytes of a text in which `\r`, `\n` and `\\` are written out.
    package static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "r"): bytes.append(0x0D)
                case UInt8(ascii: "n"): bytes.append(0x0A)
                case UInt8(ascii: "\\"): bytes.append(byte)
                default: bytes += [UInt8(ascii: "\\"), byte]
                }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return isEscaped ? bytes + [UInt8(ascii: "\\")] : bytes
    }
}
