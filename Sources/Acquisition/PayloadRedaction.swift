internal import CampusModel
package import DeviceProfile
internal import FirmwareContract

/// Makes a payload fit to be shown: shortened, control characters escaped, personal fields masked.
///
/// Fields of JSON are found by name in the text itself, so that broken JSON is covered too: the value after `"name":` is
/// replaced by `•••` when the name is one that a profile calls personal, or one that usually is. In bare text, where
/// nothing has a name, everything that could be the number of a card is replaced.
package enum PayloadRedaction {
    /// Member names that are personal in any profile (compared in lower case, without `-` and `_`).
    private static let personalNames: Set<String> = [
        "uid", "card", "cardid", "cardno", "cardnumber", "cardnum", "rfid", "tagid", "badge", "username", "user",
        "userid",
        "name", "employeeno", "employeenostring", "studentid", "pin", "epc", "epchex", "tid", "tidhex", "irk", "face",
        "picture", "image", "template", "biodata", "biophoto", "fingerprint", "facedata", "faceimage", "phone", "email",
        "address", "birthday", "password", "token",
    ]
    private static let mask = "•••"

    /// The payload as text of at most `limit` characters.
    ///
    /// - Parameters:
    ///   - payload: The bytes as received.
    ///   - personal: More that is personal, by the device's profile.
    ///   - limit: The most characters to keep.
    package static func text(_ payload: [UInt8], personal: PersonalParts = PersonalParts(), limit: Int) -> String {
        if personal.isWholeText, !payload.isEmpty { return self.mask }
        // A picture or a template is no text.
        guard String(validating: payload, as: UTF8.self) != nil else {
            return "\(self.mask) (\(payload.count) bytes, no text)"
        }
        let bytes = self.maskingEncoded(payload.prefix(limit * 2), isCut: payload.count > limit * 2)[...]
        let masked = self.hasMembers(bytes) ? self.maskingMembers(bytes, personal.memberNames) : self.maskingRuns(bytes)
        return self.printable(String(decoding: masked, as: UTF8.self), limit: limit)
    }

    /// A topic as it may be shown: what is as long as card numbers are is replaced; the addresses of devices (6 digits,
    /// MAC, EUI-64) stay, for the operator knows devices by them.
    package static func topic(_ topic: String) -> String {
        let masked = self.maskingRuns(Array(topic.utf8)[...]) { [8, 10, 14, 20, 24].contains($0) }
        return self.printable(String(decoding: masked, as: UTF8.self), limit: 256)
    }

    /// Whether `text` has something as long as card numbers are.
    static func hasCardNumber(_ text: String) -> Bool { self.topic(text) != self.printable(text, limit: 256) }

    private static func hasMembers(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes.drop(while: self.isBlank)
        while rest.first == UInt8(ascii: "[") { rest = rest.dropFirst().drop(while: self.isBlank) }
        return rest.first == UInt8(ascii: "{")
    }

    private static func maskingMembers(_ bytes: ArraySlice<UInt8>, _ personal: Set<String>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "\""), let name = self.string(in: bytes, at: index) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result.append(contentsOf: bytes[index..<name.end])
            index = name.end
            guard self.isPersonal(name.content, personal), let valueStart = self.valueStart(in: bytes, after: index)
            else { continue }
            result.append(contentsOf: bytes[index..<valueStart])
            result.append(contentsOf: "\"\(self.mask)\"".utf8)
            index = self.valueEnd(in: bytes, from: valueStart)
        }
        return result
    }

    /// The shortest run of base64 that is taken for something encoded: a template or a picture, not a word.
    private static let encodedBytesMin = 48

    /// Replaces long runs of base64 or hexadecimal characters, whatever member they stand in: nobody can read them, and
    /// they may be a face, a finger or a key.
    private static func maskingEncoded(_ bytes: ArraySlice<UInt8>, isCut: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            var end = index
            while end < bytes.endIndex, self.isEncoded(bytes[end]) { end += 1 }
            // What the cut left of a run is as private as the whole.
            let least = isCut && end == bytes.endIndex ? 8 : self.encodedBytesMin
            if end - index >= least {
                result.append(contentsOf: self.mask.utf8)
            } else {
                result.append(contentsOf: bytes[index..<end])
            }
            if end < bytes.endIndex { result.append(bytes[end]) }
            index = end + 1
        }
        return result
    }

    private static func isEncoded(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "\\")
    }

    /// A name that is spelled with escapes has something to hide.
    private static func isPersonal(_ name: ArraySlice<UInt8>, _ personal: Set<String>) -> Bool {
        let lowered = String(decoding: name, as: UTF8.self).lowercased()
        return personal.contains(lowered) || lowered.contains("\\")
            || self.personalNames.contains(lowered.filter { $0 != "-" && $0 != "_" })
    }

    /// Replaces runs of hexadecimal digits (`04A2B3C4`, `04:A2:B3:C4`, `04 A2 B3 C4`, `0012345678`) whose number of
    /// digits is one that `isPersonal`; numbers with a point stay.
    private static func maskingRuns(
        _ bytes: ArraySlice<UInt8>,
        where isPersonal: (_ digits: Int) -> Bool = { $0 >= 6 }
    ) -> [UInt8] {
        var result: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let run = HexRun(in: bytes, at: index)
            let isWord = run.end < bytes.endIndex && HexRun.isLetter(bytes[run.end])
            if run.digits > 0, !isWord, !run.isFraction, isPersonal(run.digits) {
                result.append(contentsOf: self.mask.utf8)
                index = run.end
            } else if run.digits > 0 || HexRun.isLetter(bytes[index]) {
                // The rest of a word is not looked at as if it were one.
                var end = max(run.end, index + 1)
                if isWord || run.digits == 0 {
                    while end < bytes.endIndex, HexRun.isLetter(bytes[end]) { end += 1 }
                }
                result.append(contentsOf: bytes[index..<end])
                index = end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    /// Control characters become `·`; anything past `limit` becomes `…`.
    static func printable(_ text: String, limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            scalars.append(isControl ? "·" : scalar)
        }
        return String(scalars) + (text.unicodeScalars.count > limit ? "…" : "")
    }

    private static func string(
        in bytes: ArraySlice<UInt8>,
        at start: Int
    ) -> (content: ArraySlice<UInt8>, end: Int)? {
        var index = start + 1
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == UInt8(ascii: "\"") {
                return (bytes[(start + 1)..<index], index + 1)
            } else {
                index += 1
            }
        }
        return nil
    }

    private static func valueStart(in bytes: ArraySlice<UInt8>, after index: Int) -> Int? {
        var index = index
        while index < bytes.endIndex, self.isBlank(bytes[index]) { index += 1 }
        guard index < bytes.endIndex, bytes[index] == UInt8(ascii: ":") else { return nil }
        index += 1
        while index < bytes.endIndex, self.isBlank(bytes[index]) { index += 1 }
        return index < bytes.endIndex ? index : nil
    }

    private static func valueEnd(in bytes: ArraySlice<UInt8>, from start: Int) -> Int {
        if bytes[start] == UInt8(ascii: "\"") { return self.string(in: bytes, at: start)?.end ?? bytes.endIndex }
        if bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") {
            return self.containerEnd(in: bytes, from: start)
        }
        var index = start
        while index < bytes.endIndex, !",}] \r\n".utf8.contains(bytes[index]) { index += 1 }
        return index
    }

    private static func containerEnd(in bytes: ArraySlice<UInt8>, from start: Int) -> Int {
        var depth = 0
        var index = start
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = self.string(in: bytes, at: index)?.end ?? bytes.endIndex
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return bytes.endIndex
    }
}

/// A run of hexadecimal digits, in groups joined by `:` or `-`, or pairs joined by single blanks.
private struct HexRun {
    var end: Int
    var digits = 0
    /// A number with a point, or a part of one.
    var isFraction = false

    init(in bytes: ArraySlice<UInt8>, at start: Int) {
        self.end = start
        while self.end < bytes.endIndex {
            if Self.isDigit(bytes[self.end]) {
                self.digits += 1
                self.end += 1
            } else if self.digits > 0, self.isJoint(bytes, at: self.end, from: start) {
                self.end += 1
            } else {
                break
            }
        }
        let point = UInt8(ascii: ".")
        func isNumber(_ index: Int) -> Bool { bytes.indices.contains(index) && (0x30...0x39).contains(bytes[index]) }
        func isPoint(_ index: Int) -> Bool { bytes.indices.contains(index) && bytes[index] == point }
        self.isFraction =
            isPoint(self.end) && isNumber(self.end + 1) || isPoint(start - 1) && isNumber(start - 2)
    }

    /// Whether a digit follows the joint, and for a blank, pairs stand on both sides of it.
    private func isJoint(_ bytes: ArraySlice<UInt8>, at index: Int, from start: Int) -> Bool {
        guard index + 1 < bytes.endIndex, Self.isDigit(bytes[index + 1]) else { return false }
        switch bytes[index] {
        case UInt8(ascii: ":"), UInt8(ascii: "-"): return true
        case UInt8(ascii: " "):
            func isPair(_ first: Int, _ beyond: Int) -> Bool {
                first >= start && first + 1 < bytes.endIndex && Self.isDigit(bytes[first])
                    && Self.isDigit(bytes[first + 1]) && !(beyond < bytes.endIndex && Self.isDigit(bytes[beyond]))
            }
            let isAlone = index - 3 < start || !Self.isDigit(bytes[index - 3])
            return isAlone && isPair(index - 2, bytes.endIndex) && isPair(index + 1, index + 3)
        default: return false
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// Anything that belongs to one word or number.
    static func isLetter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
    }
}

/// What of a profile's payloads is personal.
package struct PersonalParts: Sendable, Hashable {
    /// Names of members of JSON, in lower case: the last token of every masked, hashed or dropped field's pointer.
    package var memberNames: Set<String>
    /// Bare text of the device is a personal field itself.
    package var isWholeText: Bool

    package init(memberNames: Set<String> = [], isWholeText: Bool = false) {
        self.memberNames = memberNames
        self.isWholeText = isWholeText
    }

    /// Everything that has a privacy class.
    package init(of profile: DeviceProfile) {
        self.init()
        func take(_ pointer: JSONPointer?) {
            if let last = pointer?.tokens.last {
                self.memberNames.insert(last.lowercased())
            } else {
                self.isWholeText = true
            }
        }
        for event in profile.events {
            guard case .payload(_, _, let fields) = event.capture else { continue }
            for field in fields where field.privacy != .none { take(field.pointer) }
        }
        for point in profile.points where point.privacy != .none {
            guard case .payload(let places) = point.source else { continue }
            for place in places { take(place.pointer) }
        }
    }

    /// The same, and everything that the contract of the firmware calls private.
    init(of profile: DeviceProfile, _ contract: FirmwareContract?) {
        self.init(of: profile)
        guard let contract else { return }
        for message in contract.messages {
            if message.schema.privacy != .none { self.isWholeText = true }
            self.memberNames.formUnion(message.schema.privateNames)
        }
    }
}
