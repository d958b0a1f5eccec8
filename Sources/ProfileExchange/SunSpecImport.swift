internal import DeviceProfile
package import StrictYAML

extension ImportedProfile {
    /// Reads a model of the SunSpec alliance, as `sunspec/models` has them in `json/model_*.json`.
    ///
    /// Addresses are counted from the word that holds the model's number: where it stands, only the chain of models
    /// in the device tells, so it is `addressOffset` of the device in `site.yaml`.
    package static func sunspec(_ text: String, file: String) throws(YAMLProblems) -> ImportedProfile {
        // JSON is YAML, and this reader has places for messages.
        let document = try YAMLDocument(text, file: file)
        let root = document.root
        let id = root.int("id", in: 1...65_535) ?? 0
        let group = root.required("group")?.map()
        let label = group?.optional("label")?.scalarText ?? "model \(id)"
        var reader = SunSpecReader(
            profile: ImportedProfile(
                id: "sunspec-\(label)-\(id)",
                vendor: "SunSpec",
                model: "\(label), model \(id)",
                category: .energy,
                title: label,
                source: "SunSpec model \(id), \(file.split(separator: "/").last ?? "")"
            )
        )
        if let group { reader.read(group, prefix: "", exponents: [:], depth: 0) }
        if let group, reader.profile.points.allSatisfy(\.isHidden) {
            group.problem(at: "points", "no point of the model can be read")
        }
        try document.check()
        reader.profile.notes =
            "Set addressOffset of the device in site.yaml to the register of the model's ID (the word that holds \(id))."
        return reader.profile
    }
}

/// Walks through the groups of a SunSpec model, register by register.
struct SunSpecReader {
    var profile: ImportedProfile
    private var address = 0
    /// After a group whose repetitions only the device tells, no address is known.
    private var isLost = false

    /// Types with their registers and what stands for "unimplemented" (SunSpec Device Information Model
    /// Specification 1.1, table of types).
    private static let types: [String: (type: RegisterSource.ValueType, invalid: [String])] = [
        "int16": (.int16, ["-32768"]), "uint16": (.uint16, ["0xFFFF"]), "count": (.uint16, []),
        "acc16": (.uint16, ["0"]), "enum16": (.uint16, ["0xFFFF"]), "raw16": (.uint16, []),
        "sunssf": (.int16, ["-32768"]), "int32": (.int32, ["-2147483648"]), "uint32": (.uint32, ["0xFFFFFFFF"]),
        "acc32": (.uint32, ["0"]), "enum32": (.uint32, ["0xFFFFFFFF"]), "float32": (.float32, ["nan"]),
        "int64": (.int64, ["-9223372036854775808"]), "uint64": (.uint64, ["1.8446744073709552e19"]),
        "acc64": (.uint64, ["0"]), "float64": (.float64, ["nan"]), "bitfield16": (.uint16, []),
        "bitfield32": (.uint32, []), "bitfield64": (.uint64, []), "string": (.string, []),
    ]

    init(profile: ImportedProfile) { self.profile = profile }

    mutating func read(_ group: YAMLMap, prefix: String, exponents: [String: String], depth: Int) {
        let values = group.list("points", limit: 1_000)
        if values.isEmpty, depth == 0 { group.problem("the model has no 'points'") }
        let points = values.map { $0.map() }
        var exponents = exponents
        for point in points where point.optional("type")?.scalarText == "sunssf" {
            guard let name = point.optional("name")?.scalarText else { continue }
            exponents[name] = ImportedProfile.identifier(prefix + name)
        }
        for point in points { self.point(point, prefix: prefix, exponents: exponents) }
        for value in group.list("groups", limit: 64) {
            self.inner(value.map(), prefix: prefix, exponents: exponents, depth: depth)
        }
    }

    private mutating func inner(_ group: YAMLMap, prefix: String, exponents: [String: String], depth: Int) {
        guard let name = group.string("name", limit: 64) else { return }
        guard depth < 4 else {
            group.problem("groups are nested too deeply")
            return
        }
        var count: Int? = 1
        if let value = group.optional("count") { count = value.plainText.flatMap { Int($0) } }
        guard let count, (1...64).contains(count), !self.isLost else {
            if !self.isLost {
                self.profile.remark(
                    line: group.line,
                    prefix + name,
                    "how often the group is repeated only the device tells; it and what follows is not taken"
                )
            }
            self.isLost = true
            return
        }
        for index in 1...count {
            let part = count == 1 ? "\(prefix)\(name)-" : "\(prefix)\(name)-\(index)-"
            self.read(group, prefix: part, exponents: exponents, depth: depth + 1)
        }
    }

    private mutating func point(_ map: YAMLMap, prefix: String, exponents: [String: String]) {
        guard let name = map.string("name", limit: 64), let size = map.int("size", in: 1...125),
            let typeName = map.string("type", limit: 32), !self.isLost
        else { return }
        let documentedAs = prefix + name
        let address = self.address
        self.address += size
        guard address + size <= 65_536 else {
            map.problem("the model is longer than the address space of Modbus")
            return
        }
        if typeName == "pad" || (prefix.isEmpty && (name == "ID" || name == "L")) { return }
        if map.optional("count") != nil {
            self.profile.remark(line: map.line, documentedAs, "a repeated point; it and what follows is not taken")
            self.isLost = true
            return
        }
        guard let (type, invalid) = Self.types[typeName] else {
            self.profile.remark(line: map.line, documentedAs, "the type '\(typeName)' is not read here; not taken")
            return
        }
        var point = ImportedPoint(
            name: documentedAs,
            title: map.optional("label")?.scalarText ?? name,
            table: .holding,
            address: address,
            documentedAs: documentedAs,
            type: type,
            line: map.line
        )
        point.invalid = invalid
        point.isStatic = map.optional("static")?.scalarText == "S"
        point.length = type == .string ? size : 0
        guard point.addressCount == size else {
            map.problem(at: "size", "a point of type \(typeName) has \(point.addressCount) registers, not \(size)")
            return
        }
        if map.optional("access")?.scalarText == "RW", typeName != "sunssf" {
            self.profile.remark(
                line: map.line,
                documentedAs,
                "may be written; taken for reading, write a control by hand"
            )
        }
        switch typeName {
        case "sunssf":
            point.isHidden = true
            self.profile.add(point)
        case "string":
            point.kind = .text
            self.profile.add(point)
        case "bitfield16", "bitfield32", "bitfield64": self.bits(of: point, map)
        default: self.number(point, map, exponents: exponents)
        }
    }

    private mutating func number(_ point: ImportedPoint, _ map: YAMLMap, exponents: [String: String]) {
        var point = point
        let symbols = self.symbols(map, in: 0...Int(UInt32.max))
        if !symbols.isEmpty {
            point.kind = .enumeration
            point.enumeration = symbols
            self.profile.add(point)
            return
        }
        if let units = map.optional("units")?.scalarText {
            point.unit = ForeignUnits.code(units) ?? "1"
            if ForeignUnits.code(units) == nil {
                self.profile.remark(
                    line: map.line,
                    point.documentedAs,
                    "the unit '\(units)' is not known; written as 1"
                )
            }
        }
        if let scale = map.optional("sf")?.scalarText {
            if let power = Int(scale), (-10...10).contains(power) {
                for _ in 0..<abs(power) { point.multiply = power > 0 ? point.multiply * 10 : point.multiply / 10 }
            } else if let other = exponents[scale] {
                point.exponentFrom = other
            } else {
                map.problem(at: "sf", "there is no scale factor called '\(scale)'")
            }
        }
        self.profile.add(point)
    }

    /// Every named bit is a point of its own; they count only while the highest bit, which means "unimplemented",
    /// is 0.
    private mutating func bits(of point: ImportedPoint, _ map: YAMLMap) {
        let highest = point.addressCount * 16 - 1
        let symbols = self.symbols(map, in: 0...(highest - 1))
        guard !symbols.isEmpty else {
            self.profile.remark(line: map.line, point.documentedAs, "bits without names; not taken")
            return
        }
        var guardian = point
        guardian.name = ImportedProfile.identifier("\(point.name.prefix(48))-absent") ?? point.name
        guardian.title = "\(point.title): unimplemented"
        guardian.kind = .boolean
        guardian.bit = highest
        guardian.isHidden = true
        self.profile.add(guardian)
        for symbol in symbols {
            var bit = point
            bit.name = ImportedProfile.identifier("\(point.name)-\(symbol.text)") ?? point.name
            bit.title = "\(point.title): \(symbol.text)"
            bit.kind = .boolean
            bit.bit = symbol.value
            bit.onlyWhileZero = guardian.name
            self.profile.add(bit)
        }
    }

    private mutating func symbols(_ map: YAMLMap, in range: ClosedRange<Int>) -> [(value: Int, text: String)] {
        var seen: Set<Int> = []
        return map.list("symbols", limit: 256)
            .compactMap { entry in
                let inner = entry.map()
                guard let name = inner.string("name", limit: 200), let value = inner.int("value", in: range) else {
                    return nil
                }
                guard seen.insert(value).inserted else {
                    self.profile.remark(line: inner.line, name, "the value \(value) stands twice; not taken")
                    return nil
                }
                return (value, inner.optional("label")?.scalarText ?? name)
            }
    }
}
