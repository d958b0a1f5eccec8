internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import FirmwareContract
internal import WebConsole

/// Values and states in words, for pages and the live feed.
enum ValueText {
    /// The value as people read it, with the enumeration's label where there is one.
    static func text(_ sample: Sample?, _ point: PointDefinition) -> LocalizedText {
        guard let sample else { return LocalizedText(vi: "–", en: "–") }
        guard sample.quality.level != .bad else { return LocalizedText(vi: "—", en: "—") }
        if let label = point.label(for: sample.value) { return label }
        if point.kind == .boolean {
            return sample.value == 0 ? LocalizedText(vi: "Tắt", en: "Off") : LocalizedText(vi: "Bật", en: "On")
        }
        return self.localized(sample.value)
    }

    /// A number with the decimal mark of each language.
    static func localized(_ value: Double) -> LocalizedText {
        let english = self.number(value)
        return LocalizedText(vi: english.replacing(".", with: ","), en: english)
    }

    /// A count with its thousands apart.
    static func grouped(_ count: UInt64) -> LocalizedText {
        let digits = Array(String(count))
        var groups: [String] = []
        var end = digits.count
        while end > 0 {
            groups.insert(String(digits[max(0, end - 3)..<end]), at: 0)
            end -= 3
        }
        return LocalizedText(vi: groups.joined(separator: "."), en: groups.joined(separator: ","))
    }

    /// At most three decimals, or six significant digits of small numbers.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return NumberText.text(value) }
        let factor: Double = abs(value) >= 1 ? 1_000 : 1_000_000
        return NumberText.text((value * factor).rounded() / factor)
    }
}

extension DeviceHealth.State {
    var label: LocalizedText {
        switch self {
        case .waiting: LocalizedText(vi: "Đang chờ", en: "Waiting")
        case .online: LocalizedText(vi: "Hoạt động", en: "Online")
        case .late: LocalizedText(vi: "Trễ", en: "Late")
        case .offline: LocalizedText(vi: "Mất liên lạc", en: "Offline")
        case .quarantined: LocalizedText(vi: "Cách ly", en: "Quarantined")
        }
    }

    var statusKind: StatusKind {
        switch self {
        case .waiting: .information
        case .online: .normal
        case .late: .warning
        case .offline: .offline
        case .quarantined: .quarantined
        }
    }

    /// Whether somebody should look.
    var isAbnormal: Bool { self == .late || self == .offline || self == .quarantined }
}

extension DeviceHealth.Reason {
    var label: LocalizedText {
        switch self {
        case .none: LocalizedText(vi: "chưa có tin", en: "nothing heard yet")
        case .answering: LocalizedText(vi: "trả lời bình thường", en: "answering")
        case .silent: LocalizedText(vi: "im lặng quá lâu", en: "silent for too long")
        case .timeout: LocalizedText(vi: "không trả lời kịp", en: "no answer in time")
        case .notConnected: LocalizedText(vi: "không kết nối được", en: "no connection")
        case .refused: LocalizedText(vi: "thiết bị từ chối yêu cầu", en: "the device refuses the request")
        case .exception: LocalizedText(vi: "thiết bị báo lỗi Modbus", en: "Modbus exception")
        case .badReply: LocalizedText(vi: "trả lời không khớp", en: "reply does not fit")
        case .lastWill: LocalizedText(vi: "thiết bị đã ngắt (last will)", en: "gone (last will)")
        case .violation: LocalizedText(vi: "dữ liệu sai hồ sơ", en: "payload breaks its profile")
        case .contract:
            LocalizedText(vi: "dữ liệu sai hợp đồng firmware", en: "payload breaks its firmware contract")
        }
    }
}

extension Quality {
    var label: LocalizedText {
        if self.isGood { return LocalizedText(vi: "", en: "") }
        switch self.reason {
        case .none: return LocalizedText(vi: "chưa chắc", en: "uncertain")
        case .communication: return LocalizedText(vi: "mất liên lạc", en: "no communication")
        case .sentinel: return LocalizedText(vi: "thiết bị báo không có giá trị", en: "device says: no value")
        case .range: return LocalizedText(vi: "ngoài khoảng hợp lý", en: "out of range")
        case .rateOfChange: return LocalizedText(vi: "thay đổi quá nhanh", en: "changes too fast")
        case .stale: return LocalizedText(vi: "số liệu cũ", en: "stale")
        case .notReady: return LocalizedText(vi: "chưa sẵn sàng", en: "not ready")
        case .unknownValue: return LocalizedText(vi: "giá trị lạ", en: "unknown value")
        case .malformed: return LocalizedText(vi: "không đọc được", en: "cannot be read")
        }
    }
}

/// Instants in the site's local time.
enum LocalTime {
    /// `2026-11-23 21:44:05`.
    static func text(_ tick: Tick?, _ utcOffsetSeconds: Int64) -> String {
        guard let tick else { return "–" }
        let shifted = UTCText.rfc3339(tick.advanced(byMilliseconds: utcOffsetSeconds * 1_000))
        return String(shifted.prefix(19)).replacing("T", with: " ")
    }

    /// Since when, in its two largest units: `3 min`, `2 h 5 min`.
    static func span(_ milliseconds: Int64) -> LocalizedText {
        let seconds = max(milliseconds, 0) / 1_000
        switch seconds {
        case ..<60: return LocalizedText(vi: "\(seconds) giây", en: "\(seconds) s")
        case ..<3_600: return LocalizedText(vi: "\(seconds / 60) phút", en: "\(seconds / 60) min")
        case ..<86_400:
            let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60)
            return LocalizedText(vi: "\(hours) giờ \(minutes) phút", en: "\(hours) h \(minutes) min")
        default:
            let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3_600)
            return LocalizedText(vi: "\(days) ngày \(hours) giờ", en: "\(days) d \(hours) h")
        }
    }
}

/// Why the last exchange with a device failed, in words; the code stays beside it for search.
enum FaultReason {
    static func label(_ code: String) -> LocalizedText {
        if let reason = DeviceHealth.Reason(rawValue: code) { return self.sentence(reason.label) }
        if code.hasPrefix("exception"), let number = Int(code.dropFirst(9)) { return self.exception(number) }
        return QuarantineReason.label(code)
    }

    private static func sentence(_ text: LocalizedText) -> LocalizedText {
        LocalizedText(
            vi: text.vi.prefix(1).uppercased() + text.vi.dropFirst(),
            en: text.en.prefix(1).uppercased() + text.en.dropFirst()
        )
    }

    /// The exception codes of the Modbus application protocol, chapter 7.
    private static func exception(_ code: Int) -> LocalizedText {
        switch code {
        case 1: LocalizedText(vi: "Thiết bị không có chức năng này", en: "The device does not have this function")
        case 2: LocalizedText(vi: "Thiết bị không có địa chỉ này", en: "The device does not have this address")
        case 3: LocalizedText(vi: "Thiết bị từ chối giá trị này", en: "The device refuses this value")
        case 4: LocalizedText(vi: "Thiết bị báo hỏng", en: "The device reports a failure")
        case 5: LocalizedText(vi: "Thiết bị cần thêm thời gian", en: "The device needs more time")
        case 6: LocalizedText(vi: "Thiết bị đang bận", en: "The device is busy")
        case 8: LocalizedText(vi: "Bộ nhớ của thiết bị có lỗi", en: "The device's memory has an error")
        case 10: LocalizedText(vi: "Cổng Modbus không có đường đi", en: "The Modbus gateway has no path")
        case 11:
            LocalizedText(vi: "Thiết bị sau cổng Modbus không trả lời", en: "The device behind the gateway is silent")
        default: LocalizedText(vi: "Thiết bị báo lỗi Modbus \(code)", en: "The device answers Modbus exception \(code)")
        }
    }
}

/// Why a message was kept out, in words; the code stays beside it for search.
enum QuarantineReason {
    private static func label(_ reason: ContractReason) -> LocalizedText {
        switch reason {
        case .contractViolation:
            LocalizedText(vi: "Bản tin sai hợp đồng firmware", en: "The payload breaks its firmware contract")
        case .contractUnknownVersion:
            LocalizedText(vi: "Chưa biết phiên bản firmware này", en: "This version of the firmware is not known")
        case .contractUnknownMessage:
            LocalizedText(
                vi: "Loại bản tin không có trong hợp đồng firmware",
                en: "The firmware contract has no such message"
            )
        }
    }

    static func label(_ code: String) -> LocalizedText {
        if let reason = ContractReason(rawValue: code) { return self.label(reason) }
        guard let reason = DecodeReason(rawValue: code) else {
            return LocalizedText(vi: "Chưa có thiết bị nào nhận chủ đề này", en: "No device has this topic")
        }
        return switch reason {
        case .payloadTooLarge: LocalizedText(vi: "Bản tin quá lớn", en: "The payload is too large")
        case .notUTF8: LocalizedText(vi: "Không phải văn bản UTF-8", en: "Not UTF-8 text")
        case .jsonSyntax: LocalizedText(vi: "JSON sai cú pháp", en: "Broken JSON")
        case .jsonTooDeep: LocalizedText(vi: "JSON lồng quá sâu", en: "JSON nested too deep")
        case .jsonTooMany: LocalizedText(vi: "JSON có quá nhiều phần tử", en: "JSON with too many values")
        case .jsonDuplicateKey: LocalizedText(vi: "JSON có khóa trùng nhau", en: "JSON with a duplicate key")
        case .nothingDecoded: LocalizedText(vi: "Không đọc được điểm đo nào", en: "Not one point could be read")
        case .missingField: LocalizedText(vi: "Thiếu trường bắt buộc", en: "A required field is missing")
        case .clockMalformed:
            LocalizedText(vi: "Không đọc được giờ của thiết bị", en: "The device's time is unreadable")
        case .clockInFuture: LocalizedText(vi: "Giờ của thiết bị ở tương lai", en: "The device's time is in the future")
        case .clockOutOfRange:
            LocalizedText(vi: "Giờ của thiết bị ngoài phạm vi", en: "The device's time is out of range")
        }
    }
}
