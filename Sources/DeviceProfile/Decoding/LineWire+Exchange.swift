internal import CampusModel

extension LineWire {
    /// What a frame is for whoever waits for the reply to a request.
    package enum Verdict: Sendable, Hashable {
        /// The reply, as the JSON text that is decoded.
        case reply(String)
        /// The device does not do it.
        case refusal
        /// No reply: go on waiting.
        case ignored
        /// Nothing that may come here.
        case other
    }

    /// The bytes of a request, checksum and end included.
    package func bytes(of request: Request, unit: UInt8) -> [UInt8] {
        request.send.bytes(unit: unit, checksum: self.checksum) + self.requestEnd
    }

    /// The bytes of a reply that tells `fields`, for simulators: the first form that is no refusal.
    package func replyBytes(to request: Request, unit: UInt8, fields: [String: String]) -> [UInt8] {
        guard let reply = request.replies.first(where: { !$0.isRefusal }) else { return [] }
        let bytes = reply.match.bytes(unit: unit, fields: fields, checksum: self.checksum)
        guard case .terminator(let end) = self.framing else { return bytes }
        return bytes + end
    }

    /// What a frame is.
    ///
    /// - Parameter frame: Without its terminator; of a binary frame everything.
    package func verdict(on frame: ArraySlice<UInt8>, for request: Request, unit: UInt8) -> Verdict {
        for reply in request.replies {
            guard let found = reply.match.match(frame, unit: unit) else { continue }
            return reply.isRefusal ? .refusal : .reply(Self.payload(found, reply, request))
        }
        if self.greetings.contains(where: { $0.response == .refused && $0.match.match(frame, unit: unit) != nil }) {
            return .refusal
        }
        return self.ignored.contains { $0.match(frame, unit: unit) != nil } ? .ignored : .other
    }

    /// Every field of the request: those that this form of the reply does not tell are null, which is no value.
    private static func payload(_ found: [String: LinePattern.Value], _ reply: Reply, _ request: Request) -> String {
        let members = request.fieldNames.map { name in
            let value: String
            switch found[name] {
            case .number(let text): value = text
            case .text(let text): value = JSONText.quoted(text)
            case nil: value = reply.with[name].map { JSONText.quoted($0) } ?? "null"
            }
            return "\(JSONText.quoted(name)):\(value)"
        }
        return "{\(members.joined(separator: ","))}"
    }

    private func checksum(_ bytes: [UInt8]) -> UInt8 {
        guard case .frame(let frame) = self.framing, let checksum = frame.checksum else { return 0 }
        return checksum.value(of: bytes)
    }

    /// How long the frame at the beginning of `buffer` is; `nil` while that cannot be told.
    ///
    /// - Returns: Its bytes and those of its terminator; 0 bytes for a buffer that cannot become a frame.
    package func frameLength(in buffer: ArraySlice<UInt8>) -> (frame: Int, end: Int)? {
        switch self.framing {
        case .terminator(let end):
            guard let first = end.first else { return nil }
            var at = buffer.startIndex
            while let found = buffer[at...].firstIndex(of: first) {
                if buffer[found...].starts(with: end) { return (found - buffer.startIndex, end.count) }
                at = found + 1
            }
            return nil
        case .frame(let frame):
            let start = buffer.prefix(frame.start.count)
            guard start.elementsEqual(frame.start.prefix(start.count)) else { return (0, 0) }
            guard buffer.count > frame.lengthAt else { return nil }
            let length = frame.overhead + Int(buffer[buffer.startIndex + frame.lengthAt])
            guard buffer.count >= length else { return nil }
            if let checksum = frame.checksum {
                let whole = buffer.prefix(length)
                guard whole.last == checksum.value(of: whole.dropLast()) else { return (0, 0) }
            }
            return (length, 0)
        }
    }
}
