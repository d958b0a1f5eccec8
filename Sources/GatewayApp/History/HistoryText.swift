internal import CampusModel

/// Bytes of an answer with many rows: times and numbers without a `String` for each.
///
/// The forms are those of the rest of the API: `2017-12-22T10:49:41.000Z`, numbers in the shortest form that reads back
/// the same, whole ones without a point.
struct HistoryText {
    private static let dayMilliseconds: Int64 = 86_400_000
    /// The names of all 256 stored bytes.
    private static let qualities = (0...255).map { Array(Quality(rawValue: UInt8($0)).description.utf8) }

    private(set) var bytes: [UInt8] = []
    /// The day of the last time, and how it is written with its `T`.
    private var day: Int64 = .min
    private var dayText: [UInt8] = []

    var count: Int { self.bytes.count }

    mutating func reserve(_ count: Int) { self.bytes.reserveCapacity(count) }

    mutating func clear() { self.bytes.removeAll(keepingCapacity: true) }

    mutating func put(_ text: StaticString) {
        text.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

    mutating func put(quality: UInt8) { self.bytes.append(contentsOf: Self.qualities[Int(quality)]) }

    mutating func put(time milliseconds: Int64) {
        var rest = milliseconds % Self.dayMilliseconds
        if rest < 0 { rest += Self.dayMilliseconds }
        let day = milliseconds - rest
        if day != self.day {
            self.day = day
            self.dayText = Array(UTCText.rfc3339(Tick(rawValue: day)).utf8.prefix(11))
        }
        self.bytes.append(contentsOf: self.dayText)
        let seconds = rest / 1_000
        self.put(twoDigits: seconds / 3_600)
        self.bytes.append(UInt8(ascii: ":"))
        self.put(twoDigits: seconds / 60 % 60)
        self.bytes.append(UInt8(ascii: ":"))
        self.put(twoDigits: seconds % 60)
        self.bytes.append(UInt8(ascii: "."))
        self.bytes.append(Self.digit(rest / 100 % 10))
        self.put(twoDigits: rest % 100)
        self.bytes.append(UInt8(ascii: "Z"))
    }

    mutating func put(_ number: Double) {
        if let whole = Int64(exactly: number), whole.magnitude < 1 << 53 {
            self.put(whole)
        } else {
            self.bytes.append(contentsOf: number.description.utf8)
        }
    }

    mutating func put(_ number: Int64) {
        if number < 0 { self.bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = self.bytes.count
        repeat {
            self.bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self.bytes[start...].reverse()
    }

    private mutating func put(twoDigits number: Int64) {
        self.bytes.append(Self.digit(number / 10))
        self.bytes.append(Self.digit(number % 10))
    }

    private static func digit(_ number: Int64) -> UInt8 { UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number) }
}
