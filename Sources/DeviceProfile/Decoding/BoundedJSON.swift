/// A strict JSON reader for payloads from outside: bounded in size, depth and count, without recursion.
///
/// It parses once into a flat list of tokens, which is reused from message to message, and finds values by JSON
/// pointer.
/// Stricter than RFC 8259 where leniency would mean guessing: a repeated key, a lone surrogate or a byte-order mark is
/// an error.
package struct BoundedJSON: Sendable {
    /// Why a payload is not JSON.
    package enum Problem: String, Error, Sendable, CaseIterable {
        case tooLarge = "payloadTooLarge"
        case notUTF8 = "notUTF8"
        case syntax = "jsonSyntax"
        case tooDeep = "jsonTooDeep"
        case tooMany = "jsonTooMany"
        case duplicateKey = "jsonDuplicateKey"
    }

    /// What a token is.
    package enum Kind: UInt8, Sendable {
        case object
        case array
        case key
        case string
        case escapedString
        case number
        case yes
        case no
        case null
    }

    /// One value, or the key of a member; containers are followed by what is in them.
    package struct Token: Sendable {
        package var kind: Kind
        /// Byte offsets of the content; strings and keys without their quotes.
        package var start: Int32
        package var end: Int32
        /// Index of the token after this value and everything in it.
        package var next: Int32
        /// Hash of a key's bytes; 0 for others.
        var hash: UInt32
    }

    package static let bytesMax = 1 << 20
    package static let depthMax = 32
    static let tokensMax = 16_384
    static let membersMax = 1_024

    /// How much text and how many values are read; depth and members are the same for all.
    struct Limits {
        var bytesMax: Int
        var tokensMax: Int

        /// A message of a device.
        static let payload = Limits(bytesMax: BoundedJSON.bytesMax, tokensMax: BoundedJSON.tokensMax)
    }

    private let limits: Limits
    /// The tokens of the payload that was parsed last; the first is the whole.
    package private(set) var tokens: [Token] = []
    private var open: [Frame] = []

    private struct Frame: Sendable {
        var token: Int
        var isObject: Bool
        var members: Int
    }

    package init() { self.init(limits: .payload) }

    init(limits: Limits) { self.limits = limits }

    /// Parses a payload; afterwards ``find(_:in:)`` works on the same bytes.
    package mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(Problem) {
        self.tokens.removeAll(keepingCapacity: true)
        self.open.removeAll(keepingCapacity: true)
        guard bytes.count <= self.limits.bytesMax else { throw .tooLarge }
        if !Self.isASCII(bytes), String(validating: bytes, as: UTF8.self) == nil { throw .notUTF8 }
        var position = 0
        var expectsValue = true
        while true {
            Self.skipBlanks(bytes, &position)
            if expectsValue {
                guard position < bytes.count else { throw .syntax }
                expectsValue = try self.value(bytes, &position)
                if expectsValue { continue }
            }
            // A value has ended: close containers, or go to the next member.
            guard let frame = self.open.last else { break }
            Self.skipBlanks(bytes, &position)
            guard position < bytes.count else { throw .syntax }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: ",") {
                Self.skipBlanks(bytes, &position)
                try self.nextMember(bytes, &position)
                expectsValue = true
            } else if byte == (frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                self.close(at: position)
            } else {
                throw .syntax
            }
        }
        Self.skipBlanks(bytes, &position)
        guard position == bytes.count else { throw .syntax }
    }

    /// Reads one value or opens a container.
    ///
    /// Returns whether another value must follow at once.
    private mutating func value(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) throws(Problem) -> Bool {
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = bytes[position] == UInt8(ascii: "{")
            guard self.open.count < Self.depthMax else { throw .tooDeep }
            try self.append(isObject ? .object : .array, start, start)
            self.open.append(Frame(token: self.tokens.count - 1, isObject: isObject, members: 0))
            position += 1
            Self.skipBlanks(bytes, &position)
            guard position < bytes.count else { throw .syntax }
            if bytes[position] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                position += 1
                self.close(at: position)
                return false
            }
            try self.nextMember(bytes, &position)
            return true
        case UInt8(ascii: "\""):
            let hasEscapes = try Self.string(bytes, &position)
            try self.append(hasEscapes ? .escapedString : .string, start + 1, position - 1)
        case UInt8(ascii: "-"), 0x30...0x39:
            try Self.number(bytes, &position)
            try self.append(.number, start, position)
        case UInt8(ascii: "t"):
            try Self.word("true", bytes, &position)
            try self.append(.yes, start, position)
        case UInt8(ascii: "f"):
            try Self.word("false", bytes, &position)
            try self.append(.no, start, position)
        case UInt8(ascii: "n"):
            try Self.word("null", bytes, &position)
            try self.append(.null, start, position)
        default: throw .syntax
        }
        return false
    }

    /// In an object: reads the key and its colon.
    ///
    /// In an array: counts the element.
    private mutating func nextMember(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) throws(Problem) {
        let last = self.open.count - 1
        self.open[last].members += 1
        guard self.open[last].members <= Self.membersMax else { throw .tooMany }
        guard self.open[last].isObject else { return }
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw .syntax }
        let start = position
        let hasEscapes = try Self.string(bytes, &position)
        try self.append(.key, start + 1, position - 1)
        let key = self.tokens.count - 1
        // Keys with escapes are compared by their meaning: `"a"` and `"\u0061"` are the same key.
        let hash =
            hasEscapes
            ? Self.hash(Array(Self.unescaped(bytes, start + 1, position - 1)?.utf8 ?? "".utf8))
            : Self.hash(bytes[(start + 1)..<(position - 1)])
        self.tokens[key].hash = hash
        // In place, because a call would retain the tokens for every key.
        var index = self.open[last].token + 1
        while index < key {
            if self.tokens[index].hash == hash, self.isSameKey(index, key, bytes) { throw .duplicateKey }
            index = Int(self.tokens[index + 1].next)
        }
        Self.skipBlanks(bytes, &position)
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw .syntax }
        position += 1
    }

    private func isSameKey(_ one: Int, _ other: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        self.keyText(one, bytes) == self.keyText(other, bytes)
    }

    private func keyText(_ index: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        Self.unescaped(bytes, Int(self.tokens[index].start), Int(self.tokens[index].end))
    }

    private mutating func append(_ kind: Kind, _ start: Int, _ end: Int) throws(Problem) {
        guard self.tokens.count < self.limits.tokensMax else { throw .tooMany }
        let next = Int32(self.tokens.count + 1)
        self.tokens.append(Token(kind: kind, start: Int32(start), end: Int32(end), next: next, hash: 0))
    }

    private mutating func close(at position: Int) {
        guard let frame = self.open.popLast() else { return }
        self.tokens[frame.token].end = Int32(position)
        self.tokens[frame.token].next = Int32(self.tokens.count)
    }

    /// The index of the token that `pointer` leads to from the token `root`, or `nil`.
    package func find(_ pointer: JSONPointer, from root: Int = 0, in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard self.tokens.indices.contains(root) else { return nil }
        var current = root
        for depth in pointer.tokens.indices {
            switch self.tokens[current].kind {
            case .object:
                guard
                    let member = self.member(
                        pointer.tokenBytes[depth],
                        hash: pointer.tokenHashes[depth],
                        of: current,
                        bytes
                    )
                else { return nil }
                current = member
            case .array:
                let token = pointer.tokens[depth]
                guard let index = Int(token), index >= 0, String(index) == token,
                    let element = self.element(index, of: current)
                else { return nil }
                current = element
            default: return nil
            }
        }
        return current
    }

    private func member(
        _ name: [UInt8],
        hash: UInt32,
        of object: Int,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        let end = Int(self.tokens[object].next)
        var index = object + 1
        while index + 1 < end {
            let key = self.tokens[index]
            if key.hash == hash {
                let length = Int(key.end - key.start)
                let isSame =
                    length == name.count
                    ? bytes[Int(key.start)..<Int(key.end)].elementsEqual(name)
                    : (self.keyText(index, bytes).map { Array($0.utf8) == name } ?? false)
                if isSame { return index + 1 }
            }
            index = Int(self.tokens[index + 1].next)
        }
        return nil
    }

    private func element(_ index: Int, of array: Int) -> Int? {
        let end = Int(self.tokens[array].next)
        var current = array + 1
        for _ in 0..<index {
            guard current < end else { return nil }
            current = Int(self.tokens[current].next)
        }
        return current < end ? current : nil
    }
}
