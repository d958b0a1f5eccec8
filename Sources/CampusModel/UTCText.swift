/// RFC 3339 text of ticks, in UTC, without Foundation: `2017-12-22T10:49:41.000Z`.
package enum UTCText {
    /// Days of the civil calendar since 1970-01-01 for a proleptic Gregorian date.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The civil date `days` after 1970-01-01.
    package static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// `2017-12-22T10:49:41.000Z` for a tick; always milliseconds, always UTC.
    ///
    /// Ticks outside the years 0–9999 clamp.
    package static func rfc3339(_ tick: Tick) -> String {
        let clamped = min(max(tick.rawValue, -62_167_219_200_000), 253_402_300_799_999)
        let dayMilliseconds: Int64 = 86_400_000
        var days = clamped / dayMilliseconds
        var rest = clamped % dayMilliseconds
        if rest < 0 {
            rest += dayMilliseconds
            days -= 1
        }
        let date = self.civil(days: days)
        let time = rest / 1_000
        return self.padded(date.year, 4) + "-" + self.padded(date.month, 2) + "-" + self.padded(date.day, 2) + "T"
            + self.padded(time / 3_600, 2) + ":" + self.padded(time / 60 % 60, 2) + ":" + self.padded(time % 60, 2)
            + "." + self.padded(rest % 1_000, 3) + "Z"
    }

    /// Reads RFC 3339 (`2017-12-22T10:49:41Z`, offsets, any fraction; `T` may be a blank).
    ///
    /// With `zoneless` the zone may be absent and `zonelessOffsetSeconds` east of UTC is taken. `nil` for anything
    /// else.
    package static func tick(rfc3339 text: String, zonelessOffsetSeconds: Int64? = nil) -> Tick? {
        var reader = Reader(bytes: Array(text.utf8))
        guard text.utf8.count <= 40,
            let year = reader.number(digits: 4), reader.take("-"),
            let month = reader.number(digits: 2), reader.take("-"),
            let day = reader.number(digits: 2), reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.number(digits: 2), reader.take(":"),
            let minute = reader.number(digits: 2)
        else { return nil }
        var second: Int64 = 0
        if reader.take(":") {
            guard let value = reader.number(digits: 2) else { return nil }
            second = value
        }
        let milliseconds = reader.take(".") ? reader.fractionMilliseconds() : 0
        guard let milliseconds, (1...12).contains(month), day >= 1, day <= self.length(ofMonth: month, year: year),
            hour <= 23, minute <= 59, second <= 60
        else { return nil }
        guard let offset = reader.offsetSeconds() ?? (reader.isAtEnd ? zonelessOffsetSeconds : nil), reader.isAtEnd
        else { return nil }
        let seconds = self.days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
        return Tick(milliseconds: (seconds - offset) * 1_000 + milliseconds)
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { self.position == self.bytes.count }

        mutating func take(_ character: Character) -> Bool {
            guard self.position < self.bytes.count, self.bytes[self.position] == character.asciiValue else {
                return false
            }
            self.position += 1
            return true
        }

        mutating func number(digits: Int) -> Int64? {
            guard self.position + digits <= self.bytes.count else { return nil }
            var value: Int64 = 0
            for byte in self.bytes[self.position..<self.position + digits] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            self.position += digits
            return value
        }

        mutating func fractionMilliseconds() -> Int64? {
            var value: Int64 = 0
            var digits = 0
            while self.position < self.bytes.count, (0x30...0x39).contains(self.bytes[self.position]) {
                if digits < 3 { value = value * 10 + Int64(self.bytes[self.position] - 0x30) }
                digits += 1
                self.position += 1
            }
            guard digits > 0 else { return nil }
            for _ in min(digits, 3)..<3 { value *= 10 }
            return value
        }

        mutating func offsetSeconds() -> Int64? {
            if self.take("Z") || self.take("z") { return 0 }
            let sign: Int64
            if self.take("+") {
                sign = 1
            } else if self.take("-") {
                sign = -1
            } else {
                return nil
            }
            guard let hours = self.number(digits: 2) else { return nil }
            _ = self.take(":")
            guard let minutes = self.number(digits: 2), hours <= 18, minutes <= 59 else { return nil }
            return sign * (hours * 3_600 + minutes * 60)
        }
    }
}
