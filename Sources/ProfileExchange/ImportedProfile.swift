package import DeviceProfile

/// What was taken from a description of a device in another format, before it is written as a profile.
package struct ImportedProfile: Sendable {
    /// Something that was not taken, or not as it was.
    package struct Remark: Sendable, Hashable, CustomStringConvertible {
        /// The line in the file that was read, from 1.
        package var line: Int
        /// What it is called there.
        package var name: String
        /// Why, and what to do by hand.
        package var reason: String

        package var description: String { "line \(self.line): \(self.name): \(self.reason)" }
    }

    /// The most points of one file.
    package static let pointsMax = 2_000
    /// The most remarks that are kept.
    package static let remarksMax = 500

    package var id: String
    package var vendor: String
    package var model: String
    package var category: DeviceProfile.Category
    package var title: String
    package var notes: String?
    /// The format and the file that were read.
    package var source: String
    package var points: [ImportedPoint] = []
    package private(set) var remarks: [Remark] = []

    init(id: String, vendor: String, model: String, category: DeviceProfile.Category, title: String, source: String) {
        self.id = Self.identifier(id) ?? "imported"
        self.vendor = Self.clipped(vendor, 120)
        self.model = Self.clipped(model, 120)
        self.category = category
        self.title = Self.clipped(title, 400)
        self.source = source
    }

    mutating func remark(line: Int, _ name: String, _ reason: String) {
        guard self.remarks.count < Self.remarksMax else { return }
        self.remarks.append(Remark(line: line, name: Self.clipped(name, 80), reason: reason))
    }

    /// Adds a point, under another name where the name is taken.
    mutating func add(_ point: ImportedPoint) {
        guard self.points.count < Self.pointsMax else {
            self.remark(line: point.line, point.documentedAs, "more than \(Self.pointsMax) points; not taken")
            return
        }
        let names = Set(self.points.map(\.name))
        var point = point
        if names.contains(point.name) {
            let stem = String(point.name.prefix(58))
            var number = 2
            while names.contains("\(stem)-\(number)") { number += 1 }
            point.name = "\(stem)-\(number)"
            self.remark(line: point.line, point.documentedAs, "the name stands twice; here it is '\(point.name)'")
        }
        self.points.append(point)
    }

    /// `text` as an identifier of a profile or point; `nil` when nothing is left of it.
    static func identifier(_ text: String) -> String? {
        var bytes: [UInt8] = []
        for byte in text.lowercased().utf8.prefix(200) where bytes.count < 64 {
            let isWord = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            if isWord {
                bytes.append(byte)
            } else if bytes.last != UInt8(ascii: "-"), !bytes.isEmpty {
                bytes.append(UInt8(ascii: "-"))
            }
        }
        while bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// `text` on one line, at most `limit` bytes; never empty.
    static func clipped(_ text: String, _ limit: Int) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            let next = isControl ? " " : String(scalar)
            guard result.utf8.count + next.utf8.count <= limit else { break }
            result += next
        }
        let words = result.split(separator: " ")
        return words.isEmpty ? "?" : words.joined(separator: " ")
    }
}
