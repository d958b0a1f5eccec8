internal import CampusModel
package import DeviceProfile
package import StrictYAML

extension FirmwareContract {
    /// Reads and checks a contract.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - file: Leads every message.
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> FirmwareContract {
        let document = try YAMLDocument(yaml, file: file)
        let contract = ContractReader(root: document.root).read()
        document.root.finish()
        try document.check()
        guard let contract else {
            throw YAMLProblems([
                YAMLProblem(file: file, line: 0, column: 0, path: "", message: "the contract is incomplete")
            ])
        }
        return contract
    }
}

/// Reads the AsyncAPI document of a contract.
struct ContractReader {
    let root: YAMLMap

    func read() -> FirmwareContract? {
        if let value = self.root.required("asyncapi"), !["3.0.0", "3.1.0"].contains(value.scalarText) {
            value.problem("must be 3.0.0 or 3.1.0")
        }
        _ = self.root.optionalString("id", limit: 400)
        if let content = self.root.optional("defaultContentType"), content.scalarText != "application/json" {
            content.problem("must be application/json; a message may say otherwise with contentType")
        }
        let (family, version, title) = self.info(self.root.required("info")?.map())
        let components = self.root.required("components")?.map()
        let schemas = SchemaReader(components: components?.optionalMap("schemas"))
        let messages = MessageReader(schemas: schemas).read(components?.required("messages")?.map())
        schemas.readAll()
        components?.finish()
        let names = messages.map(\.name)
        var channels = self.channels(self.root.required("channels")?.map(), names)
        self.operations(self.root.required("operations")?.map(), &channels)
        let used = Set(channels.flatMap(\.channel.messages))
        for (index, message) in messages.enumerated() where !used.contains(index) {
            components?.problem(at: "messages", "the message '\(message.name)' is in no channel")
        }
        for (channel, map) in channels { self.check(channel, messages, map) }
        guard let family, let version, let title, !messages.isEmpty, !channels.isEmpty else { return nil }
        return FirmwareContract(
            name: ContractName(family: family, major: version.major),
            version: version,
            title: title,
            channels: channels.map(\.channel),
            messages: messages
        )
    }

    private func info(_ map: YAMLMap?) -> (family: String?, version: ContractVersion?, title: String?) {
        guard let map else { return (nil, nil, nil) }
        let title = map.string("title", limit: 200)
        var version: ContractVersion?
        if let value = map.required("version"), let text = value.scalarText {
            version = ContractVersion(text)
            if version == nil { value.problem("must be major.minor.patch, such as 1.4.0; it is '\(text.prefix(40))'") }
        }
        _ = map.optionalString("description")
        for (key, inner) in [("license", ["name", "url"]), ("contact", ["name", "url", "email"])] {
            guard let part = map.optionalMap(key) else { continue }
            for name in inner { _ = part.optionalString(name, limit: 400) }
            part.finish()
        }
        var family: String?
        if let campus = map.required("x-campus")?.map() {
            family = campus.string("family", limit: 64)
            if let family {
                do throws(IdentifierError) {
                    try IdentifierRule.check(family, kind: "family")
                } catch {
                    campus.problem(at: "family", error.description)
                }
            }
            let sources = campus.required("sources")?.list(limit: 32) ?? []
            if sources.isEmpty { campus.problem("at least one source is needed: where was the promise learnt?") }
            for source in sources {
                let inner = source.map()
                _ = inner.string("title", limit: 400)
                _ = inner.optionalString("url", limit: 1_000)
                _ = inner.choice("trust", of: DeviceProfile.Source.Trust.self)
                inner.finish()
            }
            campus.finish()
        }
        map.finish()
        return (family, version, title)
    }

    private typealias Draft = (channel: FirmwareContract.Channel, map: YAMLMap)

    private func channels(_ map: YAMLMap?, _ messages: [String]) -> [Draft] {
        guard let map else { return [] }
        if map.keys.count > 64 { map.problem("more than 64 channels") }
        return map.keys.prefix(64)
            .compactMap { name in
                guard let inner = map.required(name)?.map() else { return nil }
                return self.channel(name, inner, messages).map { ($0, inner) }
            }
    }

    private func channel(_ name: String, _ map: YAMLMap, _ messages: [String]) -> FirmwareContract.Channel? {
        let text = map.string("address", limit: 512)
        for key in ["title", "summary", "description"] { _ = map.optionalString(key) }
        var indices: [Int] = []
        if let inner = map.required("messages")?.map() {
            for key in inner.keys {
                guard let reference = inner.required(key)?.map() else { continue }
                let found = self.reference(reference, prefix: "#/components/messages/", among: messages)
                reference.finish()
                guard let found else { continue }
                if found != key { reference.problem("the key must be the message's name, '\(found)'") }
                if let index = messages.firstIndex(of: found) { indices.append(index) }
            }
            if inner.keys.isEmpty { inner.problem("a channel needs at least one message") }
        }
        var discriminator: JSONPointer?
        if let campus = map.optionalMap("x-campus") {
            discriminator = Self.pointer("discriminator", in: campus)
            campus.finish()
        }
        let parameters = map.optionalMap("parameters")
        for key in parameters?.keys ?? [] {
            let inner = parameters?.required(key)?.map()
            _ = inner?.optionalString("description")
            inner?.finish()
        }
        map.finish()
        guard let text else { return nil }
        guard let address = TopicTemplate(text), !text.contains("+"), !text.contains("#") else {
            map.problem(
                at: "address",
                "'\(text)' is not an address: levels joined by /, and {name} for a level or a part of one"
            )
            return nil
        }
        let named = parameters?.keys ?? []
        if Set(named) != Set(address.parameterNames) {
            map.problem(
                "the parameters must be those of the address: \(address.parameterNames.joined(separator: ", "))"
            )
        }
        return FirmwareContract.Channel(
            name: name,
            address: address,
            direction: .send,
            qualityOfService: 0,
            isRetained: false,
            discriminator: discriminator,
            messages: indices,
            line: map.line
        )
    }

    private func operations(_ map: YAMLMap?, _ channels: inout [Draft]) {
        guard let map else { return }
        let names = channels.map(\.channel.name)
        var seen: Set<String> = []
        for key in map.keys {
            guard let inner = map.required(key)?.map() else { continue }
            let direction = inner.choice("action", of: FirmwareContract.Direction.self)
            for text in ["title", "summary", "description"] { _ = inner.optionalString(text) }
            var channel: String?
            if let reference = inner.required("channel")?.map() {
                channel = self.reference(reference, prefix: "#/channels/", among: names)
                reference.finish()
            }
            let (quality, isRetained) = self.bindings(inner.optionalMap("bindings"))
            inner.finish()
            guard let direction, let channel, let index = names.firstIndex(of: channel) else { continue }
            if !seen.insert(channel).inserted {
                inner.problem("the channel '\(channel)' has another operation already")
            }
            channels[index].channel.direction = direction
            channels[index].channel.qualityOfService = quality
            channels[index].channel.isRetained = isRetained
        }
        for name in names where !seen.contains(name) {
            map.problem("the channel '\(name)' has no operation: does the device send there, or receive?")
        }
    }

    private func bindings(_ map: YAMLMap?) -> (Int, Bool) {
        guard let map else { return (0, false) }
        var result = (0, false)
        if let mqtt = map.required("mqtt")?.map() {
            result = (mqtt.int("qos", in: 0...2, default: 0), mqtt.bool("retain", default: false))
            _ = mqtt.optionalString("bindingVersion", limit: 16)
            mqtt.finish()
        }
        map.finish()
        return result
    }

    private func reference(_ map: YAMLMap, prefix: String, among names: [String]) -> String? {
        guard let text = map.string("$ref", limit: 200) else { return nil }
        guard text.hasPrefix(prefix) else {
            map.problem(at: "$ref", "must be \(prefix)NAME")
            return nil
        }
        let name = String(text.dropFirst(prefix.count))
        guard names.contains(name) else {
            let near = NearestWord.suggestion(for: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            map.problem(at: "$ref", "there is no '\(name)' in \(prefix.dropLast())\(near)")
            return nil
        }
        return name
    }

    /// Messages that share a channel must be told apart by what they say, never by trying.
    private func check(_ channel: FirmwareContract.Channel, _ messages: [FirmwareContract.Message], _ map: YAMLMap) {
        for index in channel.messages where channel.direction == .send {
            let retained = messages[index].semantics.retained
            if channel.isRetained, retained == .never {
                map.problem("the operation retains '\(messages[index].name)', whose x-campus.retained says never")
            }
        }
        guard channel.messages.count > 1 else {
            if channel.discriminator != nil { map.problem("one message needs no discriminator") }
            return
        }
        guard let pointer = channel.discriminator else {
            map.problem("several messages need x-campus.discriminator: the member that says which one it is")
            return
        }
        var seen: Set<PayloadSchema.Scalar> = []
        for index in channel.messages {
            let message = messages[index]
            guard message.content == .json, let member = message.schema.resolve(pointer), member.isAlwaysThere,
                let allowed = member.schema.allowed
            else {
                map.problem("the message '\(message.name)' must have \(pointer) as a required const or enum")
                continue
            }
            for value in allowed where !seen.insert(value).inserted {
                map.problem("\(value) at \(pointer) stands for two messages")
            }
        }
    }

    static func pointer(_ key: String, in map: YAMLMap) -> JSONPointer? {
        guard let text = map.optionalString(key, limit: 512) else { return nil }
        guard let pointer = JSONPointer(text), !pointer.tokens.isEmpty, !pointer.isOfPayload else {
            map.problem(at: key, "'\(text)' is not a JSON pointer to a member, such as /time")
            return nil
        }
        return pointer
    }
}

extension PayloadSchema {
    /// What a pointer leads to in a schema.
    package struct Place: Sendable, Hashable {
        package var schema: PayloadSchema
        /// Whether every valid payload has it.
        package var isAlwaysThere: Bool
    }

    /// The schema that a pointer leads to; `nil` when the contract says nothing of it.
    package func resolve(_ pointer: JSONPointer) -> Place? {
        var place = Place(schema: self, isAlwaysThere: true)
        for token in pointer.tokens {
            if let member = place.schema.member(token) {
                let isObject = place.schema.kinds == [.object]
                place = Place(
                    schema: member.schema,
                    isAlwaysThere: place.isAlwaysThere && isObject && member.isRequired
                )
            } else if let element = place.schema.items.first, let index = Int(token), index >= 0,
                index < place.schema.itemsMax ?? 0
            {
                let isThere = place.schema.kinds == [.array] && index < place.schema.itemsMin
                place = Place(schema: element, isAlwaysThere: place.isAlwaysThere && isThere)
            } else {
                return nil
            }
        }
        return place
    }
}
