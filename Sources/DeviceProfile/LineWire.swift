/// How a device is asked over lines of text or frames of bytes, through TCP or a serial port.
package struct LineWire: Sendable, Hashable {
    /// What ends a reply.
    package enum Framing: Sendable, Hashable {
        /// These bytes, 1 to 4.
        case terminator([UInt8])
        case frame(Frame)
    }

    /// A binary frame that tells its own length.
    package struct Frame: Sendable, Hashable {
        /// What it begins with.
        package var start: [UInt8]
        /// Where the byte is that counts the data.
        package var lengthAt: Int
        /// Bytes beside the data: before it, and after it with the checksum.
        package var overhead: Int
        package var checksum: Checksum?
    }

    /// The last byte of a frame.
    package struct Checksum: Sendable, Hashable {
        /// The named ways to make it.
        package enum Kind: String, Sendable, CaseIterable {
            /// The sum, modulo 256.
            case sum8
            /// Exclusive or.
            case xor8
        }

        package var kind: Kind
        /// The first byte that counts.
        package var from: Int

        /// The checksum of a frame's bytes before it.
        package func value(of bytes: some Sequence<UInt8>) -> UInt8 {
            bytes.dropFirst(self.from)
                .reduce(0) { sum, byte in
                    switch self.kind {
                    case .sum8: sum &+ byte
                    case .xor8: sum ^ byte
                    }
                }
        }
    }

    /// What a device says when a connection is made, and what is done about it.
    package struct Greeting: Sendable, Hashable {
        package enum Response: Sendable, Hashable {
            /// Nothing: requests may follow.
            case none
            /// The hexadecimal MD5 of a field and the password leads the first request.
            case md5Prefix(field: String)
            /// The device does not want us.
            case refused
        }

        package var match: LinePattern
        package var response: Response
    }

    /// A form that the reply to a request may have.
    package struct Reply: Sendable, Hashable {
        package var match: LinePattern
        /// Fields that it stands for without saying them.
        package var with: [String: String]
        /// The device does not do it: a failure, not a value.
        package var isRefusal: Bool
    }

    /// Something to ask for.
    package struct Request: Sendable, Hashable {
        package var name: String
        package var send: LinePattern
        package var replies: [Reply]
        package var poll: PointDefinition.PollClass

        /// Every field that a reply tells, in order of appearance.
        package var fieldNames: [String] {
            var seen: Set<String> = []
            return self.replies.flatMap { $0.match.fieldNames + $0.with.keys.sorted() }
                .filter { seen.insert($0).inserted }
        }
    }

    package var form: LinePattern.Form
    /// The TCP port that the factory sets; `nil`: `site.yaml` must say it.
    package var port: UInt16?
    /// The serial settings that the factory ships.
    package var serial: ModbusWire.Serial?
    /// The address that the factory sets.
    package var unit: UInt8
    /// Longest wait for a whole reply, connecting and greeting included.
    package var timeoutMilliseconds: Int
    package var pauseMilliseconds: Int
    package var connectPauseMilliseconds: Int
    /// Whether the connection is given up after each poll, for devices that have one for everybody.
    package var closesAfterPoll: Bool
    package var framing: Framing
    /// Appended to every request.
    package var requestEnd: [UInt8]
    package var greetings: [Greeting]
    /// Lines that are no replies: echoes, prompts.
    package var ignored: [LinePattern]
    package var requests: [Request]

    /// The same as messages, one a request: what a reply tells is decoded like any payload.
    package var messages: MQTTWire {
        MQTTWire(
            messages: self.requests.map { request in
                MQTTWire.Message(
                    name: request.name,
                    topic: Self.topic(of: request.name),
                    payload: .json,
                    retained: .state,
                    sent: .regularly
                )
            },
            availability: nil
        )
    }

    /// The topic under which the reply to a request is decoded; no broker ever sees it.
    package static func topicText(of request: String) -> String { "$line/\(request)" }

    private static func topic(of request: String) -> TopicTemplate {
        guard let topic = TopicTemplate(self.topicText(of: request)) else {
            preconditionFailure("identifiers are levels of topics")
        }
        return topic
    }
}

extension DeviceProfile {
    /// The messages of a device that publishes, pushes or answers lines; `nil` for registers.
    package var messageWire: MQTTWire? {
        switch self.wire {
        case .modbus: nil
        case .mqtt(let wire): wire
        case .line(let wire): wire.messages
        case .http(let wire): wire.messages
        }
    }
}
