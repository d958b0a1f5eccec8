internal import DeviceProfile

/// The C of one message: its struct, its topic and its encoder.
struct CMessage: Sendable {
    let declaration: String
    let functions: String
    let exampleBlocks: String

    init(
        _ message: FirmwareContract.Message,
        _ channel: FirmwareContract.Channel,
        prefix: String,
        contract: FirmwareContract
    ) throws(CHeaderProblem) {
        let name = "\(prefix)_\(CName.lower(message.name))"
        var writer = CWriter(prefix: prefix, name: name)
        let limit = "\(name.uppercased())_BYTES_MAX"
        let topic = Self.topic(channel.address, name, prefix)
        let heading =
            "/* \(message.title ?? message.name), on \(channel.address), QoS \(channel.qualityOfService)"
            + "\(channel.isRetained ? ", retained" : ""). */\n"
        let size = "#define \(limit) \(message.bounds.bytesMax)\n"
        let topicCall = Self.topicCall(channel.address, name)
        switch message.content {
        case .text:
            guard let allowed = message.schema.allowed else {
                throw CHeaderProblem(description: "a bare text needs 'enum'")
            }
            let choices = CName.choices(allowed, name, [])
            let names = choices.map { "    \($0.name)" }.joined(separator: ",\n")
            self.declaration = "\(heading)\(size)typedef enum {\n\(names)\n} \(name);\n\n"
            let cases = zip(choices, allowed)
                .map { choice, scalar in
                    "    case \(choice.name): \(prefix)_put(&w, \(CName.string(scalar.plainText)), "
                        + "\(scalar.plainText.utf8.count)); break;\n"
                }
                .joined()
            self.functions = """
                \(topic)static inline int \(name)_encode(\(name) value, char *out, size_t capacity)
                {
                    \(prefix)_writer w = {out, capacity, 0, 0, false};
                    switch (value) {
                \(cases)    default: \(prefix)_fail(&w, \(prefix.uppercased())_RANGE);
                    }
                    return \(prefix)_result(&w);
                }


                """
            self.exampleBlocks =
                choices
                .map { choice in
                    """
                        {
                            char payload[\(limit) + 1];
                            const int length = \(name)_encode(\(choice.name), payload, sizeof payload);
                            failures += show(\(topicCall), topic, length, payload);
                        }

                    """
                }
                .joined()
        case .json:
            guard message.schema.kinds == [.object] else {
                throw CHeaderProblem(description: "the payload must be an object")
            }
            let maker = CFieldMaker(
                prefix: name,
                version: message.semantics.version.map { ($0, contract.version.published) }
            )
            let fields = try maker.fields(message.schema, [])
            let worst = CWriter.worstBytes(.object(fields))
            guard worst <= message.bounds.bytesMax else {
                throw CHeaderProblem(
                    description:
                        "its largest payload has \(worst) bytes, x-campus.bytesMax is \(message.bounds.bytesMax)"
                )
            }
            let members = writer.members(fields, "    ")
            let body = writer.object(fields, "message->", "    ")
            self.declaration = writer.types + heading + size + "typedef struct {\n\(members)} \(name);\n\n"
            self.functions = """
                \(writer.tables)\(topic)static inline int \(name)_encode(const \(name) *message, char *out, size_t capacity)
                {
                    \(prefix)_writer w = {out, capacity, 0, 0, false};
                \(body)    return \(prefix)_result(&w);
                }


                """
            self.exampleBlocks = CWriter.Fill.allCases
                .map { fill in
                    """
                        {
                            char payload[\(limit) + 1];
                            \(name) message;
                            int length;
                            memset(&message, 0, sizeof message);
                    \(writer.assignments(fields, "message.", fill))\
                            length = \(name)_encode(&message, payload, sizeof payload);
                            failures += show(\(topicCall), topic, length, payload);
                        }

                    """
                }
                .joined()
        }
    }

    private static func topic(_ address: TopicTemplate, _ name: String, _ prefix: String) -> String {
        let parameters = address.parameterNames.map { "const char *\(CName.member($0))" }
        var lines = ""
        var literal = ""
        func parameter(_ name: String) {
            if !literal.isEmpty {
                lines += "    \(prefix)_put(&w, \(CName.string(literal)), \(literal.utf8.count));\n"
            }
            literal = ""
            lines += "    \(prefix)_level(&w, \(CName.member(name)));\n"
        }
        for (index, level) in address.levels.enumerated() {
            literal += index == 0 ? "" : "/"
            switch level {
            case .literal(let text): literal += text
            case .parameter(let name): parameter(name)
            case .mixed(let before, let name, let after):
                literal += before
                parameter(name)
                literal += after
            // No address has one.
            case .any, .rest: break
            }
        }
        if !literal.isEmpty { lines += "    \(prefix)_put(&w, \(CName.string(literal)), \(literal.utf8.count));\n" }
        let list = (parameters + ["char *out", "size_t capacity"]).joined(separator: ", ")
        return """
            static inline int \(name)_topic(\(list))
            {
                \(prefix)_writer w = {out, capacity, 0, 0, false};
            \(lines)    return \(prefix)_result(&w);
            }


            """
    }

    private static func topicCall(_ address: TopicTemplate, _ name: String) -> String {
        let arguments = address.parameterNames.map { _ in "\"example\"" } + ["topic", "sizeof topic"]
        return "\(name)_topic(\(arguments.joined(separator: ", ")))"
    }
}
