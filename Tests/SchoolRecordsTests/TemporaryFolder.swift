import Foundation
import SchoolRecords

/// A folder that goes when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        self.path = NSTemporaryDirectory() + "records-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    var database: String { self.path + "/records.sqlite" }

    func mode(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// Every byte of every file in the folder.
    func allBytes() throws -> Data {
        var all = Data()
        for name in try FileManager.default.contentsOfDirectory(atPath: self.path) {
            all += try Data(contentsOf: URL(fileURLWithPath: self.path + "/" + name))
        }
        return all
    }
}

enum Fixture {
    static let siteKey = SiteKey.fixed(0xA5)

    /// A hash that costs a millisecond.
    static var options: Records.Options {
        var options = Records.Options()
        options.scrypt = ScryptParameters(costLog2: 4, blockSize: 8, parallelism: 1)
        return options
    }

    static func records(
        in folder: TemporaryFolder,
        clock: ManualClock = ManualClock(),
        options: Records.Options = Self.options
    ) throws -> Records {
        try Records(path: folder.database, clock: clock, siteKey: Self.siteKey, options: options)
    }
}

extension SiteKey {
    static func fixed(_ byte: UInt8) -> SiteKey {
        do { return try SiteKey(bytes: [UInt8](repeating: byte, count: SiteKey.byteCount)) } catch {
            return SiteKey.random()
        }
    }
}
