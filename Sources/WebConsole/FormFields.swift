package import Hummingbird

/// The fields of a form or a query, as sent by a browser: `a=1&b=x%20y`.
package struct FormFields: Sendable {
    /// At most this many fields are read; the rest is ignored.
    package static let countMax = 512

    private var fields: [(name: String, value: String)] = []

    /// Reads `application/x-www-form-urlencoded` text; what cannot be decoded is kept as it was sent.
    package init(_ encoded: some StringProtocol) {
        for pair in encoded.split(separator: "&", maxSplits: Self.countMax, omittingEmptySubsequences: true) {
            guard self.fields.count < Self.countMax else { break }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? parts[1] : ""
            self.fields.append((Self.decode(parts.first ?? ""), Self.decode(value)))
        }
    }

    /// The first value of `name`, or nil.
    package subscript(name: String) -> String? { self.fields.first { $0.name == name }?.value }

    /// Every value of `name`, in order (check boxes).
    package func all(_ name: String) -> [String] { self.fields.filter { $0.name == name }.map(\.value) }

    /// The names that were sent, in order.
    package var names: [String] { self.fields.map(\.name) }

    private static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = Array(text.utf8)[...]
        while let byte = iterator.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if let high = iterator.first.flatMap(self.digit),
                    let low = iterator.dropFirst().first.flatMap(self.digit)
                {
                    bytes.append(high << 4 | low)
                    iterator = iterator.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default:
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Request {
    /// The part of the target before the question mark.
    package var path: String {
        let target = self.head.path ?? "/"
        return String(target.prefix { $0 != "?" && $0 != "#" })
    }

    /// The fields of the query.
    package var query: FormFields {
        let target = self.head.path ?? ""
        guard let mark = target.firstIndex(of: "?") else { return FormFields("") }
        return FormFields(target[target.index(after: mark)...].prefix { $0 != "#" })
    }

    /// The fields of the form in the body; throws 413 when it is too large.
    package func form(_ context: ConsoleContext) async throws -> FormFields {
        let buffer = try await self.body.collect(upTo: context.bodyBytesMax)
        return FormFields(String(buffer: buffer))
    }
}
