import CampusModel
import Foundation
import Testing

@testable import DeviceProfile

/// Decoding agrees with decoders that are not our code: pymodbus, Python's struct and whole numbers.
struct RandomFramesTests {
    private static let python = ProcessInfo.processInfo.environment["CAMPUS_PEERS"]

    /// A line of `Tests/Scripts/random-frames.py`.
    private struct Frame {
        var source: RegisterSource
        var request: [UInt8]
        var response: [UInt8]
        var meaning: Substring

        init?(_ line: Substring) {
            let parts = line.split(separator: " ")
            guard parts.count == 11, let table = ModbusWire.Table(rawValue: String(parts[0])),
                let address = UInt16(parts[1]), let type = RegisterSource.ValueType(rawValue: String(parts[2])),
                let byteOrder = ModbusWire.Order(rawValue: String(parts[3])),
                let wordOrder = ModbusWire.Order(rawValue: String(parts[4])), let from = Int(parts[5]),
                let count = Int(parts[6]), let length = Int(parts[7]),
                let request = HexText.bytes(String(parts[8])), let response = HexText.bytes(String(parts[9]))
            else { return nil }
            self.source = RegisterSource(
                table: table,
                address: address,
                documentedAs: nil,
                type: type,
                byteOrder: byteOrder,
                wordOrder: wordOrder,
                bits: from < 0 ? nil : RegisterSource.Bits(from: from, count: count),
                length: length
            )
            self.request = request
            self.response = response
            self.meaning = parts[10]
        }

        /// What we make of the frame, written as the script writes it.
        var decoded: String {
            var image = RegisterImage()
            if let problem = image.take(request: self.request, response: self.response) { return problem }
            guard let words = image.words(self.source.table, self.source.address, self.source.addressCount) else {
                return "not in the frame"
            }
            return words.withUnsafeBufferPointer { words in
                if self.source.type.isText {
                    let text = self.source.text(in: words, at: 0) ?? ""
                    return "t:" + text.utf8.map { Self.digits(UInt64($0), 2) }.joined()
                }
                guard let raw = self.source.raw(in: words, at: 0) else { return "-" }
                return "n:" + Self.digits(raw.bitPattern, 16)
            }
        }

        var isNaN: Bool {
            self.meaning.hasPrefix("n:")
                && UInt64(self.meaning.dropFirst(2), radix: 16).map { Double(bitPattern: $0).isNaN } ?? false
        }

        static func digits(_ value: UInt64, _ count: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(count - text.count, 0)) + text
        }
    }

    @Test(.enabled(if: Self.python != nil, "CAMPUS_PEERS names no Python with pymodbus; deploy/test sets it"))
    func aHundredThousandRandomFramesOfEveryTypeAndOrderMeanWhatPymodbusAndStructSay() throws {
        let python = try #require(Self.python)
        let script = URL(fileURLWithPath: ShippedProfilesTests.folder).deletingLastPathComponent()
            .appendingPathComponent("Tests/Scripts/random-frames.py").path
        let count = 100_000
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script, "\(count)", "20261124"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        var compared: [String: Int] = [:]
        var differences: [String] = []
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            let frame = try #require(Frame(line), "\(line)")
            let decoded = frame.decoded
            let isEqual =
                frame.isNaN
                ? UInt64(decoded.dropFirst(2), radix: 16).map { Double(bitPattern: $0).isNaN } ?? false
                : decoded == frame.meaning
            if !isEqual, differences.count < 20 { differences.append("\(line): \(decoded)") }
            let source = frame.source
            compared["\(source.type) \(source.byteOrder) \(source.wordOrder)", default: 0] += 1
        }
        #expect(differences == [])
        #expect(compared.values.reduce(0, +) == count)
        // Every type in every order, bits of the bit tables beside them.
        #expect(compared.count == RegisterSource.ValueType.allCases.count * 4)
        #expect(compared.values.allSatisfy { $0 > 700 }, "\(compared)")
    }
}
