internal import CampusModel
package import DeviceProfile

/// Makes a payload fit to be shown: shortened, control characters escaped, personal fields masked.
///
/// Fields are found by name in the text itself, so that broken JSON is covered too: the value after `"name":` is
/// replaced by `•` when the name is one that a profile calls personal, or one that usually is.
package enum PayloadRedaction {
    /// Member names that are personal in any profile (compared in lower case).
    private static let personalNames: Set<String> = [
        "uid", "card", "cardno", "cardnumber", "username", "user", "name", "employeeno", "employeenostring", "pin",
        "epc", "epchex", "tid", "tidhex", "irk", "face", "picture", "image", "template", "phone", "email", "address",
        "birthday", "password", "token",
    ]

    /// The payload as text of at most `limit` characters.
    ///
    /// - Parameters:
    ///   - payload: The bytes as received.
    ///   - personal: More member names to mask, from the device's profile.
    ///   - limit: The most characters to keep.
    package static func text(_ payload: [UInt8], personal: Set<String> = [], limit: Int) -> String {
        let bytes = payload.prefix(limit * 2)
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
            let lowered = String(decoding: name.content, as: UTF8.self).lowercased()
            guard self.personalNames.contains(lowered) || personal.contains(lowered),
                let valueStart = self.valueStart(in: bytes, after: index)
            else { continue }
            result.append(contentsOf: bytes[index..<valueStart])
            result.append(contentsOf: "\"•••\"".utf8)
            index = self.valueEnd(in: bytes, from: valueStart)
        }
        return self.printable(String(decoding: result, as: UTF8.self), limit: limit)
    }

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
        while index < bytes.endIndex, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        guard index < bytes.endIndex, bytes[index] == UInt8(ascii: ":") else { return nil }
        index += 1
        while index < bytes.endIndex, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
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

extension DeviceProfile {
    /// The names of members that carry personal data, in lower case: the last token of every masked, hashed or dropped
    /// field's pointer.
    package var personalMemberNames: Set<String> {
        var names: Set<String> = []
        for event in self.events {
            guard case .payload(_, _, let fields) = event.capture else { continue }
            for field in fields where field.privacy != .none {
                if let last = field.pointer?.tokens.last { names.insert(last.lowercased()) }
            }
        }
        for point in self.points where point.privacy != .none {
            if case .payload(let source) = point.source, let last = source.pointer?.tokens.last {
                names.insert(last.lowercased())
            }
        }
        return names
    }
}
