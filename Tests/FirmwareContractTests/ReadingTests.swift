import FirmwareContract
import Foundation
import StrictYAML
import Testing

@Suite struct ReadingTests {
    private func problems(_ text: String) -> [String] {
        do throws(YAMLProblems) {
            _ = try FirmwareContract.read(yaml: text, file: "f.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        ("type: object\nproperties: {a: {type: string}}", "a text needs 'maxLength', 'enum' or 'const'"),
        ("type: object\nproperties: {a: {type: array, items: {type: number}}}", "an array needs 'maxItems'"),
        ("type: object\noneOf: []", "'oneOf' is not in the subset of JSON Schema that contracts use: make each"),
        ("type: object\nproperties: {a: {type: string, format: date, maxLength: 3}}", "'format' is not in the subset"),
        ("type: object\nproperties: {a: {$ref: '#/components/schemas/data'}}", "contains itself"),
        ("type: object\nproperties: {a: {$ref: 'https://x.org/a.json'}}", "must be #/components/schemas/NAME"),
        ("type: object\nproperties: {a: {$ref: '#/components/schemas/dota'}}", "did you mean 'data'?"),
        ("type: object\nrequired: [b]\nproperties: {a: {type: number}}", "'b' is not among the properties"),
        ("type: object\nproperties: {a: {type: number, x-unit: Cell}}", "did you mean 'Cel'?"),
        ("type: object\nproperties: {a: {type: number, minimum: 3, maximum: 2}}", "the minimum is above the maximum"),
        ("type: object\nproperties: {a: {type: boolean, maximum: 2}}", "only numbers have minimum"),
        ("type: object\nproperties: {a: {type: string, maxLength: 3, pattern: '^(a|b)$'}}", "no alternatives"),
        ("type: object\nproperties: {a: {type: numbr}}", "did you mean 'number'?"),
        ("type: object\nproperties: {a: {type: number, minimun: 1}}", "did you mean 'minimum'?"),
        ("type: object\nproperties: {a: {type: string, enum: [on, off, 1]}}", "is not of the type string"),
        ("type: string\nmaxLength: 4", "a JSON payload is an object or an array"),
        (
            "type: object\nproperties: {a: {type: array, maxItems: 1024, items: {$ref: '#/components/schemas/data'}}}",
            "contains itself"
        ),
    ])
    func whatIsNotBoundedOrNotInTheSubsetIsRefusedWithItsLine(schema: String, words: String) {
        let found = self.problems(Contracts.document(schema))
        #expect(
            found.contains { $0.contains(words) && $0.hasPrefix("f.yaml:") && !$0.hasPrefix("f.yaml:0") },
            "\(found)"
        )
    }

    @Test func schemasThatMultiplyAreBounded() {
        // Each level refers to the one below sixteen times: 16^5 values.
        var schemas = ""
        for level in 0..<5 {
            let members = (0..<16).map { "m\($0): {$ref: '#/components/schemas/s\(level + 1)'}" }
            schemas += "    s\(level): {type: object, properties: {\(members.joined(separator: ", "))}}\n"
        }
        schemas += "    s5: {type: number}\n"
        let text =
            Contracts.document("type: object\nproperties: {a: {$ref: '#/components/schemas/s0'}}") + "\n" + schemas
        #expect(self.problems(text).contains { $0.contains("describes more than 2000 values") })
    }

    @Test(arguments: [
        ("version: 1.0.0", "version: 1.0", "must be major.minor.patch"),
        ("asyncapi: 3.0.0", "asyncapi: 2.6.0", "must be 3.0.0 or 3.1.0"),
        ("action: send, ", "action: publish, ", "is not one of send, receive"),
        ("publish: {action: send, channel: {$ref: '#/channels/data'}}", "{}", "has no operation"),
        (
            "parameters: {device: {description: name}}", "parameters: {devise: {}}",
            "must be those of the address: device"
        ),
        ("messages: {data: {$ref: '#/components/messages/data'}}", "messages: {}", "is in no channel"),
        ("x/{device}/data", "x/+/data", "is not an address"),
        ("bytesMax: 1024", "bytesMax: 1024, clock: {pointer: /time, format: rfc3339}", "has nothing at /time"),
        ("bytesMax: 1024", "perMinuteMax: 2", "the key 'bytesMax' is missing"),
        ("title: Test", "titel: Test", "did you mean 'title'?"),
    ])
    func aDocumentThatDoesNotHoldTogetherIsRefused(old: String, new: String, words: String) {
        let text = Contracts.document("type: object").replacingOccurrences(of: old, with: new)
        #expect(self.problems(text).contains { $0.contains(words) }, "\(self.problems(text))")
    }

    @Test func severalMessagesOfAChannelNeedADiscriminator() {
        let text = Contracts.document("type: object")
            .replacingOccurrences(
                of: "messages: {data: {$ref: '#/components/messages/data'}}",
                with:
                    "messages: {data: {$ref: '#/components/messages/data'}, more: {$ref: '#/components/messages/more'}}"
            )
            .replacingOccurrences(
                of: "  messages:\n    data:",
                with: "  messages:\n    more: {payload: {type: object}, x-campus: {bytesMax: 9}}\n    data:"
            )
        #expect(self.problems(text).contains { $0.contains("several messages need x-campus.discriminator") })
    }

    @Test func aGoodDocumentIsRead() throws {
        let contract = try Contracts.read(ValidationTests.schema, version: "2.3.4")
        #expect(contract.name.description == "test/v2")
        #expect(contract.version.description == "2.3.4")
        #expect(contract.messages.map(\.name) == ["data"])
    }
}
