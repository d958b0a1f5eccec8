import FirmwareContract
import Foundation
import Testing

@Suite struct VectorTests {
    @Test(arguments: ShippedContractsTests.names)
    func theValidatorFindsWhatTheVectorsSay(name: ContractName) throws {
        let entry = try #require(Contracts.library[name])
        let vectors = ContractVectors(contract: entry.contract).vectors
        let validator = ContractValidator(contract: entry.contract)
        #expect(vectors.contains { $0.isValid } && vectors.contains { !$0.isValid })
        for vector in vectors {
            let verdict = validator.check(topic: vector.topic, payload: Array(vector.payload.utf8))
            if case .valid = verdict {
                #expect(vector.isValid, "\(vector)")
            } else {
                #expect(!vector.isValid, "\(vector): \(verdict)")
            }
        }
    }

    /// jsonschema, which is not ours, must find the same payloads valid.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["CAMPUS_PEERS"] != nil, "CAMPUS_PEERS is not set"))
    func aValidatorThatIsNotOursAgrees() throws {
        let python = try #require(ProcessInfo.processInfo.environment["CAMPUS_PEERS"])
        let script = "\(Contracts.root)/Tests/Scripts/contract-schema.py"
        for name in ShippedContractsTests.names {
            let entry = try #require(Contracts.library[name])
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("v-\(UUID().uuidString).json")
            defer { try? FileManager.default.removeItem(at: file) }
            let text = VectorJSON.text(of: ContractVectors(contract: entry.contract), entry.contract)
            try text.write(to: file, atomically: true, encoding: .utf8)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = [script, entry.file, file.path]
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(String(decoding: output, as: UTF8.self))")
        }
    }
}
