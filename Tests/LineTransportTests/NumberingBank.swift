import Foundation
import LineTransport

/// A text dialect without a maker: lines end in CR.
struct PlainDialect: LineDialect {
    var greetings: [String: LineGreeting] = [:]

    var hasGreeting: Bool { !self.greetings.isEmpty }

    func frameLength(in buffer: ArraySlice<UInt8>) -> (frame: Int, end: Int)? {
        buffer.firstIndex(of: 0x0D).map { ($0 - buffer.startIndex, 1) }
    }

    func trimmed(_ frame: ArraySlice<UInt8>) -> ArraySlice<UInt8> { frame }

    func isEmpty(_ frame: ArraySlice<UInt8>) -> Bool { frame.isEmpty }

    func response(to greeting: ArraySlice<UInt8>) -> LineGreeting {
        self.greetings[String(decoding: greeting, as: UTF8.self)] ?? .other
    }
}

/// A device that answers `NAME NUMBER` by `NAME=NUMBER`: an answer that comes to another request is told by its number.
final class NumberingBank: LineBank {
    let greeting: String
    /// What must lead the first request of a connection.
    let prefix: String

    init(greeting: String = "", prefix: String = "") {
        self.greeting = greeting
        self.prefix = prefix
    }

    func makeSession() -> any LineSession { Session(bank: self) }

    final class Session: LineSession {
        private let bank: NumberingBank
        private var isFirst = true

        init(bank: NumberingBank) { self.bank = bank }

        var greeting: [UInt8] { self.bank.greeting.isEmpty ? [] : Array("\(self.bank.greeting)\r".utf8) }

        func answer(_ buffer: inout [UInt8]) -> [UInt8]? {
            guard let end = buffer.firstIndex(of: 0x0D) else { return nil }
            var line = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeFirst(end + 1)
            if self.isFirst, !self.bank.prefix.isEmpty {
                guard line.hasPrefix(self.bank.prefix) else { return Array("REFUSED\r".utf8) }
                line.removeFirst(self.bank.prefix.count)
            }
            self.isFirst = false
            let words = line.split(separator: " ")
            guard let name = words.first else { return Array("?\r".utf8) }
            let number = words.dropFirst().first ?? "0"
            return Array("\(name)=\(number)\r".utf8)
        }
    }
}

/// Requests that carry a number, which their reply must carry, too; the verdict sees only the form, as in the field.
enum Numbered {
    static func request(_ name: String, _ number: Int, unit: UInt8 = 1) -> LineRequest {
        LineRequest(unit: unit, name: name, bytes: Array("\(name) \(number)\r".utf8)) { frame in
            let text = String(decoding: frame, as: UTF8.self)
            if text == "REFUSED" || text == "?" { return .refusal }
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            return parts.count == 2 && parts[0] == name && Int(parts[1]) != nil ? .reply : .other
        }
    }

    /// Asks once; the number in the reply, `nil` when there is none.
    static func ask(_ bus: LineBus, _ name: String, _ number: Int) async -> Int? {
        guard case .success(let reply) = await bus.ask([self.request(name, number)])[0] else { return nil }
        return self.number(reply)
    }

    /// The number in a reply.
    static func number(_ reply: LineReply) -> Int? {
        String(decoding: reply.frame, as: UTF8.self).split(separator: "=").last.flatMap { Int($0) }
    }
}

/// A serial line that is none: a pseudo terminal, whose other end a server plays on.
struct PseudoTerminal {
    let device: String
    /// The server's end; whoever serves it closes it.
    let other: Int32
    /// Keeps the line there while nobody has it open.
    private let keeper: Int32

    init() throws {
        struct NoTerminal: Error {}
        // As posix_openpt, unlockpt and ptsname do, which Swift does not see.
        self.other = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        guard self.other >= 0, ioctl(self.other, 0x4004_5431, &unlocked) == 0,
            ioctl(self.other, 0x8004_5430, &number) == 0
        else { throw NoTerminal() }
        self.device = "/dev/pts/\(number)"
        self.keeper = open(self.device, O_RDWR | O_NOCTTY | O_CLOEXEC)
        var settings = termios()
        tcgetattr(self.keeper, &settings)
        cfmakeraw(&settings)
        tcsetattr(self.keeper, TCSANOW, &settings)
    }

    func end() { close(self.keeper) }
}
