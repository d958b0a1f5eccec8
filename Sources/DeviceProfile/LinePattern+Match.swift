extension LinePattern {
    /// The fields of a frame, or `nil` when it is not such a one.
    ///
    /// - Parameters:
    ///   - frame: Without its terminator; of a binary frame everything.
    ///   - unit: The address that a placeholder must be.
    package func match(_ frame: ArraySlice<UInt8>, unit: UInt8) -> [String: Value]? {
        guard frame.count <= Self.bytesMax else { return nil }
        var rest = frame
        var values: [String: Value] = [:]
        for (index, piece) in self.pieces.enumerated() {
            switch piece {
            case .literal(let bytes):
                guard rest.starts(with: bytes) else { return nil }
                rest = rest.dropFirst(bytes.count)
            case .unit(let digits):
                let bytes = Self.unit(unit, digits: digits)
                guard rest.starts(with: bytes) else { return nil }
                rest = rest.dropFirst(bytes.count)
            case .blanks:
                let run = rest.prefix { $0 == 0x20 }
                guard !run.isEmpty else { return nil }
                rest = rest.dropFirst(run.count)
            case .checksum:
                guard !rest.isEmpty else { return nil }
                rest = rest.dropFirst()
            case .field(let name, let kind, let count):
                let run = self.run(of: kind, count, in: rest, before: index + 1)
                guard count.contains(run.count), let value = Self.value(run, kind) else { return nil }
                rest = rest.dropFirst(run.count)
                if !name.hasPrefix("_") { values[name] = value }
            }
        }
        return rest.isEmpty ? values : nil
    }

    /// The bytes that a field takes: all of its class, as many as it may have.
    private func run(
        of kind: Kind,
        _ count: ClosedRange<Int>,
        in rest: ArraySlice<UInt8>,
        before next: Int
    ) -> ArraySlice<UInt8> {
        let room = rest.prefix(count.upperBound)
        switch kind {
        case .any:
            let open = room.prefix { $0 >= 0x20 && $0 != 0x7F }
            guard count.lowerBound != count.upperBound, self.pieces.indices.contains(next),
                case .literal(let end) = self.pieces[next]
            else { return open }
            // The literal after it ends it, where it first comes; it may begin just after the room.
            var at = rest.startIndex
            while at < open.endIndex, !rest[at...].starts(with: end) { at += 1 }
            return rest[rest.startIndex..<at]
        case .digits: return room.prefix { (0x30...0x39).contains($0) }
        case .hex:
            return room.prefix {
                (0x30...0x39).contains($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0)
            }
        case .letters: return room.prefix { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        case .number:
            // Blanks only before it, so that those after it are the next piece's.
            let blanks = room.prefix { $0 == 0x20 || $0 == 0x2B || $0 == 0x2D }
            let digits = rest[blanks.endIndex..<room.endIndex].prefix { (0x30...0x39).contains($0) || $0 == 0x2E }
            return rest[rest.startIndex..<digits.endIndex]
        case .uint8, .int8, .uint16, .int16, .uint16LowFirst, .int16LowFirst, .ascii, .skip: return room
        }
    }

    private static func value(_ run: ArraySlice<UInt8>, _ kind: Kind) -> Value? {
        switch kind {
        case .digits: return self.decimal(run).map { .number($0) } ?? (run.isEmpty ? .text("") : nil)
        case .number: return self.decimal(run).map { .number($0) }
        case .any, .hex, .letters:
            return String(validating: run, as: UTF8.self).map { .text($0) }
        case .ascii:
            let text = run.prefix { $0 != 0 }
            guard text.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
            return .text(String(decoding: text, as: UTF8.self))
        case .skip: return .text("")
        case .uint8: return run.first.map { .number(String($0)) }
        case .int8: return run.first.map { .number(String(Int8(bitPattern: $0))) }
        case .uint16: return self.word(run).map { .number(String($0)) }
        case .int16: return self.word(run).map { .number(String(Int16(bitPattern: $0))) }
        case .uint16LowFirst: return self.word(run).map { .number(String($0.byteSwapped)) }
        case .int16LowFirst: return self.word(run).map { .number(String(Int16(bitPattern: $0.byteSwapped))) }
        }
    }

    private static func word(_ run: ArraySlice<UInt8>) -> UInt16? {
        guard run.count == 2, let high = run.first, let low = run.last else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    /// A number in the grammar of JSON: blanks, plus sign and needless zeros gone; `nil` when it is none.
    static func decimal(_ run: ArraySlice<UInt8>) -> String? {
        var rest = run.drop { $0 == 0x20 }
        while rest.last == 0x20 { rest.removeLast() }
        var isNegative = false
        if let sign = rest.first, sign == 0x2B || sign == 0x2D {
            isNegative = sign == 0x2D
            rest = rest.dropFirst().drop { $0 == 0x20 }
        }
        guard rest.count <= 32 else { return nil }
        let parts = rest.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole.allSatisfy({ (0x30...0x39).contains($0) }),
            parts.count < 2 || parts[1].allSatisfy({ (0x30...0x39).contains($0) }),
            !whole.isEmpty || (parts.count == 2 && !parts[1].isEmpty)
        else { return nil }
        let significant = whole.drop { $0 == 0x30 }
        var text = isNegative ? "-" : ""
        text += significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self)
        if parts.count == 2, !parts[1].isEmpty { text += "." + String(decoding: parts[1], as: UTF8.self) }
        return text
    }

    private static func unit(_ unit: UInt8, digits: Int) -> [UInt8] {
        guard digits > 0 else { return [unit] }
        let text = String(unit)
        return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
    }

    /// The bytes for given fields: a request for a unit, or a reply that a simulator plays.
    ///
    /// - Parameters:
    ///   - fields: Texts by field; one that is missing is zeros, or `x` in classes of characters.
    ///   - checksum: The checksum of everything before it.
    package func bytes(
        unit: UInt8,
        fields: [String: String] = [:],
        checksum: ([UInt8]) -> UInt8 = { _ in 0 }
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in self.pieces {
            switch piece {
            case .literal(let literal): bytes += literal
            case .unit(let digits): bytes += Self.unit(unit, digits: digits)
            case .blanks: bytes.append(0x20)
            case .checksum: bytes.append(checksum(bytes))
            case .field(let name, let kind, let count): bytes += Self.bytes(fields[name], kind, count)
            }
        }
        return bytes
    }

    private static func bytes(_ text: String?, _ kind: Kind, _ count: ClosedRange<Int>) -> [UInt8] {
        if let width = kind.width {
            let number = text.flatMap { Double($0) }.flatMap { Int(exactly: $0.rounded()) } ?? 0
            let word = UInt16(truncatingIfNeeded: number)
            let isLowFirst = kind == .uint16LowFirst || kind == .int16LowFirst
            let ordered = isLowFirst ? word.byteSwapped : word
            return width == 1
                ? [UInt8(truncatingIfNeeded: number)]
                : [UInt8(truncatingIfNeeded: ordered >> 8), UInt8(truncatingIfNeeded: ordered)]
        }
        var bytes = Array((text ?? "").utf8.prefix(count.upperBound))
        switch kind {
        case .digits, .number, .hex:
            while bytes.count < count.lowerBound { bytes.insert(0x30, at: 0) }
        case .ascii, .skip: while bytes.count < count.lowerBound { bytes.append(0) }
        default: while bytes.count < count.lowerBound { bytes.append(UInt8(ascii: "x")) }
        }
        return bytes
    }
}
