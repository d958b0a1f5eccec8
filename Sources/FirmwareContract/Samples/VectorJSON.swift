internal import CampusModel

/// Test vectors as a JSON document.
package enum VectorJSON {
    /// `{"contract","version","vectors":[{"name","message","topic","payload","valid","beyondSchema"?,"differences"?}]}`;
    /// the payload is a text, exactly as it would be published.
    package static func text(of vectors: ContractVectors, _ contract: FirmwareContract) -> String {
        let validator = ContractValidator(contract: contract)
        let lines = vectors.vectors.map { vector in
            var members = [
                ("name", JSONText.quoted(vector.name)), ("message", JSONText.quoted(vector.message)),
                ("topic", JSONText.quoted(vector.topic)), ("payload", JSONText.quoted(vector.payload)),
                ("valid", vector.isValid ? "true" : "false"),
            ]
            if vector.isBeyondSchema { members.append(("beyondSchema", "true")) }
            if case .violation(let violation) = validator.check(
                topic: vector.topic,
                payload: Array(vector.payload.utf8)
            ) {
                let list = violation.lines(in: .en).map(JSONText.quoted).joined(separator: ",")
                members.append(("differences", "[\(list)]"))
            }
            return "    {" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        }
        return "{\"contract\":\"\(contract.name)\",\"version\":\"\(contract.version)\",\"vectors\":[\n"
            + lines.joined(separator: ",\n") + "\n]}\n"
    }
}
