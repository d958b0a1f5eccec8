internal import CampusModel
internal import DeviceProfile
internal import Synchronization

/// What a contract says of one message.
package enum ContractVerdict: Sendable, Hashable {
    /// The topic is in none of the contract's channels.
    case notCovered
    /// The payload is what the contract promises: the message by its index.
    case valid(message: Int)
    /// It is not.
    case violation(ContractViolation)
}

/// Validates what one device publishes, before anything of it is decoded.
package final class ContractValidator: Sendable {
    package let contract: FirmwareContract
    /// The topic filters of everything that the device sends.
    package let filters: [String]
    private let channels: [(topic: AddressFilter, channel: FirmwareContract.Channel)]
    /// `major.minor` of every version that is known, oldest first.
    private let knownVersions: [String]
    private let scratch = Mutex(BoundedJSON())

    /// Binds a contract to a device.
    ///
    /// - Parameters:
    ///   - contract: The newest minor version that is known.
    ///   - older: The older ones of the same major version.
    ///   - parameters: Values for the placeholders of the addresses; what is not given may be any one level.
    package init(contract: FirmwareContract, older: [ContractVersion] = [], parameters: [String: String] = [:]) {
        self.contract = contract
        let sending = contract.channels.filter { $0.direction == .send }
        self.channels = sending.map { (AddressFilter($0.address, parameters), $0) }
        self.filters = self.channels.map(\.topic.filter)
        var known: [String] = []
        for version in (older + [contract.version]).sorted() where !known.contains(version.published) {
            known.append(version.published)
        }
        self.knownVersions = known
    }

    /// Compares one message with the contract.
    package func check(topic: String, payload: [UInt8]) -> ContractVerdict {
        guard let channel = self.channels.first(where: { $0.topic.matches(topic) })?.channel else {
            return .notCovered
        }
        return self.check(payload, of: channel)
    }

    /// Compares a payload that came on `channel`.
    private func check(_ payload: [UInt8], of channel: FirmwareContract.Channel) -> ContractVerdict {
        let messages = channel.messages.map { self.contract.messages[$0] }
        let bytesMax = messages.map(\.bounds.bytesMax).max() ?? 0
        guard payload.count <= bytesMax else { return self.tooLarge(payload.count, bytesMax) }
        if let message = messages.first, message.content == .text {
            return self.checkText(payload, message, channel.messages[0])
        }
        return self.scratch.withLock { json in
            payload.withUnsafeBufferPointer { bytes in
                do throws(BoundedJSON.Problem) {
                    try json.parse(bytes)
                } catch {
                    return self.noJSON(error)
                }
                guard let index = self.message(of: channel, json, bytes) else {
                    return self.unknownMessage(channel, json, bytes)
                }
                return self.checkJSON(index, json, bytes)
            }
        }
    }

    private func message(
        of channel: FirmwareContract.Channel,
        _ json: BoundedJSON,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        guard let pointer = channel.discriminator else { return channel.messages.first }
        guard let token = json.find(pointer, in: bytes), let value = Self.scalar(token, json, bytes) else { return nil }
        return channel.messages.first { index in
            self.contract.messages[index].schema.resolve(pointer)?.schema.allowed?.contains(value) ?? false
        }
    }

    private static func scalar(
        _ token: Int,
        _ json: BoundedJSON,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> PayloadSchema.Scalar? {
        switch json.tokens[token].kind {
        case .string, .escapedString: json.text(token, in: bytes).map { .text($0) }
        case .number: json.text(token, in: bytes).flatMap { ExactDecimal($0) }.map { .number($0) }
        case .yes: .boolean(true)
        case .no: .boolean(false)
        case .null: .null
        case .object, .array, .key: nil
        }
    }

    private func checkJSON(_ index: Int, _ json: BoundedJSON, _ bytes: UnsafeBufferPointer<UInt8>) -> ContractVerdict {
        let message = self.contract.messages[index]
        guard bytes.count <= message.bounds.bytesMax else { return self.tooLarge(bytes.count, message.bounds.bytesMax) }
        // First, because a payload of another version differs in ways that nobody can judge.
        if let violation = self.versionProblem(message, json, bytes) { return .violation(violation) }
        var checker = PayloadChecker(json: json, bytes: bytes)
        if checker.depth > message.bounds.depthMax {
            return self.violation(
                message.name,
                Difference(
                    "",
                    vi: "lồng \(checker.depth) mức, nhiều nhất \(message.bounds.depthMax)",
                    en: "nested \(checker.depth) deep, at most \(message.bounds.depthMax) allowed"
                )
            )
        }
        checker.check(0, message.schema)
        guard !checker.differences.isEmpty else { return .valid(message: index) }
        return .violation(
            ContractViolation(
                reason: .contractViolation,
                contract: self.contract.name,
                message: message.name,
                differences: checker.differences,
                moreCount: checker.moreCount
            )
        )
    }

    private func versionProblem(
        _ message: FirmwareContract.Message,
        _ json: BoundedJSON,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> ContractViolation? {
        guard let pointer = message.semantics.version, let token = json.find(pointer, in: bytes),
            let text = json.text(token, in: bytes), !self.knownVersions.contains(text)
        else { return nil }
        let shown = PayloadChecker.quoted(text, PayloadSchema(kinds: [.string]))
        let known = self.knownVersions.joined(separator: ", ")
        return ContractViolation(
            reason: .contractUnknownVersion,
            contract: self.contract.name,
            message: message.name,
            differences: [
                Difference(
                    pointer.description,
                    vi: "chưa biết phiên bản \(shown); đã biết: \(known)",
                    en: "version \(shown) is not known here; known: \(known)"
                )
            ]
        )
    }

    private func checkText(_ payload: [UInt8], _ message: FirmwareContract.Message, _ index: Int) -> ContractVerdict {
        guard let text = String(validating: payload, as: UTF8.self) else {
            return self.violation(message.name, Difference("", vi: "không phải văn bản UTF-8", en: "not UTF-8 text"))
        }
        return payload.withUnsafeBufferPointer { bytes in
            var checker = PayloadChecker(json: BoundedJSON(), bytes: bytes)
            checker.checkBareText(text, message.schema)
            guard !checker.differences.isEmpty else { return .valid(message: index) }
            return .violation(
                ContractViolation(
                    reason: .contractViolation,
                    contract: self.contract.name,
                    message: message.name,
                    differences: checker.differences
                )
            )
        }
    }

    private func violation(_ message: String?, _ difference: Difference) -> ContractVerdict {
        .violation(
            ContractViolation(
                reason: .contractViolation,
                contract: self.contract.name,
                message: message,
                differences: [difference]
            )
        )
    }

    private func tooLarge(_ count: Int, _ most: Int) -> ContractVerdict {
        self.violation(
            nil,
            Difference("", vi: "\(count) byte, nhiều nhất \(most)", en: "\(count) bytes, at most \(most) allowed")
        )
    }

    private func noJSON(_ problem: BoundedJSON.Problem) -> ContractVerdict {
        let text: LocalizedText =
            switch problem {
            case .tooLarge: LocalizedText(vi: "quá lớn", en: "too large")
            case .notUTF8: LocalizedText(vi: "không phải văn bản UTF-8", en: "not UTF-8 text")
            case .syntax: LocalizedText(vi: "JSON sai cú pháp hoặc bị cắt cụt", en: "broken or truncated JSON")
            case .tooDeep: LocalizedText(vi: "JSON lồng quá sâu", en: "JSON nested too deep")
            case .tooMany: LocalizedText(vi: "JSON có quá nhiều phần tử", en: "JSON with too many values")
            case .duplicateKey: LocalizedText(vi: "JSON có khóa trùng nhau", en: "JSON with a duplicate key")
            }
        return self.violation(nil, Difference("", vi: text.vi, en: text.en))
    }

    private func unknownMessage(
        _ channel: FirmwareContract.Channel,
        _ json: BoundedJSON,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> ContractVerdict {
        guard let pointer = channel.discriminator else { return .notCovered }
        let known = channel.messages
            .flatMap { self.contract.messages[$0].schema.resolve(pointer)?.schema.allowed ?? [] }
            .map(\.description).joined(separator: ", ")
        let token = json.find(pointer, in: bytes)
        let found = token.flatMap { json.text($0, in: bytes) }
            .map { PayloadChecker.quoted($0, PayloadSchema(kinds: [.string])) }
        return .violation(
            ContractViolation(
                reason: .contractUnknownMessage,
                contract: self.contract.name,
                message: nil,
                differences: [
                    Difference(
                        pointer.description,
                        vi: found.map { "\($0) không thuộc \(known)" } ?? "thiếu; cần một trong \(known)",
                        en: found.map { "\($0) is none of \(known)" } ?? "missing; one of \(known) expected"
                    )
                ]
            )
        )
    }
}
