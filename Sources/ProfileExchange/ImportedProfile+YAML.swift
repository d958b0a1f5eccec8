internal import DeviceProfile
package import StrictYAML

extension ImportedProfile {
    /// The profile as a file of `DeviceProfiles/`.
    ///
    /// - Throws: What the profile reader or the constructed case find wrong with it.
    package func yaml() throws(YAMLProblems) -> String {
        let text = self.head + self.points.map(Self.line).joined() + self.constructedCase
        let profile = try DeviceProfile.read(yaml: text, file: "\(self.id).yaml")
        let failures = GoldenRunner.run(profile)
        guard failures.isEmpty else {
            throw YAMLProblems(
                failures.map { failure in
                    YAMLProblem(
                        file: "\(self.id).yaml",
                        line: failure.line,
                        column: 1,
                        path: "",
                        message: failure.description
                    )
                }
            )
        }
        return text
    }

    private var head: String {
        var lines = [
            "# Imported; nobody has checked it. Before use: translate the titles, look at units and ranges, and replace the",
            "# constructed case at the end by real frames of the device.",
        ]
        if !self.remarks.isEmpty {
            lines.append("# Not taken, or not as it was:")
            lines += self.remarks.map { "#   \(Self.clipped($0.description, 400))" }
        }
        lines += [
            "profile: \(self.id)", "vendor: \(Self.quoted(self.vendor))", "model: \(Self.quoted(self.model))",
            "category: \(self.category.rawValue)", "title: \(Self.words(self.title))",
        ]
        if let notes { lines.append("notes: \(Self.quoted(Self.clipped(notes, 2_000)))") }
        lines += [
            "sources:", "  - {title: \(Self.quoted(Self.clipped(self.source, 400))), trust: C}", "verified: false",
            "modbus: {}", "points:", "",
        ]
        return lines.joined(separator: "\n")
    }

    private static func line(_ point: ImportedPoint) -> String {
        var wire = [
            "table: \(point.table.rawValue)", "address: \(point.address)",
            "documentedAs: \(self.quoted(point.documentedAs))", "type: \(point.type.rawValue)",
        ]
        if point.isLowByteFirst { wire.append("byteOrder: low-first") }
        if point.isLowWordFirst { wire.append("wordOrder: low-first") }
        if let bit = point.bit { wire.append("bits: {from: \(bit), count: 1}") }
        if point.type.isText { wire.append("length: \(point.length)") }
        var keys = ["name: \(self.quoted(point.name))", "title: \(self.words(point.title))"]
        if point.kind == .number {
            keys.append("unit: \(self.quoted(point.unit))")
        } else {
            keys.append("kind: \(point.kind.rawValue)")
        }
        keys.append("wire: {\(wire.joined(separator: ", "))}")
        var scale: [String] = []
        if point.multiply != 1 { scale.append("multiply: \(point.multiply)") }
        if point.add != 0 { scale.append("add: \(point.add)") }
        if let exponent = point.exponentFrom { scale.append("exponentFrom: \(self.quoted(exponent))") }
        if !scale.isEmpty { keys.append("scale: {\(scale.joined(separator: ", "))}") }
        if !point.invalid.isEmpty { keys.append("invalid: [\(point.invalid.joined(separator: ", "))]") }
        if let other = point.onlyWhileZero { keys.append("validWhen: {point: \(self.quoted(other)), equals: [0]}") }
        if let range = point.range { keys.append("range: {min: \(range.lowerBound), max: \(range.upperBound)}") }
        if !point.enumeration.isEmpty {
            let cases = point.enumeration.map { entry in
                let text = self.quoted(self.clipped(entry.text, 200))
                return "{value: \(entry.value), vi: \(text), en: \(text)}"
            }
            keys.append("enumeration: [\(cases.joined(separator: ", "))]")
        }
        if point.isStatic { keys.append("poll: once") }
        if point.isHidden { keys.append("hidden: true") }
        return "  - {\(keys.joined(separator: ", "))}\n"
    }

    /// One case, so that the file can be used; it says itself that it proves nothing of the device.
    private var constructedCase: String {
        let shown = self.points.filter { !$0.isHidden }
        guard
            let point = shown.first(where: { $0.kind == .number && $0.range == nil }) ?? shown.first
        else { return "tests: []\n" }
        var exchanges = [Self.exchange(point, point.exampleWords)]
        if let exponent = point.exponentFrom, let other = self.points.first(where: { $0.name == exponent }) {
            exchanges.append(Self.exchange(other, [0]))
        }
        let value: String
        switch point.kind {
        case .text: value = point.type == .hex ? Self.quoted(Self.hexadecimal(point)) : "\"A\""
        case .boolean: value = "1"
        case .enumeration: value = "\(point.example)"
        case .number:
            let number = point.multiply + point.add
            value = point.range.map { $0.contains(number) } ?? true ? "\(number)" : "{quality: \"bad:range\"}"
        }
        return """
            tests:
              - name: "frame constructed by the importer: it proves nothing of the device; put real frames here"
                modbus:
            \(exchanges.map { "      - \($0)" }.joined(separator: "\n"))
                expect: {\(Self.quoted(point.name)): \(value)}

            """
    }

    private static func hexadecimal(_ point: ImportedPoint) -> String {
        HexText.digits(
            point.exampleWords.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        )
    }

    private static func exchange(_ point: ImportedPoint, _ words: [UInt16]) -> String {
        func bytes(_ word: UInt16) -> [UInt8] {
            [UInt8(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word)]
        }
        func frame(_ body: [UInt8]) -> String {
            let crc = ModbusCRC.value(of: body)
            return HexText.text(body + [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)])
        }
        let head = [1, point.table.readFunction]
        let request = head + bytes(UInt16(clamping: point.address)) + bytes(UInt16(clamping: point.addressCount))
        let data = point.table.isBits ? [UInt8(1)] : words.flatMap(bytes)
        return
            "{request: \"\(frame(request))\", response: \"\(frame(head + [UInt8(clamping: data.count)] + data))\"}"
    }

    private static func words(_ text: String) -> String {
        let quoted = self.quoted(text)
        return "{vi: \(quoted), en: \(quoted)}"
    }

    /// A text in double quotes, as YAML and JSON have it; control characters were replaced before.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { result += "\\" }
            result.unicodeScalars.append(character)
        }
        return result + "\""
    }
}
