internal import DeviceProfile
package import StrictYAML

extension ImportedProfile {
    /// Reads a device profile of EdgeX Foundry (2.0 or later) for its device-modbus service.
    ///
    /// What the attributes mean is what `internal/driver/deviceclient.go` of device-modbus-go does with them.
    package static func edgex(_ text: String, file: String) throws(YAMLProblems) -> ImportedProfile {
        let document = try YAMLDocument(text, file: file)
        let root = document.root
        let name = root.string("name", limit: 200) ?? ""
        var reader = EdgeXReader(
            profile: ImportedProfile(
                id: name,
                vendor: root.optional("manufacturer")?.scalarText ?? "unknown",
                model: root.optional("model")?.scalarText ?? name,
                category: .infrastructure,
                title: root.optional("model")?.scalarText ?? name,
                source: "EdgeX device profile \(name), \(file.split(separator: "/").last ?? "")"
            )
        )
        reader.profile.notes = root.optional("description")?.scalarText
        reader.readNames(root.list("deviceCommands", limit: 1_000))
        guard let resources = root.required("deviceResources") else {
            try document.check()
            return reader.profile
        }
        for value in resources.list(limit: ImportedProfile.pointsMax) { reader.read(value.map()) }
        try document.check()
        if reader.profile.points.isEmpty {
            resources.problem("none of the resources can be read over Modbus")
            try document.check()
        }
        return reader.profile
    }
}

/// Reads the resources of an EdgeX profile.
struct EdgeXReader {
    var profile: ImportedProfile
    /// Names of values, from the commands.
    private var names: [String: [(value: Int, text: String)]] = [:]

    private static let tables: [String: ModbusWire.Table] = [
        "COILS": .coil, "DISCRETES_INPUT": .discrete, "DISCRETE_INPUTS": .discrete, "INPUT_REGISTERS": .input,
        "HOLDING_REGISTERS": .holding,
    ]
    private static let types: [String: RegisterSource.ValueType] = [
        "bool": .bool, "int16": .int16, "uint16": .uint16, "int32": .int32, "uint32": .uint32, "int64": .int64,
        "uint64": .uint64, "float32": .float32, "float64": .float64, "string": .string,
    ]

    init(profile: ImportedProfile) { self.profile = profile }

    /// What the commands call the values: `mappings: {"0": "Cool", "1": "Heat"}`.
    mutating func readNames(_ commands: [YAMLValue]) {
        for command in commands {
            for operation in command.map().list("resourceOperations", limit: 1_000) {
                let map = operation.map()
                guard let resource = map.optional("deviceResource")?.scalarText,
                    let mappings = map.optionalMap("mappings"), self.names[resource] == nil
                else { continue }
                let names = mappings.keys.prefix(512)
                    .compactMap { key -> (value: Int, text: String)? in
                        let number = key == "true" ? 1 : key == "false" ? 0 : Int(key)
                        guard let number, let text = mappings.optional(key)?.scalarText else { return nil }
                        return (number, text)
                    }
                self.names[resource] = names.sorted { $0.value < $1.value }
            }
        }
    }

    mutating func read(_ map: YAMLMap) {
        guard let name = map.string("name", limit: 200), let attributes = map.required("attributes")?.map(),
            let properties = map.required("properties")?.map()
        else { return }
        if properties.optional("value") != nil {
            properties.problem(
                at: "value",
                "this is a profile of EdgeX 1; bring it to version 2 with EdgeX's own tool first"
            )
            return
        }
        guard properties.optional("readWrite")?.scalarText != "W" else {
            self.profile.remark(line: map.line, name, "may only be written; write a control by hand")
            return
        }
        guard let tableName = attributes.string("primaryTable", limit: 40) else { return }
        guard let table = Self.tables[tableName.uppercased()] else {
            attributes.problem(
                at: "primaryTable",
                "'\(tableName.prefix(40))' is none of \(Self.tables.keys.sorted().joined(separator: ", "))"
            )
            return
        }
        guard let place = self.place(attributes), let valueType = properties.string("valueType", limit: 40) else {
            return
        }
        let rawType = attributes.optional("rawType")?.scalarText ?? valueType
        guard let value = Self.types[valueType.lowercased()], let type = Self.types[rawType.lowercased()] else {
            self.profile.remark(
                line: map.line,
                name,
                "the type \(valueType) (raw \(rawType)) is not read here; not taken"
            )
            return
        }
        var point = ImportedPoint(
            name: Self.spelled(name),
            title: map.optional("description")?.scalarText ?? name,
            table: table,
            address: place.address,
            documentedAs: name,
            type: type,
            line: map.line
        )
        self.order(&point, attributes)
        if value == .bool {
            point.kind = .boolean
            if !table.isBits {
                // EdgeX takes one bit of the register, the lowest unless the address names another.
                point.type = .uint16
                point.bit = place.bit
            } else {
                point.type = .bool
            }
        } else if table.isBits {
            self.profile.remark(line: map.line, name, "a \(valueType) in a table of bits; not taken")
            return
        } else if value == .string {
            guard let length = self.length(attributes) else { return }
            point.kind = .text
            point.type = .string
            point.length = length
        } else {
            self.number(&point, properties, name)
        }
        guard place.address + point.addressCount <= 65_536 else {
            attributes.problem(at: "startingAddress", "the value ends behind the last address, 65535")
            return
        }
        if properties.optional("readWrite")?.scalarText?.contains("W") == true {
            self.profile.remark(line: map.line, name, "may be written; taken for reading, write a control by hand")
        }
        self.profile.add(point)
    }

    private mutating func number(_ point: inout ImportedPoint, _ properties: YAMLMap, _ name: String) {
        for key in ["base", "mask", "shift"] {
            if let value = properties.optional(key)?.numberIfAny, value != 0 {
                self.profile.remark(line: point.line, name, "'\(key)' was not taken; the value is without it")
            }
        }
        let names = self.names[name] ?? []
        let scale = self.decimal("scale", properties) ?? 1
        let offset = self.decimal("offset", properties) ?? 0
        if !names.isEmpty, scale == 1, offset == 0, point.type != .float32, point.type != .float64 {
            point.kind = .enumeration
            point.enumeration = names
            return
        }
        if scale == 0 { properties.problem(at: "scale", "must not be 0") }
        point.multiply = scale
        point.add = offset
        if let units = properties.optional("units")?.scalarText, !units.isEmpty {
            point.unit = ForeignUnits.code(units) ?? "1"
            if ForeignUnits.code(units) == nil {
                self.profile.remark(line: point.line, name, "the unit '\(units.prefix(40))' is not known; written as 1")
            }
        }
        if let low = self.decimal("minimum", properties), let high = self.decimal("maximum", properties), low < high {
            point.range = low...high
        }
    }

    /// A number, which EdgeX also takes in quotes.
    private func decimal(_ key: String, _ map: YAMLMap) -> Double? {
        guard let text = map.optional(key)?.scalarText, !text.isEmpty else { return nil }
        guard let number = Double(text), number.isFinite else {
            map.problem(at: key, "'\(text.prefix(40))' is not a number")
            return nil
        }
        return number
    }

    /// The address, and the bit behind its point: EdgeX writes a number with two decimals (`10.1` is bit 10), a text
    /// as it is.
    private func place(_ attributes: YAMLMap) -> (address: Int, bit: Int)? {
        guard let value = attributes.required("startingAddress") else { return nil }
        let text = value.scalarText ?? ""
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = Int(parts[0]), (0...65_535).contains(address) else {
            value.problem("'\(text.prefix(40))' is not an address from 0 to 65535, or one with a bit such as 10.05")
            return nil
        }
        guard parts.count == 2 else { return (address, 0) }
        let digits = value.plainText == nil || parts[1].count >= 2 ? String(parts[1]) : "\(parts[1])0"
        guard let bit = Int(digits), (0...15).contains(bit) else {
            value.problem("'\(text.prefix(40))' is bit \(digits.prefix(10)) to EdgeX; a register has bits 00 to 15")
            return nil
        }
        return (address, bit)
    }

    private func length(_ attributes: YAMLMap) -> Int? {
        guard let value = attributes.required("stringRegisterSize") else { return nil }
        guard let length = value.scalarText.flatMap({ Int($0) }), (1...123).contains(length) else {
            value.problem("must be a whole number from 1 to 123")
            return nil
        }
        return length
    }

    /// EdgeX swaps values of 32 bits only; of others it takes no notice.
    private mutating func order(_ point: inout ImportedPoint, _ attributes: YAMLMap) {
        let isByteSwap = attributes.optional("isByteSwap")?.scalarText?.lowercased() == "true"
        let isWordSwap = attributes.optional("isWordSwap")?.scalarText?.lowercased() == "true"
        guard isByteSwap || isWordSwap else { return }
        guard point.addressCount == 2, point.type != .string else {
            self.profile.remark(
                line: point.line,
                point.documentedAs,
                "EdgeX swaps values of 32 bits only; not swapped here"
            )
            return
        }
        point.isLowByteFirst = isByteSwap
        point.isLowWordFirst = isWordSwap
    }

    /// `RoomTemperature` as `room-temperature`.
    private static func spelled(_ name: String) -> String {
        var result = ""
        var wasLower = false
        for scalar in name.unicodeScalars {
            let isUpper = ("A"..."Z").contains(scalar)
            if isUpper, wasLower { result += "-" }
            wasLower = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
