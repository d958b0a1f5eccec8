import CampusModel
import Testing

struct QualityTests {
    @Test func everyQualityIsReadBackFromItsText() {
        for byte in UInt8.min...UInt8.max {
            let quality = Quality(rawValue: byte)
            // Good with a reason is written as its reason and is no quality that anybody makes.
            guard quality.level != .good || quality.reason == .none else { continue }
            #expect(Quality(quality.description) == quality)
        }
        for text in ["", "Good", "bad", "bad:", "bad:x", "good:none", "bad:stale:x"] { #expect(Quality(text) == nil) }
    }

    @Test func everyLevelAndReasonSurvivesItsByte() {
        for reason in Quality.Reason.allCases {
            for quality in [Quality.uncertain(reason), .bad(reason)] {
                let restored = Quality(rawValue: quality.rawValue)
                #expect(restored == quality)
                #expect(restored.reason == reason)
            }
        }
        #expect(Quality(rawValue: 0) == .good)
    }

    @Test func anUnknownByteIsBadNeverGood() {
        for byte in UInt8.min...UInt8.max where Quality(rawValue: byte).isGood { #expect(byte == 0) }
        #expect(Quality(rawValue: 0xFF) == .bad(.malformed))
        #expect(Quality(rawValue: 0x3F) == .bad(.malformed))
    }

    @Test func identifiersAreLowerCaseAndShort() throws {
        try IdentifierRule.check("a203-air.1", kind: "device")
        for text in ["", "-a", "A203", "a b", "a/b", "é", String(repeating: "a", count: 65)] {
            #expect(throws: IdentifierError.self) { try IdentifierRule.check(text, kind: "device") }
        }
    }

    @Test func maskingKeepsAtMostTwoCharacters() {
        #expect(Masking.masked("04A2B3C4D5") == "••••D5")
        #expect(Masking.masked("12345") == "•••••")
        #expect(Masking.masked("") == "")
    }
}
