import CampusModel
import DeviceProfile
import FirmwareContract
import Foundation
import Testing

/// The headers are compiled by the system's C compiler, run, and what they print is validated and decoded.
@Suite struct CHeaderTests {
    private static let own = [
        "campus-attendance-reader/v1", "campus-classroom-node/v1", "campus-lab-node/v1", "campus-tag-reader/v1",
    ]

    @Test(arguments: own)
    func whatAnEncoderWritesIsValidAndRead(name: String) throws {
        let entry = try #require(ContractName(name).flatMap { Contracts.library[$0] })
        let header = try CHeader(contract: entry.contract)
        let output = try CCompiler.run([header.fileName: header.text, "main.c": header.example])
        #expect(output.status == 0, "\(output.text)")
        let validator = ContractValidator(contract: entry.contract, older: entry.older.map(\.version))
        let profile = try #require(Contracts.profiles.first { $0.contract == name })
        let decoder = try MessageDecoder(
            profile: profile,
            device: DeviceID(rawValue: "d"),
            parameters: ["device": "example"],
            zonelessOffsetSeconds: 0
        )
        var seen: Set<Int> = []
        for line in output.text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            let payload = Array(parts[1].utf8)
            guard case .valid(let message) = validator.check(topic: parts[0], payload: payload) else {
                Issue.record("\(line): \(validator.check(topic: parts[0], payload: payload))")
                continue
            }
            seen.insert(message)
            #expect(payload.count <= entry.contract.messages[message].bounds.bytesMax)
            // The examples have an impossible date: the profile's own judgement of clocks is not what is tried here.
            let dated = parts[1].replacing("0000-00-00T00000000Z", with: "2026-11-24T01:02:03Z")
            let outcome = decoder.decode(
                topic: parts[0],
                payload: Array(dated.utf8),
                isRetained: false,
                arrival: Tick(milliseconds: 1_800_000_000_000)
            )
            switch outcome.status {
            case .decoded, .availability: break
            default: Issue.record("\(dated): \(outcome.status)")
            }
            let bad = outcome.values.filter { $0.quality.level == .bad && $0.quality != .bad(.sentinel) }
            #expect(bad == [], "\(dated)")
        }
        #expect(seen.count == entry.contract.messages.count)
    }

    @Test func aValueComesOutAsItWasPutIn() throws {
        let output = try self.classroom(
            """
            m.time = "2026-11-24T01:02:03Z"; m.seq = 4294967295u; m.temperature_is = 1; m.temperature_e2 = -5;
            m.humidity_is = 2; m.noise_is = 1; m.noise_e1 = 451;
            """
        )
        #expect(
            output.text
                == #"{"contract":"1.1","humidity":null,"noise":45.1,"seq":4294967295,"temperature":-0.05,"#
                + #""time":"2026-11-24T01:02:03Z"}"# + "\n"
        )
    }

    @Test(arguments: [
        ("m.temperature_e2 = 8501;", "-2"), ("m.temperature_e2 = -4001;", "-2"), ("m.temperature_is = 0;", "-3"),
        ("m.temperature_is = 7;", "-3"), ("m.time = NULL;", "-3"), ("m.time = \"yesterday\";", "-2"),
        ("m.time = \"2026-11-24T01:02:03Z\\n\";", "-2"), ("m.pm25_is = 3;", "-2"), ("capacity = 60;", "-1"),
        ("capacity = 0;", "-1"),
    ])
    func whatTheContractDoesNotAllowIsNotWritten(change: String, error: String) throws {
        let output = try self.classroom(
            """
            m.time = "2026-11-24T01:02:03Z"; m.temperature_is = 1; m.humidity_is = 1; \(change)
            """
        )
        #expect(output.text == "error \(error)\n")
    }

    @Test(arguments: [
        ("type: object\nproperties: {a: {type: number, minimum: 0, maximum: 1}}", "/a needs 'multipleOf'"),
        ("type: object\nproperties: {a: {type: integer}}", "/a needs 'minimum' and 'maximum'"),
        ("type: object\nproperties: {a: {type: [integer, string], maxLength: 3}}", "/a has several types"),
        ("type: object\nproperties: {a: {type: string, maxLength: 400}}", "its largest payload has 2409 bytes"),
        (
            "type: object\nproperties: {a: {type: array, maxItems: 2, items: {type: string, maxLength: 3}}}",
            "only lists of numbers"
        ),
    ])
    func whatIsLeftOpenIsToldWithItsPlace(schema: String, words: String) throws {
        let contract = try Contracts.read(schema)
        do {
            _ = try CHeader(contract: contract)
            Issue.record("a header was made")
        } catch {
            #expect(error.description.contains(words), "\(error)")
        }
    }

    /// Nested objects, lists, steps that are no power of ten, names that C does not take.
    @Test func anythingBoundedIsEncoded() throws {
        let contract = try Contracts.read(
            """
            type: object
            required: [int, 'a b']
            properties:
              int: {type: integer, minimum: -9000000000, maximum: 9000000000}
              'a b': {type: number, minimum: -1, maximum: 1, multipleOf: 0.25}
              a-b: {type: string, maxLength: 4}
              list: {type: array, minItems: 1, maxItems: 3, items: {type: number, minimum: 0, maximum: 9, multipleOf: 0.5}}
              inner: {type: object, required: [x], properties: {x: {type: boolean}, '"': {type: 'string', enum: ['?', "\\u00e9"]}}}
            """
        )
        let header = try CHeader(contract: contract)
        let output = try CCompiler.run([header.fileName: header.text, "main.c": header.example])
        #expect(output.status == 0, "\(output.text)")
        for line in output.text.split(separator: "\n") {
            let payload = try #require(line.split(separator: "\t", maxSplits: 1).last)
            let found = ContractValidator(contract: contract).check(topic: "x/a/data", payload: Array(payload.utf8))
            #expect(found == .valid(message: 0), "\(payload)")
        }
        #expect(output.text.contains(#""list":[9.0,9.0,9.0]"#))
    }

    private func classroom(_ statements: String) throws -> (status: Int32, text: String) {
        let entry = try #require(ContractName("campus-classroom-node/v1").flatMap { Contracts.library[$0] })
        let header = try CHeader(contract: entry.contract)
        let program = """
            #include "\(header.fileName)"
            #include <stdio.h>
            int main(void)
            {
                char payload[CAMPUS_CLASSROOM_NODE_V1_TELEMETRY_BYTES_MAX + 1];
                campus_classroom_node_v1_telemetry m;
                size_t capacity = sizeof payload;
                int length;
                memset(&m, 0, sizeof m);
                \(statements)
                length = campus_classroom_node_v1_telemetry_encode(&m, payload, capacity);
                if (length < 0) {
                    printf("error %d\\n", length);
                } else {
                    printf("%s\\n", payload);
                }
                return 0;
            }
            """
        return try CCompiler.run([header.fileName: header.text, "main.c": program])
    }
}

/// The system's C compiler.
enum CCompiler {
    struct Failure: Error, CustomStringConvertible { var description: String }

    /// Compiles `main.c` as strictly as it goes, with the sanitizers, and runs it.
    static func run(_ files: [String: String]) throws -> (status: Int32, text: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-c-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        let compiled = try self.execute(
            "/usr/bin/cc",
            [
                "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow", "-O1",
                "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", "main", "main.c",
            ],
            in: folder
        )
        guard compiled.status == 0 else { throw Failure(description: compiled.text) }
        return try self.execute(folder.appendingPathComponent("main").path, [], in: folder)
    }

    private static func execute(_ path: String, _ arguments: [String], in folder: URL) throws -> (
        status: Int32, text: String
    ) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
