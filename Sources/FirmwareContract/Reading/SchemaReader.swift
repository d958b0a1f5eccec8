internal import CampusModel
internal import StrictYAML

/// Reads schemas of a document and puts what they refer to in their place.
final class SchemaReader {
    private let components: YAMLMap?
    /// Schemas of `components` that were read; `nil` for those with a problem.
    private var read: [String: PayloadSchema?] = [:]
    private var open: [String] = []
    static let depthMax = 12

    /// - Parameter components: The map `components.schemas`.
    init(components: YAMLMap?) { self.components = components }

    /// Reads every schema of the components, so that an unused one is checked, too.
    func readAll() {
        for name in self.components?.keys ?? [] { _ = self.component(name, from: nil) }
    }

    private func component(_ name: String, from reference: YAMLMap?) -> PayloadSchema? {
        if let known = self.read[name] { return known }
        if self.open.contains(name) {
            reference?.problem("the schema '\(name)' contains itself: payloads are bounded, so schemas are")
            return nil
        }
        guard let value = self.components?.optional(name) else {
            let near = NearestWord.suggestion(for: name, among: self.components?.keys ?? [])
            let hint = near.map { "; did you mean '\($0)'?" } ?? ""
            reference?.problem(at: "$ref", "there is no schema called '\(name)' in components.schemas\(hint)")
            return nil
        }
        self.open.append(name)
        let schema = self.schema(value.map(), depth: 0)
        self.open.removeLast()
        self.read[name] = schema
        return schema
    }

    /// Reads one schema.
    func schema(_ map: YAMLMap, depth: Int) -> PayloadSchema? {
        guard depth <= Self.depthMax else {
            map.problem("nested deeper than \(Self.depthMax) levels")
            return nil
        }
        if let reference = map.optional("$ref") {
            let prefix = "#/components/schemas/"
            map.finish()
            guard let text = reference.string(limit: 200) else { return nil }
            guard text.hasPrefix(prefix), !text.dropFirst(prefix.count).contains("/") else {
                reference.problem("must be \(prefix)NAME: files elsewhere and parts of schemas are not read")
                return nil
            }
            return self.component(String(text.dropFirst(prefix.count)), from: map)
        }
        Self.refuseForeign(map)
        guard let kinds = self.kinds(map) else {
            self.passOver(map)
            return nil
        }
        var schema = PayloadSchema(kinds: kinds)
        schema.title = map.optionalString("title", limit: 400)
        schema.notes = map.optionalString("description")
        schema.isDeprecated = map.bool("deprecated", default: false)
        schema.allowed = self.allowed(map, kinds)
        self.numbers(map, &schema)
        self.texts(map, &schema)
        self.elements(map, &schema, depth: depth)
        self.members(map, &schema, depth: depth)
        self.extensions(map, &schema)
        map.finish()
        self.checkBounds(map, schema)
        return schema
    }

    /// What the rest of JSON Schema has and this does not, with what to do instead.
    private static func refuseForeign(_ map: YAMLMap) {
        let foreign = [
            "oneOf": "make each alternative a message of the channel and name the member that tells them apart under "
                + "x-campus.discriminator",
            "anyOf": "make the members optional, or each alternative a message of its own",
            "allOf": "write the members out", "not": "say what is allowed instead",
            "if": "make each case a message of its own", "then": "make each case a message of its own",
            "else": "make each case a message of its own",
            "patternProperties": "name the members, or an array of objects",
            "$dynamicRef": "use $ref within the document", "unevaluatedProperties": "use additionalProperties",
            "dependentRequired": "make each case a message of its own", "contains": "use items",
            "prefixItems": "use an object with named members", "uniqueItems": "leave it out",
            "format": "say it with pattern; format asserts nothing in most validators",
            "default": "leave it out: what is absent is said by x-campus.absent",
            "examples": "put payloads into the folder samples", "nullable": "write type: [number, 'null']",
        ]
        for (key, remedy) in foreign.sorted(by: { $0.key < $1.key }) where map.optional(key) != nil {
            map.problem(at: key, "'\(key)' is not in the subset of JSON Schema that contracts use: \(remedy)")
        }
    }

    private func passOver(_ map: YAMLMap) {
        for key in map.keys { _ = map.optional(key) }
        map.finish()
    }

    private func kinds(_ map: YAMLMap) -> [PayloadSchema.Kind]? {
        guard let value = map.required("type") else { return nil }
        let values = value.isList ? value.list(limit: 4) : [value]
        // `null` must be quoted to be a text in YAML, and is meant either way.
        let kinds = values.compactMap { $0.isNull ? .null : $0.choice(of: PayloadSchema.Kind.self) }
        guard kinds.count == values.count, !kinds.isEmpty else { return nil }
        if Set(kinds).count != kinds.count { value.problem("names a type twice") }
        if kinds.contains(.object), kinds.contains(.array) { value.problem("object and array cannot be mixed") }
        return kinds
    }

    private func allowed(_ map: YAMLMap, _ kinds: [PayloadSchema.Kind]) -> [PayloadSchema.Scalar]? {
        let constant = map.optional("const")
        let list = map.optional("enum")
        if constant != nil, list != nil { map.problem("either 'const' or 'enum', not both") }
        guard let values = constant.map({ [$0] }) ?? list?.list(limit: 256) else { return nil }
        let scalars = values.compactMap { value -> PayloadSchema.Scalar? in
            guard let scalar = self.scalar(value, kinds) else {
                value.problem("is not of the type \(kinds.map(\.rawValue).joined(separator: " or "))")
                return nil
            }
            return scalar
        }
        if scalars.isEmpty { list?.problem("at least one value is needed") }
        return scalars
    }

    private func scalar(_ value: YAMLValue, _ kinds: [PayloadSchema.Kind]) -> PayloadSchema.Scalar? {
        guard let text = value.scalarText, text.utf8.count <= 256 else { return nil }
        if value.plainText != nil {
            if kinds.contains(.null), value.isNull { return .null }
            if kinds.contains(.boolean), text == "true" || text == "false" { return .boolean(text == "true") }
            if kinds.contains(.number) || kinds.contains(.integer), value.numberIfAny != nil,
                let number = ExactDecimal(text), kinds.contains(.number) || number.decimals <= 0
            {
                return .number(number)
            }
            // A plain number or word that YAML reads as something else is no text in other readers of the document.
            if value.numberIfAny != nil || ["true", "false", "null", "~"].contains(text) { return nil }
        }
        return kinds.contains(.string) ? .text(text) : nil
    }

    private func numbers(_ map: YAMLMap, _ schema: inout PayloadSchema) {
        func limit(_ inclusive: String, _ exclusive: String) -> PayloadSchema.Limit? {
            let one = map.optional(inclusive).flatMap { self.decimal($0) }
            let other = map.optional(exclusive).flatMap { self.decimal($0) }
            if one != nil, other != nil { map.problem("either '\(inclusive)' or '\(exclusive)', not both") }
            return one.map { PayloadSchema.Limit(value: $0, isExclusive: false) }
                ?? other.map { PayloadSchema.Limit(value: $0, isExclusive: true) }
        }
        schema.minimum = limit("minimum", "exclusiveMinimum")
        schema.maximum = limit("maximum", "exclusiveMaximum")
        schema.multipleOf = map.optional("multipleOf").flatMap { self.decimal($0) }
        if let step = schema.multipleOf, step.coefficient <= 0 { map.problem(at: "multipleOf", "must be above 0") }
        if let low = schema.minimum, let high = schema.maximum, low.value > high.value {
            map.problem("the minimum is above the maximum")
        }
        let isNumber = schema.kinds.contains(.number) || schema.kinds.contains(.integer)
        if !isNumber, schema.minimum != nil || schema.maximum != nil || schema.multipleOf != nil {
            map.problem("only numbers have minimum, maximum and multipleOf")
        }
    }

    private func decimal(_ value: YAMLValue) -> ExactDecimal? {
        guard value.double() != nil, let text = value.plainText else { return nil }
        if text.hasPrefix("0x") || text.hasPrefix("-0x") {
            value.problem("must be decimal")
            return nil
        }
        guard let number = ExactDecimal(text) else {
            value.problem("has more than 18 digits")
            return nil
        }
        return number
    }

    private func texts(_ map: YAMLMap, _ schema: inout PayloadSchema) {
        schema.lengthMin = map.int("minLength", in: 0...65_536, default: 0)
        schema.lengthMax = map.optional("maxLength").flatMap { $0.int(in: 0...65_536) }
        if let value = map.optional("pattern"), let text = value.string(limit: 256) {
            do throws(TextPattern.Problem) {
                schema.pattern = try TextPattern(text)
            } catch {
                value.problem(error.description)
            }
        }
        if let most = schema.lengthMax, most < schema.lengthMin { map.problem("minLength is above maxLength") }
        if !schema.kinds.contains(.string), schema.lengthMin > 0 || schema.lengthMax != nil || schema.pattern != nil {
            map.problem("only texts have minLength, maxLength and pattern")
        }
    }

    private func elements(_ map: YAMLMap, _ schema: inout PayloadSchema, depth: Int) {
        schema.itemsMin = map.int("minItems", in: 0...1_024, default: 0)
        schema.itemsMax = map.optional("maxItems").flatMap { $0.int(in: 0...1_024) }
        if let inner = map.optionalMap("items") {
            schema.items = [self.schema(inner, depth: depth + 1)].compactMap { $0 }
        }
        if schema.kinds.contains(.array) {
            if map.optional("items") == nil { map.problem("an array needs 'items'") }
        } else if !schema.items.isEmpty || schema.itemsMax != nil || schema.itemsMin > 0 {
            map.problem("only arrays have items, minItems and maxItems")
        }
        if let most = schema.itemsMax, most < schema.itemsMin { map.problem("minItems is above maxItems") }
    }

    private func members(_ map: YAMLMap, _ schema: inout PayloadSchema, depth: Int) {
        let properties = map.optionalMap("properties")
        let required = map.list("required", limit: 256).compactMap { $0.string(limit: 128) }
        schema.isClosed = !map.bool("additionalProperties", default: true)
        guard schema.kinds.contains(.object) else {
            if properties != nil || !required.isEmpty || schema.isClosed {
                map.problem("only objects have properties, required and additionalProperties")
            }
            return
        }
        let names = properties?.keys ?? []
        if names.count > 256 { map.problem(at: "properties", "more than 256 members") }
        for name in names.prefix(256) {
            guard let inner = properties?.required(name) else { continue }
            if name.isEmpty || name.utf8.count > 128 { inner.problem("a member's name has 1 to 128 bytes") }
            guard let member = self.schema(inner.map(), depth: depth + 1) else { continue }
            schema.members.append(
                PayloadSchema.Member(name: name, schema: member, isRequired: required.contains(name))
            )
        }
        for name in required where !names.contains(name) {
            let near = NearestWord.suggestion(for: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            map.problem(at: "required", "'\(name)' is not among the properties\(near)")
        }
    }

    private func extensions(_ map: YAMLMap, _ schema: inout PayloadSchema) {
        schema.privacy = map.choice("x-privacy", of: PrivacyClass.self, default: .none)
        if let value = map.optional("x-encodes") {
            schema.encodesNumber = value.scalarText == "number"
            if !schema.encodesNumber { value.problem("must be number: the text stands for a number") }
            if !schema.kinds.contains(.string) { value.problem("only a text can stand for something else") }
        }
        guard let value = map.optional("x-unit") else { return }
        let isNumber = schema.kinds.contains(.number) || schema.kinds.contains(.integer) || schema.encodesNumber
        if !isNumber { value.problem("only numbers have a unit") }
        guard value.isMap else {
            schema.unit = self.unit(value).map { .fixed($0) }
            return
        }
        let inner = value.map()
        let name = inner.string("setting", limit: 64)
        var choices: [PayloadSchema.Unit.Choice] = []
        if let map = inner.required("choices")?.map() {
            for key in map.keys {
                guard let value = map.required(key), let unit = self.unit(value) else { continue }
                choices.append(PayloadSchema.Unit.Choice(value: key, unit: unit))
            }
        }
        inner.finish()
        if choices.count < 2 { inner.problem("a unit by setting needs at least two choices") }
        if let name { schema.unit = .bySetting(name: name, choices: choices) }
    }

    private func unit(_ value: YAMLValue) -> String? {
        guard let unit = value.scalarText else {
            value.problem("must be a UCUM code")
            return nil
        }
        if Units.display[unit] == nil {
            let near = NearestWord.suggestion(for: unit, among: Units.display.keys.sorted())
            value.problem(
                "'\(unit)' is not a UCUM code that is known here\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
        }
        return unit
    }

    /// Every text and list of a payload must have an end.
    private func checkBounds(_ map: YAMLMap, _ schema: PayloadSchema) {
        if schema.kinds.contains(.string), schema.allowed == nil, schema.lengthMax == nil {
            map.problem("a text needs 'maxLength', 'enum' or 'const': payloads are bounded")
        }
        if schema.kinds.contains(.array), schema.itemsMax == nil {
            map.problem("an array needs 'maxItems': payloads are bounded")
        }
        if schema.nodeCount(limit: FirmwareContract.schemaNodesMax) > FirmwareContract.schemaNodesMax {
            map.problem("describes more than \(FirmwareContract.schemaNodesMax) values")
        }
    }
}
