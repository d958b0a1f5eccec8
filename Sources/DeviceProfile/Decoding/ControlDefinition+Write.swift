package import CampusModel

/// Why a value is not written.
package struct ControlRefusal: Error, Hashable, CustomStringConvertible {
    package var vi: String
    package var en: String

    package var description: String { self.en }
}

/// What has to be sent so that a control takes a value.
package enum ControlWrite: Sendable, Hashable {
    /// A Modbus request of function 5, 6, 15 or 16; the words of function 5 are 0xFF00 or 0 (or what a command says),
    /// those of 15 one bit each.
    case registers(function: UInt8, address: UInt16, words: [UInt16])
    case message(topic: String, payload: String)

    /// The Modbus request without unit and checksum; empty for messages.
    package var pdu: [UInt8] {
        guard case .registers(let function, let address, let words) = self else { return [] }
        func pair(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(truncatingIfNeeded: word)] }
        switch function {
        case 5, 6: return [function] + pair(address) + pair(words.first ?? 0)
        case 15:
            var bytes = [UInt8](repeating: 0, count: (words.count + 7) / 8)
            for (index, word) in words.enumerated() where word != 0 { bytes[index / 8] |= 1 << UInt8(index % 8) }
            return [function] + pair(address) + pair(UInt16(clamping: words.count)) + [UInt8(clamping: bytes.count)]
                + bytes
        default:
            return [function] + pair(address) + pair(UInt16(clamping: words.count)) + [UInt8(clamping: words.count * 2)]
                + words.flatMap(pair)
        }
    }
}

extension ControlDefinition {
    /// What to send for `value`, or why it must not be sent.
    ///
    /// Only what the profile allows comes out: a number within ``range`` on its ``step`` that the type holds exactly, a
    /// listed value of an enumeration, 0 or 1 of a boolean.
    ///
    /// - Parameters:
    ///   - value: In ``unit``; `nil` for commands only.
    ///   - parameters: For the placeholders of topic and payload.
    package func write(_ value: Double?, parameters: [String: String] = [:]) throws(ControlRefusal) -> ControlWrite {
        let value = try self.allowed(value)
        switch self.target {
        case .register(let source, let isMultiple): return try self.registers(value, source, isMultiple)
        case .message(let topic, let payload):
            guard let name = topic.filter(parameters: parameters), !name.contains("+"), !name.contains("#") else {
                throw ControlRefusal(
                    vi: "chủ đề '\(topic)' thiếu tham số",
                    en: "the topic '\(topic)' needs a parameter that the device has not"
                )
            }
            return .message(topic: name, payload: self.filled(payload, value, parameters))
        }
    }

    /// What the point of ``readback`` shows once the device has taken `value`; of a command, what the command sends.
    package func expected(_ value: Double?) -> Double { self.kind == .command ? self.fixed : value ?? self.fixed }

    /// What a value is called: the name of a listed one, on and off, or the number with its unit.
    package func words(for value: Double) -> LocalizedText {
        if let listed = self.enumeration.first(where: { $0.value == value }) { return listed.label }
        if self.kind == .boolean {
            return value == 0 ? LocalizedText(vi: "Tắt", en: "Off") : LocalizedText(vi: "Bật", en: "On")
        }
        let number = NumberText.text(value)
        let unit = self.unit == "1" ? "" : " \(Units.text(for: self.unit))"
        return LocalizedText(vi: number.replacing(".", with: ",") + unit, en: number + unit)
    }

    /// The value that written registers mean, in ``unit``; `nil` when they are none of it.
    package func value(ofWords words: [UInt16]) -> Double? {
        guard case .register(let source, _) = self.target,
            let raw = words.withUnsafeBufferPointer({ source.raw(in: $0, at: 0) })
        else { return nil }
        return self.scale.value(of: raw)
    }

    private func allowed(_ value: Double?) throws(ControlRefusal) -> Double {
        if self.kind == .command {
            guard value == nil else {
                throw ControlRefusal(vi: "lệnh này không nhận giá trị", en: "this command takes no value")
            }
            return self.fixed
        }
        guard let value, value.isFinite else {
            throw ControlRefusal(vi: "thiếu giá trị", en: "a value is needed")
        }
        switch self.kind {
        case .boolean:
            guard value == 0 || value == 1 else {
                throw ControlRefusal(vi: "chỉ nhận 0 hoặc 1", en: "must be 0 or 1")
            }
        case .enumeration:
            guard self.enumeration.contains(where: { $0.value == value }) else {
                let known = self.enumeration.map { NumberText.text($0.value) }.joined(separator: ", ")
                throw ControlRefusal(vi: "chỉ nhận: \(known)", en: "must be one of \(known)")
            }
        case .number, .command:
            guard let range, range.contains(value) else {
                let low = NumberText.text(self.range?.lowerBound ?? 0)
                let high = NumberText.text(self.range?.upperBound ?? 0)
                throw ControlRefusal(vi: "phải từ \(low) đến \(high)", en: "must be from \(low) to \(high)")
            }
            if let step {
                let steps = (value - range.lowerBound) / step
                guard abs(steps - steps.rounded()) <= 1e-6 else {
                    let text = NumberText.text(step)
                    throw ControlRefusal(vi: "phải theo bước \(text)", en: "must be a step of \(text) from the minimum")
                }
            }
        }
        return value
    }

    private func registers(
        _ value: Double,
        _ source: RegisterSource,
        _ isMultiple: Bool
    ) throws(ControlRefusal) -> ControlWrite {
        let raw = self.kind == .command ? value : self.scale.raw(of: value)
        if source.table == .coil {
            if source.type != .bool, let word = UInt16(exactly: raw) {
                return .registers(function: 5, address: source.address, words: [word])
            }
            return isMultiple
                ? .registers(function: 15, address: source.address, words: [raw == 0 ? 0 : 1])
                : .registers(function: 5, address: source.address, words: [raw == 0 ? 0 : 0xFF00])
        }
        let isWhole = source.type != .float16 && source.type != .float32 && source.type != .float64
        guard !isWhole || abs(raw - raw.rounded()) <= 1e-6, let words = source.words(for: raw) else {
            throw ControlRefusal(
                vi: "thiết bị không biểu diễn được giá trị \(NumberText.text(value))",
                en: "the device's register cannot hold \(NumberText.text(value)) exactly"
            )
        }
        let function: UInt8 = words.count == 1 && !isMultiple ? 6 : 16
        return .registers(function: function, address: source.address, words: words)
    }

    /// The value that a payload of this control means, as the device would read it; `nil` for any other payload.
    package func value(ofPayload payload: String, parameters: [String: String]) -> Double? {
        guard case .message(_, let template) = self.target else { return nil }
        if self.kind == .command { return self.filled(template, self.fixed, parameters) == payload ? self.fixed : nil }
        if self.kind != .number {
            let known = self.enumeration.isEmpty ? [0, 1] : self.enumeration.map(\.value)
            return known.first { self.filled(template, $0, parameters) == payload }
        }
        let parts = self.filled(template, "\u{0}", parameters)
            .split(separator: "\u{0}", omittingEmptySubsequences: false)
        guard parts.count == 2, payload.hasPrefix(parts[0]), payload.hasSuffix(parts[1]),
            payload.count > parts[0].count + parts[1].count
        else { return nil }
        return Double(payload.dropFirst(parts[0].count).dropLast(parts[1].count)).map { self.scale.value(of: $0) }
    }

    /// The payload with the value and the parameters in their places.
    private func filled(_ payload: String, _ value: Double, _ parameters: [String: String]) -> String {
        let text: String
        if let listed = self.enumeration.first(where: { $0.value == value })?.text {
            text = listed
        } else if self.kind == .boolean {
            text = value == 0 ? "false" : "true"
        } else {
            text = NumberText.text(self.kind == .command ? value : self.scale.raw(of: value))
        }
        return self.filled(payload, text, parameters)
    }

    private func filled(_ payload: String, _ text: String, _ parameters: [String: String]) -> String {
        var result = ""
        var rest = payload[...]
        // One pass: what is put in is not searched for placeholders again.
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            rest = rest[open...]
            guard let close = rest.firstIndex(of: "}") else { break }
            let name = String(rest[rest.index(after: open)..<close])
            if let found = name == "value" ? text : parameters[name] {
                result += found
                rest = rest[rest.index(after: close)...]
            } else {
                result += "{"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}

/// Compares what a control sends with the bytes of a golden case.
enum ControlRunner {
    static func differences(
        _ write: (control: String, value: Double?),
        of test: GoldenCase,
        _ profile: DeviceProfile
    ) -> [String] {
        guard let control = profile.controls.first(where: { $0.name == write.control }) else {
            return ["there is no control called '\(write.control)' under these settings"]
        }
        let made: ControlWrite
        do throws(ControlRefusal) {
            made = try control.write(write.value, parameters: test.parameters)
        } catch {
            return ["'\(write.control)' refuses the value: \(error.en)"]
        }
        switch made {
        case .message(let topic, let payload):
            guard let message = test.message else { return ["the case has no 'mqtt'"] }
            let expected = String(decoding: message.payload, as: UTF8.self)
            return topic == message.topic && payload == expected
                ? [] : ["'\(write.control)' sends \(payload) to \(topic), expected \(expected) to \(message.topic)"]
        case .registers:
            guard let request = test.exchanges.first?.request, test.exchanges.count == 1 else {
                return ["a written value is one exchange under 'modbus'"]
            }
            let expected = Array(request.dropFirst().dropLast(2))
            return made.pdu == expected
                ? [] : ["'\(write.control)' sends \(HexText.text(made.pdu)), expected \(HexText.text(expected))"]
        }
    }
}
