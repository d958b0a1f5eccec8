internal import CampusModel
internal import DeviceProfile

/// Payloads made from a contract, valid ones and ones with a single fault each: for the tests of firmware and of other
/// readers.
package struct ContractVectors: Sendable {
    /// One payload.
    package struct Vector: Sendable, Hashable {
        /// What it shows, such as `telemetry: /temperature above its maximum`.
        package var name: String
        package var message: String
        package var topic: String
        package var payload: String
        /// Whether the contract takes it, by how it was made.
        package var isValid: Bool
        /// Whether the fault is one that no JSON Schema sees: size, depth, version.
        package var isBeyondSchema = false
    }

    package private(set) var vectors: [Vector] = []
    /// The most vectors of one message.
    package static let vectorsMax = 1_000

    /// Makes the vectors; the same contract gives the same ones.
    package init(contract: FirmwareContract) {
        for channel in contract.channels where channel.direction == .send {
            let topic = channel.address.levels
                .map { level in
                    switch level {
                    case .literal(let text): text
                    case .mixed(let before, _, let after): "\(before)example\(after)"
                    case .parameter, .any, .rest: "example"
                    }
                }
                .joined(separator: "/")
            for index in channel.messages { self.add(contract.messages[index], topic, contract) }
        }
    }

    private mutating func add(_ message: FirmwareContract.Message, _ topic: String, _ contract: FirmwareContract) {
        var found: [Vector] = []
        func note(_ name: String, _ payload: String, _ isValid: Bool, isBeyondSchema: Bool = false) {
            guard found.count < Self.vectorsMax else { return }
            found.append(
                Vector(
                    name: "\(message.name): \(name)",
                    message: message.name,
                    topic: topic,
                    payload: payload,
                    isValid: isValid,
                    isBeyondSchema: isBeyondSchema
                )
            )
        }
        defer { self.vectors += found }
        guard message.content == .json else {
            for scalar in message.schema.allowed ?? [] { note("\(scalar)", scalar.plainText, true) }
            if message.schema.allowed != nil { note("a text that is not listed", "•", false) }
            return
        }
        let version = message.semantics.version
        func dated(_ value: VectorValue) -> VectorValue {
            version.map { value.setting($0.tokens[...], .scalar(JSONText.quoted(contract.version.published))) } ?? value
        }
        let full = dated(.valid(message.schema, isFull: true))
        note("only what is required", dated(.valid(message.schema, isFull: false)).text, true)
        note("everything", full.text, true)
        if let version {
            let unknown = full.setting(version.tokens[...], .scalar("\"\(contract.version.major).999\""))
            note("an unknown version", unknown.text, false, isBeyondSchema: true)
        }
        let padding = String(repeating: " ", count: message.bounds.bytesMax)
        note("larger than bytesMax", full.text + padding, false, isBeyondSchema: true)
        note("cut short", String(full.text.dropLast()), false, isBeyondSchema: true)
        Self.faults(message.schema, full, "") { name, value in note(name, value.text, false) }
        Self.nulls(message.schema, full, "") { name, value in note(name, value.text, true) }
    }

    /// Values with one member null, where that is allowed.
    private static func nulls(
        _ schema: PayloadSchema,
        _ value: VectorValue,
        _ pointer: String,
        _ note: (String, VectorValue) -> Void
    ) {
        guard case .object(let members) = value else { return }
        for (index, member) in members.enumerated() {
            guard let inner = schema.member(member.name)?.schema else { continue }
            let place = pointer + JSONText.token(member.name)
            if inner.kinds.contains(.null), inner.allowed == nil {
                note("\(place) null", .object(members.replacing(index, .scalar("null"))))
            }
            self.nulls(inner, member.value, place) { note($0, .object(members.replacing(index, $1))) }
        }
    }

    /// Values with one fault each.
    private static func faults(
        _ schema: PayloadSchema,
        _ value: VectorValue,
        _ pointer: String,
        _ note: (String, VectorValue) -> Void
    ) {
        switch value {
        case .scalar: for (name, wrong) in self.wrong(schema) { note("\(pointer) \(name)", .scalar(wrong)) }
        case .list(let elements):
            note("\(pointer) not a list", .scalar("false"))
            if let most = schema.itemsMax, let first = elements.first, most < 64 {
                note("\(pointer) too many elements", .list(Array(repeating: first, count: most + 1)))
            }
            if schema.itemsMin > 0 { note("\(pointer) too few elements", .list([])) }
            if let first = elements.first, let inner = schema.items.first {
                self.faults(inner, first, "\(pointer)/0") { note($0, .list([$1] + elements.dropFirst())) }
            }
        case .object(let members):
            if !pointer.isEmpty { note("\(pointer) not an object", .scalar("false")) }
            if schema.isClosed { note("\(pointer)/unknown", .object(members + [("unknown", .scalar("1"))])) }
            for (index, member) in members.enumerated() {
                guard let known = schema.member(member.name) else { continue }
                let place = pointer + JSONText.token(member.name)
                if known.isRequired {
                    note("\(place) missing", .object(members.enumerated().filter { $0.offset != index }.map(\.element)))
                }
                self.faults(known.schema, member.value, place) { note($0, .object(members.replacing(index, $1))) }
            }
        }
    }

    /// Scalars that the schema does not take, each with what is wrong.
    private static func wrong(_ schema: PayloadSchema) -> [(String, String)] {
        var found: [(String, String)] = []
        let isNumber = schema.kinds.contains(.number) || schema.kinds.contains(.integer)
        if !schema.kinds.contains(.null) { found.append(("null", "null")) }
        if !schema.kinds.contains(.string) { found.append(("as a text", "\"1\"")) }
        if !schema.kinds.contains(.boolean) { found.append(("as a truth value", "true")) }
        if !isNumber { found.append(("as a number", "1")) }
        if let allowed = schema.allowed {
            if schema.kinds.contains(.string), !allowed.contains(.text("•")) {
                found.append(("not listed", "\"•\""))
            }
            return found
        }
        if isNumber {
            let step = schema.multipleOf ?? ExactDecimal(1)
            if let low = schema.minimum?.value.moved(by: step, isUp: false) {
                found.append(("below its minimum", low.description))
            }
            if let high = schema.maximum?.value.moved(by: step, isUp: true) {
                found.append(("above its maximum", high.description))
            }
            let whole = schema.kinds.contains(.number) ? nil : ExactDecimal(1)
            let isRange = schema.maximum?.value != schema.minimum?.value
            if let step = schema.multipleOf ?? whole, isRange,
                let base = schema.minimum?.value ?? schema.maximum?.value,
                let finer = base.moved(
                    by: ExactDecimal(coefficient: step.coefficient, decimals: step.decimals + 1),
                    isUp: schema.minimum != nil
                )
            {
                found.append(("between two steps", finer.description))
            }
        }
        if schema.kinds.contains(.string) {
            if let most = schema.lengthMax, most < 1_024 {
                found.append(("too long", JSONText.quoted(String(repeating: "0", count: most + 1))))
            }
            if schema.lengthMin > 0 { found.append(("too short", "\"\"")) }
            if let pattern = schema.pattern, !pattern.matches("•") { found.append(("of another form", "\"•\"")) }
        }
        return found
    }
}

extension VectorValue {
    /// The same with another value where `tokens` lead, as far as that is there.
    fileprivate func setting(_ tokens: ArraySlice<String>, _ value: VectorValue) -> VectorValue {
        guard let token = tokens.first else { return value }
        guard case .object(let members) = self, let index = members.firstIndex(where: { $0.name == token }) else {
            return self
        }
        return .object(members.replacing(index, members[index].value.setting(tokens.dropFirst(), value)))
    }
}

extension Array where Element == (name: String, value: VectorValue) {
    fileprivate func replacing(_ index: Int, _ value: VectorValue) -> Self {
        var copy = self
        copy[index].value = value
        return copy
    }
}

extension ExactDecimal {
    /// One step more or less; `nil` when that does not fit.
    fileprivate func moved(by step: ExactDecimal, isUp: Bool) -> ExactDecimal? {
        let finer = max(0, self.decimals, step.decimals)
        guard let one = self.scaled(by: finer), let other = step.scaled(by: finer) else { return nil }
        let (sum, overflow) = isUp ? one.addingReportingOverflow(other) : one.subtractingReportingOverflow(other)
        return overflow ? nil : ExactDecimal(coefficient: sum, decimals: finer)
    }
}
