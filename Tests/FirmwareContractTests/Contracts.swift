import CampusModel
import DeviceProfile
import FirmwareContract
import Foundation

/// What the tests of contracts share.
enum Contracts {
    static let root: String = {
        var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }()
    static let library = ContractLibrary(folders: ["\(root)/Firmware-Contracts"])
    static let profiles = ProfileLibrary(folders: ["\(root)/DeviceProfiles"]).profiles

    /// A contract with one channel `x/{device}/data` whose payload has these lines of YAML as its schema.
    static func document(
        _ schema: String,
        version: String = "1.0.0",
        campus: String = "bytesMax: 1024",
        family: String = "test"
    ) -> String {
        let lines = schema.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        return """
            asyncapi: 3.0.0
            info:
              title: Test
              version: \(version)
              x-campus: {family: \(family), sources: [{title: test, trust: A}]}
            channels:
              data:
                address: 'x/{device}/data'
                parameters: {device: {description: name}}
                messages: {data: {$ref: '#/components/messages/data'}}
            operations:
              publish: {action: send, channel: {$ref: '#/channels/data'}}
            components:
              messages:
                data:
                  payload:
                    $ref: '#/components/schemas/data'
                  x-campus: {\(campus)}
              schemas:
                data:
            \(lines)
            """
    }

    static func read(_ schema: String, version: String = "1.0.0", campus: String = "bytesMax: 1024") throws
        -> FirmwareContract
    {
        try FirmwareContract.read(
            yaml: self.document(schema, version: version, campus: campus),
            file: "asyncapi.yaml"
        )
    }

    /// The differences of a payload on `x/a/data`, in English; `nil` when the topic is not covered.
    static func differences(_ payload: String, _ contract: FirmwareContract) -> [String]? {
        switch ContractValidator(contract: contract).check(topic: "x/a/data", payload: Array(payload.utf8)) {
        case .notCovered: nil
        case .valid: []
        case .violation(let violation): violation.lines(in: .en)
        }
    }
}
